"""Short notations for the values and frames of tests."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import ArrayType, DataType, StructType


def at(text: str) -> datetime:
    """A timestamp, in the source's notation ``2018-01-01 10:00:00``."""
    return datetime.fromisoformat(text)


def money(text: str) -> Decimal:
    """An amount with four decimals, as the tables have it."""
    return Decimal(text).quantize(Decimal("0.0001"))


def measured(
    customer: str, *, weeks: int, purchases: int, total: str, last: str = "2018-01-01 00:00"
) -> tuple[Any, ...]:
    """A row of `schemas.MEASURES`, of a customer whose first and last purchase were at one moment."""
    average = money(str(Decimal(total) / purchases))
    times = (at("2018-10-17 23:59:59"), at(last), at(last))
    return (customer, *times, 7 * weeks, weeks, 7 * weeks, purchases, average, money(total))


def frame(spark: SparkSession, schema: StructType | str, *rows: tuple[Any, ...]) -> DataFrame:
    """A frame with the schema of a table.

    The rows go to Java in Arrow's format. From a list, Spark would start Python each time that it reads them.
    """
    columns = StructType.fromDDL(schema) if isinstance(schema, str) else schema
    types = to_arrow_schema(columns)
    values = [tuple(map(_arrow_value, row, (field.dataType for field in columns))) for row in rows]
    arrays = [pa.array([row[place] for row in values], type_) for place, type_ in enumerate(types.types)]
    return spark.createDataFrame(pa.Table.from_arrays(arrays, schema=types), columns)


def _arrow_value(value: Any, type_: DataType) -> Any:
    """A value as Arrow takes it: a struct is a dictionary."""
    if isinstance(type_, ArrayType) and value is not None:
        return [_arrow_value(each, type_.elementType) for each in value]
    if isinstance(type_, StructType) and value is not None:
        names = type_.fieldNames()
        return {name: _arrow_value(each, type_[name].dataType) for name, each in zip(names, value, strict=True)}
    return value


def assert_same_rows(actual: DataFrame, expected: DataFrame) -> None:
    """Assert that two frames have the same columns, types and rows. The order and nullability may differ."""
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_nullable=True)
