"""The states of a SageMaker job, which advances by one phase at each description and never by time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.sagemaker.account import NoObjectsError
from tests.fakes.sagemaker.algorithm import AlgorithmError

ENDED = ("Completed", "Failed", "Stopped")


@dataclass
class JobFaults:
    """The faults of one job. Without any, it completes.

    Attributes:
        failure: The reason for which the job fails.
        is_stopped: Whether somebody stops the job.
        exceeds_runtime: Whether the job exceeds its maximum runtime.
        omits_line: Whether a transform job omits the last line of its first file.
        omits_file: Whether a transform job omits its last file.
    """

    failure: str | None = None
    is_stopped: bool = False
    exceeds_runtime: bool = False
    omits_line: bool = False
    omits_file: bool = False


@dataclass
class Job:
    """A job.

    Attributes:
        request: The request that created it.
        arn: Its ARN.
        phases: The secondary statuses through which it passes.
        work: Performs the job after the last phase.
        faults: Its faults.
        is_paused: Whether the job stays in its phase however often it is described.
        created: When it was created.
        status: Its status.
        failure: The FailureReason, if it failed.
        ended: When it ended.
        transitions: The phases that it has entered, with the time of each.
        result: Further members of its description, set by ``work``.
    """

    request: dict[str, Any]
    arn: str
    phases: Sequence[str]
    work: Callable[["Job"], None]
    faults: JobFaults
    is_paused: Callable[[], bool] = lambda: False
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "InProgress"
    failure: str | None = None
    ended: datetime | None = None
    transitions: list[tuple[str, datetime]] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._enter(self.phases[0])
        self._was_described = False

    @property
    def phase(self) -> str:
        """The secondary status."""
        return self.transitions[-1][0]

    def advance(self) -> None:
        """Enter the next phase, or perform the work after the last one. The first description shows the first phase."""
        if not self._was_described:
            self._was_described = True
            return
        if self.status == "Stopping":
            self._end("Stopped", "Stopped")
        if self.status != "InProgress" or self.is_paused():
            return
        position = self.phases.index(self.phase)
        if position + 1 < len(self.phases):
            self._enter(self.phases[position + 1])
        else:
            self._finish()

    def stop(self) -> None:
        """Begin to stop, unless the job is stopping already or has ended."""
        if self.status == "InProgress":
            self.status = "Stopping"
            self._enter("Stopping")

    def _finish(self) -> None:
        if self.faults.is_stopped:
            self._end("Stopped", "Stopped")
        elif self.faults.exceeds_runtime:
            self._end("Stopped", "MaxRuntimeExceeded")
        elif self.faults.failure:
            self._end("Failed", "Failed", self.faults.failure)
        else:
            try:
                self.work(self)
            except (AlgorithmError, NoObjectsError) as error:
                self._end("Failed", "Failed", str(error))
            else:
                self._end("Completed", "Completed")

    def _end(self, status: str, phase: str, failure: str | None = None) -> None:
        self.status, self.failure, self.ended = status, failure, datetime.now(UTC)
        self._enter(phase)

    def _enter(self, phase: str) -> None:
        self.transitions.append((phase, datetime.now(UTC)))
