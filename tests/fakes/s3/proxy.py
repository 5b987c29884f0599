"""A proxy in front of the S3 that stands in, which has requests meet what happens to them on the way.

A test says ``proxy.meet("SlowDown", times=2, method="PUT", path="/transactions/")`` and runs; ``proxy.met`` says which
requests met it.
"""

import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

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
"""What S3 answers: the code, the HTTP status and the message as AWS documents them."""

CUT = ("reset", "truncated", "lost")
"""What happens to an answer: reset in mid-body, ended in mid-body, or never sent though the work was done."""


@dataclass
class Met:
    """What the next requests of a kind meet."""

    what: str
    left: int
    method: str
    path: str


class S3Proxy:
    """Passes requests on, but for those that are to meet something."""

    def __init__(self, endpoint: str) -> None:
        self.met: list[tuple[str, str, str]] = []
        self._waiting: list[Met] = []
        self._lock = threading.Lock()
        self._behind = urlsplit(endpoint)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def meet(self, what: str, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Have the next requests with this method, and with this in their path, meet an error or a cut."""
        assert what in ERRORS or what in CUT
        self._waiting.append(Met(what, times, method, path))

    def next_of(self, method: str, path: str) -> str | None:
        """What this request meets; None to be passed on whole."""
        with self._lock:
            for waiting in self._waiting:
                if waiting.left and waiting.method in ("", method) and waiting.path in path:
                    waiting.left -= 1
                    self.met.append((waiting.what, method, path))
                    return waiting.what
        return None

    def passed_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer of the S3 behind."""
        connection = http.client.HTTPConnection(self._behind.hostname or "", self._behind.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    @contextmanager
    def running(self) -> Iterator["S3Proxy"]:
        """Serve, until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
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

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            what = proxy.next_of(self.command, self.path)
            if what in ERRORS:
                self._refuse(what)
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            status, answered, content = proxy.passed_on(self.command, self.path, headers, body)
            if what == "lost":
                self._hang_up()
                return
            self.send_response(status)
            length = str(len(content))
            for name, value in answered:
                if name.lower() == "content-length" and self.command == "HEAD":
                    length = value
                elif name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if what in CUT else content)
            if what == "reset":
                self._hang_up()
            elif what == "truncated":
                self.close_connection = True

        def do_GET(self) -> None:
            self.answer()

        def do_HEAD(self) -> None:
            self.answer()

        def do_PUT(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def do_DELETE(self) -> None:
            self.answer()

        def _refuse(self, code: str) -> None:
            status, message = ERRORS[code]
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            content = b"" if self.command == "HEAD" else text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _hang_up(self) -> None:
            # Closed at once, which the other side sees as a reset.
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keep the tests' output to the tests."""

    return Handler
