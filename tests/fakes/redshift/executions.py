"""Executions of statements in the warehouse: their states, their results, and the session in which they run.

One execution is one session, as in the Data API without a session that is kept alive. Temporary tables end with it. In
TRANSACTION mode all statements are one serializable transaction, which the first failed statement rolls back.
"""

import logging
import threading
import time
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from tests.fakes.redshift.copy_load import CopySource, load
from tests.fakes.redshift.copy_statement import is_copy, parse_copy
from tests.fakes.redshift.errors import RedshiftError, redshift_message
from tests.fakes.redshift.translation import TransactionEffect, translate

LOG = logging.getLogger(__name__)
UNFINISHED, ENDED = ("SUBMITTED", "PICKED", "STARTED"), ("FINISHED", "FAILED", "ABORTED")


@dataclass
class Statement:
    """A statement with its state and its result.

    Attributes:
        id: ``<execution>:<number>`` in a batch, otherwise the execution's id.
        sql: The text as it was submitted.
        created: When it was submitted.
        status: Its state.
        updated: When the state changed last.
        seconds: How long it ran.
        error: The message, if it failed.
        columns: The columns of its result; None if it has no result.
        rows: The rows of its result.
        count: The rows returned or changed; -1 if that is unknown.
    """

    id: str
    sql: str
    created: datetime
    status: str = "SUBMITTED"
    updated: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    error: str | None = None
    columns: list[psycopg.Column] | None = None
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    count: int = -1

    def move_to(self, status: str) -> None:
        """Change the state and the time of the last change."""
        self.status, self.updated = status, datetime.now(UTC)


@dataclass
class Hold:
    """Keeps a statement from running until `release` is called.

    Attributes:
        number: The statement's position in its batch, from 1.
        reached: Set when the statement begins to wait.
    """

    number: int
    reached: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let the statement run."""
        self._released.set()

    def wait(self) -> None:
        """Block the statement's thread until the release."""
        self.reached.set()
        assert self._released.wait(60), "a held statement was never released"


@dataclass
class ExecutionFaults:
    """The faults of one execution.

    Attributes:
        failures: The message with which a statement fails, by its number from 1.
        holds: The statements that wait.
        commit_failure: The message with which the commit fails.
    """

    failures: dict[int, str] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    commit_failure: str | None = None

    def apply(self, number: int) -> None:
        """Hold or fail a statement before it runs.

        Raises:
            RedshiftError: The statement is to fail.
        """
        for hold in self.holds:
            if hold.number == number:
                hold.wait()
        if number in self.failures:
            raise RedshiftError(self.failures[number])


class Execution:
    """The statements of one call, which run in a thread of their own."""

    def __init__(
        self,
        sqls: Sequence[str],
        *,
        request: Mapping[str, Any],
        conninfo: str | None,
        copy_source: CopySource,
        faults: ExecutionFaults,
        is_batch: bool,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.created = datetime.now(UTC)
        self.request, self.is_batch = request, is_batch
        self.parameters = {item["name"]: item["value"] for item in request.get("Parameters", [])}
        self.mode = request.get("ExecutionMode", "TRANSACTION")
        ids = [f"{self.id}:{number}" for number in range(1, len(sqls) + 1)] if is_batch else [self.id]
        self.statements = [Statement(name, sql, self.created) for name, sql in zip(ids, sqls, strict=True)]
        self.status, self.updated, self.pid = "SUBMITTED", self.created, 0
        self.error: str | None = None
        self.seconds, self.defect = 0.0, ""
        self.done = threading.Event()
        self._conninfo, self._copy_source, self._faults = conninfo, copy_source, faults
        self._connection: psycopg.Connection | None = None
        self._cancelled = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def cancel(self) -> None:
        """Cancel the running statement and roll back the transaction."""
        self._cancelled = True
        for hold in self._faults.holds:
            hold.release()
        if self._connection:
            self._connection.cancel_safe()
        self.done.wait(30)

    def _move_to(self, status: str, error: str | None = None) -> None:
        self.status, self.updated, self.error = status, datetime.now(UTC), error or self.error

    def _run(self) -> None:
        started = time.perf_counter()
        try:
            self._move_to("PICKED")
            with self._session() as connection:
                self._connection, self.pid = connection, connection.info.backend_pid
                self._move_to("STARTED")
                self._run_statements(connection)
                self._commit(connection)
            self._move_to("FINISHED" if all(s.status == "FINISHED" for s in self.statements) else "FAILED")
        except (RedshiftError, psycopg.Error) as error:
            self._end_with(error)
        except Exception as error:
            LOG.exception("%s: defect in the fake", self.id)
            self.defect = traceback.format_exc()
            self._end_with(error)
        finally:
            self.seconds = time.perf_counter() - started
            self._connection = None
            self.done.set()

    def _session(self) -> psycopg.Connection:
        if self._conninfo is None:
            raise RedshiftError(f'FATAL: database "{self.request.get("Database")}" does not exist')
        return psycopg.connect(
            self._conninfo,
            autocommit=self.mode == "AUTO_COMMIT",
            options="-c default_transaction_isolation=serializable -c timezone=UTC",
            cursor_factory=psycopg.RawCursor,
            prepare_threshold=None,
        )

    def _stop_if_cancelled(self) -> None:
        if self._cancelled:
            raise RedshiftError(f"ERROR: Query ({self.pid}) cancelled on user's request")

    def _commit(self, connection: psycopg.Connection) -> None:
        if self._faults.commit_failure:
            raise RedshiftError(self._faults.commit_failure)
        self._stop_if_cancelled()
        connection.commit()

    def _run_statements(self, connection: psycopg.Connection) -> None:
        for number, statement in enumerate(self.statements, start=1):
            started = time.perf_counter()
            statement.move_to("STARTED")
            try:
                self._faults.apply(number)
                self._stop_if_cancelled()
                self._execute(connection, statement)
            except (RedshiftError, psycopg.Error) as error:
                statement.error = self._message(error)
                statement.move_to("ABORTED" if self._cancelled else "FAILED")
                if self.mode == "AUTO_COMMIT" and not self._cancelled:
                    self.error = self.error or f"Query #{number} failed with {statement.error}"
                    continue
                raise RedshiftError(f"Query #{number} failed with {statement.error}") from error
            finally:
                statement.seconds = time.perf_counter() - started
            statement.move_to("FINISHED")

    def _execute(self, connection: psycopg.Connection, statement: Statement) -> None:
        if is_copy(statement.sql):
            statement.count = load(connection, parse_copy(statement.sql), self._copy_source)
            return
        translation = translate(statement.sql)
        match translation.effect:
            case TransactionEffect.COMMIT:
                connection.commit()
            case TransactionEffect.ROLLBACK:
                connection.rollback()
        if not translation.sql:
            return
        values = [self.parameters[name] for name in translation.parameters]
        cursor = connection.execute(translation.sql.encode(), values or None)
        if cursor.description is not None:
            statement.columns, statement.rows = cursor.description, cursor.fetchall()
        if cursor.description is not None or (cursor.statusmessage or "").startswith(
            ("INSERT", "UPDATE", "DELETE", "MERGE")
        ):
            statement.count = cursor.rowcount
        if translation.effect is TransactionEffect.COMMIT_AFTERWARDS:
            connection.commit()

    def _message(self, error: Exception) -> str:
        return redshift_message(error, pid=self.pid) if isinstance(error, psycopg.Error) else str(error)

    def _end_with(self, error: Exception) -> None:
        text = self._message(error)
        if not self.is_batch:
            text = text.removeprefix("Query #1 failed with ")
        for statement in self.statements:
            if statement.status in UNFINISHED:
                statement.move_to("ABORTED")
        self._move_to("ABORTED" if self._cancelled else "FAILED", text)
