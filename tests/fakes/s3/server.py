"""S3 by moto, served over HTTP on a free port of this machine.

moto keeps objects, versions, multipart uploads and conditional writes as S3 does, and takes any credentials. Its data
is of the process, so that each test makes buckets of its own: the fixture ``bucket``.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer


@contextmanager
def s3_server() -> Iterator[str]:
    """Start a server, give its URL, and stop it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
