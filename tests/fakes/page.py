"""A report that counts no customers, for runs whose report is not what is tested: two queries and a page less."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jobs import report
from jobs.reports import leaving
from jobs.reports.making import REPORT, make_report
from jobs.storage.store import RunStore


def write_a_line(_session: object, store: RunStore, run_id: str, **_: Any) -> str:
    """The interface of `jobs.reports.making.make_report`."""
    store.write_text(run_id, REPORT, f"<p>Run {run_id}, by the fake report</p>")
    return store.display_path(run_id, REPORT)


@contextmanager
def _made_by(make: Callable[..., str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (leaving, report):
            patch.setattr(module, "make_report", make)
        yield


def fake_report() -> Any:
    """Runs with the fake, in a ``with`` block."""
    return _made_by(write_a_line)


def real_report() -> Any:
    """Runs with the report that users get, in a ``with`` block."""
    return _made_by(make_report)
