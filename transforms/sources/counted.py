"""Which purchases count, whatever the source: those of a window of days that ends on the as-of date."""

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

PURCHASED_AFTER_AS_OF = "purchased_after_as_of"
PURCHASED_BEFORE_WINDOW = "purchased_before_window"
CAUSES_OF_DAY = (PURCHASED_AFTER_AS_OF, PURCHASED_BEFORE_WINDOW)
"""Why a valid row is excluded for its day."""


@dataclass(frozen=True)
class Counted:
    """Which orders count.

    Attributes:
        as_of: the last day that counts, inclusive; wall-clock as in the source.
        order_statuses: the statuses that count; None counts all, as the workshop does.
        window_months: the months up to ``as_of`` that count; None counts all history.
    """

    as_of: date
    order_statuses: Collection[str] | None = None
    window_months: int | None = None

    @property
    def first_day(self) -> date | None:
        """The first day that counts, inclusive; None for all history.

        Twelve months up to 2018-10-17 begin on 2017-10-18. Where a month has no such day, its last day takes the place.
        """
        if self.window_months is None:
            return None
        months = self.as_of.year * 12 + self.as_of.month - 1 - self.window_months
        year, month = months // 12, months % 12 + 1
        if year < date.min.year:
            return date.min
        return date(year, month, min(self.as_of.day, monthrange(year, month)[1])) + timedelta(days=1)


def cause_of_day(day: Column, counted: Counted) -> Column:
    """The cause for which a purchase of a day is excluded, one of `CAUSES_OF_DAY`; null if the day counts."""
    cause = F.lit(None).cast("string")
    if counted.first_day is not None:
        cause = F.when(day < F.lit(counted.first_day), F.lit(PURCHASED_BEFORE_WINDOW))
    return F.when(day > F.lit(counted.as_of), F.lit(PURCHASED_AFTER_AS_OF)).otherwise(cause)
