"""The report that a run leaves when it is complete. If it cannot be made, the run stays as it is, and can be loaded."""

import logging
import shlex
from types import TracebackType

from jobs.cli import console, interruptions
from jobs.cli.logs import log_event
from jobs.reports.making import make_report
from jobs.runs.endings import failure_of
from jobs.runs.run import Run
from jobs.spark.session import failure_of_spark
from jobs.storage.store import RunStore

log = logging.getLogger(__name__)


class LeftReport:
    """The report that a run left, or why it left none. In a ``with`` block it takes the error of making it.

    Attributes:
        path: where the report is, for people; None where there is none.
        failure: why it could not be made.
    """

    def __init__(self, run: Run, store: RunStore) -> None:
        self.path: str | None = None
        self.failure: Exception | None = None
        self._run, self._store = run, store

    def __enter__(self) -> "LeftReport":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        interruptions.check()  # perhaps a library made another error of a signal
        log_event(log, "report failed", level=logging.ERROR, run_id=self._run.run_id, error=type(error).__name__)
        self.failure = self._with_advice(error)
        return True

    def _with_advice(self, error: Exception) -> Exception:
        """The error that ends the program. A fault of this code stays what it is."""
        failure = failure_of_spark(error) or failure_of(error)
        if failure is None:
            return error
        state = "" if "is complete" in str(failure) else f". Run {self._run.run_id} is complete"
        words = ["python", "-m", "jobs.report", "--output", self._store.output, "--run", self._run.run_id]
        return type(failure)(f"{str(failure).rstrip('.')}{state}. Make the report with: {shlex.join(words)}")

    def show(self) -> None:
        """Print where the report is."""
        if self.path is not None:
            console.say(f"Report: {self.path}")

    def raise_if_failed(self) -> None:
        """End the program as the failure says.

        Raises:
            PipelineError: The report could not be made.
            Exception: Making it found a fault of this code.
        """
        if self.failure is not None:
            raise self.failure


def leave_report(run: Run, store: RunStore) -> LeftReport:
    """Make the report of a run that is complete, if its customers have scores."""
    left = LeftReport(run, store)
    with left:
        if store.manifest(run.run_id).segments is not None:
            left.path = make_report(run.session, store, run.run_id, smallest_cell=run.options.smallest_cell)
    return left
