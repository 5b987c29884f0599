"""Rules about a whole table. Their reason is an aggregate over all rows, so that there is no row to quarantine."""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from expectations.rules.bounds import bounds_text, check_bounds, check_share, is_within
from expectations.rules.cells import Cells
from expectations.rules.rule import GxExpectation, Rule, Severity


@dataclass(frozen=True)
class TableRule(Rule):
    """A rule about all rows together."""

    _: KW_ONLY
    severity: Severity = "stop"

    def __post_init__(self) -> None:
        if self.severity in ("quarantine", "blank"):
            raise ValueError(f"severity is {self.severity}, expected stop or warn: there is no row to quarantine")

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """None by default: Great Expectations has none of the kind, and the counts give the result."""
        return ()


@dataclass(frozen=True)
class ColumnTotalRule(TableRule):
    """A rule about all values of a column together."""

    column: str

    @property
    def subject(self) -> str:
        """The column."""
        return self.column


@dataclass(frozen=True)
class RowCountBetween(TableRule):
    """The table has at least ``low`` and at most ``high`` rows; None is no bound.

    ``of`` names what the bounds were counted from, if they come from a count.
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
        """What the bounds were counted from, else None for the table."""
        return self.of

    @property
    def columns(self) -> tuple[str, ...]:
        """None: the rule reads no column."""
        return ()

    @property
    def expectation(self) -> str:
        """The bounds."""
        return f"{bounds_text(self.low, self.high)} rows" + (f", as many as {self.of}" if self.of else "")

    def reason(self, _cells: Cells, /) -> Column:
        """A reason with the number of rows."""
        return self._reason_unless(is_within(F.count(F.lit(1)), self.low, self.high), F.count(F.lit(1)))

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The native one."""
        bounds = {"min_value": self.low, "max_value": self.high}
        return (GxExpectation("expect_table_row_count_to_be_between", bounds),)


@dataclass(frozen=True)
class NullShareAtMost(ColumnTotalRule):
    """At most this share of the rows, 0 to 1, has no value in the column. A table without rows fails."""

    share: float
    kind: ClassVar[str] = "null_share_at_most"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.share)

    @property
    def expectation(self) -> str:
        """The share."""
        return f"no value in at most {self.share:.2%} of the rows"

    def reason(self, _cells: Cells, /) -> Column:
        """A reason with the share."""
        # Great Expectations compares the share of values, not of nulls. So does this, to agree to the last bit.
        value_share = F.count(F.col(self.column)) / F.greatest(F.count(F.lit(1)), F.lit(1))
        return self._reason_unless(value_share >= F.lit(1.0 - self.share), F.lit(1.0) - value_share)

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The native one, about the share of values."""
        arguments = {"column": self.column, "min_value": 1.0 - self.share}
        return (GxExpectation("expect_column_proportion_of_non_null_values_to_be_between", arguments),)


@dataclass(frozen=True)
class MeanBetween(ColumnTotalRule):
    """The mean of the values is at least ``low`` and at most ``high``. A column without values fails."""

    low: int | float | None = None
    high: int | float | None = None
    kind: ClassVar[str] = "mean_between"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self.low, self.high)

    @property
    def expectation(self) -> str:
        """The bounds."""
        return f"a mean of {bounds_text(self.low, self.high)}"

    def incompatibility(self, cells: Cells, /) -> str | None:
        """Only numbers have a mean."""
        return not_a_number(self.column, cells)

    def reason(self, cells: Cells, /) -> Column:
        """A reason with the mean."""
        mean = F.avg(cells.value(self.column))
        is_number = mean.isNotNull() & ~F.isnan(mean.cast("double"))
        return self._reason_unless(is_number & is_within(mean, self.low, self.high), mean)

    def gx_expectations(self, cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The native one over the typed column."""
        arguments = {"column": cells.value_column(self.column), "min_value": self.low, "max_value": self.high}
        return (GxExpectation("expect_column_mean_to_be_between", arguments),)


@dataclass(frozen=True)
class ShareOfOneAtMost(ColumnTotalRule):
    """No row has more than this share, 0 to 1, of the column's sum. A sum below ``least_sum`` passes.

    A customer with a large part of all purchases is mostly no person: a word such as ``nan`` as the identifier, or
    identifiers that a spreadsheet rounded.
    """

    share: float
    least_sum: int = 100
    kind: ClassVar[str] = "share_of_one_at_most"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.share)

    @property
    def expectation(self) -> str:
        """The share."""
        return f"at most {self.share:.2%} of all in one row"

    def incompatibility(self, cells: Cells, /) -> str | None:
        """Only numbers have a sum."""
        return not_a_number(self.column, cells)

    def reason(self, cells: Cells, /) -> Column:
        """A reason with the share of the row that has most."""
        value = cells.value(self.column)
        share = F.try_divide(F.max(value).cast("double"), F.sum(value).cast("double"))
        passes = (F.sum(value) < self.least_sum) | (share <= self.share)
        return self._reason_unless(F.coalesce(passes, F.lit(True)), share)


@dataclass(frozen=True)
class ExcludedAtMost(TableRule):
    """At most this share, 0 to 1, of something that the table is made of was excluded.

    Attributes:
        of: what was excluded.
        measured: the share that a run measured; None before that.
    """

    of: str
    share: float
    measured: float | None = None
    kind: ClassVar[str] = "excluded_at_most"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.share)

    @property
    def subject(self) -> str:
        """What was excluded."""
        return self.of

    @property
    def columns(self) -> tuple[str, ...]:
        """None: the rule reads no column."""
        return ()

    @property
    def expectation(self) -> str:
        """The share."""
        return f"at most {self.share:.2%} excluded"

    def reason(self, _cells: Cells, /) -> Column:
        """A reason with the share that was measured."""
        share = F.max(F.lit(self.measured or 0.0))
        return self._reason_unless(F.coalesce(share <= self.share, F.lit(True)), share)


def not_a_number(column: str, cells: Cells) -> str | None:
    """Why a rule about numbers cannot be about a column; None if it can."""
    data_type = cells.types[column]
    return None if isinstance(data_type, NumericType) else f"{column} is {data_type.simpleString()}, expected a number"
