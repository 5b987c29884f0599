"""The beginning of a Parquet file as text. DuckDB reads it, which needs neither Spark nor Java."""

from pathlib import Path

import duckdb

from jobs.errors import DataError
from jobs.proposing.sample import LONGEST_CELL, MOST_COLUMNS, Sample, rows_to_read

INSTANT = "TIMESTAMP WITH TIME ZONE"


def sample_of_parquet(file: Path, *, name: str) -> Sample:
    """The sample of a file.

    Args:
        file: a path without signs that DuckDB reads as a pattern.
        name: of the file, for messages.

    Raises:
        DataError: It cannot be read, has no rows or too many columns.
    """
    try:
        with duckdb.connect() as connection:
            relation = connection.read_parquet(str(file), hive_partitioning=False)
            columns, types = tuple(relation.columns), [str(column_type) for column_type in relation.types]
            if len(columns) > MOST_COLUMNS:
                raise DataError(f"{name}: found {len(columns):,} columns, expected at most {MOST_COLUMNS:,}. Check it")
            most = rows_to_read(columns)
            # Without a time zone of its own, DuckDB would write instants in that of this machine.
            connection.execute("SET TimeZone = 'UTC'")
            texts = relation.project(f"left(COLUMNS(*)::VARCHAR, {LONGEST_CELL})").limit(most + 1).fetchall()
    except duckdb.Error as error:
        cause = str(error).splitlines()[0].replace(str(file), name)
        raise DataError(f"{name}: cannot be read as Parquet ({cause}). Check the file") from None
    if not texts:
        raise DataError(f"{name}: no rows, expected at least one. Check how the file was exported")
    return Sample(
        columns=columns,
        rows=tuple(tuple("" if text is None else text.strip() for text in row) for row in texts[:most]),
        csv=None,
        goes_on=len(texts) > most,
        instants=frozenset(name for name, kind in zip(columns, types, strict=True) if kind == INSTANT),
    )
