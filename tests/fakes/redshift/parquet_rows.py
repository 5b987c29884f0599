"""Rows of a Parquet file, for a table's columns by position; a physical type that is not the column's is refused.

The rules are Redshift's as far as they are documented, and the strict reading where they are not: decimals stored as
INT32 or INT64 and timestamps stored as INT64 may load into today's Redshift or may not, so that here they never do.
"""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from tests.fakes.redshift.columns import Column
from tests.fakes.redshift.errors import RedshiftError

ROWS_AT_ONCE = 20_000


def parquet_rows(content: bytes, columns: Sequence[Column], *, url: str, table: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a file.

    Raises:
        RedshiftError: The file is no Parquet, its columns do not fit, or a text is too long for its column.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(content), coerce_int96_timestamp_unit="us")
    except pa.ArrowInvalid:
        message = f"File '{url}' is not a valid Parquet file"
        raise _scan_error(message) from None
    stored = [file.metadata.schema.column(position) for position in range(len(file.metadata.schema))]
    if len(stored) != len(columns):
        raise RedshiftError(
            f"ERROR: Unmatched number of columns between table and file. Table columns: {len(columns)}, "
            f"Data columns: {len(stored)}, File name: {url}"
        )
    for column, of_file in zip(columns, stored, strict=True):
        if not _fits(column, of_file):
            raise _scan_error(
                f"File '{url}' has an incompatible Parquet schema for column '{url}.{of_file.path}'. "
                f"Column type: {column.type}, Parquet schema: {of_file.physical_type} {of_file.logical_type}"
            )
    for batch in file.iter_batches(ROWS_AT_ONCE):
        for column, values in zip(columns, batch.columns, strict=True):
            _check_lengths(column, values, url=url, table=table)
        yield from zip(*(values.to_pylist() for values in batch.columns), strict=True)


def _fits(column: Column, stored: pq.ColumnSchema) -> bool:
    """Whether a file's column may be loaded into a table's."""
    if stored.max_repetition_level or "." in stored.path:
        return False
    logical = stored.logical_type.type
    match column.base:
        case "numeric":
            same = (stored.precision, stored.scale) == (column.precision, column.scale)
            return stored.physical_type == "FIXED_LEN_BYTE_ARRAY" and logical == "DECIMAL" and same
        case "character varying" | "character":
            return stored.physical_type == "BYTE_ARRAY" and logical == "STRING"
        case "date":
            return stored.physical_type == "INT32" and logical == "DATE"
    physical = {
        "integer": "INT32",
        "bigint": "INT64",
        "double precision": "DOUBLE",
        "real": "FLOAT",
        "boolean": "BOOLEAN",
        "timestamp without time zone": "INT96",
    }
    return stored.physical_type == physical.get(column.base) and logical == "NONE"


def _check_lengths(column: Column, values: pa.Array, *, url: str, table: str) -> None:
    if column.length is None:
        return
    longest = max((len(text.encode()) for text in values.to_pylist() if text is not None), default=0)
    if longest > column.length:
        raise _scan_error(
            f"The length of the data column {column.name} is longer than the length defined in the table {table}. "
            f"Table: {column.length}, Data: {longest}, File name: {url}"
        )


def _scan_error(context: str) -> RedshiftError:
    return RedshiftError(f"ERROR: Spectrum Scan Error\n  Detail: code: 15007, context: {context}")
