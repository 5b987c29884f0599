"""The customers of a run in a few thousand figures: cells of the scores, ranges of each measure, and months."""

from calendar import monthrange
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from pyspark.sql import DataFrame, Row

from jobs.reports.figures import HIDDEN
from transforms.rfm.distributions import CELLS, cell_of, customer_counts
from transforms.rfm.segments import Cell
from transforms.rollups import purchases_by_month
from transforms.small_cells import cells_to_hide

NOTHING = Decimal(0)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Sums:
    """Some customers, and what they add up to.

    Attributes:
        customers: their number.
        purchases: of all of them.
        revenue: what they spent.
        days: the sum of the days since their last purchases.
    """

    customers: int = 0
    purchases: int = 0
    revenue: Decimal = NOTHING
    days: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.customers + other.customers,
            self.purchases + other.purchases,
            self.revenue + other.revenue,
            self.days + other.days,
        )

    @classmethod
    def of(cls, row: Row) -> "Sums":
        """The sums of a row of `customer_counts`."""
        return cls(row["customers"], row["purchases"], row["revenue"], row["days"])


@dataclass(frozen=True)
class Month:
    """The purchases of a month: their number, the customers who made them, and their money less returns."""

    first_day: date
    purchases: int = 0
    customers: int = 0
    money: Decimal = NOTHING

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return self.first_day.replace(day=monthrange(self.first_day.year, self.first_day.month)[1])


@dataclass(frozen=True)
class Customers:
    """The customers of a run.

    Attributes:
        cells: by scores.
        ranges: by letter of a measure and key of a range; see `transforms.rfm.distributions`.
        months: every month from the first purchase to the as-of date, also those without a purchase.
    """

    cells: Mapping[Cell, Sums]
    ranges: Mapping[str, Mapping[int, Sums]]
    months: Sequence[Month]

    @cached_property
    def all(self) -> Sums:
        """All customers."""
        return sum(self.cells.values(), Sums())

    def of_cells(self, cells: frozenset[Cell]) -> Sums:
        """The customers in some cells."""
        return sum((sums for cell, sums in self.cells.items() if cell in cells), Sums())


@dataclass(frozen=True)
class SmallCells:
    """What the page hides, so that nobody can be singled out.

    Attributes:
        smallest: the fewest customers that a shown cell has.
    """

    smallest: int

    def hidden(
        self,
        customers: Mapping[Key, int],
        *,
        totals: Sequence[Collection[Key]] = (),
        also: Collection[Key] = (),
        is_disjoint: bool = True,
    ) -> dict[Key, str]:
        """What is shown instead of each cell that is hidden; see `cells_to_hide`.

        It is "< 5", or that the cell is hidden for the sake of another.
        """
        keys = cells_to_hide(customers, smallest=self.smallest, totals=totals, also=also, is_disjoint=is_disjoint)
        return {key: self.fewer if customers[key] < self.smallest else HIDDEN for key in keys}

    def is_few(self, customers: int) -> bool:
        """Whether so many customers are few, but not nobody."""
        return 0 < customers < self.smallest

    @property
    def fewer(self) -> str:
        """What is shown of a small cell."""
        return f"< {self.smallest}"


def count_customers(*, rfm: DataFrame, purchases: DataFrame, as_of: date) -> Customers:
    """Count the customers of a run: one query over rfm, and one over purchases."""
    counts: dict[str, dict[int, Sums]] = {}
    for row in customer_counts(rfm=rfm).collect():
        counts.setdefault(row["counted"], {})[row["key"]] = Sums.of(row)
    cells = {cell_of(key): sums for key, sums in counts.pop(CELLS, {}).items()}
    by_month = {
        row["month"]: Month(row["month"], row["purchases"], row["customers"], row["money"])
        for row in purchases_by_month(purchases=purchases).collect()
    }
    return Customers(cells, counts, _without_gaps(by_month, as_of))


def _without_gaps(months: Mapping[date, Month], as_of: date) -> list[Month]:
    first = min(months, default=as_of)
    numbers = range(first.year * 12 + first.month - 1, as_of.year * 12 + as_of.month)
    days = [date(number // 12, number % 12 + 1, 1) for number in numbers]
    return [months.get(day, Month(day)) for day in days]
