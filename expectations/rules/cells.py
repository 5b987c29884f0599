"""Text and value of a column: how the text of a raw file becomes a typed value."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, IntegerType, StringType, TimestampType

from transforms.schemas import name_of

# Java's $ also matches before a line end, which may stand inside quotes; \z matches only at the end.
TIMESTAMP_TEXT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?\z"
# No figure has as many digits as these allow. Without a bound, one of a million digits would take minutes to cast.
DIGITS, ZEROS = r"\d{1,40}", "0{0,40}"
THOUSANDS = r"\d{1,3}(\.\d{3}){1,12}"
INTEGER_TEXT = rf"^[+-]?{DIGITS}\z"


def parsed(text: Column, data_type: DataType, *, decimal_comma: bool = False) -> Column:
    """The value that a text stands for, or null if it stands for none. Nothing is rounded, cut or guessed.

    Args:
        text: of the cell.
        data_type: of the value.
        decimal_comma: whether a number has a decimal comma, and may have points between its thousands.

    Raises:
        TypeError: No text form is defined for the type.
    """
    match data_type:
        case StringType():
            return text
        case IntegerType():
            return F.when(text.rlike(INTEGER_TEXT), text.try_cast(name_of(data_type)))
        case TimestampType():
            return F.when(_is_plain_time(text) | text.rlike(TIMESTAMP_TEXT), text.try_cast(name_of(data_type)))
        case DecimalType():
            places = rf"\d{{0,{data_type.scale}}}{ZEROS}"
            if decimal_comma:
                plain = F.replace(F.replace(text, F.lit("."), F.lit("")), F.lit(","), F.lit("."))
                is_number = text.rlike(rf"^[+-]?({DIGITS}|{THOUSANDS})(,{places})?\z")
                return F.when(is_number, plain.try_cast(name_of(data_type)))
            return F.when(text.rlike(rf"^[+-]?{DIGITS}(\.{places})?\z"), text.try_cast(name_of(data_type)))
    raise TypeError(f"no text form for {data_type.simpleString()}")


def _is_plain_time(text: Column) -> Column:
    """Whether a text that casts to a time is one of whole seconds in `TIMESTAMP_TEXT`, as nearly all are.

    Costs less than a regular expression. The cast sees to the digits: of 19 bytes with these separators and a digit
    at the end, it takes none but two digits between them and four before.
    """
    separators = ((5, "-"), (8, "-"), (11, " "), (14, ":"), (17, ":"))
    has_separators = (F.locate(sign, text, position) == position for position, sign in separators)
    ends_in_digit = F.substring(text, 19, 1).between("0", "9")
    return reduce(and_, has_separators, F.octet_length(text) == 19) & ends_in_digit


def text_form(data_type: DataType) -> str:
    """How a value of the type is written, in words.

    Raises:
        TypeError: No text form is defined for the type.
    """
    match data_type:
        case TimestampType():
            return "a time such as 2018-10-17 17:30:18"
        case DecimalType():
            digits = data_type.precision - data_type.scale
            return f"a number with at most {digits} digits before the point and {data_type.scale} after it"
        case IntegerType():
            return "a whole number of at most 2,147,483,647"
    raise TypeError(f"no text form for {data_type.simpleString()}")


@dataclass(frozen=True)
class Cells:
    """The columns of a table as its rules read them: the text of each, and the value that the text stands for.

    Text and value differ in raw tables alone, where every column is text.

    Attributes:
        types: the type of each column's value.
        are_text: whether the table is raw.
        are_parsed: whether each raw column has its value in a column beside it (`with_values`).
        decimal_comma: whether numbers in texts have a decimal comma.
    """

    types: Mapping[str, DataType]
    are_text: bool
    are_parsed: bool = False
    decimal_comma: bool = False

    def text(self, column: str) -> Column:
        """The text of a raw column; the value of a typed column, written as text."""
        return F.col(column) if self.are_text else F.col(column).cast("string")

    def value(self, column: str) -> Column:
        """The typed value; null if the text stands for none."""
        if self.are_parsed:
            return F.col(f"`{self.value_column(column)}`")
        if not self.are_text:
            return F.col(column)
        return parsed(F.col(column), self.types[column], decimal_comma=self.decimal_comma)

    @property
    def parsed_columns(self) -> tuple[str, ...]:
        """The raw columns whose values are in columns of their own."""
        return tuple(column for column in self.types if self.value_column(column) != column)

    def with_values(self, rows: DataFrame) -> tuple[DataFrame, "Cells"]:
        """Parse each raw column once: the rows with the values beside the texts, and the cells that read them there.

        Rules mention a value several times, and Spark would parse it each time. Values that the rows have are kept.
        """
        values = {self.value_column(column): self.value(column) for column in self.parsed_columns}
        new = [value.alias(name) for name, value in values.items() if name not in rows.columns]
        return rows.select("*", *new), replace(self, are_parsed=True)

    def value_column(self, column: str) -> str:
        """The name of the typed column beside a raw one, such as ``payment_value as decimal(18,4)``.

        Where text and value are the same, this is the column itself.
        """
        data_type = self.types[column]
        differs = self.are_text and not isinstance(data_type, StringType)
        return f"{column} as {data_type.simpleString()}" if differs else column
