"""Exact percentiles of measures, from how many customers have each value. No sort, and no window over all rows.

The percentile p of a measure is the smallest value that at least p % of the customers do not exceed: the discrete
percentile, SQL's ``percentile_disc``. It is a value that a customer has, so it needs no rounding.

Values are whole numbers here: days, purchases, and money in units of its last decimal. A measure with few values is
counted value by value. Otherwise customers are first counted in ranges of values; the range of each percentile is then
divided again, until a range is one value. Whatever the data, a round returns at most `MOST_RANGES` rows for each
percentile, and three rounds suffice for money below 3.5 billion.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MOST_RANGES = 2**15
"""The number of ranges that a search is divided into at most."""


@dataclass(frozen=True)
class Span:
    """Values in which a percentile is.

    Attributes:
        low: the lowest of them.
        high: the highest of them.
        below: the number of customers below ``low``.
    """

    low: int
    high: int
    below: int = 0

    @property
    def width(self) -> int:
        """The number of values in a range, if the span is divided into `MOST_RANGES` at most."""
        return -(-(self.high - self.low + 1) // MOST_RANGES)


@dataclass(frozen=True)
class PercentileSearch:
    """The percentiles of one measure, as far as they are known.

    Attributes:
        percents: the percentiles that are searched for.
        customers: the number of customers.
        spans: the values in which the open percentiles are.
        values: the value of each percentile that is known.
        counts: the number of customers by value, where every value was counted; else None.
    """

    percents: Collection[Fraction]
    customers: int
    spans: Sequence[Span]
    values: Mapping[Fraction, int] = field(default_factory=dict)
    counts: Mapping[int, int] | None = None

    @classmethod
    def between(cls, low: int, high: int, *, percents: Collection[Fraction], customers: int) -> "PercentileSearch":
        """The search over all values of a measure, ``low`` and ``high`` included."""
        return cls(percents, customers, (Span(low, high),))

    @property
    def is_open(self) -> bool:
        """Whether a percentile is not known yet."""
        return len(self.values) < len(self.percents)

    def narrowed(self, counts: Mapping[int, int]) -> "PercentileSearch":
        """The search after the customers in each range were counted.

        Args:
            counts: by the lowest value of a range, the customers in it; see `range_counts`.
        """
        values, spans = dict(self.values), dict[Span, None]()
        ranks = {percent: self._rank(percent) for percent in self.percents if percent not in values}
        for span in self.spans:
            below = span.below
            for low in sorted(start for start in counts if span.low <= start <= span.high):
                inside = [percent for percent, rank in ranks.items() if below < rank <= below + counts[low]]
                if span.width == 1:
                    values |= dict.fromkeys(inside, low)
                elif inside:
                    spans[Span(low, min(low + span.width - 1, span.high), below)] = None
                below += counts[low]
        by_value = all(span.width == 1 for span in self.spans) and sum(counts.values()) == self.customers
        return PercentileSearch(self.percents, self.customers, tuple(spans), values, counts if by_value else None)

    def _rank(self, percent: Fraction) -> int:
        """Which customer has the percentile, counted from 1 in the order of values."""
        return max(1, -(-percent * self.customers // 100))


def range_counts(
    *, measures: DataFrame, values: Mapping[str, Column], searches: Mapping[str, PercentileSearch]
) -> DataFrame:
    """Count the customers in each range of the searches, for several measures in one pass.

    Grain in: one row per customer. Grain out: one row per measure and range that has customers: ``measure``, ``low``
    (the lowest value of the range) and ``customers``. The rows are at most `MOST_RANGES` for each span.

    Args:
        measures: the customers.
        values: by measure, its value as a whole number.
        searches: by measure, the search whose spans are divided.
    """
    # Of several measures a row is read once, and counted under each of them.
    ranges = [
        F.struct(F.lit(name).alias("measure"), _range_of(values[name], search.spans).alias("low"))
        for name, search in searches.items()
    ]
    each = ranges[0] if len(ranges) == 1 else F.explode(F.array(*ranges))
    return (
        measures.select(each.alias("range"))
        .select("range.measure", "range.low")
        .where(F.col("low").isNotNull())
        .groupBy("measure", "low")
        .agg(F.count(F.lit(1)).alias("customers"))
    )


def _range_of(value: Column, spans: Sequence[Span]) -> Column:
    """The lowest value of the range that a value is in; null outside all spans."""
    low = F.lit(None).cast("bigint")
    for span in spans:
        start = value - (value - F.lit(span.low)) % F.lit(span.width) if span.width > 1 else value
        low = F.when(value.between(F.lit(span.low), F.lit(span.high)), start).otherwise(low)
    return low


def values_and_commonest(*, measures: DataFrame, value: Column) -> DataFrame:
    """Count the distinct values of a measure, and find its commonest.

    Grain in: one row per customer. Grain out: at most 64 rows, each for a part of the values: ``distinct`` values, and
    the ``customers`` and the ``value`` of the commonest of them.
    """
    counted = measures.groupBy(value.alias("value")).agg(F.count(F.lit(1)).alias("customers"))
    # By a hash of the value, so that no single task gets all values.
    return counted.groupBy(F.pmod(F.xxhash64("value"), F.lit(64)).alias("part")).agg(
        F.count(F.lit(1)).alias("distinct"),
        F.max(F.struct("customers", (-F.col("value")).alias("negative"))).alias("commonest"),
    )
