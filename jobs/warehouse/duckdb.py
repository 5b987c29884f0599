"""How a table of the warehouse in DuckDB is filled, and found to hold what it must."""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import duckdb
from duckdb import DuckDBPyConnection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from jobs.cli import console
from jobs.errors import DataError, OutsideSystemError
from jobs.runs.totals import NO_MONEY, Total
from jobs.warehouse.ddl import (
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    VIEWS,
    create_duckdb_record,
    create_duckdb_table,
    create_view,
    duckdb_column,
    duckdb_type,
    identifier,
    listed,
    literal,
    qualified,
)
from jobs.warehouse.load_plan import Loaded, RawTable, RawToLoad, RunToLoad, TableToLoad, Warehouse
from jobs.warehouse.target import WORKSHOP, DuckDBAddress, Target
from transforms.data_dictionary import COLUMN_DESCRIPTIONS, TABLE_DESCRIPTIONS

SCHEMA = "main"


def fill(connection: DuckDBPyConnection, table: TableToLoad) -> None:
    """Make a table anew from the run's files; without rows where the run does not have it.

    Raises:
        DataError: It does not hold the rows and the money that the run's manifest states.
    """
    columns = listed(table.schema.fieldNames())
    connection.execute(create_duckdb_table(table.name, table.schema, schema=SCHEMA))
    _comment(connection, table)
    if table.files:
        connection.execute(
            f"insert into {qualified(SCHEMA, table.name)} ({columns})\n"
            f"select {columns} from read_parquet(?, hive_partitioning = false)",
            [_as_patterns([file.path for file in table.files])],
        )
    found = total_in(connection, table.name, money=table.money)
    if found != table.total:
        raise DataError(f"table {table.name}: {found} arrived, expected {table.total} as the run's manifest states")


def _comment(connection: DuckDBPyConnection, table: TableToLoad) -> None:
    """Let tools that show a table's columns say what they mean."""
    name = qualified(SCHEMA, table.name)
    connection.execute(f"comment on table {name} is {literal(TABLE_DESCRIPTIONS[table.name])}")
    for column in table.schema.fieldNames():
        words = literal(COLUMN_DESCRIPTIONS[column])
        connection.execute(f"comment on column {name}.{identifier(column)} is {words}")


def total_in(connection: DuckDBPyConnection, table: str, *, money: str | None = None) -> Total:
    """The rows that a table holds, and its money."""
    amount = f"sum({identifier(money)})" if money else "null"
    found = connection.execute(
        f"select count(*), cast({amount} as decimal(38, 4)) from {qualified(SCHEMA, table)}"
    ).fetchall()
    [(rows, total)] = found
    return Total(rows, (total or NO_MONEY) if money else None)


def fill_raw(connection: DuckDBPyConnection, table: RawTable) -> None:
    """Make a raw table anew from its CSV files. A row that does not fit ends the load; none is passed over.

    Raises:
        DataError: It does not hold as many rows as the run read.
    """
    by_name = {field.name: field for field in table.columns}
    types = ", ".join(f"{literal(name)}: {literal(duckdb_type(by_name[name]))}" for name in table.header)
    columns = ",\n  ".join(map(duckdb_column, table.columns))
    connection.execute(f"create or replace table {qualified(SCHEMA, table.name)} (\n  {columns}\n)")
    connection.execute(
        f"insert into {qualified(SCHEMA, table.name)} by name\n"
        f"select * from read_csv(?, columns = {{{types}}}, header = true, delim = ',', quote = '\"', escape = '\"', "
        "auto_detect = false, ignore_errors = false, hive_partitioning = false)",
        [_as_patterns([file.path for file in table.files])],
    )
    found = total_in(connection, table.name)
    if found.rows != table.rows:
        raise DataError(f"table {table.name}: {found} arrived, expected {table.rows:,} as the run read them")


def record_load(connection: DuckDBPyConnection, run: RunToLoad, load_id: str) -> None:
    """Add the load's row to `pipeline_runs`."""
    connection.execute(create_duckdb_record(PIPELINE_RUNS, PIPELINE_RUNS_SCHEMA, schema=SCHEMA))
    table = qualified(SCHEMA, PIPELINE_RUNS)
    connection.execute(
        f"insert into {table} ({listed(PIPELINE_RUNS_SCHEMA.fieldNames())})\n"
        f"select coalesce(max(load_number), 0) + 1, ?, ?, ?, now() at time zone 'UTC', ?, ? from {table}",
        [load_id, run.run_id, run.as_of, run.configuration_hash, run.totals_as_text()],
    )


def _as_patterns(paths: Sequence[str]) -> list[str]:
    """Paths as DuckDB takes them, which reads a name for a pattern."""
    return [re.sub(r"([*?\[])", r"[\1]", path) for path in paths]


STORAGE_VERSION = "v1.4.0"
"""What a new file is written for. DuckDB 2.0's own format is read by no older tool, its command line on PyPI (1.5)
included."""

SECONDS_FOR_THE_LOCK = 15.0
"""How long a load waits for a file that is open elsewhere: DuckDB lets one process write, or several read."""


class InDuckDB:
    """A DuckDB file that runs are loaded into.

    One load reads the run's files and writes as much; the file keeps the space of the run before until the next load
    fills it. While one process loads no other can open the file, and while another has it open no load begins.
    """

    def __init__(self, address: DuckDBAddress) -> None:
        self.address = address

    def load(self, run: RunToLoad) -> Loaded:
        """Put a run's tables in place of the last run's; see `Warehouse.load`."""
        load_id = secrets.token_hex(8)
        with self._transaction(f"load {run.run_id}", len(run.tables) + 2) as (connection, begin):
            for table in run.tables:
                begin(f"load {table.name}")
                fill(connection, table)
            begin("make the workshop's views")
            connection.execute(f"create schema if not exists {identifier(WORKSHOP)}")
            for view in VIEWS:
                connection.execute(create_view(view, schema=WORKSHOP, tables_schema=SCHEMA))
            begin("record the load")
            record_load(connection, run, load_id)
        return Loaded(load_id)

    def load_raw(self, raw: RawToLoad) -> None:
        """Put the raw files in place of the last ones; see `Warehouse.load_raw`."""
        with self._transaction("load raw files", len(raw.tables)) as (connection, begin):
            for table in raw.tables:
                begin(f"load {table.name}")
                fill_raw(connection, table)

    @contextmanager
    def _transaction(self, title: str, steps: int) -> Iterator[tuple[DuckDBPyConnection, Callable[[str], None]]]:
        """A transaction that is committed at the end, or leaves the file as it was.

        Yields:
            The connection, and what is told of each step when it begins.
        """
        step, done = "open the file", -1
        with console.statement_bar(title, steps) as show:

            def begin(name: str) -> None:
                nonlocal step, done
                step, done = name, done + 1
                show(done, name)

            try:
                with self._opened() as connection:
                    connection.begin()
                    yield connection, begin
                    begin("commit")
                    connection.commit()
            except duckdb.Error as error:
                raise OutsideSystemError(
                    f"{self.address}: could not {step}: {_line(error)}. The file is as it was before"
                ) from None

    def _opened(self) -> DuckDBPyConnection:
        path = self.address.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutsideSystemError(f"{self.address}: its folder cannot be made ({error.strerror})") from None
        patience = Retrying(
            retry=retry_if_exception_type(_InUseError),
            stop=stop_after_delay(SECONDS_FOR_THE_LOCK),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )

        def attempt() -> DuckDBPyConnection:
            try:
                return duckdb.connect(path, config={"storage_compatibility_version": STORAGE_VERSION})
            except duckdb.IOException as error:
                if "lock" in str(error):
                    raise _InUseError(
                        f"{self.address} is open in another program, and was for {SECONDS_FOR_THE_LOCK:.0f} s "
                        f"({_line(error)}). Close it there, and publish the run"
                    ) from None
                raise OutsideSystemError(f"{self.address} cannot be opened: {_line(error)}") from None

        return patience(attempt)


def opened(target: Target) -> Warehouse:
    """The DuckDB file that a target names."""
    if not isinstance(target.address, DuckDBAddress):
        raise TypeError(f"{target.address} is no DuckDB file")
    return InDuckDB(target.address)


class _InUseError(OutsideSystemError):
    """The file is open elsewhere."""


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
