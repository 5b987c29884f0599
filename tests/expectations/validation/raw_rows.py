"""Raw rows as the reader of CSV files returns them."""

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from expectations.contracts.contract import FileContract
from tests.frames import frame


def raw_rows(spark: SparkSession, contract: FileContract, *rows: tuple[Any, ...]) -> DataFrame:
    """Well-formed rows of one file, each given as its texts."""
    texts = (*contract.source_columns, "source_file", "malformed_row", "undecoded_row", "ill_quoted_row")
    columns = [*[f"{name} string" for name in texts], "lines int", "forms array<string>"]
    read = ("file.csv", None, None, None, 1, None)
    return frame(spark, ", ".join(columns), *[(*row, *read) for row in rows])
