"""Loads a run, or an audience, into a DuckDB file: one file, one transaction."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
from duckdb import DuckDBPyConnection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from jobs.audiences.member_counts import RESTORE_RECORD, MemberCounts
from jobs.cli import console
from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.storage.table_files import TableFile
from jobs.warehouse.ddl import (
    AUDIENCES_TABLE,
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    WORKSHOP_SCHEMA,
    WORKSHOP_VIEWS,
    create_duckdb_table,
    create_workshop_view,
    duckdb_type,
    identifier,
    identifier_list,
    literal,
    qualified_name,
    replace_duckdb_table,
)
from jobs.warehouse.load_plan import (
    CommittedLoad,
    ExpectedTotal,
    RawTable,
    RawToLoad,
    RunToLoad,
    TableToLoad,
    Warehouse,
)
from jobs.warehouse.members import AudienceToLoad
from jobs.warehouse.target import DuckDBAddress, WarehouseTarget
from transforms.data_dictionary import (
    AUDIENCE_COLUMN_DESCRIPTIONS,
    AUDIENCES_DESCRIPTION,
    COLUMN_DESCRIPTIONS,
    TABLE_DESCRIPTIONS,
)
from transforms.schemas import AUDIENCES

SCHEMA = "main"

STORAGE_VERSION = "v1.4.0"
"""The format of a new file. Older tools, such as the command line on PyPI (1.5), cannot read that of DuckDB 2.0."""

LOCK_TIMEOUT_SECONDS = 15.0
"""How long a load waits for a file that is open elsewhere. DuckDB lets one process write, or several read."""


class DuckDBWarehouse:
    """A DuckDB file that runs and audiences are loaded into.

    One load reads the run's files and writes as much. The file keeps the space of the last run until the next load
    reuses it. No other process can open the file during a load, and no load begins while another process has it open.
    """

    def __init__(self, address: DuckDBAddress) -> None:
        self.address = address

    def load(self, run: RunToLoad) -> CommittedLoad:
        """Replace the last run's tables by this run's; see `Warehouse.load`."""
        load_id = secrets.token_hex(8)
        with self._transaction(f"load {run.run_id}", len(run.tables) + 2) as (connection, begin):
            for table in run.tables:
                begin(f"load {table.name}")
                _load_table(connection, table)
            begin("create the workshop's views")
            connection.execute(f"create schema if not exists {identifier(WORKSHOP_SCHEMA)}")
            for view in WORKSHOP_VIEWS:
                connection.execute(create_workshop_view(view, schema=WORKSHOP_SCHEMA, tables_schema=SCHEMA))
            begin("record the load")
            _record_load(connection, run, load_id)
        self._read_back([*(table.name for table in run.tables), PIPELINE_RUNS])
        return CommittedLoad(load_id)

    def load_raw(self, raw: RawToLoad) -> None:
        """Replace the raw tables by the rows of the raw files; see `Warehouse.load_raw`."""
        with self._transaction("load raw files", len(raw.tables)) as (connection, begin):
            for table in raw.tables:
                begin(f"load {table.name}")
                _load_raw_table(connection, table)
        self._read_back([table.name for table in raw.tables])

    def load_audience(self, audience: AudienceToLoad) -> None:
        """Replace an audience's rows in the table of audiences; see `Warehouse.load_audience`."""
        with self._transaction(f"load audience {audience.audience_id}", 1) as (connection, begin):
            begin(f"load {AUDIENCES_TABLE}")
            _load_members(connection, audience)
        self._read_back([AUDIENCES_TABLE], where=audience.filter)

    @contextmanager
    def _transaction(self, title: str, steps: int) -> Iterator[tuple[DuckDBPyConnection, Callable[[str], None]]]:
        """Commit at the end, or roll back.

        Yields:
            The connection, and a function that names each step as it begins. An error message names the step.
        """
        step, steps_done = "open the file", -1
        with console.statement_bar(title, steps) as show:

            def begin(name: str) -> None:
                nonlocal step, steps_done
                step, steps_done = name, steps_done + 1
                show(steps_done, name)

            try:
                with _interruptible(), self._connect() as connection:
                    connection.begin()
                    yield connection, begin
                    begin("commit")
                    connection.commit()
                    self._checkpoint(connection)
            except duckdb.Error as error:
                raise OutsideSystemError(
                    f"{self.address}: could not {step}: {_first_line(error)}. The file is unchanged"
                ) from None

    def _checkpoint(self, connection: DuckDBPyConnection) -> None:
        """Move the commit from the log beside the file into the file. Closing would do so too, and hide a failure."""
        try:
            with _interruptible(self._committed):
                connection.execute("checkpoint")
        except duckdb.Error as error:
            raise self._damaged(error) from None

    def _read_back(self, tables: Sequence[str], *, where: str = "true") -> None:
        """Read every value that was loaded, as the next program that opens the file will.

        DuckDB loads into a file that was cut short, whose end it does not miss until it reads there.

        Args:
            tables: what was loaded.
            where: the SQL condition of the rows that were loaded, where a table keeps others.
        """
        try:
            with (
                _interruptible(self._committed),
                self._connect(read_only=True) as connection,
            ):
                for table in tables:
                    _read_table(connection, table, where)
        except _FileInUseError:
            return  # by a program that could open it
        except duckdb.Error as error:
            raise self._damaged(error) from None

    @property
    def _committed(self) -> str:
        return f"the load into {self.address} is committed"

    def _damaged(self, error: duckdb.Error) -> OutsideSystemError:
        return OutsideSystemError(
            f"{self._committed}, but cannot be read back: {_first_line(error)}. The file is damaged, or the disk is "
            f"full. Move it and {self.address.path.name}.wal away, and load again"
        )

    def _connect(self, *, read_only: bool = False) -> DuckDBPyConnection:
        """Open the file, and wait for a process that has it open."""
        path = self.address.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutsideSystemError(
                f"{self.address}: could not create the folder {path.parent} ({error.strerror}). Name another file"
            ) from None

        def attempt() -> DuckDBPyConnection:
            try:
                if read_only:
                    return duckdb.connect(path, read_only=True)
                return duckdb.connect(path, config={"storage_compatibility_version": STORAGE_VERSION})
            except duckdb.IOException as error:
                if "lock" in str(error):
                    raise _FileInUseError(
                        f"{self.address}: still open in another program after {LOCK_TIMEOUT_SECONDS:.0f} s "
                        f"({_first_line(error)}). Close it there, and load again"
                    ) from None
                raise OutsideSystemError(
                    f"{self.address}: could not open the file: {_first_line(error)}. If it is damaged, or no DuckDB "
                    "file, move it away: the next load creates it anew"
                ) from None

        retries = Retrying(
            retry=retry_if_exception_type(_FileInUseError),
            stop=stop_after_delay(LOCK_TIMEOUT_SECONDS),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )
        return retries(attempt)


@contextmanager
def _interruptible(state: str = "") -> Iterator[None]:
    """Have Ctrl-C end as Ctrl-C: DuckDB makes an error of its own of it.

    Args:
        state: what is true of the file by then; empty if nothing changed.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if state:
            interrupt.args = (state,)
        raise
    except RuntimeError as error:
        if "interrupted" not in str(error).lower():
            raise
        raise KeyboardInterrupt(*([state] if state else [])) from None


class _FileInUseError(OutsideSystemError):
    """Another process has the file open."""


def open_warehouse(target: WarehouseTarget) -> Warehouse:
    """The warehouse in the target's DuckDB file.

    Raises:
        ConfigurationError: The file is a link to nothing.
    """
    if not isinstance(target.address, DuckDBAddress):
        raise TypeError(f"{target.address}: expected the address of a DuckDB file")
    path = target.address.path
    if path.is_symlink() and not path.exists():
        raise ConfigurationError(
            f"--warehouse {target.address}: found a link to {path.readlink()}, where nothing is. Expected a file, or "
            "none yet. Remove the link, or name its target"
        )
    return DuckDBWarehouse(target.address)


def _load_table(connection: DuckDBPyConnection, table: TableToLoad) -> None:
    """Replace a table by the rows of the run's files; by no rows if the run lacks the table."""
    columns = identifier_list(table.columns_of_files.fieldNames())
    connection.execute(replace_duckdb_table(table.name, table.schema, schema=SCHEMA))
    _comment(connection, table.name, TABLE_DESCRIPTIONS[table.name], COLUMN_DESCRIPTIONS, table.schema.fieldNames())
    if table.files:
        connection.execute(
            f"insert into {qualified_name(SCHEMA, table.name)} ({columns})\n"
            f"select {columns} from read_parquet(?, hive_partitioning = false)",
            [_escaped_paths(table.files)],
        )
    _check_total(connection, table.expected)


def _read_table(connection: DuckDBPyConnection, table: str, where: str) -> None:
    """Read every value of a table's rows: a count alone would come from the file's directory."""
    name = qualified_name(SCHEMA, table)
    connection.execute(f"select bit_xor(hash(loaded)) from {name} as loaded where {where}").fetchall()


def _comment(
    connection: DuckDBPyConnection, table: str, description: str, columns: Mapping[str, str], names: Sequence[str]
) -> None:
    """Describe a table and its columns where database tools show comments."""
    qualified = qualified_name(SCHEMA, table)
    connection.execute(f"comment on table {qualified} is {literal(description)}")
    for column in names:
        connection.execute(f"comment on column {qualified}.{identifier(column)} is {literal(columns[column])}")


def _load_members(connection: DuckDBPyConnection, audience: AudienceToLoad) -> None:
    """Replace an audience's rows by those of its file. Rows of another audience in the file are missing then."""
    table, columns = qualified_name(SCHEMA, AUDIENCES_TABLE), AUDIENCES.fieldNames()
    connection.execute(create_duckdb_table(AUDIENCES_TABLE, AUDIENCES, schema=SCHEMA))
    _comment(connection, AUDIENCES_TABLE, AUDIENCES_DESCRIPTION, AUDIENCE_COLUMN_DESCRIPTIONS, columns)
    connection.execute(f"delete from {table} where {audience.filter}")
    connection.execute(
        f"insert into {table} ({identifier_list(columns)})\n"
        f"select {identifier_list(columns)} from read_parquet(?, hive_partitioning = false)\nwhere {audience.filter}",
        [_escaped_paths([audience.file])],
    )
    [counts] = connection.execute(audience.count_query(SCHEMA)).fetchall()
    difference = audience.difference(MemberCounts(*counts))
    if difference:
        raise DataError(f"{difference}. The file is unchanged; {RESTORE_RECORD}")


def _load_raw_table(connection: DuckDBPyConnection, table: RawTable) -> None:
    """Replace a raw table by the rows of its CSV files. A row that does not fit fails the load."""
    fields = {field.name: field for field in table.columns}
    types = ", ".join(f"{literal(name)}: {literal(duckdb_type(fields[name]))}" for name in table.header)
    connection.execute(replace_duckdb_table(table.name, table.columns, schema=SCHEMA))
    connection.execute(
        f"insert into {qualified_name(SCHEMA, table.name)} by name\n"
        f"select * from read_csv(?, columns = {{{types}}}, header = true, delim = ',', quote = '\"', escape = '\"', "
        "auto_detect = false, ignore_errors = false, hive_partitioning = false)",
        [_escaped_paths(table.files)],
    )
    _check_total(connection, table.expected)


def _check_total(connection: DuckDBPyConnection, expected: ExpectedTotal) -> None:
    amount = f"sum({identifier(expected.money_column)})" if expected.money_column else "null"
    [(rows, money)] = connection.execute(
        f"select count(*), cast({amount} as decimal(38, 4)) from {qualified_name(SCHEMA, expected.table)}"
    ).fetchall()
    difference = expected.difference(expected.measured(rows, money))
    if difference:
        raise DataError(f"{difference} as in the run's manifest. The file is unchanged; run the pipeline again")


def _record_load(connection: DuckDBPyConnection, run: RunToLoad, load_id: str) -> None:
    """Add the load's row to `pipeline_runs`."""
    connection.execute(create_duckdb_table(PIPELINE_RUNS, PIPELINE_RUNS_SCHEMA, schema=SCHEMA))
    table = qualified_name(SCHEMA, PIPELINE_RUNS)
    connection.execute(
        f"insert into {table} ({identifier_list(PIPELINE_RUNS_SCHEMA.fieldNames())})\n"
        f"select coalesce(max(load_number), 0) + 1, ?, ?, ?, now() at time zone 'UTC', ?, ? from {table}",
        [load_id, run.run_id, run.as_of, run.configuration_hash, run.totals_as_text()],
    )


def _escaped_paths(files: Sequence[TableFile]) -> list[str]:
    """Paths in which DuckDB, which reads a path as a pattern, finds no wildcard."""
    return [re.sub(r"([*?\[])", r"[\1]", file.path) for file in files]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".!")
