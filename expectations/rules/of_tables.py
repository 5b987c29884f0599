"""Rules that a table keeps or breaks as a whole. Their reason is an aggregate; there is no row to set aside."""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from expectations.rules.bounds import bounds_in_words, check_bounds
from expectations.rules.rule import Cells, Expected, Rule, Severity


@dataclass(frozen=True)
class TableRule(Rule):
    """A rule about all rows together."""

    _: KW_ONLY
    severity: Severity = "stop"

    def __post_init__(self) -> None:
        if self.severity == "quarantine":
            raise ValueError("severity is quarantine, expected stop or warn: there is no row to set aside")


@dataclass(frozen=True)
class RowCountBetween(TableRule):
    """The table has at least ``low`` and at most ``high`` rows. None is no bound.

    ``of`` says what else there are so many of, where the bounds come from a count.
    """

    low: int | None = None
    high: int | None = None
    of: str | None = None
    kind: ClassVar[str] = "row_count_between"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self.low, self.high)

    @property
    def subject(self) -> str | None:
        """The table as such, or what its rows were counted against."""
        return self.of

    @property
    def columns(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def expectation(self) -> str:
        """The bounds."""
        return f"{bounds_in_words(self.low, self.high)} rows" + (f", as many as {self.of}" if self.of else "")

    def reason(self, _cells: Cells, /) -> Column:
        """Why not, with the number of rows."""
        return self._reason_unless(_within(F.count(F.lit(1)), self.low, self.high), F.count(F.lit(1)))

    def expected(self, _cells: Cells, /) -> tuple[Expected, ...]:
        """The number of rows is between the bounds."""
        bounds = {"min_value": self.low, "max_value": self.high}
        return (Expected("expect_table_row_count_to_be_between", bounds),)


@dataclass(frozen=True)
class NullShareAtMost(TableRule):
    """Nothing stands in the column in at most this share of the rows, 0 to 1. A table without rows fails."""

    column: str
    share: float
    kind: ClassVar[str] = "null_share_at_most"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is {self.share}, expected 0 to 1")

    @property
    def subject(self) -> str:
        """The column."""
        return self.column

    @property
    def expectation(self) -> str:
        """The share."""
        return f"no value in at most {self.share:.2%} of the rows"

    def reason(self, _cells: Cells, /) -> Column:
        """Why not, with the share."""
        # The share of values is compared, not that of nulls: as Great Expectations does it, to the last bit.
        values = F.count(F.col(self.column)) / F.greatest(F.count(F.lit(1)), F.lit(1))
        return self._reason_unless(values >= F.lit(1.0 - self.share), F.lit(1.0) - values)

    def expected(self, _cells: Cells, /) -> tuple[Expected, ...]:
        """The share of values is at least what is left."""
        least = {"column": self.column, "min_value": 1.0 - self.share}
        return (Expected("expect_column_proportion_of_non_null_values_to_be_between", least),)


@dataclass(frozen=True)
class MeanBetween(TableRule):
    """The mean of the values is at least ``low`` and at most ``high``. No values have no mean, which fails."""

    column: str
    low: int | float | None = None
    high: int | float | None = None
    kind: ClassVar[str] = "mean_between"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self.low, self.high)

    @property
    def subject(self) -> str:
        """The column."""
        return self.column

    @property
    def expectation(self) -> str:
        """The bounds."""
        return f"a mean of {bounds_in_words(self.low, self.high)}"

    def why_not(self, cells: Cells, /) -> str | None:
        """Only numbers have a mean."""
        kind = cells.types[self.column]
        return None if isinstance(kind, NumericType) else f"{self.column} is {kind.simpleString()}, expected a number"

    def reason(self, cells: Cells, /) -> Column:
        """Why not, with the mean."""
        mean = F.avg(cells.value(self.column))
        return self._reason_unless(_within(mean, self.low, self.high), mean)

    def expected(self, cells: Cells, /) -> tuple[Expected, ...]:
        """The mean is between the bounds."""
        bounds = {"column": cells.name_of_value(self.column), "min_value": self.low, "max_value": self.high}
        return (Expected("expect_column_mean_to_be_between", bounds),)


def _within(figure: Column, low: float | None, high: float | None) -> Column:
    is_high_enough = F.lit(True) if low is None else figure >= F.lit(low)
    is_low_enough = F.lit(True) if high is None else figure <= F.lit(high)
    is_a_number = figure.isNotNull() & ~F.isnan(figure.cast("double"))
    return is_a_number & is_high_enough & is_low_enough
