"""What goes wrong with a service as a whole, on demand: for the next calls of an operation.

A test says ``service.faults.throttle("DescribeStatement", times=2)`` and makes its calls. Faults of one operation are
used up in the order in which they were asked for.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass


class ServiceError(Exception):
    """An error as a service answers it: a code, a message, an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def invalid(message: str) -> ServiceError:
    """The request is not one that the service takes."""
    return ServiceError("ValidationException", message)


def nothing() -> None:
    """Wait for nothing before a connection is dropped."""


@dataclass(frozen=True)
class Fault:
    """One call's fault: an error instead of an answer, or a connection that ends without one."""

    error: ServiceError | None = None
    work_is_done: bool = False
    wait: Callable[[], object] = nothing


class Faults:
    """The faults that wait for a service's next calls."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = defaultdict(deque)

    def answer(self, operation: str, error: ServiceError, *, times: int = 1) -> None:
        """Answer the next calls with this error; the work is not done."""
        self._waiting[operation].extend([Fault(error=error)] * times)

    def fail(self, operation: str, *, times: int = 1) -> None:
        """Answer the next calls with HTTP 500."""
        error = ServiceError("InternalServerException", "An internal error occurred", 500)
        self.answer(operation, error, times=times)

    def throttle(self, operation: str, *, times: int = 1) -> None:
        """Answer the next calls that there were too many."""
        self.answer(operation, ServiceError("ThrottlingException", "Rate exceeded"), times=times)

    def deny(self, operation: str, *, times: int = 1) -> None:
        """Answer the next calls that the caller may not."""
        message = f"User: arn:aws:sts::123456789012:assumed-role/tests is not authorized to perform: {operation}"
        self.answer(operation, ServiceError("AccessDeniedException", message), times=times)

    def expire(self, operation: str, *, times: int = 1) -> None:
        """Answer the next calls that the caller's credentials have expired."""
        message = "The security token included in the request is expired"
        self.answer(operation, ServiceError("ExpiredTokenException", message), times=times)

    def drop_before(self, operation: str, *, times: int = 1) -> None:
        """End the connection of the next calls before any work is done."""
        self._waiting[operation].extend([Fault()] * times)

    def drop_after(self, operation: str, *, times: int = 1, wait: Callable[[], object] = nothing) -> None:
        """Do the work of the next calls, wait for what ``wait`` waits for, and end the connection without an answer."""
        self._waiting[operation].extend([Fault(work_is_done=True, wait=wait)] * times)

    def next_of(self, operation: str) -> Fault | None:
        """The fault that this call of an operation meets."""
        waiting = self._waiting[operation]
        return waiting.popleft() if waiting else None
