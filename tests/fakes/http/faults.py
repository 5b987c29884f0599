"""Faults of a whole service: errors and dropped connections, injected into the next calls of an operation.

A test injects with ``service.faults.throttle("DescribeStatement", times=2)`` and then makes its calls. The faults of
one operation occur in the order in which the test injected them.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass


class ServiceError(Exception):
    """An error response of a service: a code, a message, and an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def validation_error(message: str) -> ServiceError:
    """The error with which most services reject an invalid request."""
    return ServiceError("ValidationException", message)


def no_wait() -> None:
    """Return at once."""


@dataclass(frozen=True)
class Fault:
    """The fault of one call: an error response, or a dropped connection if ``error`` is None.

    Attributes:
        error: The response, sent in place of any work.
        after_work: Whether the operation is performed before the connection drops.
        wait: Called between the operation and the drop.
    """

    error: ServiceError | None = None
    after_work: bool = False
    wait: Callable[[], object] = no_wait


class Faults:
    """The injected faults of a service, per operation."""

    def __init__(self) -> None:
        self._pending: dict[str, deque[Fault]] = defaultdict(deque)

    def respond_with(self, operation: str, error: ServiceError, *, times: int = 1) -> None:
        """Respond to the next calls with this error. The operation is not performed."""
        self._pending[operation].extend([Fault(error=error)] * times)

    def fail(self, operation: str, *, times: int = 1) -> None:
        """Respond to the next calls with HTTP 500."""
        error = ServiceError("InternalServerException", "An internal error occurred", 500)
        self.respond_with(operation, error, times=times)

    def throttle(self, operation: str, *, times: int = 1) -> None:
        """Respond to the next calls that the rate is exceeded."""
        self.respond_with(operation, ServiceError("ThrottlingException", "Rate exceeded"), times=times)

    def deny(self, operation: str, *, times: int = 1) -> None:
        """Respond to the next calls that IAM denies the operation."""
        message = f"User: arn:aws:sts::123456789012:assumed-role/tests is not authorized to perform: {operation}"
        self.respond_with(operation, ServiceError("AccessDeniedException", message), times=times)

    def expire(self, operation: str, *, times: int = 1) -> None:
        """Respond to the next calls that the caller's credentials have expired."""
        message = "The security token included in the request is expired"
        self.respond_with(operation, ServiceError("ExpiredTokenException", message), times=times)

    def drop_before(self, operation: str, *, times: int = 1) -> None:
        """Drop the connection of the next calls before the operation is performed."""
        self._pending[operation].extend([Fault()] * times)

    def drop_after(self, operation: str, *, times: int = 1, wait: Callable[[], object] = no_wait) -> None:
        """Perform the operation of the next calls, call ``wait``, and drop the connection without a response."""
        self._pending[operation].extend([Fault(after_work=True, wait=wait)] * times)

    def next_fault(self, operation: str) -> Fault | None:
        """Take the fault of this call, if there is one."""
        pending = self._pending[operation]
        return pending.popleft() if pending else None
