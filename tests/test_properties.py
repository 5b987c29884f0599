"""Properties of any data: order, partitioning and the rows of other people do not matter, and no money is lost."""

import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from tests.chain import chain, fitted
from tests.frames import frame
from transforms import schemas
from transforms.rfm.measures import customer_measures
from transforms.rfm.score_card import ScoreCard

AS_OF = date(2018, 6, 30)
FIRST = datetime.fromisoformat("2017-01-01")
STATUSES = ("delivered", "shipped")

# Few people and few moments, so that purchases meet; some moments after as_of.
MOMENTS = st.integers(min_value=0, max_value=20).map(lambda days: FIRST + timedelta(days=days * 30, seconds=86_399))
CENTS = st.integers(min_value=0, max_value=10**9).map(lambda units: Decimal(units).scaleb(-4))
ORDERS = st.lists(
    st.tuples(st.integers(0, 5), MOMENTS, st.sampled_from([*STATUSES, "canceled"]), st.lists(CENTS, max_size=4)),
    min_size=1,
    max_size=25,
)


def tables_of(spark: SparkSession, orders: list[Any]) -> dict[str, DataFrame]:
    """The three tables of orders as (person, moment, status, payments). One order always counts."""
    orders = [*orders, (0, FIRST, "delivered", [Decimal("1.0000")])]
    customers = [(f"c{n}", f"person {person}", None, None, None) for n, (person, *_) in enumerate(orders)]
    rows = [(f"o{n}", f"c{n}", status, at, *[None] * 4) for n, (_, at, status, _) in enumerate(orders)]
    payments = [
        (f"o{n}", sequential, "boleto", 1, value)
        for n, (*_, values) in enumerate(orders)
        for sequential, value in enumerate(values, start=1)
    ]
    return {
        "customers": frame(spark, schemas.CUSTOMERS, *customers),
        "orders": frame(spark, schemas.ORDERS, *rows),
        "payments": frame(spark, schemas.PAYMENTS, *payments),
    }


def rows_of(frame: DataFrame) -> list[Row]:
    return sorted(frame.collect(), key=str)


def content(frame: DataFrame) -> list[str]:
    """The rows as text, which tells 0.0 from -0.0 and 1 from 1.0."""
    return list(map(str, rows_of(frame)))


def check_all(spark: SparkSession, orders: list[Any]) -> None:
    tables = tables_of(spark, orders)
    frames = chain(tables, as_of=AS_OF, order_statuses=STATUSES)
    rows = {name: rows_of(each) for name, each in frames.items()}
    expected = {name: list(map(str, each)) for name, each in rows.items()}

    # Rows in another order, in other partitions: the same content.
    shuffled = {name: table.orderBy(F.rand(seed=1)).repartition(3) for name, table in tables.items()}
    for name, again in chain(shuffled, as_of=AS_OF, order_statuses=STATUSES).items():
        assert content(again) == expected[name], name

    # Money in equals money out.
    paid = sum((value for *_, values in orders for value in values), Decimal("1.0000"))
    [totals] = rows["excluded"]
    excluded = sum((total["money"] or Decimal(0) for total in totals), Decimal(0))
    for table, column in (("transactions", "payment_value"), ("purchases", "value"), ("rfm", "total_value")):
        assert excluded + sum(row[column] for row in rows[table]) == paid, table

    # A card that is fitted, written, read and applied gives the same figures.
    measures = customer_measures(purchases=frames["purchases"], as_of=AS_OF)
    card = ScoreCard.from_json(fitted(measures, as_of=AS_OF).to_json())
    assert content(chain(tables, as_of=AS_OF, order_statuses=STATUSES, card=card)["rfm"]) == expected["rfm"]

    # With the same card, the rows of one person alone give the figures of that person.
    alone = {**tables, "customers": tables["customers"].where("customer_unique_id = 'person 0'")}
    one = content(chain(alone, as_of=AS_OF, order_statuses=STATUSES, card=card)["rfm"])
    assert one == [row for row in expected["rfm"] if "'person 0'" in row]


def test_the_properties_of_the_chain_hold(spark: SparkSession) -> None:
    # Six people with four orders each, the last two of them at one moment, and some after the as-of date.
    months = [5 * (n if n < 18 else n - 6) % 21 for n in range(24)]
    moments = [FIRST + timedelta(days=30 * month, seconds=86_399) for month in months]
    statuses = (*STATUSES, STATUSES[0], "canceled")
    payments = [[Decimal(units).scaleb(-4) for units in range(17 * n, 10**9, 3 * 10**8)] for n in range(24)]
    check_all(spark, [(n % 6, moments[n], statuses[n % 4], payments[n][: n % 5]) for n in range(24)])


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(orders=ORDERS)
def test_the_properties_of_the_chain_hold_over_many_data_sets(spark: SparkSession, orders: list[Any]) -> None:
    check_all(spark, orders)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_the_properties_of_the_chain_hold_over_hundreds_of_data_sets(spark: SparkSession) -> None:
    @seed(int(os.environ["SOAK_SEED"]))
    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(orders=ORDERS)
    def many(orders: list[Any]) -> None:
        check_all(spark, orders)

    many()
