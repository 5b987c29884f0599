"""Whether there is enough data: each limit just met and just missed."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.frames import at, frame
from transforms.rfm.sufficiency import Sufficiency, sufficiency_totals

JUST_ENOUGH = Sufficiency(customers=500, days_of_history=180, days_since_newest=30, repeat_buyers=100, third_buyers=1)


def test_data_that_just_meets_every_limit_is_sufficient() -> None:
    assert JUST_ENOUGH.shortfalls == []
    # 180 days are 5.9 months of 30.4 days.
    assert JUST_ENOUGH.verdict == (
        "sufficient (500 customers, 5.9 months of history, newest purchase 30 days ago, 20.0% came back)"
    )


@pytest.mark.parametrize(
    ("change", "shortfall"),
    [
        ({"customers": 499}, "fewer than 500 customers"),
        ({"days_of_history": 179}, "less than 180 days of history"),
        ({"days_since_newest": 31}, "no purchase in the last 30 days"),
        ({"third_buyers": 0}, "no customer with 3 purchases"),
        ({"repeat_buyers": 99}, "fewer than 20% of customers came back"),
    ],
)
def test_each_limit_that_is_just_missed_is_the_one_shortfall(change: dict[str, int], shortfall: str) -> None:
    missed = replace(JUST_ENOUGH, **change)
    assert missed.shortfalls == [shortfall]
    assert missed.verdict.startswith(f"limited: {shortfall} (")
    assert missed.as_json()["verdict"] == "limited"


def test_the_verdict_names_all_shortfalls_in_one_line() -> None:
    two = Sufficiency(customers=2, days_of_history=31, days_since_newest=31, repeat_buyers=0, third_buyers=0)
    assert two.verdict == (
        "limited: fewer than 500 customers, less than 180 days of history, no purchase in the last 30 days, "
        "no customer with 3 purchases, fewer than 20% of customers came back "
        "(2 customers, 1.0 months of history, newest purchase 31 days ago, 0.0% came back)"
    )


def test_large_numbers_have_separators() -> None:
    many = replace(JUST_ENOUGH, customers=96_095, days_of_history=773, repeat_buyers=2_997)
    # 773 days are 25.4 months, and 2,997 of 96,095 are 3.1 %.
    assert many.verdict == (
        "limited: fewer than 20% of customers came back "
        "(96,095 customers, 25.4 months of history, newest purchase 30 days ago, 3.1% came back)"
    )


def test_the_manifest_has_the_figures_with_months_rounded_and_the_share_exact() -> None:
    assert JUST_ENOUGH.as_json() == {
        "verdict": "sufficient",
        "shortfalls": [],
        "customers": 500,
        "months_of_history": 5.9,
        "share_of_repeat_buyers": 0.2,
        "customers_with_three_purchases": 1,
        "days_since_newest_purchase": 30,
    }
    missed = replace(JUST_ENOUGH, customers=600, third_buyers=0)
    assert missed.as_json()["share_of_repeat_buyers"] == 100 / 600
    assert missed.as_json()["shortfalls"] == [
        "no customer with 3 purchases",
        "fewer than 20% of customers came back",
    ]


def test_history_is_counted_in_days_up_to_the_day_of_the_run() -> None:
    totals: dict[str, Any] = {
        "oldest_purchase": at("2017-10-01 23:59:59"),
        "newest_purchase": at("2018-09-30 00:00:00"),
        "repeat_buyers": 4,
        "third_buyers": 2,
    }
    # From 1 October to 30 September are 364 days, and 17 more to the day of the run.
    assert Sufficiency.of(totals, customers=9, as_of=date(2018, 10, 17)) == Sufficiency(
        customers=9, days_of_history=381, days_since_newest=17, repeat_buyers=4, third_buyers=2
    )


def test_totals_are_of_those_who_bought_something(spark: SparkSession) -> None:
    measured = frame(
        spark,
        "purchase_count bigint, first_purchase_time timestamp, last_purchase_time timestamp",
        (1, at("2018-03-01 10:00:00"), at("2018-03-01 10:00:00")),
        (2, at("2018-01-02 10:00:00"), at("2018-05-01 10:00:00")),
        (3, at("2018-02-01 10:00:00"), at("2018-04-01 10:00:00")),
        (17, at("2018-02-01 10:00:00"), at("2018-04-01 10:00:00")),
        (0, at("2016-01-01 10:00:00"), at("2018-12-31 10:00:00")),
        (0, None, None),
    )
    totals = measured.agg(*[total.alias(name) for name, total in sufficiency_totals().items()]).collect()[0]
    assert totals.asDict() == {
        "repeat_buyers": 3,
        "third_buyers": 2,
        "oldest_purchase": at("2018-01-02 10:00:00"),
        "newest_purchase": at("2018-05-01 10:00:00"),
    }
