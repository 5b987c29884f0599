"""How a table of the warehouse in DuckDB is filled, and found to hold what it must."""

import re
from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from jobs.errors import DataError
from jobs.totals import NO_MONEY, Total
from jobs.warehouse.contents import RunToLoad, TableToLoad
from jobs.warehouse.ddl import (
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    create_duckdb_record,
    create_duckdb_table,
    duckdb_column,
    duckdb_type,
)
from jobs.warehouse.identifiers import identifier, listed, literal, qualified
from jobs.warehouse.raw_files import RawTable
from transforms.dictionary import COLUMNS_IN_WORDS, TABLES_IN_WORDS

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
    connection.execute(f"comment on table {name} is {literal(TABLES_IN_WORDS[table.name])}")
    for column in table.schema.fieldNames():
        words = literal(COLUMNS_IN_WORDS[column])
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
