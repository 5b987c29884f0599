"""How many customers each cell of the scores has, and each range of a measure: for people to look at.

The ranges are the same for all data, so that one query counts them, and pages of two runs can be compared. Days are
counted by weeks. Purchases are counted one by one up to nine. Larger numbers, and money, go by ranges that grow with
the value: ten to each power of ten, with the bounds of `SERIES`.
"""

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.rfm.scores import SCORED
from transforms.rfm.segments import Cell

SERIES = (100, 125, 160, 200, 250, 315, 400, 500, 630, 800)
"""The first three digits of the bounds of ranges: the preferred numbers R10 of ISO 3."""

DAYS_OF_RANGE = 7
MOST_SINGLE_COUNTS = 9
"""The highest number of purchases that is counted by itself."""

CELLS = "cells"
"""The name under which the cells of the scores are counted; the measures have the letters of `SCORED`."""

NOTHING, BELOW_NOTHING = 0, -1
"""The ranges of money for customers who spent nothing, and for those whose returns exceed their purchases."""


def customer_counts(*, rfm: DataFrame) -> DataFrame:
    """Count the customers in each cell of the scores and in each range of each measure, in one pass.

    Grain in: one row per customer_unique_id, `schemas.RFM`. Grain out: one row per ``counted`` (`CELLS`, or a letter of
    `SCORED`) and ``key``, where there are customers. A cell has a key such as 525; `range_of` gives the range of a key.
    The sums are ``customers``, their ``purchases``, their ``revenue``, and ``days`` since their last purchases.

    The rows do not grow with the data: 125 cells, 54 ranges for each thousand years, and 180 for 18 digits.
    """
    keys = {
        CELLS: F.col("r_score") * F.lit(100) + F.col("f_score") * F.lit(10) + F.col("m_score"),
        "r": F.floor(F.col(SCORED["r"].column) / F.lit(DAYS_OF_RANGE)),
        "f": _range_of_count(SCORED["f"].whole()),
        "m": _range_of_amount(SCORED["m"].whole()),
    }
    places = [F.struct(F.lit(name).alias("counted"), key.cast("bigint").alias("key")) for name, key in keys.items()]
    each = F.explode(F.array(*places)).alias("place")
    return (
        rfm.select(each, "purchase_count", "total_value", "days_since_last_purchase")
        .groupBy("place.counted", "place.key")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.sum("purchase_count").alias("purchases"),
            F.sum("total_value").alias("revenue"),
            F.sum("days_since_last_purchase").alias("days"),
        )
    )


def _range_of_count(count: Column) -> Column:
    return F.when(count <= F.lit(MOST_SINGLE_COUNTS), count).otherwise(_range_in_series(count))


def _range_of_amount(amount: Column) -> Column:
    in_series = F.when(amount > F.lit(0), _range_in_series(amount))
    return in_series.otherwise(F.when(amount < F.lit(0), F.lit(BELOW_NOTHING)).otherwise(F.lit(NOTHING)))


def _range_in_series(value: Column) -> Column:
    """Ten times the number of digits, and the place of the first three in `SERIES`. No logarithm: it would round."""
    text = value.cast("string")
    leading = F.substring(F.rpad(text, 3, "0"), 1, 3).cast("int")
    place = F.lit(0)
    for bound in SERIES[1:]:
        place = place + F.when(leading >= F.lit(bound), F.lit(1)).otherwise(F.lit(0))
    return F.length(text) * F.lit(len(SERIES)) + place


def cell_of(key: int) -> Cell:
    """The scores of a key of `CELLS`."""
    return key // 100, key // 10 % 10, key % 10


def range_of(letter: str, key: int) -> tuple[Decimal | None, Decimal]:
    """The values of a range, in the unit of the measure: from the first, which belongs to it, up to the second.

    The second does not belong to it. The first is None where the range has no lower end.
    """
    measure = SCORED[letter]
    if measure.low_is_best:
        return Decimal(key * DAYS_OF_RANGE), Decimal((key + 1) * DAYS_OF_RANGE)
    if measure.decimals and key <= NOTHING:
        smallest = Decimal(1).scaleb(-measure.decimals)
        return (Decimal(0), smallest) if key == NOTHING else (None, Decimal(0))
    if not measure.decimals and key <= MOST_SINGLE_COUNTS:
        return Decimal(key), Decimal(key + 1)
    return _bound(key).scaleb(-measure.decimals), _bound(key + 1).scaleb(-measure.decimals)


def _bound(key: int) -> Decimal:
    digits, place = divmod(key, len(SERIES))
    return Decimal(SERIES[place]).scaleb(digits - 3)
