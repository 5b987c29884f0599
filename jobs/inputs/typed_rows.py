"""Typed rows, of Parquet files or of a table, as the text that the rules validate."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    FractionalType,
    IntegerType,
    LongType,
    ShortType,
    StructField,
    TimestampNTZType,
    TimestampType,
)

from expectations.rules.row_rules import SOURCE_FILE
from expectations.validation.records import cells_as_read
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.diagnosis import listed
from jobs.inputs.input_files import RawInput
from jobs.storage.uris import escape_glob
from transforms.schemas import name_of

SMALLEST_PLAIN, LARGEST_PLAIN = 1e-3, 1e7
"""Java writes floating-point numbers between these without an exponent."""
LAST_YEAR = 9999
"""Of the times whose text has four digits for the year."""
SMALLEST_NANOSECONDS, LARGEST_NANOSECONDS = 10**17, 2**63 - 1
"""Since 1970, of the times between 1973 and 2262."""


def read_typed(session: SparkSession, raw: RawInput) -> DataFrame:
    """Read the rows of Parquet files or of a table as `records` returns those of CSV.

    A value is written out exactly, as a text that stands for it alone. So the rules of the file hold for Parquet too,
    and a floating-point number that is no amount of money is rejected and not rounded.

    Raises:
        ConfigurationError: A column has a type that can mean two things.
        DataError: A column that is needed is missing.
    """
    contract = raw.contract
    if raw.table is not None:
        rows, name, place = raw.table.read(session), f"table {raw.table.name}", F.lit(f"table:{raw.table.name}")
    else:
        rows = session.read.parquet(*[escape_glob(uri) for uri in raw.uris])
        name, place = raw.files[0].path, F.col("_metadata.file_path")
    names = {column: contract.file_name(column) for column in contract.source_columns}
    missing = [column for column, in_file in names.items() if in_file not in rows.columns]
    refused = [column for column in missing if not contract.may_be_missing(column)]
    if refused:
        advice = f"Rename the column, or check that this is the {contract.table} file"
        raise DataError(
            f"{name}: no column {listed([names[column] for column in refused])} (found: {listed(rows.columns)}). "
            f"{'Correct the mapping' if contract.file_names else advice}"
        )
    present = {column: in_file for column, in_file in names.items() if column not in missing}
    for column, in_file in present.items():
        cause = contract.type_incompatibility(column, rows.schema[in_file].dataType)
        if cause is not None:
            raise ConfigurationError(f"{name}: {cause}. Correct the mapping")
    types = contract.cells.types
    columns = [place.alias(SOURCE_FILE)]
    for column, in_file in present.items():
        field, data_type = rows.schema[in_file], types[column]
        columns.append(_as_text(field, data_type, decimal_comma=contract.decimal_comma).alias(column))
        if _holds(data_type, field.dataType):
            columns.append(_value_of(field, data_type).alias(contract.cells.value_column(column)))
    return cells_as_read(cells=rows.select(*columns), contract=contract.without_columns(missing))


def _holds(data_type: DataType, other: DataType) -> bool:
    """Whether a type holds every value of another exactly, so that a value need not be parsed from its text."""
    if isinstance(data_type, TimestampType):
        return isinstance(other, TimestampType | TimestampNTZType)
    if isinstance(data_type, DecimalType) and isinstance(other, DecimalType):
        digits = data_type.precision - data_type.scale
        return other.scale <= data_type.scale and other.precision - other.scale <= digits
    return isinstance(data_type, IntegerType | DecimalType) and isinstance(other, ByteType | ShortType | IntegerType)


def _value_of(column: StructField, data_type: DataType) -> Column:
    """A value in its type; null for a time of a year that its text does not stand for, so that both say the same."""
    value = _named(column)
    if isinstance(data_type, TimestampType):
        value = F.when(F.year(value).between(1, LAST_YEAR), value)
    return value.cast(name_of(data_type))


def _named(column: StructField) -> Column:
    return F.col("`" + column.name.replace("`", "``") + "`")


def _as_text(column: StructField, data_type: DataType, *, decimal_comma: bool) -> Column:
    """A column as text in which the rules read a value of their type; a number with the decimal sign that they read."""
    value = _named(column)
    text = value.cast("string")
    if isinstance(column.dataType, LongType):
        # A time in nanoseconds, which pandas writes and Spark reads as a number. No other number is as large.
        is_time = F.abs(value).between(SMALLEST_NANOSECONDS, LARGEST_NANOSECONDS) & (value % 1000 == 0)
        time = F.timestamp_micros((F.when(is_time, value) / 1000).cast("long")).cast("string")
        text = F.when(is_time & F.lit(isinstance(data_type, TimestampType)), time).otherwise(text)
    if isinstance(column.dataType, DoubleType | FloatType):
        is_plain = F.abs(value).between(SMALLEST_PLAIN, LARGEST_PLAIN) | (value == 0)
        text = F.when(F.isnan(value), None).when(is_plain, text)
        text = text.otherwise(value.cast("string").try_cast("decimal(38,17)").cast("string"))
    if decimal_comma and isinstance(data_type, DecimalType) and isinstance(column.dataType, FractionalType):
        text = F.replace(text, F.lit("."), F.lit(","))
    return text
