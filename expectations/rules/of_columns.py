"""Rules that a row keeps or breaks by what stands in one of its columns, or in two."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType, TimestampType

from expectations.rules.bounds import Bound, bounds_in_words, check_bounds
from expectations.rules.rule import Cells, Expected, RowRule
from expectations.rules.text import form


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
        """A value."""
        return "a value, found none"

    def reason(self, cells: Cells, /) -> Column:
        """Why not: there is none."""
        return self._reason_unless(F.col(self.column).isNotNull(), cells.text(self.column))

    def expected(self, _cells: Cells, /) -> tuple[Expected, ...]:
        """No null."""
        return (_not_null(self.column),)


@dataclass(frozen=True)
class NullableRule(ColumnRule):
    """A rule about what stands in a column, which says whether nothing may stand there. By default it may not."""

    _: KW_ONLY
    null_passes: bool = False

    def or_null(self, passes: Column) -> Column:
        """Whether the column passes, null considered."""
        is_null = F.col(self.column).isNull()
        return (is_null | passes) if self.null_passes else (~is_null & passes)

    def with_null(self, *expected: Expected) -> tuple[Expected, ...]:
        """Great Expectations passes over nulls; where they break the rule, that is an expectation of its own."""
        return expected if self.null_passes else (_not_null(self.column), *expected)


@dataclass(frozen=True)
class ParsesAs(ColumnRule):
    """The text is a value of the column's type, exactly: nothing is rounded, cut or guessed. No text is fine."""

    type: DataType
    kind: ClassVar[str] = "parses_as"
    # For whoever checks the fields of rules: a type is taken as it is.
    __pydantic_config__: ClassVar[Mapping[str, bool]] = {"arbitrary_types_allowed": True}

    @property
    def expectation(self) -> str:
        """How a value of the type is written."""
        return form(self.type)

    def reason(self, cells: Cells, /) -> Column:
        """Why not, with the text."""
        text = F.col(self.column)
        return self._reason_unless(text.isNull() | cells.value(self.column).isNotNull(), text)


@dataclass(frozen=True)
class Between(NullableRule):
    """The value is at least ``low`` and at most ``high``; a time is taken by its day. None is no bound.

    A text that is no value is not this rule's matter, but `ParsesAs`'s.
    """

    low: Bound | None = None
    high: Bound | None = None
    kind: ClassVar[str] = "between"

    def __post_init__(self) -> None:
        check_bounds(self.low, self.high)

    @property
    def expectation(self) -> str:
        """The bounds."""
        return bounds_in_words(self.low, self.high)

    def why_not(self, cells: Cells, /) -> str | None:
        """Text has no order that is meant here; a time is bounded by days, a number by numbers."""
        kind = cells.types[self.column]
        if isinstance(kind, StringType):
            return f"{self.column} is text, expected a column of numbers or times"
        days = isinstance(kind, TimestampType)
        wrong = [bound for bound in (self.low, self.high) if bound is not None and isinstance(bound, date) != days]
        return f"bound {wrong[0]}, expected a {'day' if days else 'number'}" if wrong else None

    def reason(self, cells: Cells, /) -> Column:
        """Why not, with the text."""
        value = cells.value(self.column)
        day_or_value = F.to_date(value) if isinstance(cells.types[self.column], TimestampType) else value
        is_low_enough = F.lit(True) if self.high is None else day_or_value <= F.lit(self.high)
        is_high_enough = F.lit(True) if self.low is None else day_or_value >= F.lit(self.low)
        return self._reason_unless(
            self.or_null(value.isNull() | (is_low_enough & is_high_enough)), cells.text(self.column)
        )

    def expected(self, cells: Cells, /) -> tuple[Expected, ...]:
        """The value is between the bounds; for a time, before the day after the last one."""
        bounds: dict[str, Any] = {"min_value": self.low, "max_value": self.high}
        if isinstance(cells.types[self.column], TimestampType) and isinstance(self.high, date):
            bounds |= {"max_value": self.high + timedelta(days=1), "strict_max": True}
        return self.with_null(
            Expected("expect_column_values_to_be_between", {"column": cells.name_of_value(self.column), **bounds})
        )


@dataclass(frozen=True)
class NotAfter(NullableRule):
    """The value does not come after that of another column. A row in which the other has none passes."""

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

    def why_not(self, cells: Cells, /) -> str | None:
        """Only values of one type have an order."""
        kinds = [cells.types[column].simpleString() for column in self.columns]
        return None if kinds[0] == kinds[1] else f"{self.column} is {kinds[0]} and {self.other} {kinds[1]}"

    @property
    def expectation(self) -> str:
        """The order of the two."""
        return f"{self.column} not after {self.other}"

    def reason(self, cells: Cells, /) -> Column:
        """Why not, with both texts."""
        value, other = cells.value(self.column), cells.value(self.other)
        shown = F.concat_ws(", ", cells.text(self.column), cells.text(self.other))
        return self._reason_unless(self.or_null(value.isNull() | other.isNull() | (value <= other)), shown)


def _not_null(column: str) -> Expected:
    return Expected("expect_column_values_to_not_be_null", {"column": column})
