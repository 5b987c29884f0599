"""Purchases by month."""

from pyspark.sql import SparkSession

from tests.frames import at, frame, money
from transforms import schemas
from transforms.rollups import purchases_by_month


def test_a_month_has_its_purchases_its_customers_and_its_money_less_returns(spark: SparkSession) -> None:
    purchases = frame(
        spark,
        schemas.PURCHASES,
        ("ann", at("2018-01-01 00:00:00"), money("10")),
        ("ann", at("2018-01-31 23:59:59"), money("5.50")),
        ("bob", at("2018-01-15 08:00:00"), money("-2")),
        ("bob", at("2018-03-01 08:00:00"), money("0")),
    )
    by_month = purchases_by_month(purchases=purchases)
    rows = {str(row["month"]): (row["purchases"], row["customers"], row["money"]) for row in by_month.collect()}
    assert rows == {"2018-01-01": (2, 2, money("13.50")), "2018-03-01": (1, 1, money("0"))}
