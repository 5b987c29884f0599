"""Customers counted by cell and by range of values."""

from decimal import Decimal

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.frames import frame, money
from transforms.rfm.distributions import CELLS, cell_of, customer_counts, range_of

SCORED = (
    "r_score int, f_score int, m_score int, purchase_count bigint, total_value decimal(18,4), "
    "days_since_last_purchase int"
)


def test_each_customer_is_counted_in_one_cell_and_in_one_range_of_each_measure(spark: SparkSession) -> None:
    rfm = frame(
        spark,
        SCORED,
        (5, 2, 5, 2, money("100"), 6),
        (5, 2, 5, 12, money("124.9999"), 7),
        (1, 1, 1, 13, money("0"), 0),
        (1, 1, 2, 1, money("-3"), 365),
    )
    rows = {
        (row["counted"], row["key"]): (row["customers"], row["purchases"], row["revenue"], row["days"])
        for row in customer_counts(rfm=rfm).collect()
    }
    hundred = 7 * 10  # 1,000,000 units of 0.0001 have seven digits; 100 begins the series
    assert rows == {
        (CELLS, 525): (2, 14, money("224.9999"), 13),
        (CELLS, 111): (1, 13, money("0"), 0),
        (CELLS, 112): (1, 1, money("-3"), 365),
        ("r", 0): (2, 15, money("100"), 6),
        ("r", 1): (1, 12, money("124.9999"), 7),
        ("r", 52): (1, 1, money("-3"), 365),
        ("f", 1): (1, 1, money("-3"), 365),
        ("f", 2): (1, 2, money("100"), 6),
        ("f", 20): (1, 12, money("124.9999"), 7),
        ("f", 21): (1, 13, money("0"), 0),
        ("m", hundred): (2, 14, money("224.9999"), 13),
        ("m", 0): (1, 13, money("0"), 0),
        ("m", -1): (1, 1, money("-3"), 365),
    }


@pytest.mark.parametrize(
    ("letter", "key", "low", "high"),
    [
        ("r", 0, "0", "7"),
        ("r", 52, "364", "371"),
        ("f", 9, "9", "10"),
        ("f", 20, "10", "12.5"),
        ("f", 29, "80", "100"),
        ("f", 30, "100", "125"),
        ("m", 10, "0.0001", "0.000125"),
        ("m", 70, "100", "125"),
        ("m", 79, "800", "1000"),
        ("m", 0, "0", "0.0001"),
        ("m", -1, None, "0"),
    ],
)
def test_a_range_has_its_bounds_in_the_unit_of_the_measure(letter: str, key: int, low: str | None, high: str) -> None:
    assert range_of(letter, key) == (None if low is None else Decimal(low), Decimal(high))


def test_every_value_is_in_the_range_of_its_key(spark: SparkSession) -> None:
    """Values about every bound, of as many digits as money may have."""
    units = sorted(
        {
            10**digits * leading // 1000 + aside
            for digits in range(1, 19)
            for leading in (1000, 1249, 1250, 1600, 3150, 7999, 9999)
            for aside in (-1, 0, 1)
        }
    )
    amounts = [Decimal(unit).scaleb(-4) for unit in units if 0 < unit < 10**18]
    rfm = frame(spark, SCORED, *[(1, 1, 1, int(amount * 10_000), amount, 0) for amount in amounts])
    counted = customer_counts(rfm=rfm).where(F.col("counted").isin("f", "m")).collect()
    for letter in ("f", "m"):
        values = amounts if letter == "m" else [amount * 10_000 for amount in amounts]
        for row in (row for row in counted if row["counted"] == letter):
            low, high = range_of(letter, row["key"])
            assert low is not None
            assert row["customers"] == sum(low <= value < high for value in values)
        assert sum(row["customers"] for row in counted if row["counted"] == letter) == len(amounts)


def test_a_key_of_cells_has_the_three_scores() -> None:
    assert cell_of(525) == (5, 2, 5)
