"""Recency, frequency and monetary value of each customer: the workshop's ``rfm_input_2``."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms import schemas
from transforms.rfm.dimensions import NORMALISED_RANGE, dimensions, normalise
from transforms.rfm.score_card import ScoreCard
from transforms.rfm.weeks import weeks_between
from transforms.schemas import columns_of


def customer_measures(*, purchases: DataFrame, as_of: date) -> DataFrame:
    """Measure when each customer last bought, how often, and for how much.

    Grain in: one row per (customer_unique_id, order_purchase_time), none later than ``as_of``. Grain out: one row per
    customer_unique_id with a purchase, `schemas.MEASURES`.
    """
    return customers_with_purchases(measured=measured_customers(purchases=purchases, as_of=as_of))


def measured_customers(*, purchases: DataFrame, as_of: date) -> DataFrame:
    """`customer_measures` of every customer, also of those with nothing but returns.

    A return has a value below 0. It reduces the customer's money, and is neither a purchase nor the last one.
    ``recency_weeks`` counts Sundays (see `weeks`). Money is in the currency of the source; ``average_purchase_value``
    is the money by purchase, rounded half up to four decimals.

    Grain in: one row per (customer_unique_id, order_purchase_time), none later than ``as_of``. Grain out: one row per
    customer_unique_id, the columns of `schemas.MEASURES` and ``returns``, the number of returns.
    """
    bought_at = F.when(~is_return(), F.col("order_purchase_time"))
    return (
        purchases.groupBy("customer_unique_id")
        .agg(
            F.max(bought_at).alias("last_purchase_time"),
            F.count_if(~is_return()).alias("purchase_count"),
            F.count_if(is_return()).alias("returns"),
            F.sum("value").alias("total_value"),
        )
        .withColumn("recency_weeks", weeks_between(F.to_date("last_purchase_time"), F.lit(as_of)))
        .withColumn(
            "average_purchase_value",
            F.when(F.col("purchase_count") > 0, F.col("total_value") / F.col("purchase_count")),
        )
        .select(*columns_of(schemas.MEASURES), "returns")
    )


def customers_with_purchases(*, measured: DataFrame) -> DataFrame:
    """Select the customers who bought something.

    Grain in: `measured_customers`. Grain out: one row per customer_unique_id with a purchase, `schemas.MEASURES`.
    """
    return measured.where(F.col("purchase_count") > 0).select(*columns_of(schemas.MEASURES))


def is_return() -> Column:
    """Whether a row of `schemas.PURCHASES` is a return: money went back to the customer."""
    return F.col("value") < 0


def returns_totals() -> dict[str, Column]:
    """Aggregates over `measured_customers`: the returns of buyers, and of customers without a purchase."""
    bought = F.col("purchase_count") > 0
    return {
        "returns_of_buyers": F.sum(F.when(bought, F.col("returns"))),
        "returns_alone": F.sum(F.when(~bought, F.col("returns"))),
        "money_of_returns_alone": F.sum(F.when(~bought, F.col("total_value"))),
    }


def fit_bounds(*, measures: DataFrame) -> DataFrame:
    """Find the lowest and highest value of each dimension.

    Grain in: one row per customer. Grain out: one row in all, with ``<dimension>_min`` and ``<dimension>_max``, and
    ``customers``, the number of rows.
    """
    extremes = [
        extreme(value).alias(f"{name}_{bound}")
        for name, value in dimensions().items()
        for bound, extreme in (("min", F.min), ("max", F.max))
    ]
    return measures.agg(F.count(F.lit(1)).alias("customers"), *extremes)


def apply_card(*, measures: DataFrame, card: ScoreCard) -> DataFrame:
    """Normalise the measures of each customer to 0..5 with the bounds of a card.

    Grain in and out: one row per customer_unique_id; `schemas.MEASURES` in, `schemas.RFM` out. The figures of a
    customer depend on the card and on that customer alone.
    """
    normalised = [
        normalise(value, low=card.bounds[name].low, high=card.bounds[name].high).alias(name)
        for name, value in dimensions().items()
    ]
    return measures.select("*", *normalised).select(*columns_of(schemas.RFM))


def is_outside_range() -> Column:
    """Whether a row of `schemas.RFM` has a figure outside 0..5, which a card fitted to other customers may give."""
    outside = [~F.col(name).between(0.0, NORMALISED_RANGE) for name in dimensions()]
    return outside[0] | outside[1] | outside[2]
