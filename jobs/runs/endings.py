"""How a run ends that does not complete: the error that is told, what is tidied up, and ``failure.json``."""

import logging
from contextlib import suppress

from jobs.cli import interruptions
from jobs.cli.logs import log_event
from jobs.errors import OutsideSystemError, PipelineError, reason_of
from jobs.storage.store import MANIFEST, RunStore

STAGE = "_stage"
"""The folder of a run for what it removes when it is complete, or ends."""

log = logging.getLogger(__name__)


def failure_of(error: Exception) -> PipelineError | None:
    """The error of a run that a user or an operator can mend; None for a fault of this code.

    Where the run is complete already, the error says so.
    """
    state = interruptions.state()
    if isinstance(error, PipelineError):
        has_state = state == interruptions.UNCHANGED or "is complete" in str(error)
        return error if has_state else type(error)(f"{str(error).rstrip('.')}. {state[0].upper()}{state[1:]}")
    if isinstance(error, OSError):
        return OutsideSystemError(f"cannot read or write a file: {reason_of(error)}; {state}")
    return None


def record_interruption(store: RunStore, run_id: str, job: str) -> None:
    """Remove what an interrupted run staged, and record how it ended unless it is complete."""
    exit_code = interruptions.exit_code()
    log_event(log, "run failed", level=logging.ERROR, run_id=run_id, job=job, exit_code=exit_code)
    with suppress(Exception):  # an outage, or a full disk: the interruption is what is told
        if store.contains(run_id, MANIFEST):
            return
        store.remove(run_id, STAGE)
        store.write_failure(run_id, {"exit_code": exit_code, "error": interruptions.line()})
