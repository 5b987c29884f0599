"""How far a job of SageMaker's is: it moves each time that it is described, or waits for an event; it never sleeps."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.s3.objects import NoObjectsError
from tests.fakes.sagemaker.algorithm import AlgorithmError

RUNNING, ENDED = ("InProgress", "Stopping"), ("Completed", "Failed", "Stopped")


@dataclass
class JobTrouble:
    """What is to become of a job other than to complete."""

    failure: str | None = None
    stopped: bool = False
    exceeds_runtime: bool = False
    loses_line: bool = False
    loses_file: bool = False


@dataclass
class Gate:
    """Jobs wait here while it is closed: they stay InProgress, however often they are described."""

    _open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._open.set()

    def close(self) -> None:
        """Let jobs take long."""
        self._open.clear()

    def open(self) -> None:
        """Let them go on."""
        self._open.set()

    @property
    def is_open(self) -> bool:
        """Whether jobs go on."""
        return self._open.is_set()


@dataclass
class Job:
    """One job: its request, its way through ``phases``, and its end."""

    request: dict[str, Any]
    arn: str
    phases: Sequence[str]
    work: Callable[["Job"], None]
    gate: Gate
    trouble: JobTrouble
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

    def move(self) -> None:
        """Go on by one phase, once the first has been seen; after the last phase the work is done."""
        if not self._was_described:
            self._was_described = True
            return
        if self.status == "Stopping":
            self._end("Stopped", "Stopped")
        if self.status != "InProgress" or not self.gate.is_open:
            return
        position = self.phases.index(self.phase)
        if position + 1 < len(self.phases):
            self._enter(self.phases[position + 1])
        else:
            self._finish()

    def stop(self) -> None:
        """Begin to stop, as far as there is something to stop."""
        if self.status == "InProgress":
            self.status = "Stopping"
            self._enter("Stopping")

    def _finish(self) -> None:
        if self.trouble.stopped:
            self._end("Stopped", "Stopped")
        elif self.trouble.exceeds_runtime:
            self._end("Stopped", "MaxRuntimeExceeded")
        elif self.trouble.failure:
            self._end("Failed", "Failed", self.trouble.failure)
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
