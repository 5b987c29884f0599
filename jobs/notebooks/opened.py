"""A run opened in a notebook by one import: ``from jobs.notebooks.opened import open_output``.

Neither Spark nor DuckDB is imported before a table is asked for.
"""

import atexit
import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from jobs.errors import ConfigurationError
from jobs.notebooks.run_tables import RunTables
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation
    from pandas import DataFrame as PandasFrame
    from pyspark.sql import DataFrame, SparkSession

    from jobs.notebooks.frames import Frames
    from jobs.notebooks.relations import Relations

MOST_ROWS = 1_000_000
"""Rows that pandas gets at most, unless the caller says otherwise."""


def open_output(output: str | os.PathLike[str], run_id: str | None = None, *, check_files: bool = False) -> "OpenedRun":
    """Open a run of an output folder, on a disk or in S3.

    The names of a table's files are always compared with the manifest, when the table is first asked for. A file that
    is gone would otherwise be rows that are gone. Their content is not compared unless ``check_files`` says so, since
    on a disk that reads each file once more; `jobs.verify` checks a run as a whole. In S3 it costs one listing.

    Args:
        output: the folder of the runs: a path, or a ``file:`` or ``s3:`` URI.
        run_id: which run; None for the current one.
        check_files: whether the content of files is compared too: size and SHA-256, in S3 the ETag.

    Raises:
        ConfigurationError: There is no such run, it is not complete, or none is current.
        DataError: The pointer or the manifest is damaged.
        OutsideSystemError: S3 does not answer.
    """
    store = RunStore(os.fspath(output))
    advice = "Run jobs.pipeline first, or name a run: open_output(..., run_id)"
    manifest = store.find_manifest(run_id, missing="there is none to open", advice=advice)
    return OpenedRun(RunTables(store, manifest, checks_content=check_files))


class OpenedRun:
    """A complete run: what it is, and its tables. Runs are never edited, so what was read stays true.

    Times are wall-clock as in the source, and have no zone. Errors are those of `jobs.errors`, of one line each.

    It keeps a connection of DuckDB, copies of files from S3, and a session of Spark that it started. They end with
    `close`, with a ``with`` block, or with Python.
    """

    def __init__(self, tables: RunTables) -> None:
        self._tables = tables
        self._kept = ExitStack()
        self._duckdb: Relations | None = None
        self._spark: Frames | None = None
        self._is_closed = False
        # Also where nobody keeps this object, what came of it stays usable.
        atexit.register(self.close)

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.manifest.run_id

    @property
    def as_of(self) -> date:
        """The last day that counts."""
        return self.manifest.as_of

    @property
    def manifest(self) -> Manifest:
        """What the run says of itself: settings, inputs, rows and money at every boundary."""
        return self._tables.manifest

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables, in the order in which they were computed. ``quarantine/…`` has rejected rows."""
        return self._tables.names

    def __repr__(self) -> str:
        """The run, and each table with the rows that the manifest states."""
        rows = {name: self._tables.stated_rows(name) for name in self.tables}
        counts = {name: "" if count is None else f"{count:,}" for name, count in rows.items()}
        name_width = max(map(len, counts), default=0)
        count_width = max(map(len, counts.values()), default=0)
        lines = [f"  {name:<{name_width}}  {count:>{count_width}}".rstrip() for name, count in counts.items()]
        return "\n".join([f"Run {self.run_id}, as of {self.as_of}, in {self._tables.store.output}", *lines])

    def relation(self, table: str) -> "DuckDBPyRelation":
        """A table as a relation of DuckDB, which reads the files when its rows are asked for.

        In S3, the files of the table are copied to a temporary folder first (``TMPDIR``).

        Raises:
            ConfigurationError: The run has no such table, is closed, or the package duckdb is not installed.
            DataError: A file is missing, was added or changed, or is no Parquet file.
            OutsideSystemError: A file cannot be read or copied.
        """
        return self._relations().table(table)

    def sql(self, query: str, params: Sequence[Any] | None = None) -> "DuckDBPyRelation":
        """The answer to a query over the run's tables by their names, as a relation of DuckDB.

        A rejected row is in ``"quarantine/orders"``, in double quotes. Frames of pandas and relations in variables of
        the caller are tables too, unless the run has a table of that name.

        Args:
            query: the SQL.
            params: values for ``?`` and ``$1`` in it.

        Raises:
            ConfigurationError: The query is wrong, the run is closed, or the package duckdb is not installed.
            DataError: See `relation`.
            OutsideSystemError: See `relation`.
        """
        return self._relations().query(query, params)

    def pandas(self, source: "str | DuckDBPyRelation", *, at_most: int = MOST_ROWS) -> "PandasFrame":
        """A table, or the answer to a query, as a frame of pandas, with all its rows or not at all.

        Money becomes float64, which is exact to the cent below some 10^11, but whose sums are rounded: add up money in
        `sql` or in Spark.

        Args:
            source: the name of a table, or a relation from `sql` or `relation`.
            at_most: the rows that it may have.

        Raises:
            ConfigurationError: It has more rows. Or see `relation`.
            DataError: See `relation`.
            OutsideSystemError: See `relation`; or there is too little memory.
        """
        if isinstance(source, str):
            self._tables.path(source)
            rows = self._tables.stated_rows(source)
            if rows is not None and rows > at_most:  # nothing is copied from S3 to find that out
                raise _too_many(f"table {source}", rows, at_most)
        relations = self._relations()
        relation = relations.table(source) if isinstance(source, str) else source
        frame = relations.frame(relation.limit(at_most + 1))
        if len(frame) > at_most:
            what = f"table {source}" if isinstance(source, str) else "the relation"
            raise _too_many(what, relations.count(relation), at_most)
        return frame

    def spark(self, table: str, *, session: "SparkSession | None" = None) -> "DataFrame":
        """A table as a frame of Spark, with the columns and types of `transforms.schemas`.

        Args:
            table: its name.
            session: which session reads it; None for the active one. Without one, a session with the project's settings
                is started, for S3 too where the run is there.

        Raises:
            ConfigurationError: The run has no such table, is closed, or the session's time zone is not UTC.
            DataError: A file is missing, was added or changed.
            OutsideSystemError: Java is missing, Spark does not start, or it cannot reach the files.
        """
        return self._frames().table(table, session)

    def repeat_purchases(self, *, session: "SparkSession | None" = None) -> "DataFrame":
        """Frequency, recency, T and monetary_value of each customer, as pymc-marketing takes them, in Spark.

        `transforms.repeat_purchases` says what each means. Arguments and errors are those of `spark`.
        """
        return self._frames().repeat_purchases(session)

    def close(self) -> None:
        """Close the connection of DuckDB, remove copies of files, and stop a session of Spark that was started here."""
        self._is_closed = True
        self._duckdb, self._spark = None, None
        self._kept.close()
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # What the block raises is the caller's, and no failure of what is closed here.
        self.close()

    def _relations(self) -> "Relations":
        self._refuse_if_closed()
        if self._duckdb is None:
            relations: type[Relations] = import_module("jobs.notebooks.relations").Relations
            self._duckdb = self._kept.enter_context(relations.opened(self._tables))
        return self._duckdb

    def _frames(self) -> "Frames":
        self._refuse_if_closed()
        if self._spark is None:
            frames: type[Frames] = import_module("jobs.notebooks.frames").Frames
            self._spark = frames(self._tables, self._kept)
        return self._spark

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise ConfigurationError(f"run {self.run_id} was closed here. Open it again with open_output")


def _too_many(what: str, rows: int, at_most: int) -> ConfigurationError:
    return ConfigurationError(
        f"{what} has {rows:,} rows, and pandas gets {at_most:,} at most. Give a higher at_most if memory allows, ask "
        "for fewer rows with sql, or read it with spark"
    )
