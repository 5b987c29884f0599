"""Schemas and keys."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from tests.frames import frame, money
from transforms import schemas
from transforms.schemas import KEYS, columns_of


@pytest.mark.parametrize("table", KEYS)
def test_a_key_has_columns_of_its_table(table: str) -> None:
    schema = getattr(schemas, table.upper())
    assert isinstance(schema, StructType)
    assert set(KEYS[table]) <= set(schema.fieldNames())


def test_money_that_does_not_fit_is_an_error(spark: SparkSession) -> None:
    wide = frame(spark, schemas.PURCHASES, ("ann", None, money("1"))).selectExpr(
        "customer_unique_id", "order_purchase_time", "cast('123456789012345.0' as decimal(28,4)) value"
    )
    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        wide.select(*columns_of(schemas.PURCHASES)).collect()
