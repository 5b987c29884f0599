"""Whether what a manifest is about to name is there: every file, and every table's rows.

A table's total is of the rows that its tasks wrote. Between that moment and the end of the run, a folder may be cleaned
up, or a bucket's rule may expire objects. So the files are counted once more, as the next reader would find them.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.errors import DataError
from jobs.runs.totals import Boundary, Total
from jobs.spark.process import SPARK_FAILURES
from jobs.storage.folder import Folder
from jobs.storage.uris import escape_glob

NOTHING_MOVED = "current.json was not moved. Let nothing else write to the folders of runs, and run again"


def check_written(
    session: SparkSession, folder: Folder, manifest: Mapping[str, Any], *, totals: Mapping[Boundary, Total]
) -> None:
    """Check that the tables, shards and small files that a manifest names are there, each table with its rows.

    Rows are counted by one Spark job over all tables, from the footers of the Parquet files alone: a footer per file,
    read by the executors in parallel.

    Args:
        session: reads the footers.
        folder: the output folder.
        manifest: as `build_manifest` made it.
        totals: the rows of each table, as its tasks counted them.

    Raises:
        DataError: Something is not there, or has other rows.
    """
    run_id, tables = manifest["run_id"], manifest["tables"]
    for table, path in tables.items():
        if not manifest["outputs"][table] or not folder.is_folder(*path.split("/")):
            expected = totals[Boundary(table)]
            raise DataError(f"run {run_id}: found no files of table {table}, expected {expected}. {NOTHING_MOVED}")
    for path in _other_paths(manifest):
        if not folder.exists(*path.split("/")):
            raise DataError(f"run {run_id}: found no {path}, expected what the run wrote there. {NOTHING_MOVED}")
    try:
        counted = _rows_by_table(session, {table: folder.uri(*path.split("/")) for table, path in tables.items()})
    except SPARK_FAILURES as error:
        lost = [table for table, path in tables.items() if not folder.is_folder(*path.split("/"))]
        if not lost:
            raise
        raise DataError(
            f"run {run_id}: found no files of table {', '.join(lost)}, expected those that the run wrote. "
            f"{NOTHING_MOVED}"
        ) from error
    for table, rows in counted.items():
        expected = totals[Boundary(table)]
        if rows != expected.rows:
            raise DataError(
                f"run {run_id}: found {rows:,} rows in the files of table {table}, expected {expected.rows:,}. "
                f"{NOTHING_MOVED}"
            )


def _rows_by_table(session: SparkSession, uris: Mapping[str, str]) -> dict[str, int]:
    """The rows of each table. The count of a frame without columns reads no data of a Parquet file."""

    def counted(table: str, uri: str) -> DataFrame:
        # The schema is given, so that none is inferred from a file that is read for it alone.
        rows = session.read.schema(StructType()).parquet(escape_glob(uri))
        return rows.agg(F.lit(table).alias("table"), F.count(F.lit(1)).alias("rows"))

    every = reduce(DataFrame.unionAll, [counted(table, uri) for table, uri in uris.items()])
    return {row["table"]: row["rows"] for row in every.collect()}


def _other_paths(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The paths that a manifest names beside its tables: score card, clusters, what is kept of a source, features."""
    for key in ("score_card", "kmeans"):
        if key in manifest:
            yield manifest[key]["file"]
    for kept in ("mapping", "rates"):
        if kept in manifest.get("source", {}):
            yield manifest["source"][kept]["file"]
    for shards in manifest.get("kmeans_features", {}).values():
        yield shards["path"]
