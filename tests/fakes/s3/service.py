"""S3: moto's server, and a proxy in front of it that injects faults into requests.

moto keeps objects, versions, multipart uploads and conditional writes like S3, and accepts any credentials. Its data
belongs to the process, so each test creates its own buckets with the fixture ``bucket``.

A test injects with ``proxy.inject("SlowDown", times=2, method="PUT", path="/transactions/")`` and then makes its
requests. ``proxy.injected`` lists the requests that had a fault.
"""

import http.client
import logging
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from moto.server import ThreadedMotoServer

ERRORS = {
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "SlowDown": (503, "Please reduce your request rate."),
    "ExpiredToken": (400, "The provided token has expired."),
    "AccessDenied": (403, "Access Denied"),
    "PermanentRedirect": (
        301,
        "The bucket you are attempting to access must be addressed using the specified endpoint.",
    ),
    "ConditionalRequestConflict": (409, "A conflicting conditional operation is currently in progress."),
}
"""S3's errors: the HTTP status and the message of each code, as AWS documents them."""

CONNECTION_FAULTS = ("reset", "truncated", "lost")
"""Faults of a response: reset in mid-body, ended in mid-body, or never sent although the request was performed."""


@contextmanager
def s3_server() -> Iterator[str]:
    """Run moto's server on a free port until the block ends.

    Yields:
        The endpoint.
    """
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@dataclass
class PendingFault:
    """A fault for the next requests with a method and a path.

    Attributes:
        name: A code of `ERRORS`, or one of `CONNECTION_FAULTS`.
        remaining: How many requests will still have it.
        method: The HTTP method; empty for any.
        path: A part of the path; empty for any.
        message: The message of the response; empty for that of `ERRORS`.
    """

    name: str
    remaining: int
    method: str
    path: str
    message: str = ""


class S3Proxy:
    """Forwards requests to S3, except those into which a test injects an error.

    Attributes:
        injected: The fault, method and path of each request that had a fault.
    """

    def __init__(self, endpoint: str) -> None:
        self.injected: list[tuple[str, str, str]] = []
        self._pending: list[PendingFault] = []
        self._lock = threading.Lock()
        self._target = urlsplit(endpoint)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """The endpoint, for ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def inject(self, fault: str, *, times: int = 1, method: str = "", path: str = "", message: str = "") -> None:
        """Inject a fault into the next requests.

        Args:
            fault: A code of `ERRORS`, or one of `CONNECTION_FAULTS`.
            times: Into how many requests.
            method: Only into those with this HTTP method.
            path: Only into those whose path contains this text.
            message: The message of the response, in place of that of `ERRORS`.
        """
        assert fault in ERRORS or fault in CONNECTION_FAULTS
        self._pending.append(PendingFault(fault, times, method, path, message))

    def next_fault(self, method: str, path: str) -> PendingFault | None:
        """Take the fault of this request, if there is one."""
        with self._lock:
            for fault in self._pending:
                if fault.remaining and fault.method in ("", method) and fault.path in path:
                    fault.remaining -= 1
                    self.injected.append((fault.name, method, path))
                    return fault
        return None

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send a request to S3, and return the status, the headers and the body of the response."""
        connection = http.client.HTTPConnection(self._target.hostname or "", self._target.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    @contextmanager
    def running(self) -> Iterator["S3Proxy"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _handler_of(proxy: S3Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pending = proxy.next_fault(self.command, self.path)
            fault = pending.name if pending else None
            if pending and fault in ERRORS:
                self._send_error(pending)
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            status, response_headers, content = proxy.forward(self.command, self.path, headers, body)
            if fault == "lost":
                self._reset()
                return
            self.send_response(status)
            length = str(len(content))
            for name, value in response_headers:
                if name.lower() == "content-length" and self.command == "HEAD":
                    length = value
                elif name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault in CONNECTION_FAULTS else content)
            if fault == "reset":
                self._reset()
            elif fault == "truncated":
                self.close_connection = True

        def do_GET(self) -> None:
            self.serve()

        def do_HEAD(self) -> None:
            self.serve()

        def do_PUT(self) -> None:
            self.serve()

        def do_POST(self) -> None:
            self.serve()

        def do_DELETE(self) -> None:
            self.serve()

        def _send_error(self, fault: PendingFault) -> None:
            status, message = ERRORS[fault.name]
            detail = f"<Code>{fault.name}</Code><Message>{fault.message or message}</Message>"
            text = f"<?xml version='1.0'?><Error>{detail}</Error>"
            content = b"" if self.command == "HEAD" else text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _reset(self) -> None:
            # A linger time of 0 seconds makes the kernel send a reset when the socket is closed.
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Log nothing; the base class writes every request to stderr."""

    return Handler
