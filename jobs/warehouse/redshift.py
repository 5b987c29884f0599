"""Loads into Redshift: prepare the tables, stage the files, then one transaction through the Data API."""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.audiences.member_counts import RESTORE_RECORD, MemberCounts
from jobs.errors import DataError, OutsideSystemError
from jobs.storage.table_files import TableFile
from jobs.warehouse.data_api import MAX_STATEMENTS, DataApiClient, StatementError, client_token
from jobs.warehouse.ddl import AUDIENCES_TABLE
from jobs.warehouse.load_plan import CommittedLoad, ExpectedTotal, RawTable, RawToLoad, RunToLoad, Warehouse
from jobs.warehouse.members import AudienceToLoad
from jobs.warehouse.redshift_statements import (
    CHECK_MEMBERS,
    CHECK_TOTALS,
    LIST_COLUMNS,
    ExistingColumns,
    Statement,
    audience_load_statements,
    audience_preparation_statements,
    last_load_query,
    load_statements,
    preparation_statements,
    raw_load_statements,
    raw_preparation_statements,
)
from jobs.warehouse.staging import staged_files
from jobs.warehouse.target import RedshiftAddress, WarehouseTarget

MAX_ATTEMPTS = 4
"""How often a load is attempted if conflicts with other loads roll it back."""

MAX_SECONDS_BETWEEN_ATTEMPTS = 30.0
"""The longest wait. Waits grow with each attempt, and are random so that two loaders do not meet again."""

CONFLICT = re.compile(r"\b1023\b|serializable isolation violation|already exists", re.IGNORECASE)
"""Redshift's errors for two transactions at once: error 1023, or a table that the other one has created meanwhile."""


CHECKS = (CHECK_TOTALS, CHECK_MEMBERS)
"""Statements that fail if the loaded rows are not the expected ones, each after the query whose rows it compares."""


class ConflictError(OutsideSystemError):
    """Another load committed first, and Redshift rolled this one back."""


class Expectation(Protocol):
    """What the tables must hold at the end of a transaction."""

    @property
    def advice(self) -> str:
        """What to do if they hold something else."""

    def differences(self, rows: Sequence[Sequence[Any]]) -> str:
        """What differs, and what was expected; empty if nothing does.

        Args:
            rows: what the transaction counted.
        """

    def __str__(self) -> str:
        """What is expected, and by which record."""


@dataclass(frozen=True)
class ExpectedTotals:
    """The totals that the tables must hold after the load of a run."""

    totals: Sequence[ExpectedTotal]
    advice: str = "run the pipeline again"

    def differences(self, rows: Sequence[Sequence[Any]]) -> str:
        """The tables whose totals differ from the manifest."""
        sums = {table: (count, money) for table, count, money in rows}
        differences = [
            difference
            for expected in self.totals
            if expected.table in sums and (difference := expected.difference(expected.measured(*sums[expected.table])))
        ]
        return f"{'; '.join(differences)} as in the run's manifest" if differences else ""

    def __str__(self) -> str:
        totals = ", ".join(f"{expected.table} {expected.total}" for expected in self.totals)
        return f"{totals} as in the run's manifest"


@dataclass(frozen=True)
class ExpectedMembers:
    """The members that the table of audiences must hold after the load of an audience."""

    audience: AudienceToLoad
    advice: str = RESTORE_RECORD

    def differences(self, rows: Sequence[Sequence[Any]]) -> str:
        """The counts that differ from the audience's record."""
        return "".join(self.audience.difference(MemberCounts(*counts)) or "" for counts in rows)

    def __str__(self) -> str:
        return f"{self.audience.expected} of audience {self.audience.audience_id}"


@dataclass(frozen=True)
class Transaction:
    """Statements that run as one batch.

    Attributes:
        title: what the batch does; it follows "could not" in an error.
        statements: the statements, in order.
        expected: what the tables must hold at the end.
    """

    title: str
    statements: Sequence[Statement]
    expected: Expectation


class RedshiftWarehouse:
    """A schema of a Redshift database that runs and audiences are loaded into.

    A load uploads the run's files unless they are in S3 already, and Redshift reads them there. It deletes the old rows
    and inserts the new ones, which costs two writes and an automatic vacuum. Readers wait only while a column is added.
    """

    def __init__(self, address: RedshiftAddress, *, staging: str, iam_role: str) -> None:
        self.address = address
        self._staging = staging.rstrip("/")
        self._iam_role = iam_role
        self._api = DataApiClient(address)

    def load(self, run: RunToLoad) -> CommittedLoad:
        """Replace the last run's tables by this run's; see `Warehouse.load`."""
        load_id = secrets.token_hex(8)
        self._retry_conflicts(lambda _: self._prepare([]))
        files = {table.name: table.files for table in run.tables}
        with staged_files(f"{self._staging}/{run.run_id}/{load_id}", files) as copies:
            transaction = Transaction(
                f"load run {run.run_id}",
                load_statements(
                    run, load_id=load_id, schema=self.address.schema, copies=copies, iam_role=self._iam_role
                ),
                ExpectedTotals([table.expected for table in run.tables]),
            )
            self._retry_conflicts(lambda attempt: self._run(transaction, attempt))
        return CommittedLoad(load_id)

    def load_raw(self, raw: RawToLoad) -> None:
        """Replace the raw tables by the rows of the raw files; see `Warehouse.load_raw`."""
        load_id = secrets.token_hex(8)
        self._retry_conflicts(lambda _: self._prepare(raw.tables))
        with staged_files(f"{self._staging}/raw/{load_id}", _files_by_copy(raw.tables)) as copies:
            transaction = Transaction(
                f"load raw files {load_id}",
                raw_load_statements(raw.tables, schema=self.address.schema, copies=copies, iam_role=self._iam_role),
                ExpectedTotals([table.expected for table in raw.tables]),
            )
            self._retry_conflicts(lambda attempt: self._run(transaction, attempt))

    def load_audience(self, audience: AudienceToLoad) -> None:
        """Replace an audience's rows in the table of audiences; see `Warehouse.load_audience`."""
        load_id, schema = secrets.token_hex(8), self.address.schema
        self._retry_conflicts(lambda _: self._prepare([], has_audience=True))
        folder = f"{self._staging}/{AUDIENCES_TABLE}/{audience.audience_id}/{load_id}"
        with staged_files(folder, {AUDIENCES_TABLE: [audience.file]}) as copies:
            transaction = Transaction(
                f"load audience {audience.audience_id}",
                audience_load_statements(
                    audience, schema=schema, manifest=copies[AUDIENCES_TABLE], iam_role=self._iam_role
                ),
                ExpectedMembers(audience),
            )
            self._retry_conflicts(lambda attempt: self._run(transaction, attempt))

    def _retry_conflicts(self, body: Callable[[int], None]) -> None:
        """Run a body, with the number of the attempt, until no other load is in conflict with it."""
        for attempt in Retrying(
            retry=retry_if_exception_type(ConflictError),
            stop=stop_after_attempt(MAX_ATTEMPTS),
            wait=wait_random_exponential(multiplier=1, max=MAX_SECONDS_BETWEEN_ATTEMPTS),
            reraise=True,
        ):
            with attempt:
                body(attempt.retry_state.attempt_number)

    def _prepare(self, raw: Sequence[RawTable], *, has_audience: bool = False) -> None:
        """Create the tables that are missing: those of the run, and the others that are loaded."""
        existing = self._existing_columns()
        missing = [
            *preparation_statements(self.address, existing),
            *raw_preparation_statements(raw, self.address.schema, existing),
            *(audience_preparation_statements(self.address.schema, existing) if has_audience else ()),
        ]
        for start in range(0, len(missing), MAX_STATEMENTS):
            batch = missing[start : start + MAX_STATEMENTS]
            with self._statement_errors("prepare the tables"):
                self._api.run_batch("prepare the tables", batch, token=secrets.token_hex(32))

    def _existing_columns(self) -> ExistingColumns:
        columns: dict[tuple[str, str], list[str]] = {}
        schemas = {"tables_schema": self.address.schema, "views_schema": self.address.views_schema}
        for schema, table, column in self._query(LIST_COLUMNS, schemas):
            columns.setdefault((schema, table), []).append(column)
        return columns

    def _run(self, transaction: Transaction, attempt: int) -> None:
        """Run one attempt of a transaction, under a client token of its own.

        The token is a hash of the last load, the statements and the attempt. The statements name the run and the load.
        A call that is repeated after a broken connection has the same token, and loads once. A later load of the same
        run has another token, and so has a new attempt, since the service remembers failed batches too.
        """
        last_load = self._query(last_load_query(self.address.schema), {})
        token = client_token(last_load, [statement.sql for statement in transaction.statements], attempt)
        with self._statement_errors(transaction.title, transaction):
            self._api.run_batch(transaction.title, transaction.statements, token=token)

    def _query(self, statement: Statement, parameters: dict[str, str]) -> list[list[Any]]:
        with self._statement_errors(statement.name):
            return self._api.query(statement, parameters)

    @contextmanager
    def _statement_errors(self, title: str, transaction: Transaction | None = None) -> Iterator[None]:
        """Turn a failed statement into an error that names it, or that names the totals that differ."""
        try:
            yield
        except StatementError as error:
            if transaction is not None and error.statement in CHECKS:
                raise DataError(f"{self.address}: {self._differences(transaction, error)}") from None
            statement = "" if error.statement == title else f"could not {error.statement}: "
            error_type = ConflictError if CONFLICT.search(error.message) else OutsideSystemError
            raise error_type(
                f"{self.address}: could not {title}: {statement}{error.message}. "
                f"The tables are unchanged (batch {error.batch})"
            ) from None

    def _differences(self, transaction: Transaction, error: StatementError) -> str:
        """What differs from the expected, as the transaction counted it before it was rolled back."""
        # The service counts from 1, so this is the number of the statement before the check.
        number = [statement.name for statement in transaction.statements].index(error.statement)
        try:
            rows = self._api.result_rows(f"{error.batch}:{number}")
        except (ClientError, BotoCoreError):
            rows = []
        differences = (
            transaction.expected.differences(rows)
            or f"found other totals ({error.message}), expected {transaction.expected}"
        )
        return f"{differences}. The tables are unchanged (batch {error.batch}); {transaction.expected.advice}"


def open_warehouse(target: WarehouseTarget) -> Warehouse:
    """The warehouse in the target's Redshift schema."""
    if not isinstance(target.address, RedshiftAddress) or target.staging is None:
        raise TypeError(f"{target.address}: expected the address of a Redshift schema, and a staging folder")
    return RedshiftWarehouse(target.address, staging=target.staging, iam_role=target.iam_role)


def _files_by_copy(tables: Sequence[RawTable]) -> dict[str, list[TableFile]]:
    """The files of each COPY. Gzipped files get one of their own, since its GZIP option applies to every file."""
    files: dict[str, list[TableFile]] = {}
    for table in tables:
        for file in table.files:
            name = f"{table.name}.gz" if file.name.endswith(".gz") else table.name
            files.setdefault(name, []).append(file)
    return files
