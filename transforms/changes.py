"""Segments from run to run: how long a customer has been in one, who changed since the run before, and why.

Each customer of the run before, or of this one, is scored again in a fixed order. Each step changes one thing:

1. past data: the purchases up to the day of the run before, as this run has them;
2. new purchases: those that were made after that day;
3. time passed: days are counted to this run's day, and what left the window is gone;
4. cut points: those of this run's card;
5. segment map: that of this run's card.

Steps 1 to 3 use the card of the run before. A customer starts in the segment of the run before, and ends in that of
this run. So the differences of the steps add up to the whole difference, by customer and by segment.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from math import log

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, IntegerType, LongType, StringType, StructField, StructType, TimestampType

from transforms import schemas
from transforms.rfm.measures import MEASURED, bought, is_return
from transforms.rfm.score_card import Scoring
from transforms.rfm.segments import SegmentMap
from transforms.schemas import MONEY, columns_of, name_of

STEPS = ("past_data", "new_purchases", "time_passed", "cut_points", "segment_map")
"""What moves a customer who is in both runs, in the order in which it is told apart."""

NEW, VANISHED = "new_customer", "vanished_customer"
CAUSES = (NEW, VANISHED, *STEPS)


def step_in_words(step: str) -> str:
    """The name of a step as people read it, such as "past data"."""
    return step.replace("_", " ")


CODES = (
    *("from_segment_code", "code_after_past_data", "code_after_new_purchases"),
    *("code_after_time", "code_after_cut_points", "to_segment_code"),
)
"""The segment of a customer before the first step, and after each."""

BEFORE = StructType(
    [
        StructField("before_segment_code", StringType()),
        StructField("before_segment", StringType()),
        StructField("before_previous_segment_code", StringType()),
        StructField("before_previous_segment", StringType()),
        StructField("before_segment_since", DateType()),
        StructField("before_runs_in_segment", IntegerType()),
    ]
)
"""What the history of the run before says of a customer."""

GONE = StructType(
    [
        StructField("gone_last_purchase_time", TimestampType()),
        StructField("gone_purchase_count", LongType()),
        StructField("gone_value", MONEY),
    ]
)
"""A customer's purchases in the run before that are no longer in the window."""

PAST = StructType(
    [
        StructField("past_last_purchase_time", TimestampType()),
        StructField("past_purchase_count", LongType()),
        StructField("past_value", MONEY),
    ]
)
"""A customer's purchases up to the day of the run before, as this run has them."""

TRACKED = StructType([*MEASURED.fields, *PAST.fields, *BEFORE.fields, *GONE.fields])
"""The measures of a person, beside what the run before knew; of one who is gone from the data, the latter alone."""


SMALLEST_SHARE = 1e-4
"""The share of an empty group in the population stability index, since 0 has no logarithm."""


STABLE, UNSTABLE = 0.1, 0.25
"""The conventional limits of a population stability index: below the first is stable, and above the second is not."""


def population_stability_index(shares: Iterable[tuple[float, float]]) -> float:
    """How far shares moved: ``sum (p - q) ln (p / q)``; see `in_a_word`.

    Args:
        shares: of each group, its share now (p) and its share before (q).
    """
    bounded = [(max(p, SMALLEST_SHARE), max(q, SMALLEST_SHARE)) for p, q in shares]
    return sum((p - q) * log(p / q) for p, q in bounded)


def in_a_word(index: float) -> str:
    """What a population stability index is called: stable, moderate or large."""
    return "stable" if index < STABLE else "moderate" if index <= UNSTABLE else "large"


def past_measures(*, until: date) -> dict[str, Column]:
    """Aggregates over the purchases of a person, `PAST`: those dated on or before the day of the run before.

    Args:
        until: that day.
    """
    is_past = F.to_date("order_purchase_time") <= F.lit(until)
    is_purchase = is_past & ~is_return()
    values = (
        F.max(F.when(is_purchase, F.col("order_purchase_time"))),
        F.count_if(is_purchase),
        F.sum(F.when(is_past, F.col("value"))),
    )
    return {
        field.name: value.cast(name_of(field.dataType)).alias(field.name)
        for field, value in zip(PAST.fields, values, strict=True)
    }


def gone_purchases(*, purchases: DataFrame, first_day: date) -> DataFrame:
    """Add up what left the window.

    Grain in: one row per (customer_unique_id, order_purchase_time), `schemas.PURCHASES` of the run before. Grain out:
    one row per customer_unique_id with a purchase or a return before ``first_day``, and `GONE`.

    Args:
        purchases: the purchases.
        first_day: the first day of this run's window.
    """
    return (
        purchases.where(F.to_date("order_purchase_time") < F.lit(first_day))
        .groupBy("customer_unique_id")
        .agg(
            F.max(F.when(~is_return(), F.col("order_purchase_time"))).alias("gone_last_purchase_time"),
            F.count_if(~is_return()).alias("gone_purchase_count"),
            F.sum("value").alias("gone_value"),
        )
        .select("customer_unique_id", *columns_of(GONE))
    )


def begun_history(*, rfm: DataFrame, as_of: date) -> DataFrame:
    """Begin the history of customers: each is in their segment for the first time.

    Grain in: one row per customer_unique_id, with a segment. Grain out: the same, `schemas.SEGMENT_HISTORY`.
    """
    return rfm.select(
        "*",
        F.lit(None).alias("previous_segment_code"),
        F.lit(None).alias("previous_segment"),
        F.lit(as_of).alias("segment_since"),
        F.lit(1).alias("runs_in_segment"),
    ).select(*columns_of(schemas.SEGMENT_HISTORY))


def tracked_customers(*, measured: DataFrame, history: DataFrame, gone: DataFrame | None) -> DataFrame:
    """Put the history of the run before beside the measures of this one.

    Grain in: one row per customer_unique_id: `MEASURED` and `PAST`; `schemas.SEGMENT_HISTORY` of the run before; and
    `gone_purchases`, or None for a run without a window. Grain out: one row per customer_unique_id of either run,
    `TRACKED`.
    """
    before = history.select(
        "customer_unique_id",
        *[F.col(field.name.removeprefix("before_")).alias(field.name) for field in BEFORE.fields],
    )
    if gone is None:
        before = before.select("*", *[F.lit(None).alias(field.name) for field in GONE.fields])
    else:
        # Who has returns alone there has no history.
        before = before.join(gone, on="customer_unique_id", how="full")
    return measured.join(before, on="customer_unique_id", how="full").select(*columns_of(TRACKED))


def segment_history(*, tracked: DataFrame, current: Scoring, as_of: date) -> DataFrame:
    """Carry the history of each customer on.

    Who is in the same segment as in the run before, by its code, stays in it for one more run. Who changed has the
    segment of the run before as the previous one, and starts to count. So does a new customer, with no previous one.

    Grain in: `TRACKED`. Grain out: one row per customer_unique_id with a purchase, `schemas.SEGMENT_HISTORY`.

    Args:
        tracked: the customers.
        current: the scoring of this run.
        as_of: its day.
    """
    stayed = F.col("segment_code") == F.col("before_segment_code")
    carried = {
        "previous_segment_code": (F.col("before_previous_segment_code"), F.col("before_segment_code")),
        "previous_segment": (F.col("before_previous_segment"), F.col("before_segment")),
        "segment_since": (F.col("before_segment_since"), F.lit(as_of)),
        "runs_in_segment": (F.col("before_runs_in_segment") + F.lit(1), F.lit(1)),
    }
    return (
        _scored(tracked, current)
        .where(bought())
        .select("*", *[F.when(stayed, old).otherwise(new).alias(name) for name, (old, new) in carried.items()])
        .select(*columns_of(schemas.SEGMENT_HISTORY))
    )


def segment_changes(*, tracked: DataFrame, before: Scoring, current: Scoring, since: date, as_of: date) -> DataFrame:
    """Say who changed their segment, who is new and who vanished, and why.

    The cause of a customer who is in both runs is the last of `STEPS` that changed the segment: it brought them where
    they are. A code is null where the customer has no purchase at that step.

    Grain in: `TRACKED`. Grain out: one row per customer_unique_id whose segment changed, or who has one in one of the
    two runs alone; `schemas.SEGMENT_CHANGES`.

    Args:
        tracked: the customers.
        before: the scoring of the run before.
        current: the scoring of this run.
        since: the day of the run before.
        as_of: the day of this run.
    """
    changed = (
        _scored(tracked, current)
        .withColumn("to_segment_code", F.when(bought(), F.col("segment_code")))
        .withColumn("to_segment", F.when(bought(), F.col("segment")))
        .withColumnsRenamed({"before_segment_code": "from_segment_code", "before_segment": "from_segment"})
        .where(~F.col("to_segment_code").eqNullSafe(F.col("from_segment_code")))
    )
    steps = changed.select("*", *_codes_on_the_way(before=before, current=current, since=since, as_of=as_of))
    return steps.select("*", F.lit(since).alias("from_as_of"), _cause().alias("cause")).select(
        *columns_of(schemas.SEGMENT_CHANGES)
    )


def change_counts(*, changes: DataFrame) -> DataFrame:
    """Count the changes by what the manifest states: by cause, and step by step.

    Grain in: `schemas.SEGMENT_CHANGES`. Grain out: one row per (``counted``, ``from_code``, ``to_code``) with
    ``customers``. ``counted`` is ``cause <name>`` for whole ways, of which each customer has one; and ``step <name>``
    for the steps of those who are in both runs, where one changed the segment.
    """
    whole = F.struct(
        F.concat(F.lit("cause "), F.col("cause")).alias("counted"),
        F.col("from_segment_code").alias("from_code"),
        F.col("to_segment_code").alias("to_code"),
    )
    is_in_both = ~F.col("cause").isin(NEW, VANISHED)
    steps = [
        F.when(
            is_in_both & ~F.col(start).eqNullSafe(F.col(end)),
            F.struct(
                F.lit(f"step {step}").alias("counted"), F.col(start).alias("from_code"), F.col(end).alias("to_code")
            ),
        )
        for step, start, end in zip(STEPS, CODES[:-1], CODES[1:], strict=True)
    ]
    each = changes.select(F.explode(F.array_compact(F.array(whole, *steps))).alias("change"))
    return each.groupBy("change.counted", "change.from_code", "change.to_code").agg(
        F.count(F.lit(1)).alias("customers")
    )


def _scored(tracked: DataFrame, current: Scoring) -> DataFrame:
    """The customers with this run's scores and segment, which mean nothing for those without a purchase."""
    scores = [bands.score().alias(bands.measure.score) for bands in current.bands.values()]
    return tracked.select("*", *scores).select("*", *current.segment_map.columns())


def _codes_on_the_way(*, before: Scoring, current: Scoring, since: date, as_of: date) -> list[Column]:
    """The segment's code after each step but the last."""
    gone_count, gone_value = _or_zero("gone_purchase_count"), _or_zero("gone_value")
    past = {
        "r": F.datediff(F.lit(since), F.to_date(F.greatest("past_last_purchase_time", "gone_last_purchase_time"))),
        "f": _or_zero("past_purchase_count") + gone_count,
        "m": _or_zero("past_value") + gone_value,
    }
    last_purchase = F.to_date(F.greatest("last_purchase_time", "gone_last_purchase_time"))
    with_new = {
        "r": F.greatest(F.datediff(F.lit(since), last_purchase), F.lit(0)),
        "f": _or_zero("purchase_count") + gone_count,
        "m": _or_zero("total_value") + gone_value,
    }
    of_this_run = {
        "r": F.datediff(F.lit(as_of), F.to_date("last_purchase_time")),
        "f": _or_zero("purchase_count"),
        "m": _or_zero("total_value"),
    }
    codes = (
        _code(past, before, before.segment_map),
        _code(with_new, before, before.segment_map),
        _code(of_this_run, before, before.segment_map),
        _code(of_this_run, current, before.segment_map),
    )
    return [code.alias(name) for name, code in zip(CODES[1:-1], codes, strict=True)]


def _code(measures: Mapping[str, Column], scoring: Scoring, segment_map: SegmentMap) -> Column:
    """The code of the segment that measures are in; null for a customer without a purchase."""
    scores = {letter: bands.score_of(measures[letter]) for letter, bands in scoring.bands.items()}
    return F.when(measures["f"] > F.lit(0), segment_map.code_of(scores))


def _or_zero(name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0))


def _cause() -> Column:
    cause = F.when(F.col("from_segment_code").isNull(), F.lit(NEW)).when(
        F.col("to_segment_code").isNull(), F.lit(VANISHED)
    )
    for step, start, end in reversed(list(zip(STEPS, CODES[:-1], CODES[1:], strict=True))):
        cause = cause.when(~F.col(start).eqNullSafe(F.col(end)), F.lit(step))
    return cause
