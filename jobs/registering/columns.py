"""Writes the columns of all tables that are registered, with their types in Athena, for what may not import Spark.

``python -m jobs.registering.columns`` prints them as JSON.
"""

import json
import sys
from collections.abc import Mapping
from types import MappingProxyType

from pyspark.sql.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from transforms.figure_schemas import FIGURES
from transforms.schemas import TABLES

REGISTERED: Mapping[str, StructType] = MappingProxyType({**TABLES, **FIGURES})
"""The tables that are registered, by name: those of a run, and the figures of its report."""

SAME_IN_ATHENA = (
    *(BooleanType, DateType, DecimalType, DoubleType, FloatType),
    *(IntegerType, LongType, StringType, TimestampType),
)
"""Types that Athena writes as Spark does, such as ``int`` and ``decimal(18,4)``."""


def athena_type(field: StructField) -> str:
    """A column's type in the Glue Data Catalog, and so in Athena's DDL.

    Raises:
        TypeError: Nobody has checked how Athena reads the type.
    """
    if not isinstance(field.dataType, SAME_IN_ATHENA):
        raise TypeError(f"column {field.name}: no type in Athena for {field.dataType.simpleString()}")
    return field.dataType.simpleString()


def columns_json() -> str:
    """Name and type of each column, in order, by table. A column has a line."""
    tables = [f'  "{table}": [\n{_lines(schema)}\n  ]' for table, schema in REGISTERED.items()]
    return "{\n" + ",\n".join(tables) + "\n}\n"


def _lines(schema: StructType) -> str:
    columns = [{"name": field.name, "type": athena_type(field)} for field in schema]
    return ",\n".join(f"    {json.dumps(column)}" for column in columns)


if __name__ == "__main__":
    sys.stdout.write(columns_json())
