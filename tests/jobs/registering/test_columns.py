"""The columns of registered tables, as other rooms and Athena have them."""

import json
from pathlib import Path

import pytest
from pyspark.sql.types import ArrayType, StringType, StructField

from jobs.registering.columns import athena_type, columns_json
from transforms.figure_schemas import FIGURES
from transforms.schemas import TABLES

WRITTEN = Path(__file__).parents[3] / "deploy" / "quicksight" / "columns.json"


def test_the_file_for_deploy_is_that_of_the_schemas() -> None:
    assert WRITTEN.read_text(encoding="utf-8") == columns_json()


def test_every_table_is_there_with_its_columns_in_order() -> None:
    tables = json.loads(columns_json())
    assert list(tables) == [*TABLES, *FIGURES]
    assert tables["payments"] == [
        {"name": "order_id", "type": "string"},
        {"name": "payment_sequential", "type": "int"},
        {"name": "payment_type", "type": "string"},
        {"name": "payment_installments", "type": "int"},
        {"name": "payment_value", "type": "decimal(18,4)"},
    ]


def test_types_are_those_that_athena_is_known_to_read() -> None:
    types = {column["type"] for columns in json.loads(columns_json()).values() for column in columns}
    assert types == {"string", "int", "bigint", "double", "decimal(18,4)", "timestamp", "date", "boolean"}


def test_a_type_that_nobody_checked_is_refused() -> None:
    with pytest.raises(TypeError, match="column reasons: no type in Athena for array<string>"):
        athena_type(StructField("reasons", ArrayType(StringType())))
