"""Other forms in which programs write a value, and the form that the rules read.

A form is read where it can mean one thing only, such as a time with a T in it or a whole number with `.0`. What could
mean two things stays as it is, and the rules reject it, unless the user declares what it means (`ColumnForm`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, IntegerType, StringType, TimestampType

WORDS_FOR_NOTHING = ("\\N", "NULL", "null", "NaN", "nan", "NaT", "None", "NA", "N/A", "#N/A", "<NA>")
"""What databases, pandas and spreadsheets write for no value."""

WORD_FOR_NOTHING = "word for no value"
DAY_ALONE = "day without a time"

OTHER_TIME = (
    r"^(\d{4}-\d{2}-\d{2})"
    r"(?:[ T](\d{2}:\d{2})(?:(:\d{2})(?:(\.\d{1,6})0{0,40})?)?(?: ?UTC| ?GMT|Z|\+00(?::?00)?)?)?\z"
)
"""A time in another form, in groups: day, hour and minute, second, and the fraction without zeros behind six digits."""

TIME_WITH_OFFSET = (
    r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6}0{0,40})?)?(?: ?UTC| ?GMT|Z|[+-]\d{2}(?::?\d{2})?)\z"
)
"""A time with its distance from UTC, which says an instant. Those in `OTHER_TIME` are among them."""

WHOLE_NUMBER_WITH_POINT = r"^([+-]?\d{1,40})\.0{0,40}\z"

TIME_FORMAT = re.compile(
    r"(?=.*y)(?=.*M)(?=.*d)(?!.*(?:y{5}|M{5}|d{3}|H{3}|h{3}|m{3}|s{3}|S{7}|a{2}))"
    r"(?:yyyy|yy|MM?|dd?|HH?|hh?|mm|ss|S{1,6}|a|[ /.:,-]|'T'|'Z')+"
)
"""The letters of Spark's formats of a time that mean one thing, and the signs between them.

Spark refuses a letter that comes more often in a row, once it reads a cell.
"""

LONGEST_PADDED = 64


@dataclass(frozen=True)
class ColumnForm:
    """How the cells of a column are written in the file, where only the user can know it.

    Attributes:
        format: of a time, in Spark's letters, such as ``M/d/yyyy H:mm``.
        pad_zeros_to: the length that a text of digits has; a spreadsheet took leading zeros away.
        may_be_missing: whether files may lack the column. It is then empty in the table, without the rules about it.
        has_time: whether a day without a time is no value, since its time decides the day in another zone.
        zone: of a time, the time zone in which it is written; a time with an offset is brought to it.
    """

    format: str | None = None
    pad_zeros_to: int | None = None
    may_be_missing: bool = False
    zone: str | None = None
    has_time: bool = False
    # Pydantic validates what users declare; a misspelt name is refused.
    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.format is not None and not TIME_FORMAT.fullmatch(self.format):
            raise ValueError("format is not one of year, month, day and time, expected such as M/d/yyyy H:mm")
        if self.pad_zeros_to is not None and not 1 <= self.pad_zeros_to <= LONGEST_PADDED:
            raise ValueError(f"pad_zeros_to is {self.pad_zeros_to}, expected 1 to {LONGEST_PADDED}")


@dataclass(frozen=True)
class ReadCell:
    """A cell as the rules read it.

    Attributes:
        text: in the form of the rules; as it stood in the file, if it is in none that is known.
        form: the name of the other form in which it stood; null for nearly all cells.
    """

    text: Column
    form: Column


def read_cell(text: Column, data_type: DataType, *, is_required: bool, declared: ColumnForm | None) -> ReadCell:
    """Rewrite a cell that stands in another form. For rows in which all cells are as usual, see `is_usual`.

    Args:
        text: the cell; null for an empty one.
        data_type: the type of the column.
        is_required: whether a row without a value is rejected. Only an optional cell may hold a word for nothing.
        declared: what the user declared for the column.
    """
    form = declared or ColumnForm()
    rewritten = _rewritten(text, data_type, form)
    if not is_required and not isinstance(data_type, StringType):
        is_word = text.isin(*WORDS_FOR_NOTHING)
        rewritten = {**rewritten, WORD_FOR_NOTHING: (is_word, F.lit(None).cast("string"))}
    if not rewritten:
        return ReadCell(text, F.lit(None).cast("string"))
    read, name = text, F.lit(None).cast("string")
    for label, (applies, value) in rewritten.items():
        read, name = F.when(applies, value).otherwise(read), F.when(applies, F.lit(label)).otherwise(name)
    return ReadCell(read, name)


@cache
def form_names(data_type: DataType, *, is_required: bool, declared: ColumnForm | None) -> tuple[str, ...]:
    """The names of the other forms in which `read_cell` reads a cell."""
    rewritten = _rewritten(F.lit(None).cast("string"), data_type, declared or ColumnForm())
    may_be_word = not is_required and not isinstance(data_type, StringType)
    return (*rewritten, *((WORD_FOR_NOTHING,) if may_be_word else ()))


def is_usual(text: Column, data_type: DataType, declared: ColumnForm | None) -> Column:
    """Whether a cell is empty or stands in the form of the rules, as far as a cheap look tells."""
    # Digits and signs come before letters, and words for nothing begin with a letter, "#", "<" or a backslash.
    is_figure = text.between("+", ":")
    form = declared or ColumnForm()
    match data_type:
        case TimestampType() if form.format:
            return text.isNull()
        case TimestampType():
            # A time of 19 bytes without seconds ends in an offset.
            return text.isNull() | (
                (F.octet_length(text) == 19) & ~text.contains("T") & (F.locate(":", text, 17) == 17)
            )
        case StringType() if form.pad_zeros_to:
            return text.isNull() | (F.octet_length(text) >= form.pad_zeros_to)
        case StringType():
            return F.lit(True)
        case IntegerType():
            return text.isNull() | (is_figure & ~text.contains("."))
    return text.isNull() | is_figure


def _rewritten(text: Column, data_type: DataType, form: ColumnForm) -> Mapping[str, tuple[Column, Column]]:
    """By the name of each other form: whether a cell stands in it, and the cell in the form of the rules."""
    match data_type:
        case TimestampType() if form.format:
            time = F.try_to_timestamp(text, F.lit(form.format))
            fraction = ".SSSSSS" if "S" in form.format else ""
            written_out = F.date_format(time, f"yyyy-MM-dd HH:mm:ss{fraction}")
            return {f"time as {form.format}": (time.isNotNull(), written_out)}
        case TimestampType() if form.zone:
            # In another zone than UTC, its sign may not just be taken away.
            has_offset = text.rlike(TIME_WITH_OFFSET)
            others = {name: (applies & ~has_offset, value) for name, (applies, value) in _other_times(text).items()}
            if form.has_time:
                del others[DAY_ALONE]
            return {**others, **_with_offset(text, has_offset, form.zone)}
        case TimestampType():
            return _other_times(text)
        case IntegerType():
            applies = text.rlike(WHOLE_NUMBER_WITH_POINT)
            return {"whole number with a point": (applies, F.regexp_extract(text, WHOLE_NUMBER_WITH_POINT, 1))}
        case StringType() if form.pad_zeros_to:
            applies = (F.length(text) < form.pad_zeros_to) & text.rlike(r"^[0-9]+\z")
            return {"zeros put back": (applies, F.lpad(text, form.pad_zeros_to, "0"))}
    return {}


def _other_times(text: Column) -> Mapping[str, tuple[Column, Column]]:
    is_other = text.rlike(OTHER_TIME)
    is_day = F.length(text) == 10
    # What the groups lack is that of a day's first second. A time in the form of the rules with a fraction comes here
    # too, and comes out as it was.
    written_out = F.overlay(F.lit("0000-00-00 00:00:00"), F.regexp_replace(text, OTHER_TIME, "$1 $2$3$4"), 1)
    return {
        DAY_ALONE: (is_other & is_day, written_out),
        "time in another notation": (is_other & ~is_day & (written_out != text), written_out),
    }


def _with_offset(text: Column, has_offset: Column, zone: str) -> Mapping[str, tuple[Column, Column]]:
    # Spark takes an offset behind seconds alone.
    with_seconds = F.regexp_replace(text, r"^(.{16})(?!:)", "$1:00")
    instant = F.when(has_offset, with_seconds.try_cast("timestamp"))
    local = F.from_utc_timestamp(instant, F.lit(zone))
    seconds = F.date_format(local, "yyyy-MM-dd HH:mm:ss")
    written_out = F.when(text.contains("."), F.date_format(local, "yyyy-MM-dd HH:mm:ss.SSSSSS")).otherwise(seconds)
    return {f"time with an offset, in {zone}": (instant.isNotNull(), written_out)}
