"""The text of raw files: which value it stands for, and how a value is written."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, IntegerType, StringType, TimestampType

# The end is \z: Java's $ matches before a line end too, which may stand inside quotes.
TIMESTAMP_TEXT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?\z"
INTEGER_TEXT = r"^[+-]?\d+\z"


def parsed(text: Column, data_type: DataType) -> Column:
    """The value that a text stands for, or null where it stands for none. Nothing is rounded, cut or guessed.

    Raises:
        TypeError: No text form is defined for the type.
    """
    match data_type:
        case StringType():
            return text
        case IntegerType():
            return F.when(text.rlike(INTEGER_TEXT), text.try_cast(data_type))
        case TimestampType():
            return F.when(text.rlike(TIMESTAMP_TEXT), text.try_cast(data_type))
        case DecimalType():
            places = rf"\d{{0,{data_type.scale}}}0*"
            return F.when(text.rlike(rf"^[+-]?\d+(\.{places})?\z"), text.try_cast(data_type))
    raise TypeError(f"no text form for {data_type.simpleString()}")


def form(data_type: DataType) -> str:
    """How a value of the type is written, in words.

    Raises:
        TypeError: No text form is defined for the type.
    """
    match data_type:
        case TimestampType():
            return "a time such as 2018-10-17 17:30:18"
        case DecimalType():
            digits = data_type.precision - data_type.scale
            return f"a number with at most {digits} digits before the point and {data_type.scale} after it"
        case IntegerType():
            return "a whole number of at most 2,147,483,647"
    raise TypeError(f"no text form for {data_type.simpleString()}")
