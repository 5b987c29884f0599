"""The kinds of rule that a contract is made of.

Each is data, and yields a Spark column: null where a row passes, a `schemas.REASON` where it does not. Three-valued
logic ends here: a check that comes out as NULL has failed, unless the rule says that nothing is fine.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from pyspark.sql import Column, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, IntegerType, StringType, StructField, TimestampType

from transforms.schemas import REASON

MALFORMED_ROW = "malformed_row"
"""Where the reader puts the text of a row that has too many fields or too few; null for all others."""

SOURCE_FILE = "source_file"

TIMESTAMP_TEXT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?$"
INTEGER_TEXT = r"^[+-]?\d+$"

IS_REFUSED = "is_refused"
"""Whether a rule other than `Unique` has refused the row."""

REPLACEMENT = "\ufffd"
"""What stands where bytes could not be read as UTF-8."""


class Rule(ABC):
    """What all kinds have in common: a name, what they speak of, and a verdict on a row of raw text."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def subject(self) -> str | None:
        """The column or columns that the rule is about; None when it is the row as such."""

    @abstractmethod
    def reason(self) -> Column:
        """Null where a row passes, else why it does not."""

    @property
    def label(self) -> str:
        """The rule as manifests and messages name it, such as ``not_null(order_id)``."""
        return self.kind if self.subject is None else f"{self.kind}({self.subject})"

    def _reason(self, value: Column, message: str) -> Column:
        return F.struct(F.lit(self.kind), F.lit(self.subject), value, F.lit(message)).cast(REASON)

    def _reason_unless(self, passes: Column, value: Column, message: str) -> Column:
        return F.when(~F.coalesce(passes, F.lit(False)), self._reason(value, message))


@dataclass(frozen=True)
class HasAllFields(Rule):
    """The row has as many fields as the header."""

    fields: int
    kind: ClassVar[str] = "has_all_fields"

    @property
    def subject(self) -> None:
        """The row as such."""

    def reason(self) -> Column:
        """Why the row has not as many fields, with its text."""
        malformed = F.col(MALFORMED_ROW)
        return self._reason_unless(malformed.isNull(), malformed, f"expected {self.fields} fields, as in the header")


@dataclass(frozen=True)
class ColumnRule(Rule):
    """A rule about one column."""

    column: str

    @property
    def subject(self) -> str:
        """The column."""
        return self.column


@dataclass(frozen=True)
class NotNull(ColumnRule):
    """The column has a value."""

    kind: ClassVar[str] = "not_null"

    def reason(self) -> Column:
        """Why not: there is none."""
        value = F.col(self.column)
        return self._reason_unless(value.isNotNull(), value, "expected a value, found none")


@dataclass(frozen=True)
class ParsesAs(ColumnRule):
    """The text is a value of the type, exactly: nothing is rounded, cut or guessed. No text is fine."""

    type: DataType
    kind: ClassVar[str] = "parses_as"

    def reason(self) -> Column:
        """Why not, with the text."""
        text = F.col(self.column)
        passes = text.isNull() | parsed(text, self.type).isNotNull()
        return self._reason_unless(passes, text, f"expected {_form(self.type)}")


@dataclass(frozen=True)
class RefersTo(ColumnRule):
    """The value is a key of an accepted row of another table. No value is fine here.

    Costs one exchange by the column on either side.
    """

    table: str
    key: str
    kind: ClassVar[str] = "refers_to"

    @property
    def found(self) -> str:
        """The column in which the join leaves its mark."""
        return f"found_in_{self.table}"

    def reason(self) -> Column:
        """Why not, with the value."""
        value = F.col(self.column)
        message = f"expected the {self.key} of an accepted row of {self.table}"
        return self._reason_unless(value.isNull() | F.col(self.found), value, message)


@dataclass(frozen=True)
class IsText(Rule):
    """The row's bytes were UTF-8: none of its columns has the mark that a reader puts for a byte that was not."""

    columns: tuple[str, ...]
    kind: ClassVar[str] = "is_text"

    @property
    def subject(self) -> None:
        """The row as such."""

    def reason(self) -> Column:
        """Why not, with the row as far as it could be read."""
        row = F.concat_ws(",", *self.columns)
        return self._reason_unless(~row.contains(REPLACEMENT), row, "expected UTF-8, found other bytes")


@dataclass(frozen=True)
class Unique(Rule):
    """No other row that is fit to be taken has this key.

    Of exact copies one passes; of rows that differ none does, since nobody can say which is right. Keys are compared as
    the values that their text stands for (``1`` is ``01``), rows as text. A row that another rule has refused is
    no rival: `IS_REFUSED` has to say so. Costs one exchange by the key, or none after a `RefersTo` by a part of it.
    """

    key: tuple[StructField, ...]
    columns: tuple[str, ...]
    kind: ClassVar[str] = "unique"

    @property
    def subject(self) -> str:
        """The key's columns."""
        return ", ".join(field.name for field in self.key)

    def reason(self) -> Column:
        """Why not: a copy, or one of several that differ; with the key."""
        content = F.struct(*self.columns)
        key = [parsed(F.col(field.name), field.dataType) for field in self.key]
        rivals = Window.partitionBy(*key, IS_REFUSED).orderBy(SOURCE_FILE)
        all_rivals = rivals.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
        differs = F.min(content).over(all_rivals) != F.max(content).over(all_rivals)
        is_copy = F.row_number().over(rivals) > 1
        value = F.concat_ws(", ", *[field.name for field in self.key])
        conflict = self._reason(value, "expected one row with this key, found several that differ; none was taken")
        copy = self._reason(value, "an exact copy of a row that was taken")
        return F.when(~F.col(IS_REFUSED) & differs, conflict).when(~F.col(IS_REFUSED) & is_copy, copy)


def parsed(text: Column, data_type: DataType) -> Column:
    """The value that a text stands for, or null where it stands for none.

    Raises:
        TypeError: No text form is defined for the type.
    """
    match data_type:
        case StringType():
            return text
        case IntegerType():
            return F.when(text.rlike(INTEGER_TEXT), text.try_cast(data_type))
        case TimestampType():
            return F.when(text.rlike(TIMESTAMP_TEXT), text.try_cast(data_type))
        case DecimalType():
            places = rf"\d{{0,{data_type.scale}}}0*"
            return F.when(text.rlike(rf"^[+-]?\d+(\.{places})?$"), text.try_cast(data_type))
    raise TypeError(f"no text form for {data_type.simpleString()}")


def _form(data_type: DataType) -> str:
    match data_type:
        case TimestampType():
            return "a time such as 2018-10-17 17:30:18"
        case DecimalType():
            digits = data_type.precision - data_type.scale
            return f"a number with at most {digits} digits before the point and {data_type.scale} after it"
        case IntegerType():
            return "a whole number of at most 2,147,483,647"
    raise TypeError(f"no text form for {data_type.simpleString()}")
