"""Rows of a CSV file as COPY reads them, and the rows that it cannot.

As Redshift does: an empty field is NULL in a column that holds no text, and an empty text in one that does (unless
EMPTYASNULL); decimals are cut to their scale; a text is measured in bytes; a time is ``YYYY-MM-DD HH:MI:SS``.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation

from tests.fakes.redshift.columns import Column

INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
BOOLEANS = {"t", "f", "true", "false", "y", "n", "yes", "no", "1", "0"}


class BadRowError(ValueError):
    """A row cannot be loaded; the reason is as ``sys_load_error_detail`` gives it."""


def csv_rows(
    content: bytes, columns: Sequence[Column], *, header_lines: int, empty_as_null: bool
) -> Iterator[tuple[str | None, ...] | BadRowError]:
    """The rows of a file: what is to be loaded, or why it cannot be.

    The header's lines are lines of the file, whatever quotation marks they have.
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
            yield _row(next(reader), columns, empty_as_null=empty_as_null)
        except StopIteration:
            return
        except BadRowError as bad:
            yield bad
        except csv.Error:
            yield BadRowError("Invalid quote formatting for CSV")


def _row(fields: Sequence[str], columns: Sequence[Column], *, empty_as_null: bool) -> tuple[str | None, ...]:
    if len(fields) < len(columns):
        raise BadRowError("Delimiter not found")
    if len(fields) > len(columns):
        raise BadRowError("Extra column(s) found")
    return tuple(_value(text, column, empty_as_null) for text, column in zip(fields, columns, strict=True))


def _value(text: str, column: Column, empty_as_null: bool) -> str | None:
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
        return _decimal(text, column)
    if column.base in ("timestamp without time zone", "date"):
        return _moment(text, column)
    if column.base == "boolean" and text.lower() not in BOOLEANS:
        raise BadRowError("Unknown boolean format")
    if column.base in ("double precision", "real") and not re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text):
        raise BadRowError("Invalid digit, Type: Double")
    return text


def _decimal(text: str, column: Column) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadRowError("Invalid digit, Type: Decimal") from None
    cut = number.quantize(Decimal(1).scaleb(-column.scale), rounding=ROUND_DOWN) if number.is_finite() else number
    if not number.is_finite() or len(cut.as_tuple().digits) > column.precision:
        raise BadRowError("Numeric data overflow")
    return str(cut)


def _moment(text: str, column: Column) -> str:
    shape = r"\d{4}-\d\d-\d\d" if column.base == "date" else r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?"
    try:
        if re.fullmatch(shape, text):
            datetime.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise BadRowError(f"Invalid {column.base.split()[0]} format or value")
