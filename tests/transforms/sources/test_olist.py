"""Payments attributed to people, and payments that are excluded."""

from datetime import date

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.frames import assert_same_rows, at, frame, money
from transforms import schemas
from transforms.sources.counted import Counted
from transforms.sources.olist import attributed_payments, exclusion_totals, order_totals, transactions

AS_OF = date(2018, 6, 30)


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> dict[str, DataFrame]:
    def order(order_id: str, customer_id: str, status: str | None, time: str) -> tuple[object, ...]:
        return (order_id, customer_id, status, at(time), None, None, None, None)

    return {
        "customers": frame(
            spark,
            schemas.CUSTOMERS,
            ("c1", "ann", "09790", "sao paulo", "SP"),
            ("c2", "ann", "09790", "sao paulo", "SP"),
            ("c3", "bob", None, None, None),
        ),
        "orders": frame(
            spark,
            schemas.ORDERS,
            order("o1", "c1", "delivered", "2018-01-01 10:00:00"),
            order("o2", "c2", "canceled", "2018-06-30 23:59:59"),
            order("o3", "c3", "delivered", "2018-07-01 00:00:00"),
            order("o4", "c3", None, "2018-07-01 00:00:00"),
            order("o5", "c3", "delivered", "2018-05-01 10:00:00"),
            order("o6", "c3", "created", "2018-05-01 10:00:00"),
        ),
        "payments": frame(
            spark,
            schemas.PAYMENTS,
            ("o1", 1, "credit_card", 3, money("10")),
            ("o1", 2, "voucher", 1, money("5.5")),
            ("o2", 1, "boleto", 1, money("20")),
            ("o3", 1, "boleto", 1, money("40")),
            ("o4", 1, "boleto", 1, money("80")),
        ),
    }


def test_a_transaction_is_a_payment_with_the_person_and_the_time_of_its_order(
    spark: SparkSession, tables: dict[str, DataFrame]
) -> None:
    attributed = attributed_payments(**tables, counted=Counted(date(2018, 12, 31)))
    assert_same_rows(
        transactions(attributed=attributed),
        frame(
            spark,
            schemas.TRANSACTIONS,
            ("o1", 1, "ann", at("2018-01-01 10:00:00"), money("10")),
            ("o1", 2, "ann", at("2018-01-01 10:00:00"), money("5.5")),
            ("o2", 1, "ann", at("2018-06-30 23:59:59"), money("20")),
            ("o3", 1, "bob", at("2018-07-01 00:00:00"), money("40")),
            ("o4", 1, "bob", at("2018-07-01 00:00:00"), money("80")),
        ),
    )


def test_a_purchase_on_the_last_second_of_as_of_counts_and_one_a_second_later_does_not(
    tables: dict[str, DataFrame],
) -> None:
    attributed = attributed_payments(**tables, counted=Counted(AS_OF))
    counted = {row["order_id"] for row in transactions(attributed=attributed).collect()}
    assert counted == {"o1", "o2"}


def test_only_the_requested_order_statuses_count_and_null_is_none_of_them(
    tables: dict[str, DataFrame],
) -> None:
    attributed = attributed_payments(**tables, counted=Counted(date(2018, 12, 31), ("delivered",)))
    counted = {row["order_id"] for row in transactions(attributed=attributed).collect()}
    assert counted == {"o1", "o3"}


def test_each_excluded_payment_and_each_order_is_totalled_under_one_cause(tables: dict[str, DataFrame]) -> None:
    attributed = attributed_payments(**tables, counted=Counted(AS_OF, ("delivered",)))
    columns = [total.alias(name) for name, total in {**exclusion_totals(), **order_totals()}.items()]
    totals = attributed.agg(*columns).first()
    assert totals is not None
    # o2 (20) and o4 (80, which is late too) have another status; o3 (40) is late.
    assert totals.asDict(recursive=True) == {
        "order_status_not_counted": {"rows": 2, "money": money("100")},
        "purchased_after_as_of": {"rows": 1, "money": money("40")},
        "purchased_before_window": {"rows": 0, "money": None},
        # o1 counts, o5 has no payment, o2, o4 and o6 have another status, and o3 is late.
        "orders_counted": 1,
        "without_payments": 1,
        "orders_order_status_not_counted": 3,
        "orders_purchased_after_as_of": 1,
        "orders_purchased_before_window": 0,
    }


def test_a_purchase_before_the_window_is_excluded_by_that_name(tables: dict[str, DataFrame]) -> None:
    # Two months up to the last of June begin on the first of May. o1, of January, is earlier; o3 and o4 are late.
    attributed = attributed_payments(**tables, counted=Counted(AS_OF, window_months=2))
    counted = {row["order_id"] for row in transactions(attributed=attributed).collect()}
    [totals] = attributed.agg(*[total.alias(name) for name, total in exclusion_totals().items()]).collect()
    assert counted == {"o2"}
    assert totals["purchased_before_window"].asDict() == {"rows": 2, "money": money("15.5")}


@pytest.mark.parametrize(
    ("as_of", "months", "first"),
    [
        ("2018-10-17", 12, "2017-10-18"),
        ("2018-10-17", 1, "2018-09-18"),
        ("2018-12-31", 12, "2018-01-01"),
        # February has no 31st, so its last day takes the place.
        ("2018-03-31", 1, "2018-03-01"),
        ("2016-03-31", 1, "2016-03-01"),
        ("2018-01-31", 13, "2017-01-01"),
        # Before the first year of the calendar.
        ("2018-01-31", 99_999, "0001-01-01"),
    ],
)
def test_a_window_of_months_begins_on_the_day_after_that_of_the_earlier_month(
    as_of: str, months: int, first: str
) -> None:
    assert Counted(date.fromisoformat(as_of), window_months=months).first_day == date.fromisoformat(first)


def test_without_a_window_no_day_is_too_early() -> None:
    assert Counted(AS_OF).first_day is None
