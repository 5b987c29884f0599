"""The hook that has each run of the tests verified."""

from pathlib import Path

import pytest

from jobs.runs.run import Run
from jobs.storage.store import RunStore
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, write_run
from tests.verified import DoesNotHoldError, raise_if_off, verified_runs


def test_a_run_that_does_not_hold_fails_its_test(tmp_path: Path) -> None:
    wrong = [(*row[:5], 999, *row[6:]) for row in JUNE["rfm"]]
    write_run(tmp_path, JUNE_RUN, {**JUNE, "rfm": wrong})
    with pytest.raises(
        DoesNotHoldError, match=r"rfm: days and weeks: customer_unique_id ann: recency_weeks: found 999"
    ):
        raise_if_off(RunStore(str(tmp_path)), JUNE_RUN)


def test_each_complete_run_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished, verified = [], []
    monkeypatch.setattr(Run, "finish", lambda run, **_: finished.append(run))
    monkeypatch.setattr("tests.verified.raise_if_off", lambda _, run_id: verified.append((len(finished), run_id)))
    run = object.__new__(Run)
    run.run_id, run._store = JUNE_RUN, RunStore(str(tmp_path))
    with verified_runs():
        run.finish(inputs={}, results=[], becomes_current=True)
    assert verified == [(1, JUNE_RUN)]
