"""An HTTP server for one fake service: it listens on a port of its own, records calls, and applies injected faults.

Like AWS, it keeps connections alive, returns a request id, and rejects requests without a signature. It has no TLS, and
it does not verify the signature.

Tests use the subclasses in `protocols`. ``calls`` records every request. ``defects`` lists the errors of the fake
itself; `HttpService.running` fails the test if there are any.
"""

import logging
import re
import socket
import threading
import traceback
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.http.faults import Faults, ServiceError

LOG = logging.getLogger(__name__)
SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True)
class HttpRequest:
    """A request as it arrives."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class HttpResponse:
    """A response as it is sent, without the headers that every response has."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """A call that a client made.

    Attributes:
        operation: Its name in botocore's model.
        request: The request's members; empty if the request was rejected before it was parsed.
        outcome: ``ok``, an error code, ``dropped``, or ``defect``.
        region: The region for which the request was signed.
    """

    operation: str
    request: Mapping[str, Any]
    outcome: str
    region: str


class DroppedConnectionError(Exception):
    """The connection ends without a response."""


class HttpService(ABC):
    """The server. A subclass speaks a protocol: `operation_of`, `members_of`, `perform` and `error_response`."""

    signing_name: str

    def __init__(self) -> None:
        self.faults = Faults()
        self.calls: list[Call] = []
        self.defects: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """The endpoint, for ``AWS_ENDPOINT_URL`` or ``endpoint_url``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve until the block ends, then fail if the fake itself had defects."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
        assert not self.defects, "\n".join(self.defects)

    def count(self, operation: str) -> int:
        """The number of calls of an operation, with those that failed."""
        return sum(call.operation == operation for call in self.calls)

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Perform a request, or apply the fault that a test injected for it.

        Raises:
            DroppedConnectionError: The connection has to end without a response.
        """
        operation, members, outcome = self.operation_of(request), dict[str, Any](), "ok"
        scope = SCOPE.search(request.headers.get("Authorization", ""))
        try:
            self._check_signature(request, scope)
            members |= self.members_of(operation, request)
            return self._perform_or_fail(operation, members)
        except DroppedConnectionError:
            outcome = "dropped"
            raise
        except ServiceError as error:
            outcome = error.code
            return self.error_response(error)
        except Exception:
            outcome = "defect"
            LOG.exception("%s: defect in the fake", operation)
            self.defects.append(f"{operation} {members}\n{traceback.format_exc()}")
            return self.error_response(ServiceError("InternalFailure", "defect in the fake", 500))
        finally:
            self.calls.append(Call(operation, members, outcome, scope["region"] if scope else ""))

    def _check_signature(self, request: HttpRequest, scope: re.Match[str] | None) -> None:
        if scope is None or scope["service"] != self.signing_name:
            message = f"expected a signature for {self.signing_name}, found {request.headers.get('Authorization')}"
            raise ServiceError("MissingAuthenticationTokenException", message, 403)

    def _perform_or_fail(self, operation: str, members: dict[str, Any]) -> HttpResponse:
        fault = self.faults.next_fault(operation)
        if fault is None:
            return self.perform(operation, members)
        if fault.error:
            raise fault.error
        if fault.after_work:
            self.perform(operation, members)
            fault.wait()
        raise DroppedConnectionError

    @abstractmethod
    def operation_of(self, request: HttpRequest) -> str:
        """The name of the operation that a request calls."""

    @abstractmethod
    def members_of(self, operation: str, request: HttpRequest) -> dict[str, Any]:
        """Parse and validate a request.

        Raises:
            ServiceError: The service rejects the request.
        """

    @abstractmethod
    def perform(self, operation: str, members: dict[str, Any]) -> HttpResponse:
        """Perform an operation and encode its result.

        Raises:
            ServiceError: The operation fails.
        """

    @abstractmethod
    def error_response(self, error: ServiceError) -> HttpResponse:
        """Encode an error in the service's protocol."""


def _handler_of(service: HttpService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                response = service.respond(HttpRequest(self.command, self.path, dict(self.headers.items()), body))
            except DroppedConnectionError:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(response.status)
            for name, value in {**response.headers, "x-amzn-RequestId": str(uuid.uuid4())}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def do_POST(self) -> None:
            self.serve()

        def do_GET(self) -> None:
            self.serve()

        def do_DELETE(self) -> None:
            self.serve()

        def log_message(self, *_: object) -> None:
            """Log nothing; the base class writes every request to stderr."""

    return Handler
