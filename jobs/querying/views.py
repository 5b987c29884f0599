"""The tables of runs as views in DuckDB: ``now.rfm``, ``before.purchases``, ``now."quarantine/orders"``."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import DataError, OutsideSystemError, reason_of
from jobs.querying.engine import connected, duckdb_package, first_line
from jobs.storage.folder import Folder
from jobs.storage.local import LocalFolder
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.table_files import RESTORE, verify_table_files
from jobs.storage.temporary import temporary_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class QueriedRun:
    """A run whose tables are queried.

    Attributes:
        schema: the name under which queries name its tables, such as "now".
        manifest: the run's.
        tables: the tables that become views, by their names in the manifest.
    """

    schema: str
    manifest: Manifest
    tables: tuple[str, ...]

    def __post_init__(self) -> None:
        if not SCHEMA.fullmatch(self.schema):
            raise ValueError(f"{self.schema!r}: expected a name of lower-case letters, digits and _")


@contextmanager
def open_runs(store: RunStore, runs: Sequence[QueriedRun], *, check_files: bool) -> Iterator["DuckDBPyConnection"]:
    """A connection in which each table is a view, ``<schema>.<table>``, whose rows are read by each query.

    Files on a disk are read where they are. Objects in S3 are copied into a temporary folder first, so that folder
    needs room for them (``TMPDIR``). Times are wall-clock as in the source; the session's zone is UTC.

    Args:
        store: the output folder.
        runs: the runs, each under another name.
        check_files: whether the files are compared with the manifest first. On a disk this reads each file once more.

    Raises:
        ConfigurationError: The package duckdb is not installed.
        DataError: A manifest has no such table, a file is not as the manifest says, or it is no Parquet file.
        OutsideSystemError: A file cannot be read, or a query failed.
    """
    duckdb_package()
    with temporary_folder("query") as temporary, connected(temporary) as connection:
        for run in runs:
            create_schema(connection, run.schema)
            for table in run.tables:
                if check_files:
                    _check_files(store, run.manifest, table)
                create_view(connection, store, run, table, temporary=temporary)
        yield connection


def create_schema(connection: "DuckDBPyConnection", schema: str) -> None:
    """Create the schema that the views of a run are in."""
    connection.execute(f"create schema {quoted(schema)}")


def create_view(
    connection: "DuckDBPyConnection", store: RunStore, run: QueriedRun, table: str, *, temporary: Path
) -> None:
    """Make a view of a table's files.

    Raises:
        DataError: The manifest has no such table, it has no file, or a file is no Parquet.
        OutsideSystemError: A file cannot be read.
    """
    table_path = _path_of(run.manifest, table)
    files = local_files(store.folder, table_path, temporary=temporary)
    if not files:
        raise DataError(f"table {table}: found no file in {table_path}, expected those that the run wrote. {RESTORE}")
    duckdb = duckdb_package()
    try:
        connection.execute(
            f"create view {quoted(run.schema)}.{quoted(table)} as\nselect * from {rows_of_parquet(files)}"
        )
    except duckdb.Error as error:
        raise DataError(f"table {table}: cannot be read as Parquet ({first_line(error)}). {RESTORE}") from None


def _check_files(store: RunStore, manifest: Manifest, table: str) -> None:
    """Check that a table's files are those that the run wrote.

    Raises:
        DataError: The manifest has no such table, or a file is missing, was added, or was changed.
    """
    path, recorded = _path_of(manifest, table), manifest.outputs.get(table)
    if recorded is None:
        raise _stated_by_none(manifest, f"files of table {table}")
    verify_table_files(store.folder, table=table, table_path=path, recorded=recorded)


def _path_of(manifest: Manifest, table: str) -> str:
    path = manifest.tables.get(table)
    if path is None:
        raise _stated_by_none(manifest, f"folder of table {table}")
    return path


def _stated_by_none(manifest: Manifest, what: str) -> DataError:
    return DataError(
        f"the manifest of run {manifest.run_id} states no {what}, expected one. Name another run, or run the pipeline "
        "again"
    )


def local_files(folder: Folder, table_path: str, *, temporary: Path) -> list[Path]:
    """The files of a table on this machine: where they are or, from S3, copied.

    Raises:
        OutsideSystemError: A file cannot be read, or there is no room for its copy.
    """
    parts = table_path.split("/")
    names = [name for name in folder.names(*parts) if not name.startswith((".", "_"))]
    if isinstance(folder, LocalFolder):
        return [folder.path.joinpath(*parts, name) for name in names]
    copies = temporary.joinpath("files", *parts)
    try:
        copies.mkdir(parents=True, exist_ok=True)
        for name in names:
            with folder.open_file(*parts, name) as content, (copies / name).open("wb") as copy:
                shutil.copyfileobj(content, copy, 2**20)
    except OSError as error:
        raise OutsideSystemError(
            f"cannot copy table {table_path} to this machine ({reason_of(error)}). Set TMPDIR to a folder with room "
            "that this user can write"
        ) from None
    return [copies / name for name in names]


def quoted(name: str) -> str:
    """A name as SQL has it, whatever characters are in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A value as a text of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def rows_of_parquet(files: Sequence[Path]) -> str:
    """The rows of Parquet files, as SQL reads them."""
    paths = ", ".join(literal(_without_wildcards(file)) for file in files)
    return f"read_parquet([{paths}], hive_partitioning = false)"


def _without_wildcards(path: Path) -> str:
    """A path in which DuckDB, which reads it as a pattern, finds no wildcard."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))
