"""Short notations for the values and frames of tests."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType


def at(text: str) -> datetime:
    """A timestamp, in the source's notation ``2018-01-01 10:00:00``."""
    return datetime.fromisoformat(text)


def money(text: str) -> Decimal:
    """An amount with four decimals, as the tables have it."""
    return Decimal(text).quantize(Decimal("0.0001"))


def frame(spark: SparkSession, schema: StructType, *rows: tuple[Any, ...]) -> DataFrame:
    """A frame with the schema of a table."""
    return spark.createDataFrame(list(rows), schema)


def assert_same_rows(actual: DataFrame, expected: DataFrame) -> None:
    """Assert that two frames have the same columns, types and rows. The order and nullability may differ."""
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_nullable=True)
