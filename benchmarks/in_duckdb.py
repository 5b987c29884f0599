"""A contender: the workshop's SQL in DuckDB, on all cores and with as much memory as Spark's heap.

python -m benchmarks.in_duckdb rfm|all --as-of DAY --tables FOLDER --results FOLDER
"""

import os
import sys
from datetime import date
from pathlib import Path

import duckdb

from benchmarks import workshop_sql as sql
from benchmarks.contenders import contender_arguments

MEMORY = "4GB"


def only_rfm(con: duckdb.DuckDBPyConnection, as_of: date, results: Path) -> None:
    """Write rfm alone, from views and from a table of measures in memory, which bounds and rfm read."""
    con.execute(f"create view transactions as {sql.transactions(as_of)}")
    con.execute(f"create view purchases as {sql.PURCHASES}")
    _write_rfm(con, as_of, results)


def all_tables(con: duckdb.DuckDBPyConnection, as_of: date, results: Path) -> None:
    """Write all three tables, each one from the table before it."""
    for table, query in (("transactions", sql.transactions(as_of)), ("purchases", sql.PURCHASES)):
        _write(con, query, results / table)
        con.execute(f"create view {table} as from read_parquet('{results / table}/*.parquet')")
    _write_rfm(con, as_of, results)


VARIANTS = {"rfm": only_rfm, "all": all_tables}


def connected(spill: Path) -> duckdb.DuckDBPyConnection:
    """Open a database in memory with all cores, `MEMORY`, and a folder for data that exceeds it."""
    con = duckdb.connect()
    con.execute(f"set threads = {os.cpu_count() or 1}")
    con.execute(f"set memory_limit = '{MEMORY}'")
    con.execute(f"set temp_directory = '{spill}'")
    con.execute("set preserve_insertion_order = false")
    con.execute("set timezone = 'UTC'")
    return con


def main() -> int:
    """Run one variant."""
    arguments = contender_arguments("benchmarks.in_duckdb", VARIANTS)
    with connected(arguments.results / "spill") as con:
        for table in sql.CHECKED_TABLES:
            con.execute(f"create view {table} as from read_parquet('{arguments.tables / table}/*.parquet')")
        VARIANTS[arguments.variant](con, arguments.as_of, arguments.results)
    return 0


def _write_rfm(con: duckdb.DuckDBPyConnection, as_of: date, results: Path) -> None:
    con.execute(f"create temp table measures as {sql.measures(as_of, 'duckdb')}")
    row = con.execute(sql.BOUNDS).fetchall()[0]
    names = [column[0] for column in con.description or ()]
    _write(con, sql.rfm(dict(zip(names, row, strict=True))), results / "rfm")


def _write(con: duckdb.DuckDBPyConnection, query: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    con.execute(f"copy ({query}) to '{folder / 'part-0.parquet'}' (format parquet)")


if __name__ == "__main__":
    sys.exit(main())
