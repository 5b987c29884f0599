"""A gate that evaluates no rule: the counts of the tasks that wrote the rows then decide alone.

Great Expectations is the dearest part of a run of a few rows. Tests of the gate, of Data Docs and of the agreement
between counts and gate take the real one, by the fixture ``great_expectations``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.quality import report
from jobs.quality.report import load_gate


class FakeGate:
    """The interface of `expectations.gx.gate.Gate`."""

    def __init__(self, folder: Path, *, run_id: str) -> None:
        self._pages = folder / "data_docs"
        self._run_id = run_id

    def plan(self, *_: Any, **__: Any) -> Any:
        """A plan without metrics."""
        return SimpleNamespace(metrics={}, metrics_about=lambda _: {})

    def validate(self, *_: Any, **__: Any) -> dict[str, Any]:
        """No result of any rule."""
        return {}

    def build_data_docs(self, _: Any) -> None:
        """Write a page that says where it comes from."""
        self._pages.mkdir()
        (self._pages / "index.html").write_text(f"<p>Run {self._run_id}, by the fake gate</p>")


@contextmanager
def gate_of(load: Callable[[], Any]) -> Iterator[None]:
    """Have runs of this process load their gate so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "load_gate", load)
        yield


def fake_gate() -> Any:
    """Runs with the fake, in a ``with`` block."""
    return gate_of(lambda: FakeGate)


def real_gate() -> Any:
    """Runs with Great Expectations, in a ``with`` block."""
    return gate_of(load_gate)
