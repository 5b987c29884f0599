"""Recency, frequency and monetary value of each customer: the workshop's ``rfm_input_2``."""

from collections.abc import Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StructField, StructType

from transforms import schemas
from transforms.rfm.dimensions import NORMALISED_RANGE, dimensions, normalise
from transforms.rfm.reasons import reason_columns
from transforms.rfm.score_card import ScoreCard
from transforms.rfm.scores import SCORED
from transforms.rfm.weeks import weeks_between
from transforms.schemas import columns_of, name_of

MEASURED = StructType(
    [*schemas.MEASURES.fields, StructField("returns", LongType()), StructField("customer_ids", LongType())]
)
"""The measures of a person, and the numbers of returns and of customer_ids.

A person who bought nothing has a ``purchase_count`` of 0, and neither a last purchase nor an average.
"""


def customer_measures(*, purchases: DataFrame, as_of: date) -> DataFrame:
    """Measure when each customer last bought, how often, and for how much.

    Grain in: one row per (customer_unique_id, order_purchase_time), none later than ``as_of``. Grain out: one row per
    customer_unique_id with a purchase, `schemas.MEASURES`.
    """
    return customers_with_purchases(measured=measured_customers(purchases=purchases, as_of=as_of))


def purchases_of_people(*, purchases: DataFrame, customers: DataFrame) -> DataFrame:
    """Add a row for each customer_id, so that people without any purchase are measured too.

    Grain in: one row per (customer_unique_id, order_purchase_time); one row per customer_id. Grain out: one row per row
    of either, `schemas.PURCHASES`; the rows of customers have neither time nor value.

    Args:
        purchases: `schemas.PURCHASES`.
        customers: `schemas.CUSTOMERS`.
    """
    nothing = [F.lit(None).cast(name_of(field.dataType)).alias(field.name) for field in schemas.PURCHASES.fields[1:]]
    return purchases.unionByName(customers.select("customer_unique_id", *nothing))


def measured_customers(
    *, purchases: DataFrame, as_of: date, further: Mapping[str, Column] = MappingProxyType({})
) -> DataFrame:
    """`customer_measures` of every person, also of those with nothing but returns, or with nothing at all.

    A return has a value below 0. It reduces the customer's money, and is neither a purchase nor the first or last one.
    ``recency_weeks`` counts Sundays (see `weeks`). Money is in the currency of the source; ``average_purchase_value``
    is the money by purchase, rounded half up to four decimals.

    Grain in: `schemas.PURCHASES`, none later than ``as_of``, or `purchases_of_people`. Grain out: one row per
    customer_unique_id, `MEASURED`. ``as_of`` is the last second of that day: the row knows all purchases until then, so
    a feature store that joins by this time shows nothing of later ones.

    Args:
        purchases: the purchases.
        as_of: the last day that counts.
        further: more aggregates over the purchases of a person, which become further columns.
    """
    bought_at = F.when(~is_return(), F.col("order_purchase_time"))
    day = F.lit(as_of)
    return (
        purchases.groupBy("customer_unique_id")
        .agg(
            F.min(bought_at).alias("first_purchase_time"),
            F.max(bought_at).alias("last_purchase_time"),
            F.count_if(~is_return()).alias("purchase_count"),
            F.count_if(is_return()).alias("returns"),
            F.count_if(F.col("value").isNull()).alias("customer_ids"),
            F.sum("value").alias("total_value"),
            *[value.alias(name) for name, value in further.items()],
        )
        .withColumn("as_of", F.lit(datetime.combine(as_of, time.max.replace(microsecond=0)).isoformat(" ")))
        .withColumn("days_since_last_purchase", F.datediff(day, F.to_date("last_purchase_time")))
        .withColumn("recency_weeks", weeks_between(F.to_date("last_purchase_time"), day))
        .withColumn("tenure_days", F.datediff(day, F.to_date("first_purchase_time")))
        .withColumn("average_purchase_value", F.when(bought(), F.col("total_value") / F.col("purchase_count")))
        .select(*columns_of(MEASURED), *further)
    )


def customers_with_purchases(*, measured: DataFrame) -> DataFrame:
    """Select the customers who bought something.

    Grain in: `measured_customers`. Grain out: one row per customer_unique_id with a purchase, `schemas.MEASURES`.
    """
    return measured.where(bought()).select(*columns_of(schemas.MEASURES))


def customers_without_purchases(*, measured: DataFrame) -> DataFrame:
    """Select the people who bought nothing.

    Grain in: `measured_customers`. Grain out: one row per customer_unique_id without a purchase, and ``returns``.
    """
    return measured.where(~bought()).select("customer_unique_id", "returns")


def people_totals() -> dict[str, Column]:
    """Aggregates over `measured_customers`.

    They are all ``people``; those who bought something, ``buyers``; those who bought nothing and returned something;
    the ``customer_ids`` of all people, and ``other_customer_ids``, of those who bought nothing.
    """
    return {
        "people": F.count(F.lit(1)),
        "buyers": F.count_if(bought()),
        "people_with_returns_alone": F.count_if(~bought() & (F.col("returns") > 0)),
        "customer_ids": F.sum("customer_ids"),
        "other_customer_ids": F.sum(F.when(~bought(), F.col("customer_ids"))),
    }


def bought() -> Column:
    """Whether a row of `measured_customers` is a person who bought something."""
    return F.col("purchase_count") > 0


def is_return() -> Column:
    """Whether a row of `schemas.PURCHASES` is a return: money went back to the customer."""
    return F.col("value") < 0


def returns_totals() -> dict[str, Column]:
    """Aggregates over `measured_customers`: the returns of buyers, and of customers without a purchase."""
    return {
        "returns_of_buyers": F.sum(F.when(bought(), F.col("returns"))),
        "returns_alone": F.sum(F.when(~bought(), F.col("returns"))),
        "money_of_returns_alone": F.sum(F.when(~bought(), F.col("total_value"))),
    }


def fitted_bounds() -> dict[str, Column]:
    """Aggregates over `measured_customers`: the lowest and highest value of each dimension among those who bought.

    They are named ``<dimension>_min`` and ``<dimension>_max``; ``customers`` is the number of those who bought.
    """
    extremes = {
        f"{name}_{bound}": extreme(F.when(bought(), value))
        for name, value in dimensions().items()
        for bound, extreme in (("min", F.min), ("max", F.max))
    }
    return {"customers": F.count_if(bought()), **extremes}


def scored_extremes() -> dict[str, Column]:
    """Aggregates over `measured_customers`: the extremes of the measures that are scored, of those who bought.

    They are named ``<letter>_lowest`` and ``<letter>_highest``. Those of purchase_count are the bounds of frequency,
    which `fitted_bounds` has.
    """
    return {
        f"{letter}_{bound}": extreme(F.when(bought(), F.col(SCORED[letter].column)))
        for letter in ("r", "m")
        for bound, extreme in (("lowest", F.min), ("highest", F.max))
    }


def scored_ranges(totals: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The lowest and the highest value of each measure that is scored, as whole numbers, by letter.

    Args:
        totals: the values of `fitted_bounds` and `scored_extremes`.
    """
    ends = {
        "r": (totals["r_lowest"], totals["r_highest"]),
        "f": (totals["frequency_min"], totals["frequency_max"]),
        "m": (totals["m_lowest"], totals["m_highest"]),
    }
    whole = {letter: SCORED[letter].to_whole for letter in ends}
    return {letter: (whole[letter](low), whole[letter](high)) for letter, (low, high) in ends.items()}


def apply_card(*, measures: DataFrame, card: ScoreCard) -> DataFrame:
    """Normalise the measures of each customer to 0..5, score them, and say the segment and the reasons.

    Grain in and out: one row per customer_unique_id; `schemas.MEASURES` in, `schemas.RFM` out. The figures of a
    customer depend on the card and on that customer alone.

    Raises:
        ScoreCardError: The card has no cut points.
    """
    scoring = card.scored_by
    normalised = [
        normalise(value, low=card.bounds[name].low, high=card.bounds[name].high).alias(name)
        for name, value in dimensions().items()
    ]
    scores = [each.score().alias(each.measure.score) for each in scoring.bands.values()]
    scored = measures.select("*", *normalised, *scores)
    explained = scored.select("*", *scoring.segment_map.columns(), *reason_columns(scoring.bands))
    return explained.select(*columns_of(schemas.RFM))


def is_outside_range() -> Column:
    """Whether a row of `schemas.RFM` has a figure outside 0..5, which a card fitted to other customers may give."""
    outside = [~F.col(name).between(0.0, NORMALISED_RANGE) for name in dimensions()]
    return outside[0] | outside[1] | outside[2]
