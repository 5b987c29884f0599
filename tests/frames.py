"""Short ways to write a frame down in a test."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType


def at(text: str) -> datetime:
    """A moment, as the source writes it."""
    return datetime.fromisoformat(text)


def money(text: str) -> Decimal:
    """An amount, as the tables hold it."""
    return Decimal(text).quantize(Decimal("0.0001"))


def frame(spark: SparkSession, schema: StructType, *rows: tuple[Any, ...]) -> DataFrame:
    """A frame of a table."""
    return spark.createDataFrame(list(rows), schema)


def assert_same_rows(found: DataFrame, expected: DataFrame) -> None:
    """Same columns, same types, same rows, each as often; in any order."""
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)
