"""The tables of a run as relations of DuckDB: each is a view from when it is first named."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.notebooks.run_tables import RunTables
from jobs.querying.engine import connected, duckdb_package, first_line
from jobs.querying.views import QueriedRun, create_schema, create_view, quoted
from jobs.storage.temporary import temporary_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pandas import DataFrame as PandasFrame

SCHEMA = "run"


class Relations:
    """A connection in which the tables of a run are views. It lives as long as the context of `opened`."""

    def __init__(self, tables: RunTables, connection: "DuckDBPyConnection", temporary: Path) -> None:
        self._tables = tables
        self._connection = connection
        self._temporary = temporary
        self._views: set[str] = set()

    @classmethod
    @contextmanager
    def opened(cls, tables: RunTables) -> Iterator["Relations"]:
        """Connect to an empty database in memory, with a temporary folder for copies of files.

        Raises:
            ConfigurationError: The package duckdb is not installed.
            OutsideSystemError: There is no room for the folder.
        """
        duckdb_package()
        with temporary_folder("notebook") as temporary, connected(temporary) as connection:
            # The same call gives the rows in the same order, and queries see frames of whoever calls.
            connection.execute("set preserve_insertion_order = true")
            connection.execute("set python_scan_all_frames = true")
            create_schema(connection, SCHEMA)
            connection.execute(f"set search_path = '{SCHEMA}'")
            yield cls(tables, connection, temporary)

    def table(self, name: str) -> "DuckDBPyRelation":
        """A table as a relation; see `OpenedRun.relation`."""
        self._create_view(name)
        return self._connection.table(f"{SCHEMA}.{quoted(name)}")

    def query(self, query: str, params: Sequence[Any] | None) -> "DuckDBPyRelation":
        """The answer to a query as a relation; see `OpenedRun.sql`."""
        for name in self._tables.names:
            if _names(query, name):
                self._create_view(name)
        duckdb = duckdb_package()
        try:
            relation = self._connection.sql(query, params=params)
        except duckdb.CatalogException as error:
            tables = ", ".join(name if name.isidentifier() else quoted(name) for name in self._tables.names)
            raise ConfigurationError(f"the query is wrong: {first_line(error)}. Tables of the run: {tables}") from None
        except duckdb.ProgrammingError as error:
            raise ConfigurationError(f"the query is wrong: {_with_advice(error)}") from None
        except duckdb.Error as error:
            raise _failed(error) from None
        if relation is None:
            raise ConfigurationError("found no query, expected one, such as select * from rfm")
        return relation

    def frame(self, relation: "DuckDBPyRelation") -> "PandasFrame":
        """The rows of a relation in pandas."""
        duckdb = duckdb_package()
        try:
            return relation.df()
        except duckdb.Error as error:
            raise _failed(error) from None

    def count(self, relation: "DuckDBPyRelation") -> int:
        """The number of rows of a relation."""
        duckdb = duckdb_package()
        try:
            [(rows,)] = relation.aggregate("count(*)").fetchall()
        except duckdb.Error as error:
            raise _failed(error) from None
        return int(rows)

    def _create_view(self, table: str) -> None:
        if table in self._views:
            return
        self._tables.checked_path(table)
        queried = QueriedRun(SCHEMA, self._tables.manifest, (table,))
        create_view(self._connection, self._tables.store, queried, table, temporary=self._temporary)
        self._views.add(table)


def _names(query: str, table: str) -> bool:
    """Whether a table's name occurs in a query. A name that is a column there makes a view that nobody reads."""
    return re.search(rf"(?<![\w/]){re.escape(table)}(?![\w/])", query, re.IGNORECASE) is not None


def _with_advice(error: Exception) -> str:
    """What DuckDB says on one line, such as which columns there are; without the query, which the notebook shows."""
    return " ".join(str(error).partition("\n\nLINE ")[0].split())


def _failed(error: Exception) -> OutsideSystemError:
    return OutsideSystemError(
        f"DuckDB could not read the rows: {first_line(error)}. Ask for fewer, or give it more memory or disk"
    )
