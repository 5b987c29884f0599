"""The files that COPY loads: rows of CSV and Parquet, validated against the columns of a table.

CSV follows Redshift. An empty field is NULL in a column that holds no text, and an empty text in one that does, unless
EMPTYASNULL is set. Decimals are truncated to their scale. A text is measured in bytes. A timestamp is
``YYYY-MM-DD HH:MI:SS``.

Parquet columns are matched by position, and a physical type other than the column's is rejected. Where Redshift's
manual is silent, the strict reading applies. Today's Redshift may load decimals stored as INT32 or INT64 and timestamps
stored as INT64. This fake never does.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import parquet as pq

from tests.fakes.redshift.errors import RedshiftError

TYPE = re.compile(r"(?P<base>[a-z ]+?)(?:\((?P<first>\d+)(?:,(?P<second>\d+))?\))?(?P<rest> without time zone)?")
INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
BOOLEANS = {"t", "f", "true", "false", "y", "n", "yes", "no", "1", "0"}
PHYSICAL_TYPES = {
    "integer": "INT32",
    "bigint": "INT64",
    "double precision": "DOUBLE",
    "real": "FLOAT",
    "boolean": "BOOLEAN",
    "timestamp without time zone": "INT96",
}
BATCH_ROWS = 20_000


class BadRowError(ValueError):
    """A row cannot be loaded. The message is the reason in ``sys_load_error_detail``."""


@dataclass(frozen=True)
class Column:
    """A column of the target table, with its type as PostgreSQL formats it."""

    name: str
    type: str
    not_null: bool

    @property
    def _parts(self) -> re.Match[str]:
        parts = TYPE.fullmatch(self.type)
        assert parts is not None, self.type
        return parts

    @property
    def base(self) -> str:
        """The type's name without length, precision and scale."""
        return self._parts["base"] + (self._parts["rest"] or "")

    @property
    def length(self) -> int | None:
        """The maximum length of a text in bytes; None for other types."""
        return int(self._parts["first"]) if self.base.startswith("character") else None

    @property
    def precision(self) -> int:
        """The number of digits of a decimal."""
        return int(self._parts["first"] or 0)

    @property
    def scale(self) -> int:
        """The number of digits of a decimal after the point."""
        return int(self._parts["second"] or 0)


def columns_of(connection: psycopg.Connection, table: Sequence[str], names: Sequence[str]) -> list[Column]:
    """Read the columns of a table from PostgreSQL's catalogue.

    Args:
        connection: A connection to the warehouse.
        table: The table's name, with its schema if there is one.
        names: The columns to return, in this order; all columns of the table if empty.

    Raises:
        RedshiftError: The table or a column does not exist.
    """
    relation = sql.Identifier(*table).as_string(connection)
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
        "where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum",
        [relation],
    ).fetchall()
    if not rows:
        raise RedshiftError(f"ERROR: Cannot COPY into nonexistent table {table[-1]}")
    columns = {name: Column(name, type_name, not_null) for name, type_name, not_null in rows}
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise RedshiftError(f'ERROR: column "{unknown[0]}" of relation "{table[-1]}" does not exist')
    return [columns[name] for name in names] if names else list(columns.values())


def csv_rows(
    content: bytes, columns: Sequence[Column], *, header_lines: int, empty_as_null: bool
) -> Iterator[tuple[str | None, ...] | BadRowError]:
    """Read a CSV file.

    The header lines are lines of the file, even within quotation marks.

    Yields:
        The values of each row, or the error of a row that cannot be loaded.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        yield BadRowError("String contains invalid or unsupported UTF8 codepoints")
        return
    lines = text.splitlines(keepends=True)[header_lines:]
    reader = csv.reader(io.StringIO("".join(lines), newline=""), strict=True)
    while True:
        try:
            yield _csv_row(next(reader), columns, empty_as_null=empty_as_null)
        except StopIteration:
            return
        except BadRowError as error:
            yield error
        except csv.Error:
            yield BadRowError("Invalid quote formatting for CSV")


def parquet_rows(content: bytes, columns: Sequence[Column], *, url: str, table: str) -> Iterator[tuple[Any, ...]]:
    """Read a Parquet file.

    Raises:
        RedshiftError: The file is not Parquet, its columns do not match, or a text is too long for its column.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(content), coerce_int96_timestamp_unit="us")
    except pa.ArrowInvalid:
        raise _scan_error(f"File '{url}' is not a valid Parquet file") from None
    stored_columns = [file.metadata.schema.column(position) for position in range(len(file.metadata.schema))]
    if len(stored_columns) != len(columns):
        raise RedshiftError(
            f"ERROR: Unmatched number of columns between table and file. Table columns: {len(columns)}, "
            f"Data columns: {len(stored_columns)}, File name: {url}"
        )
    for column, stored in zip(columns, stored_columns, strict=True):
        if not _is_loadable(stored, column):
            raise _scan_error(
                f"File '{url}' has an incompatible Parquet schema for column '{url}.{stored.path}'. "
                f"Column type: {column.type}, Parquet schema: {stored.physical_type} {stored.logical_type}"
            )
    for batch in file.iter_batches(BATCH_ROWS):
        for column, values in zip(columns, batch.columns, strict=True):
            _check_lengths(column, values, url=url, table=table)
        yield from zip(*(values.to_pylist() for values in batch.columns), strict=True)


def _csv_row(fields: Sequence[str], columns: Sequence[Column], *, empty_as_null: bool) -> tuple[str | None, ...]:
    if len(fields) < len(columns):
        raise BadRowError("Delimiter not found")
    if len(fields) > len(columns):
        raise BadRowError("Extra column(s) found")
    return tuple(
        _csv_value(text, column, empty_as_null=empty_as_null) for text, column in zip(fields, columns, strict=True)
    )


def _csv_value(text: str, column: Column, *, empty_as_null: bool) -> str | None:
    is_text = column.base.startswith("character")
    if text == "\\N" or (text == "" and (empty_as_null or not is_text)):
        if column.not_null:
            raise BadRowError("Missing data for not-null field")
        return None
    if is_text:
        if len(text.encode()) > (column.length or 0):
            raise BadRowError("String length exceeds DDL length")
        return text
    if column.base in INTEGERS:
        if not re.fullmatch(r"\s*[+-]?\d+\s*", text):
            raise BadRowError(f"Invalid digit, Type: {column.base}")
        if not -INTEGERS[column.base] <= int(text) < INTEGERS[column.base]:
            raise BadRowError(f"Overflow for {column.base}")
        return text.strip()
    if column.base == "numeric":
        return _csv_decimal(text, column)
    if column.base in ("timestamp without time zone", "date"):
        return _csv_time(text, column)
    if column.base == "boolean" and text.lower() not in BOOLEANS:
        raise BadRowError("Unknown boolean format")
    if column.base in ("double precision", "real") and not re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text):
        raise BadRowError("Invalid digit, Type: Double")
    return text


def _csv_decimal(text: str, column: Column) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadRowError("Invalid digit, Type: Decimal") from None
    if number.is_finite():
        number = number.quantize(Decimal(1).scaleb(-column.scale), rounding=ROUND_DOWN)
    if not number.is_finite() or len(number.as_tuple().digits) > column.precision:
        raise BadRowError("Numeric data overflow")
    return str(number)


def _csv_time(text: str, column: Column) -> str:
    pattern = r"\d{4}-\d\d-\d\d" if column.base == "date" else r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?"
    try:
        if re.fullmatch(pattern, text):
            datetime.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise BadRowError(f"Invalid {column.base.split()[0]} format or value")


def _is_loadable(stored: pq.ColumnSchema, column: Column) -> bool:
    if stored.max_repetition_level or "." in stored.path:
        return False
    logical = stored.logical_type.type
    match column.base:
        case "numeric":
            is_same_decimal = (stored.precision, stored.scale) == (column.precision, column.scale)
            return stored.physical_type == "FIXED_LEN_BYTE_ARRAY" and logical == "DECIMAL" and is_same_decimal
        case "character varying" | "character":
            return stored.physical_type == "BYTE_ARRAY" and logical == "STRING"
        case "date":
            return stored.physical_type == "INT32" and logical == "DATE"
    return stored.physical_type == PHYSICAL_TYPES.get(column.base) and logical == "NONE"


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
