"""A small HTTP server on a port of its own, for one service: it passes requests on, keeps a record and meets faults.

What it does as AWS does: keep-alive, a request id, requests without a signature refused, dropped connections. What it
does not: TLS, checking the signature itself.

A test uses a subclass (`JsonService`); ``calls`` is what the service was asked, and ``defects`` is empty unless a
stand-in itself is wrong, which `running` tells at its end.
"""

import logging
import re
import socket
import threading
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.http.faults import Faults, ServiceError

LOG = logging.getLogger(__name__)
SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True)
class Asked:
    """One HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """One call that was made: what was asked for, and how it ended (``ok``, an error's code, or ``dropped``)."""

    operation: str
    request: Mapping[str, Any]
    outcome: str
    region: str


class DroppedError(Exception):
    """The connection is to end without an answer."""


class HttpService:
    """A server that subclasses give a protocol: `operation_of`, `request_of`, `carry_out` and `error_answer`."""

    signing_name: str

    def __init__(self) -> None:
        self.faults = Faults()
        self.calls: list[Call] = []
        self.defects: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    answer = service.answer(Asked(self.command, self.path, dict(self.headers.items()), body))
                except DroppedError:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer.status)
                for name, value in {**answer.headers, "x-amzn-RequestId": str(uuid.uuid4())}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output to the tests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where the service listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve, until the block ends; then complain about what was wrong with the stand-in itself."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
        assert not self.defects, "\n".join(self.defects)

    def count(self, operation: str) -> int:
        """How often an operation was called."""
        return sum(call.operation == operation for call in self.calls)

    def answer(self, asked: Asked) -> Answer:
        """Answer one request, or meet the fault that waits for it.

        Raises:
            DroppedError: The connection is to end.
        """
        operation, request, outcome = self.operation_of(asked), dict[str, Any](), "ok"
        scope = SCOPE.search(asked.headers.get("Authorization", ""))
        try:
            self._check_signature(asked, scope)
            request |= self.request_of(operation, asked)
            return self._meet_fault(operation, request)
        except DroppedError:
            outcome = "dropped"
            raise
        except ServiceError as error:
            outcome = error.code
            return self.error_answer(error)
        except Exception:
            outcome = "defect"
            LOG.exception("%s: the stand-in is wrong", operation)
            self.defects.append(f"{operation} {request}\n{traceback.format_exc()}")
            return self.error_answer(ServiceError("InternalFailure", "the stand-in is wrong", 500))
        finally:
            self.calls.append(Call(operation, request, outcome, scope["region"] if scope else ""))

    def _check_signature(self, asked: Asked, scope: re.Match[str] | None) -> None:
        if scope is None or scope["service"] != self.signing_name:
            message = f"expected a signature for {self.signing_name}, found {asked.headers.get('Authorization')}"
            raise ServiceError("MissingAuthenticationTokenException", message, 403)

    def _meet_fault(self, operation: str, request: dict[str, Any]) -> Answer:
        fault = self.faults.next_of(operation)
        if fault is None:
            return self.carry_out(operation, request)
        if fault.error:
            raise fault.error
        if fault.work_is_done:
            self.carry_out(operation, request)
            fault.wait()
        raise DroppedError

    def operation_of(self, asked: Asked) -> str:
        """Which operation a request calls."""
        raise NotImplementedError

    def request_of(self, operation: str, asked: Asked) -> dict[str, Any]:
        """A request's members, checked."""
        raise NotImplementedError

    def carry_out(self, operation: str, request: dict[str, Any]) -> Answer:
        """Do what a request asks for."""
        raise NotImplementedError

    def error_answer(self, error: ServiceError) -> Answer:
        """An error in the service's protocol."""
        raise NotImplementedError
