"""Raw rows as the reader of CSV files returns them."""

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from expectations.contracts.contract import FileContract
from tests.frames import frame


def raw_rows(spark: SparkSession, contract: FileContract, *rows: tuple[Any, ...]) -> DataFrame:
    """Well-formed rows of one file, each given as its texts."""
    names = (*contract.source_columns, "source_file", "malformed_row")
    return frame(spark, ", ".join(f"{name} string" for name in names), *[(*row, "file.csv", None) for row in rows])
