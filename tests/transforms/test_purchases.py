"""Payments merged into purchases."""

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.frames import assert_same_rows, at, frame, money
from transforms import schemas
from transforms.purchases import first_payments, purchases, purchases_of_one_payment

NOON = at("2018-01-01 12:00:00")
LATER = at("2018-01-01 12:00:01")


@pytest.fixture(scope="module")
def paid(spark: SparkSession) -> DataFrame:
    return frame(
        spark,
        schemas.TRANSACTIONS,
        ("o1", 2, "ann", NOON, money("5.50")),
        ("o1", 1, "ann", NOON, money("10.00")),
        ("o0", 3, "ann", NOON, money("0.01")),
        ("o2", 1, "ann", LATER, money("7.00")),
        ("o3", 1, "bob", NOON, money("1.00")),
    )


def test_payments_of_one_customer_at_one_moment_are_one_purchase_across_orders(
    spark: SparkSession, paid: DataFrame
) -> None:
    assert_same_rows(
        purchases(transactions=paid),
        frame(
            spark,
            schemas.PURCHASES,
            ("ann", NOON, money("15.51")),
            ("ann", LATER, money("7.00")),
            ("bob", NOON, money("1.00")),
        ),
    )


def test_the_workshops_way_picks_the_first_payment_of_the_lowest_order(spark: SparkSession, paid: DataFrame) -> None:
    picked = first_payments(transactions=paid)
    others = {row["customer_unique_id"]: (row["other_payments"], row["other_value"]) for row in picked.collect()
              if row["order_purchase_time"] == NOON}  # fmt: skip
    assert others == {"ann": (2, money("15.50")), "bob": (0, money("0"))}
    assert_same_rows(
        purchases_of_one_payment(picked=picked),
        frame(
            spark,
            schemas.PURCHASES,
            ("ann", NOON, money("0.01")),
            ("ann", LATER, money("7.00")),
            ("bob", NOON, money("1.00")),
        ),
    )


def test_a_hundred_payments_of_ten_cents_are_ten_to_the_last_digit(spark: SparkSession) -> None:
    parts = frame(spark, schemas.TRANSACTIONS, *[("o1", n, "ann", NOON, money("0.1")) for n in range(100)])
    assert purchases(transactions=parts).first() == ("ann", NOON, money("10"))
