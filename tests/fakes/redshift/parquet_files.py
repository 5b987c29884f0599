"""Small Parquet files for tests, with a column of each type that the tables have, as Spark writes them."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from tests.fakes.redshift.columns import Column
from tests.frames import at

TYPES = (
    "character varying(4)",
    "integer",
    "bigint",
    "numeric(18,4)",
    "timestamp without time zone",
    "double precision",
    "date",
    "boolean",
)
COLUMNS = [Column(name, type_name, not_null=False) for name, type_name in zip("abcdefgh", TYPES, strict=True)]
SCHEMA = pa.schema(
    [
        ("a", pa.string()),
        ("b", pa.int32()),
        ("c", pa.int64()),
        ("d", pa.decimal128(18, 4)),
        ("e", pa.timestamp("us")),
        ("f", pa.float64()),
        ("g", pa.date32()),
        ("h", pa.bool_()),
    ]
)
ROW = ("x1", 1, 2**40, Decimal("10.5000"), at("2018-01-01 10:00:00"), 0.1, date(2018, 1, 1), True)
NULLS = ("x2", None, None, None, None, None, None, None)


def parquet(rows: list[tuple[Any, ...]], schema: pa.Schema = SCHEMA, **options: Any) -> bytes:
    """A file as Spark writes it with legacy decimals and INT96 times."""
    columns = [pa.array(values, type=field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    file = io.BytesIO()
    options = {"use_deprecated_int96_timestamps": True, "store_decimal_as_integer": False} | options
    pq.write_table(pa.table(columns, schema=schema), file, **options)
    return file.getvalue()
