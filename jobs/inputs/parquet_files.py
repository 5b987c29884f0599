"""Parquet files of a raw table as the text that the rules validate."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, FloatType, LongType, StructField, TimestampType

from expectations.rules.row_rules import SOURCE_FILE
from expectations.validation.records import cells_as_read
from jobs.errors import DataError
from jobs.inputs.diagnosis import listed
from jobs.inputs.input_files import RawInput
from jobs.storage.uris import escape_glob

SMALLEST_PLAIN, LARGEST_PLAIN = 1e-3, 1e7
"""Java writes floating-point numbers between these without an exponent."""
SMALLEST_NANOSECONDS, LARGEST_NANOSECONDS = 10**17, 2**63 - 1
"""Since 1970, of the times between 1973 and 2262."""


def read_parquet(session: SparkSession, source: RawInput) -> DataFrame:
    """Read the rows of Parquet files as `records` returns those of CSV.

    A value is written out exactly, as a text that stands for it alone. So the rules of the file hold for Parquet too,
    and a floating-point number that is no amount of money is rejected and not rounded.

    Raises:
        DataError: The files lack a column that is needed.
    """
    contract = source.contract
    rows = session.read.parquet(*[escape_glob(uri) for uri in source.uris])
    missing = [name for name in contract.source_columns if name not in rows.columns]
    refused = [name for name in missing if not contract.may_be_missing(name)]
    if refused:
        raise DataError(
            f"{source.files[0].path}: no column {listed(refused)} (found: {listed(rows.columns)}). "
            f"Rename the column, or check that this is the {contract.table} file"
        )
    types = contract.cells.types
    texts = [
        _as_text(field, is_time_column=isinstance(types[field.name], TimestampType))
        for field in rows.schema.fields
        if field.name in types
    ]
    return cells_as_read(
        cells=rows.select(*texts, F.col("_metadata.file_path").alias(SOURCE_FILE)),
        contract=contract.without_columns(missing),
    )


def _as_text(column: StructField, *, is_time_column: bool) -> Column:
    value = F.col(f"`{column.name}`")
    text = value.cast("string")
    if isinstance(column.dataType, LongType):
        # A time in nanoseconds, which pandas writes and Spark reads as a number. No other number is as large.
        is_time = F.abs(value).between(SMALLEST_NANOSECONDS, LARGEST_NANOSECONDS) & (value % 1000 == 0)
        time = F.timestamp_micros((F.when(is_time, value) / 1000).cast("long")).cast("string")
        text = F.when(is_time & F.lit(is_time_column), time).otherwise(text)
    if isinstance(column.dataType, DoubleType | FloatType):
        is_plain = F.abs(value).between(SMALLEST_PLAIN, LARGEST_PLAIN) | (value == 0)
        text = F.when(F.isnan(value), None).when(is_plain, text)
        text = text.otherwise(value.cast("string").try_cast("decimal(38,17)").cast("string"))
    return text.alias(column.name)
