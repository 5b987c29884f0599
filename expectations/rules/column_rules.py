"""Rules about the value of one column, or of two."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import date, timedelta
from functools import reduce
from operator import and_
from typing import Any, ClassVar

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType, TimestampType

from expectations.rules.bounds import Bound, bounds_text, check_bounds, is_within
from expectations.rules.cells import Cells, text_form
from expectations.rules.rule import GxExpectation, RowRule
from transforms.schemas import FIRST_TIME, LAST_TIME


@dataclass(frozen=True)
class ColumnRule(RowRule):
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

    @property
    def expectation(self) -> str:
        """Any value."""
        return "a value, found none"

    def passes(self, _cells: Cells, /) -> Column:
        """Whether there is one."""
        return F.col(self.column).isNotNull()

    def shown(self, cells: Cells, /) -> Column:
        """No value, since there is none to show."""
        return cells.text(self.column)

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The native one."""
        return (_expect_not_null(self.column),)


@dataclass(frozen=True)
class NullableRule(ColumnRule):
    """A rule that states whether null passes. By default null fails."""

    _: KW_ONLY
    null_passes: bool = False

    def or_null(self, passes: Column) -> Column:
        """Whether the row passes, with null taken into account."""
        is_null = F.col(self.column).isNull()
        return (is_null | passes) if self.null_passes else (~is_null & passes)

    def with_null(self, *expectations: GxExpectation) -> tuple[GxExpectation, ...]:
        """The expectations, and one more if null fails: Great Expectations itself skips nulls."""
        return expectations if self.null_passes else (_expect_not_null(self.column), *expectations)


@dataclass(frozen=True)
class ParsesAs(ColumnRule):
    """The text stands exactly for a value of the column's type. Null passes."""

    type: DataType
    kind: ClassVar[str] = "parses_as"
    # Pydantic validates the fields of overrides, and has no schema for a Spark type.
    __pydantic_config__: ClassVar[Mapping[str, bool]] = {"arbitrary_types_allowed": True}

    @property
    def expectation(self) -> str:
        """The text form of the type."""
        return text_form(self.type)

    def passes(self, cells: Cells, /) -> Column:
        """Whether the text has a value."""
        return F.col(self.column).isNull() | cells.value(self.column).isNotNull()

    def shown(self, _cells: Cells, /) -> Column:
        """The text."""
        return F.col(self.column)


@dataclass(frozen=True)
class Between(NullableRule):
    """The value is at least ``low`` and at most ``high``; None is no bound. A timestamp is compared by its day.

    A text that does not parse passes: `ParsesAs` rejects it.
    """

    low: Bound | None = None
    high: Bound | None = None
    kind: ClassVar[str] = "between"

    def __post_init__(self) -> None:
        check_bounds(self.low, self.high)

    @property
    def expectation(self) -> str:
        """The bounds."""
        return bounds_text(self.low, self.high)

    def incompatibility(self, cells: Cells, /) -> str | None:
        """Text has no bounds; timestamps have days as bounds, numbers have numbers."""
        data_type = cells.types[self.column]
        if isinstance(data_type, StringType):
            return f"{self.column} is text, expected a column of numbers or times"
        days = isinstance(data_type, TimestampType)
        wrong = [bound for bound in (self.low, self.high) if bound is not None and isinstance(bound, date) != days]
        if wrong:
            return f"bound {wrong[0]}, expected a {'day' if days else 'number'}"
        return self._outside_of_times(cells) if days else None

    def _outside_of_times(self, cells: Cells) -> str | None:
        """Why readers of a table's files would not agree on a time between these days; None if they would."""
        expected = f"expected a day from {FIRST_TIME} to {LAST_TIME}: some readers change other times"
        for bound in (self.low, self.high):
            if isinstance(bound, date) and not FIRST_TIME <= bound <= LAST_TIME:
                return f"bound {bound}, {expected}"
        if cells.are_text and (self.low is None or self.high is None):
            return f"{'low' if self.low is None else 'high'} is not set, {expected}"
        return None

    def passes(self, cells: Cells, /) -> Column:
        """Whether the value is within the bounds."""
        value = cells.value(self.column)
        day_or_value = F.to_date(value) if isinstance(cells.types[self.column], TimestampType) else value
        return self.or_null(value.isNull() | is_within(day_or_value, self.low, self.high))

    def shown(self, cells: Cells, /) -> Column:
        """The text."""
        return cells.text(self.column)

    def gx_expectations(self, cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The native one over the typed column. The last day of a timestamp ends before the next day."""
        bounds: dict[str, Any] = {"min_value": self.low, "max_value": self.high}
        if isinstance(cells.types[self.column], TimestampType) and isinstance(self.high, date):
            bounds |= {"max_value": self.high + timedelta(days=1), "strict_max": True}
        arguments = {"column": cells.value_column(self.column), **bounds}
        return self.with_null(GxExpectation("expect_column_values_to_be_between", arguments))


@dataclass(frozen=True)
class NotAfter(NullableRule):
    """The value is not after that of another column. A row without the other value passes."""

    other: str
    kind: ClassVar[str] = "not_after"

    @property
    def subject(self) -> str:
        """Both columns."""
        return f"{self.column}, {self.other}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns."""
        return (self.column, self.other)

    def incompatibility(self, cells: Cells, /) -> str | None:
        """Only values of one type can be compared."""
        types = [cells.types[column].simpleString() for column in self.columns]
        if types[0] == types[1]:
            return None
        return f"{self.column} is {types[0]} and {self.other} is {types[1]}, expected one type"

    @property
    def expectation(self) -> str:
        """The order of the two."""
        return f"{self.column} not after {self.other}"

    def passes(self, cells: Cells, /) -> Column:
        """Whether the values are in order."""
        value, other = cells.value(self.column), cells.value(self.other)
        return self.or_null(value.isNull() | other.isNull() | (value <= other))

    def shown(self, cells: Cells, /) -> Column:
        """Both texts."""
        return F.concat_ws(", ", cells.text(self.column), cells.text(self.other))


@dataclass(frozen=True)
class HasValues(RowRule):
    """Each of several columns has a value: one check for columns that a row has all of, or none.

    Attributes:
        of: what the columns are together.
        names: the columns.
    """

    of: str
    names: tuple[str, ...]
    kind: ClassVar[str] = "has_values"

    @property
    def subject(self) -> str:
        """What the columns are together."""
        return self.of

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return self.names

    @property
    def expectation(self) -> str:
        """A value in each."""
        return f"a value in each of {', '.join(self.names)}"

    def passes(self, _cells: Cells, /) -> Column:
        """Whether all have one."""
        return reduce(and_, (F.col(name).isNotNull() for name in self.names))

    def shown(self, _cells: Cells, /) -> Column:
        """The names of the columns without a value."""
        return F.concat_ws(", ", *[F.when(F.col(name).isNull(), F.lit(name)) for name in self.names])


def _expect_not_null(column: str) -> GxExpectation:
    return GxExpectation("expect_column_values_to_not_be_null", {"column": column})
