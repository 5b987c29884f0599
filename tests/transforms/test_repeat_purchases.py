"""Repeat purchases: customers worked by hand, and CDNOW's shape beside lifetimes' own summary."""

from collections.abc import Mapping
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.cdnow import CUSTOMERS, LAST_DAY, cdnow_purchases
from tests.frames import at, frame, money
from tests.lifetimes_summary import lifetimes_summary
from transforms import schemas
from transforms.repeat_purchases import REPEAT_PURCHASES, repeat_purchases

WORKED_BY_HAND = (
    # Three days with purchases, two of them after the first: 20 + 30 + 40 on these two.
    ("ann", at("1998-06-01 23:59:59"), money("10")),
    ("ann", at("1998-06-02 00:00:00"), money("20")),
    ("ann", at("1998-06-02 09:00:00"), money("30")),
    ("ann", at("1998-06-11 12:00:00"), money("40")),
    # Both on the first day.
    ("bob", at("1998-06-20 08:00:00"), money("5")),
    ("bob", at("1998-06-20 20:00:00"), money("7")),
    # A return before the first purchase does not count. One on the first day is of that day. The later ones reduce the
    # money, and end nothing: 12 - 2 - 4 over one repeat day. A purchase of nothing is a purchase.
    ("cem", at("1998-05-01 08:00:00"), money("-100")),
    ("cem", at("1998-06-10 08:00:00"), money("50")),
    ("cem", at("1998-06-10 09:00:00"), money("-50")),
    ("cem", at("1998-06-15 08:00:00"), money("12")),
    ("cem", at("1998-06-15 09:00:00"), money("-2")),
    ("cem", at("1998-06-25 08:00:00"), money("-4")),
    ("dan", at("1998-06-30 08:00:00"), money("0")),
    # Nothing but a return, and so no customer.
    ("eve", at("1998-06-10 08:00:00"), money("-1")),
)

SUMMARISED_BY_HAND = {
    "ann": (2, 10, 29, 45.0),
    "bob": (0, 0, 10, 0.0),
    "cem": (1, 5, 20, 6.0),
    "dan": (0, 0, 0, 0.0),
}
"""frequency, recency, T, monetary_value, as of 1998-06-30."""

Summary = Mapping[str, tuple[Any, ...]]


@pytest.fixture(scope="module")
def summarised(spark: SparkSession) -> Summary:
    """The summary of both sets of customers, in one query."""
    purchases = frame(spark, schemas.PURCHASES, *WORKED_BY_HAND, *cdnow_purchases())
    summary = repeat_purchases(purchases=purchases, as_of=LAST_DAY.date())
    assert summary.dtypes == [(field.name, field.dataType.simpleString()) for field in REPEAT_PURCHASES]
    return {row["customer_id"]: tuple(row)[1:] for row in summary.collect()}


def test_days_with_purchases_after_the_first_are_repeat_purchases_and_returns_reduce_their_money(
    summarised: Summary,
) -> None:
    by_hand = {customer: figures for customer, figures in summarised.items() if not customer.startswith("customer-")}
    assert by_hand == SUMMARISED_BY_HAND


def test_the_summary_is_that_of_lifetimes(summarised: Summary) -> None:
    expected = lifetimes_summary(cdnow_purchases(), LAST_DAY)
    drawn = {customer: figures for customer, figures in summarised.items() if customer.startswith("customer-")}
    assert len(expected) == CUSTOMERS
    assert sum(frequency for frequency, *_ in expected.values()) > CUSTOMERS
    assert drawn == {customer: pytest.approx(figures, rel=1e-12) for customer, figures in expected.items()}
