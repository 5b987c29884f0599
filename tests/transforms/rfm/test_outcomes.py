"""What customers did after a cut: counted on its own side, and without any effect on a score."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from jobs.inputs.segment_maps import load_maps
from jobs.scores.fitting import fitted_scoring
from tests.frames import at, frame, money
from transforms import schemas
from transforms.rfm.measures import bought, fitted_bounds, scored_extremes
from transforms.rfm.outcomes import customer_outcomes, outcome_counts, outcome_totals, scored_outcomes

CUT = date(2018, 5, 31)
Purchase = tuple[str, str, str]

EARLIER: list[Purchase] = [
    ("ann", "2018-01-01 10:00:00", "10"),
    ("ann", "2018-05-31 23:59:59", "20"),  # the last second of the cut
    ("bob", "2018-03-02 00:00:00", "5"),  # 90 days before the cut
    ("bob", "2018-03-03 00:00:00", "7"),
    ("bob", "2018-04-01 00:00:00", "-5"),
    ("cat", "2018-02-01 08:00:00", "90"),
    ("eve", "2018-02-01 08:00:00", "-1"),  # a return alone
]
LATER: list[Purchase] = [
    ("ann", "2018-06-01 00:00:00", "100"),  # the first second after the cut
    ("ann", "2018-08-29 23:59:59", "50"),
    ("ann", "2018-08-29 12:00:00", "-20"),
    ("cat", "2018-06-02 00:00:00", "-90"),  # what was bought before the cut is returned after it
    ("dan", "2018-07-01 00:00:00", "1000"),
    ("dan", "2018-07-02 00:00:00", "-400"),
    ("fay", "2018-07-03 00:00:00", "-3"),
]


def purchases(spark: SparkSession, rows: Sequence[Purchase]) -> DataFrame:
    values = [(customer, at(time), money(value)) for customer, time, value in rows]
    return frame(spark, schemas.PURCHASES, *values)


def outcomes(spark: SparkSession, rows: Sequence[Purchase]) -> DataFrame:
    return customer_outcomes(purchases=purchases(spark, rows), cut=CUT, days=90)


def totals_of(frame: DataFrame) -> dict[str, Any]:
    aggregates = {**fitted_bounds(), **scored_extremes(), **outcome_totals()}
    [row] = frame.agg(*[value.alias(name) for name, value in aggregates.items()]).collect()
    return row.asDict()


def scored(customers: DataFrame) -> list[tuple[Any, ...]]:
    """The measures and the scores of each customer at the cut, by cut points that are fitted there."""
    buyers = customers.where(bought())
    scoring = fitted_scoring(buyers, totals=totals_of(customers), maps=load_maps(None))
    rows = scored_outcomes(outcomes=buyers, bands=scoring.bands)
    measured = [name for name in schemas.MEASURES.fieldNames() if name != "customer_unique_id"]
    return sorted(
        tuple(row) for row in rows.select("customer_unique_id", *measured, "r_score", "f_score", "m_score").collect()
    )


def test_customers_are_measured_at_the_cut_and_followed_after_it(spark: SparkSession) -> None:
    frame_of_all = outcomes(spark, [*EARLIER, *LATER])
    columns = (
        *("customer_unique_id", "as_of", "days_since_last_purchase", "purchase_count", "total_value", "returns"),
        *("shortly_before", "later_purchases", "later_returns", "later_value"),
    )
    night, nothing = at("2018-05-31 23:59:59"), money("0")
    assert sorted(map(tuple, frame_of_all.select(*columns).collect()), key=lambda row: row[0]) == [
        ("ann", night, 0, 2, money("30"), 0, 1, 2, 1, money("130")),
        ("bob", night, 89, 2, money("7"), 1, 1, 0, 0, nothing),
        ("cat", night, 119, 1, money("90"), 0, 0, 0, 1, money("-90")),
        ("dan", night, None, 0, None, 0, 0, 1, 1, money("600")),
        ("eve", night, None, 0, money("-1"), 1, 0, 0, 0, nothing),
        ("fay", night, None, 0, None, 0, 0, 0, 1, money("-3")),
    ]
    totals = totals_of(frame_of_all)
    assert {name: totals[name] for name in outcome_totals()} == {
        "earlier_rows": 7,
        "earlier_money": money("126"),
        "purchases_shortly_before": 2,
        "later_purchases": 3,
        "rows_of_scored_customers": 4,
        "money_of_scored_customers": money("40"),
        "new_customers": 1,
        "rows_of_new_customers": 2,
        "money_of_new_customers": money("600"),
        "rows_of_other_customers": 1,
        "money_of_other_customers": money("-3"),
    }
    assert totals["customers"] == 3


def test_nothing_after_the_cut_changes_a_score(spark: SparkSession) -> None:
    without = scored(outcomes(spark, EARLIER))
    assert scored(outcomes(spark, [*EARLIER, *LATER])) == without
    assert [row[0] for row in without] == ["ann", "bob", "cat"]


def test_customers_are_counted_by_days_and_scores(spark: SparkSession) -> None:
    schema = (
        "days_since_last_purchase int, r_score int, f_score int, m_score int, later_purchases bigint, "
        "later_returns bigint, later_value decimal(18,4)"
    )
    rows = [
        (3, 5, 1, 2, 2, 1, money("8")),
        (3, 5, 1, 2, 0, 1, money("-1")),
        (3, 5, 1, 3, 0, 0, money("0")),
    ]
    counts = outcome_counts(scored=frame(spark, schema, *rows))
    assert sorted(map(tuple, counts.collect())) == [
        (3, 5, 1, 2, 2, 1, 4, money("7")),
        (3, 5, 1, 3, 1, 0, 0, money("0")),
    ]
