"""The run under verification: its manifest, its tables in DuckDB, and how a group of checks is guarded."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import DataError, PipelineError
from jobs.querying.engine import duckdb_package, first_line
from jobs.querying.views import QueriedRun, create_schema, create_view, quoted
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.verifying.checks import Check, Result
from jobs.verifying.columns import QUICK, quick_column
from transforms.bounded_text import parse_object

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST_FILE = 64_000_000

UNEXPECTED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, AssertionError)
"""What code meets in a file that nobody wrote as this program does."""


@dataclass(frozen=True)
class AuditedRun:
    """A complete run, opened in DuckDB.

    Its tables are views of the schema ``schema``. In the schema ``quick_<schema>`` are those columns of them that
    derivations need, with ids as numbers. Queries of several threads run side by side, each on a cursor of its own.

    Attributes:
        store: the output folder.
        manifest: the run's.
        connection: to DuckDB.
        schema: the name of the schema: "now", or "before" for the run that it is compared with.
        unreadable: why a table of the manifest is no view, by table.
    """

    store: RunStore
    manifest: Manifest
    connection: "DuckDBPyConnection"
    schema: str
    unreadable: Mapping[str, str]
    _quick: dict[str, Future[None]] = field(default_factory=dict)

    @classmethod
    def opened(
        cls, store: RunStore, manifest: Manifest, connection: "DuckDBPyConnection", *, schema: str, temporary: Path
    ) -> "AuditedRun":
        """Open a run. A table that cannot be read is told of, and stops nothing."""
        for name in (schema, f"quick_{schema}"):
            create_schema(connection, name)
        unreadable = {}
        run = QueriedRun(schema, manifest, tuple(manifest.tables))
        for table in manifest.tables:
            try:
                create_view(connection, store, run, table, temporary=temporary)
            except DataError as error:
                unreadable[table] = str(error)
        return cls(store, manifest, connection, schema, unreadable)

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The manifest as it stands in its file."""
        text = self.store.read_file(f"runs/{self.manifest.run_id}/manifest.json")
        return parse_object(text or "{}", longest=LONGEST_FILE)

    @property
    def configuration(self) -> Mapping[str, Any]:
        """The settings that the rows of the run depend on."""
        settings: Mapping[str, Any] = self.content.get("configuration") or {}
        return settings

    def why_missing(self, *tables: str) -> str | None:
        """Why tables cannot be compared; None if all of them are there."""
        for table in tables:
            if table not in self.manifest.tables:
                return f"the run has no table {table}"
            if table in self.unreadable:
                return f"table {table} cannot be read"
        return None

    def why_not_stated(self, table: str) -> str | None:
        """Why the manifest does not state what was counted while a table was written; None if it does."""
        path = self.manifest.tables[table]
        if not path.startswith(f"runs/{self.manifest.run_id}/"):
            return f"table {table} was taken over from run {path.split('/')[1]}, whose manifest states them"
        return None if isinstance(self.content.get("totals"), list) else "release 0.1 states them otherwise"

    def columns(self, table: str) -> list[str]:
        """The columns of a table, in the order of its files."""
        rows = self.rows(f"select column_name from (describe {self.schema}.{quoted(table)})")
        return [str(name) for (name,) in rows]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The result of a query."""
        return self.connection.cursor().execute(sql).fetchall()

    def row(self, sql: str) -> dict[str, Any]:
        """The one row of a query, by the names of its columns."""
        result = self.connection.cursor().execute(sql)
        names = [str(column[0]) for column in result.description or ()]
        return dict(zip(names, result.fetchall()[0], strict=True))

    def execute(self, sql: str) -> None:
        """Run a statement without a result."""
        self.connection.cursor().execute(sql)

    def make_quick(self, tables: Iterable[str], pool: Executor) -> None:
        """Have threads make the tables of `with_quick`.

        Spark writes files of one row group, which DuckDB reads by one thread. So several are read at a time.
        """
        for table in tables:
            if table in QUICK and self.why_missing(table) is None:
                self._quick[table] = pool.submit(self._make_quick, table)

    def with_quick(self, *tables: str) -> str:
        """The name of the schema in which tables have the columns of derivations alone, and ids as numbers."""
        for table in tables:
            self._quick[table].result()
        return f"quick_{self.schema}"

    def _make_quick(self, table: str) -> None:
        present = set(self.columns(table))
        # Statuses are the longest text of an order, and often none of them is looked at.
        if self.configuration.get("order_statuses", "all") == "all":
            present.discard("order_status")
        columns = ", ".join(quick_column(name) for name in QUICK[table] if name in present)
        self.execute(f"create table quick_{self.schema}.{table} as select {columns} from {self.schema}.{table}")


def guarded(name: str, compared: str, checks: Callable[[], list[Check]]) -> list[Check]:
    """The checks that a function makes. If it cannot, that is a failed check: a run can always be compared.

    Args:
        name: of the check that fails instead.
        compared: what it would have compared.
        checks: the function.

    Raises:
        OutsideSystemError: There is not enough memory or room on the disk, or a service failed.
    """
    duckdb = duckdb_package()
    try:
        return checks()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        reason = first_line(error)
    except PipelineError as error:
        if error.exit_code != DataError.exit_code:
            raise
        reason = str(error)
    except UNEXPECTED as error:
        reason = f"not written as this program does ({type(error).__name__}: {error})"
    return [Check(name, compared, Result.FAILED, off=1, note=reason)]
