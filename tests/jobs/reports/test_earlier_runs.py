"""Which runs a run is compared with."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.reports import earlier_runs
from jobs.reports.earlier_runs import Trend, read_trend
from jobs.storage.store import RunStore


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path


def add(output: Path, run_id: str, customers: int, *, minute: int = 0, segment_map: str = "aa", **changes: Any) -> None:
    """A complete run with one segment."""
    segment = {"code": "A", "name": "all", "customers": customers, "revenue": "1.0000"}
    manifest = {
        "run_id": run_id,
        "as_of": run_id[:10],
        "finished_at": datetime(2026, 1, 1, 0, minute, tzinfo=UTC).isoformat(),
        "segments": {"map": {"name": "mine", "hash": segment_map}, "segments": [segment]},
        **changes,
    }
    (output / "runs" / run_id).mkdir(parents=True)
    (output / "runs" / run_id / "manifest.json").write_text(json.dumps(manifest))


def trend_of(output: Path, run_id: str) -> Trend:
    """The trend up to a run."""
    store = RunStore(str(output))
    manifest = store.manifest_as(earlier_runs.RunWithSegments, run_id)
    run: Any = SimpleNamespace(run_id=run_id, as_of=manifest.as_of, segments=manifest.segments)
    return read_trend(store, run)


def test_of_several_runs_of_a_day_the_last_one_counts_and_of_its_own_day_the_run_itself(output: Path) -> None:
    add(output, "2018-01-01-a", 10, minute=5)
    add(output, "2018-01-01-b", 20, minute=1)
    add(output, "2018-01-02-mine", 30, minute=6)
    add(output, "2018-01-02-other", 40, minute=9)
    add(output, "2018-01-03-later", 50)
    trend = trend_of(output, "2018-01-02-mine")
    assert [(run.run_id, run.customers) for run in trend.runs] == [
        ("2018-01-01-a", {"A": 10}),
        ("2018-01-02-mine", {"A": 30}),
    ]
    assert trend.previous is trend.runs[0]


def test_a_first_run_has_no_previous_one(output: Path) -> None:
    add(output, "2018-01-01-a", 10)
    assert trend_of(output, "2018-01-01-a").previous is None


def test_runs_that_cannot_be_compared_or_read_are_counted(output: Path) -> None:
    add(output, "2018-01-01-other-map", 10, segment_map="bb")
    add(output, "2018-01-02-damaged", 10, segments=3)
    (output / "runs" / "2018-01-03-killed").mkdir()
    add(output, "2018-01-04-without-segments", 10, segments=None)
    add(output, "2018-01-05-mine", 20)
    trend = trend_of(output, "2018-01-05-mine")
    assert (len(trend.runs), trend.other_maps, trend.unreadable, trend.not_read) == (1, 1, 1, 0)


def test_only_the_newest_runs_are_read(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier_runs, "MOST_RUNS", 2)
    for day in range(1, 5):
        add(output, f"2018-01-0{day}-a", day)
    trend = trend_of(output, "2018-01-04-a")
    assert ([run.run_id for run in trend.runs], trend.not_read) == (["2018-01-03-a", "2018-01-04-a"], 2)


def test_a_run_of_a_backfill_counts_although_it_never_was_current(output: Path) -> None:
    add(output, "2018-01-01-gap", 10, job="backfill", becomes_current=False)
    add(output, "2018-01-02-experiment", 20, job="pipeline", becomes_current=False)
    add(output, "2018-01-03-mine", 30)
    assert [run.run_id for run in trend_of(output, "2018-01-03-mine").runs] == ["2018-01-01-gap", "2018-01-03-mine"]
