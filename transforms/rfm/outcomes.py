"""What customers did after a cut, beside the scores that they had at it: the frames of an out-of-time validation.

Whatever scores a customer comes from purchases dated on or before the cut alone. Later rows are counted in columns of
their own, in the same grouping.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StructField, StructType

from transforms import schemas
from transforms.rfm.measures import bought, is_return, measured_customers
from transforms.rfm.scores import SCORED, Bands
from transforms.schemas import columns_of

LATER = (
    StructField("later_purchases", LongType()),
    StructField("later_returns", LongType()),
    StructField("later_value", schemas.MONEY),
)

OUTCOMES = StructType(
    [
        *schemas.MEASURES.fields,
        StructField("returns", LongType()),
        StructField("shortly_before", LongType()),
        *LATER,
    ]
)
"""The measures of a customer at the cut, and what the customer did after it.

``shortly_before`` is the number of purchases in as many days before the cut as are counted after it.
"""

SCORED_OUTCOMES = StructType([*[schemas.MEASURES[measure.column] for measure in SCORED.values()], *LATER])
"""What is read again of the customers who are scored: the measures that are, and the outcomes."""

WHOSE: Mapping[str, str] = {
    "scored_customers": "bought something on or before the cut",
    "new_customers": "bought something after the cut, and nothing before",
    "other_customers": "have returns alone",
}
"""Whose a row after the cut is."""


def customer_outcomes(*, purchases: DataFrame, cut: date, days: int) -> DataFrame:
    """Measure customers as of the cut, and count what they bought and returned after it.

    A purchase and a return after the cut change neither the measures nor who has any. A customer who bought nothing on
    or before the cut has a ``purchase_count`` of 0.

    Grain in: one row per (customer_unique_id, order_purchase_time), `schemas.PURCHASES`; none later than ``days`` after
    the cut. Grain out: one row per customer_unique_id, `OUTCOMES`.

    Args:
        purchases: the purchases and returns.
        cut: the last day that is scored by, inclusive.
        days: the days after the cut.
    """
    # A later row has neither time nor value where measures look, so it counts for none of them.
    day, value = F.to_date("order_purchase_time"), F.col("value")
    is_later = day > F.lit(cut)
    by_side = purchases.select(
        "customer_unique_id",
        F.when(~is_later, F.col("order_purchase_time")).alias("order_purchase_time"),
        F.when(~is_later, value).alias("value"),
        F.when(is_later, value).alias("later_value"),
    )
    is_shortly_before = F.to_date("order_purchase_time") > F.lit(cut - timedelta(days=days))
    is_later_return = F.col("later_value") < F.lit(0)
    on_either_side = {
        "shortly_before": F.count_if(is_shortly_before & ~is_return()),
        "later_purchases": F.count_if(~is_later_return),
        "later_returns": F.count_if(is_later_return),
        "later_value": F.coalesce(F.sum("later_value"), F.lit(0)),
    }
    measured = measured_customers(purchases=by_side, as_of=cut, further=on_either_side)
    return measured.select(*columns_of(OUTCOMES))


def customers_at_the_cut(*, outcomes: DataFrame) -> DataFrame:
    """Select the customers who are scored: those who had bought something.

    Grain in: `customer_outcomes`. Grain out: one row per customer with a purchase on or before the cut,
    `SCORED_OUTCOMES`.
    """
    return outcomes.where(bought()).select(*columns_of(SCORED_OUTCOMES))


def outcome_totals() -> dict[str, Column]:
    """Aggregates over `customer_outcomes`: the rows and the money on each side of the cut.

    ``earlier_rows`` and ``earlier_money`` are those up to the cut. ``rows_of_<whose>`` and ``money_of_<whose>`` are
    those after it, for each of `WHOSE`. ``new_customers`` are people.
    """
    is_new = ~bought() & (F.col("later_purchases") > 0)
    whose = {"scored_customers": bought(), "new_customers": is_new, "other_customers": ~bought() & ~is_new}
    rows = F.col("later_purchases") + F.col("later_returns")
    totals = {
        "earlier_rows": F.sum(F.col("purchase_count") + F.col("returns")),
        "earlier_money": F.sum("total_value"),
        "purchases_shortly_before": F.sum("shortly_before"),
        "later_purchases": F.sum("later_purchases"),
        "new_customers": F.count_if(is_new),
    }
    for name, is_theirs in whose.items():
        totals[f"rows_of_{name}"] = F.sum(F.when(is_theirs, rows))
        totals[f"money_of_{name}"] = F.sum(F.when(is_theirs, F.col("later_value")))
    return totals


def scored_outcomes(*, outcomes: DataFrame, bands: Mapping[str, Bands]) -> DataFrame:
    """Add ``r_score``, ``f_score`` and ``m_score`` of the cut.

    Grain in and out: one row per customer, with the measures of `SCORED`.
    """
    return outcomes.select("*", *[each.score().alias(each.measure.score) for each in bands.values()])


def outcome_counts(*, scored: DataFrame) -> DataFrame:
    """Count customers and what they did after the cut, by the days since their last purchase and by their scores.

    Grain in: `scored_outcomes`. Grain out: one row per ``days_since_last_purchase``, ``r_score``, ``f_score`` and
    ``m_score`` that customers have, with ``customers``, ``repeat_buyers`` (who bought again), ``later_rows`` (their
    purchases and returns) and ``revenue``. A day has one r_score, so it has 25 rows at most, whatever the data.
    """
    return scored.groupBy("days_since_last_purchase", *[measure.score for measure in SCORED.values()]).agg(
        F.count(F.lit(1)).alias("customers"),
        F.count_if(F.col("later_purchases") > 0).alias("repeat_buyers"),
        F.sum(F.col("later_purchases") + F.col("later_returns")).alias("later_rows"),
        F.sum("later_value").alias("revenue"),
    )
