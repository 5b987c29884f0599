"""Runs that are derived again by DuckDB as soon as they are complete: `make test-all` does so for all of its runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

from jobs.runs.run import Run
from jobs.storage.store import RunStore
from jobs.verifying.checks import Result
from jobs.verifying.verification import verify_run


class DoesNotHoldError(AssertionError):
    """A run that a test made is not what its files make of it."""


def raise_if_off(store: RunStore, run_id: str) -> None:
    """Derive a run again.

    Raises:
        DoesNotHoldError: Something is off; the message has each check that failed.
    """
    failed = verify_run(store, store.manifest(run_id)).having(Result.FAILED)
    if failed:
        lines = [f"{check.name}: {check.note or '; '.join(map(str, check.faults))}" for check in failed]
        raise DoesNotHoldError("\n".join([f"run {run_id} does not hold:", *lines]))


@contextmanager
def verified_runs() -> Iterator[None]:
    """Have each run of this process verified when it is complete, in a ``with`` block."""
    finish = Run.finish

    @wraps(finish)
    def finish_and_verify(run: Run, *arguments: Any, **options: Any) -> None:
        finish(run, *arguments, **options)
        raise_if_off(run._store, run.run_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "finish", finish_and_verify)
        yield
