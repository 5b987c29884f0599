"""What has to be there before a run can be loaded into Redshift, and the statements that make what is missing."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.errors import DataError, OutsideSystemError
from jobs.runs.totals import NO_MONEY, Total
from jobs.storage.table_files import TableFile
from jobs.warehouse.data_api import MOST_STATEMENTS, DataApi, StatementError, token_of
from jobs.warehouse.ddl import (
    PIPELINE_LOCK,
    PIPELINE_LOCK_SCHEMA,
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    VIEWS,
    create_redshift_record,
    create_redshift_table,
    create_view,
    identifier,
    qualified,
    redshift_column,
)
from jobs.warehouse.load_plan import Loaded, RawTable, RawToLoad, RunToLoad, Warehouse
from jobs.warehouse.redshift_statements import (
    CHECK,
    FIGURES,
    ExpectedTotal,
    Statement,
    last_load,
    load_statements,
    raw_statements,
)
from jobs.warehouse.staging import staged
from jobs.warehouse.target import RedshiftAddress, Target
from transforms.schemas import TABLES

Existing = Mapping[tuple[str, str], Sequence[str]]
"""Columns of what there is, by schema and name."""

COLUMNS_OF = Statement(
    "list tables and columns",
    "select cast(table_schema as varchar(128)), cast(table_name as varchar(128)), cast(column_name as varchar(128))\n"
    "from information_schema.columns\n"
    "where table_schema in (:tables_schema, :views_schema)\n"
    "order by table_schema, table_name, ordinal_position",
)


def preparation(address: RedshiftAddress, existing: Existing) -> list[Statement]:
    """What is missing before a run can be loaded: schemas, tables, columns and views.

    Nothing is dropped, so that grants stay. Where nothing is missing nothing is said, so that a loader that may make no
    table still loads.
    """
    schema, views = address.schema, address.views_schema
    tables = [
        Statement(f"create table {table}", create_redshift_table(table, columns, schema=schema))
        for table, columns in TABLES.items()
        if (schema, table) not in existing
    ]
    columns = [
        Statement(
            f"add column {field.name} to {table}",
            f"alter table {qualified(schema, table)} add column {redshift_column(field)}",
        )
        for table, schema_of_table in TABLES.items()
        for field in schema_of_table
        if field.name not in existing.get((schema, table), schema_of_table.fieldNames())
    ]
    records = [
        Statement(f"create table {name}", create_redshift_record(name, columns_of_record, schema=schema))
        for name, columns_of_record in ((PIPELINE_RUNS, PIPELINE_RUNS_SCHEMA), (PIPELINE_LOCK, PIPELINE_LOCK_SCHEMA))
        if (schema, name) not in existing
    ]
    made = [
        Statement(f"create view {view}", create_view(view, schema=views, tables_schema=schema))
        for view, (_, names) in VIEWS.items()
        if tuple(existing.get((views, view), ())) != names
    ]
    return [
        *missing_schema(schema, existing),
        *tables,
        *columns,
        *records,
        *(missing_schema(views, existing) if made else ()),
        *made,
    ]


def missing_schema(schema: str, existing: Existing) -> list[Statement]:
    """The statement that makes a schema, unless something is known to be in it."""
    if any(name == schema for name, _ in existing):
        return []
    return [Statement(f"create schema {schema}", f"create schema if not exists {identifier(schema)}")]


def raw_preparation(tables: Sequence[RawTable], schema: str, existing: Existing) -> list[Statement]:
    """The statements that make the raw tables that are missing."""
    return [
        Statement(
            f"create table {table.name}",
            create_redshift_record(table.name, table.columns, schema=schema, diststyle="even"),
        )
        for table in tables
        if (schema, table.name) not in existing
    ]


ATTEMPTS = 4
"""How often a load is begun that another one's commit ended."""

SECONDS_BETWEEN_ATTEMPTS = 30.0
"""At most; as long as fits the number of the attempt, and never the same for two loaders."""

CONFLICT = re.compile(r"\b1023\b|serializable isolation violation|already exists", re.IGNORECASE)
"""What Redshift says when two transactions cannot both be: 1023, or that what was missing has been made meanwhile."""


class ConflictError(OutsideSystemError):
    """Another load was in the way."""


@dataclass(frozen=True)
class Load:
    """A transaction, and what must hold at its end."""

    title: str
    statements: Sequence[Statement]
    expected: Sequence[ExpectedTotal]


class InRedshift:
    """A schema of a Redshift database that runs are loaded into.

    One load puts the run's files into S3, unless they are there, and reads them from there; then each table is deleted
    and inserted, which costs Redshift a write of both, and an automatic vacuum afterwards. No reader is kept waiting,
    but where a column has to be added.
    """

    def __init__(self, address: RedshiftAddress, *, staging: str, iam_role: str) -> None:
        self.address = address
        self._staging = staging.rstrip("/")
        self._iam_role = iam_role
        self._api = DataApi(address)

    def load(self, run: RunToLoad) -> Loaded:
        """Put a run's tables in place of the last run's; see `Warehouse.load`."""
        load_id = secrets.token_hex(8)
        self._persist(lambda _: self._prepare([]))
        files = {table.name: table.files for table in run.tables}
        with staged(f"{self._staging}/{run.run_id}/{load_id}", files) as copies:
            load = Load(
                f"load run {run.run_id}",
                load_statements(
                    run, load_id=load_id, schema=self.address.schema, copies=copies, iam_role=self._iam_role
                ),
                [ExpectedTotal(table.name, table.total, table.money) for table in run.tables],
            )
            self._persist(lambda attempt: self._run(load, attempt))
        return Loaded(load_id)

    def load_raw(self, raw: RawToLoad) -> None:
        """Put the raw files in place of the last ones; see `Warehouse.load_raw`."""
        load_id = secrets.token_hex(8)
        self._persist(lambda _: self._prepare(raw.tables))
        with staged(f"{self._staging}/raw/{load_id}", _by_kind(raw.tables)) as copies:
            load = Load(
                f"load raw files {load_id}",
                raw_statements(raw.tables, schema=self.address.schema, copies=copies, iam_role=self._iam_role),
                [ExpectedTotal(table.name, Total(table.rows)) for table in raw.tables],
            )
            self._persist(lambda attempt: self._run(load, attempt))

    def _persist(self, attempt: Callable[[int], None]) -> None:
        """Try again what another load was in the way of, a number of times; told which time it is."""
        for trial in Retrying(
            retry=retry_if_exception_type(ConflictError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=1, max=SECONDS_BETWEEN_ATTEMPTS),
            reraise=True,
        ):
            with trial:
                attempt(trial.retry_state.attempt_number)

    def _existing(self) -> Existing:
        found: dict[tuple[str, str], list[str]] = {}
        schemas = {"tables_schema": self.address.schema, "views_schema": self.address.views_schema}
        for schema, table, column in self._ask(COLUMNS_OF, schemas):
            found.setdefault((schema, table), []).append(column)
        return found

    def _prepare(self, raw: Sequence[RawTable]) -> None:
        """Make what is missing: of our tables and, where they are to be loaded, of the raw ones."""
        existing = self._existing()
        missing = [*preparation(self.address, existing), *raw_preparation(raw, self.address.schema, existing)]
        for start in range(0, len(missing), MOST_STATEMENTS):
            part = missing[start : start + MOST_STATEMENTS]
            with self._named("prepare the tables"):
                self._api.batch("prepare the tables", part, token=secrets.token_hex(32))

    def _run(self, load: Load, attempt: int) -> None:
        """One attempt, which has a token of its own, since the service remembers failures too.

        The token is made of the load that the warehouse holds, of the statements, which name run and load, and of the
        attempt: the same call, made again over a broken connection, is one load, and a run that comes back after
        another is one more.
        """
        last = self._ask(last_load(self.address.schema), {})
        token = token_of(last, [statement.sql for statement in load.statements], attempt)
        with self._named(load.title, load):
            self._api.batch(load.title, load.statements, token=token)

    def _ask(self, statement: Statement, parameters: dict[str, str]) -> list[list[Any]]:
        with self._named(statement.name):
            return self._api.ask(statement, parameters)

    @contextmanager
    def _named(self, what: str, load: Load | None = None) -> Iterator[None]:
        """Say which statement failed, and of a comparison, what differed."""
        try:
            yield
        except StatementError as error:
            if load is not None and error.statement == CHECK:
                raise DataError(f"{self.address}: {self._difference(load, error)}") from None
            kind = ConflictError if CONFLICT.search(error.message) else OutsideSystemError
            raise kind(
                f"{self.address}: could not {error.statement}, and so not {what}: {error.message}. "
                f"The tables are as they were before (batch {error.batch})"
            ) from None

    def _difference(self, load: Load, error: StatementError) -> str:
        """What the tables held that were not what the manifest states: as the transaction itself had added it up."""
        number = [statement.name for statement in load.statements].index(FIGURES) + 1
        try:
            rows = self._api.rows(f"{error.batch}:{number}")
        except (ClientError, BotoCoreError):
            rows = []
        found = {name: (count, money) for name, count, money in rows}
        differing = [
            f"table {table.table}: {total} arrived, expected {table.total}"
            for table in load.expected
            if table.table in found and (total := _total(table, *found[table.table])) != table.total
        ]
        if not differing:
            stated = ", ".join(f"{table.table} {table.total}" for table in load.expected)
            differing = [f"not what the run's manifest states arrived ({error.message}); expected {stated}"]
        return f"{'; '.join(differing)}. The tables are as they were before (batch {error.batch})"


def opened(target: Target) -> Warehouse:
    """The Redshift schema that a target names."""
    if not isinstance(target.address, RedshiftAddress) or target.staging is None:
        raise TypeError(f"{target.address} is not in Redshift, or has no staging")
    return InRedshift(target.address, staging=target.staging, iam_role=target.iam_role)


def _total(table: ExpectedTotal, rows: int, money: str | None) -> Total:
    return Total(rows, None if table.money is None else Decimal(money or NO_MONEY))


def _by_kind(tables: Sequence[RawTable]) -> dict[str, list[TableFile]]:
    """The files of each raw table, the gzipped ones apart: COPY takes one kind at a time."""
    files: dict[str, list[TableFile]] = {}
    for table in tables:
        for file in table.files:
            name = f"{table.name}.gz" if file.name.endswith(".gz") else table.name
            files.setdefault(name, []).append(file)
    return files
