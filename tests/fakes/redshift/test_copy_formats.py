"""What COPY refuses of a format: options, physical types, rows of CSV."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from tests.fakes.fixtures import COPY_ROLE
from tests.fakes.redshift.copy_statement import copy_statement
from tests.fakes.redshift.csv_rows import BadRowError, csv_rows
from tests.fakes.redshift.errors import RedshiftError
from tests.fakes.redshift.parquet_files import COLUMNS, SCHEMA, parquet
from tests.fakes.redshift.parquet_rows import parquet_rows
from tests.frames import at


@pytest.mark.parametrize(
    ("position", "type_of_file", "options"),
    [
        (1, pa.int64(), {}),
        (2, pa.int32(), {}),
        (3, pa.float64(), {}),
        (3, pa.decimal128(18, 2), {}),
        (3, pa.decimal128(18, 4), {"store_decimal_as_integer": True}),
        (4, pa.timestamp("us"), {"use_deprecated_int96_timestamps": False}),
        (5, pa.float32(), {}),
        (0, pa.binary(), {}),
        (6, pa.timestamp("us"), {}),
    ],
)
def test_a_physical_type_that_is_not_the_columns_is_refused(
    position: int, type_of_file: pa.DataType, options: dict[str, Any]
) -> None:
    content = parquet([(None,) * 8], SCHEMA.set(position, pa.field("x", type_of_file)), **options)
    with pytest.raises(RedshiftError, match=r"has an incompatible Parquet schema for column 's3://b/k\.x'"):
        list(parquet_rows(content, COLUMNS, url="s3://b/k", table="t"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("format parquet manifest region 'eu-west-1'", "REGION argument is not supported for PARQUET based COPY"),
        ("format parquet maxerror 1", "MAXERROR argument is not supported"),
        ("format parquet csv", "conflicting or redundant options"),
        ("format avro", 'syntax error at or near "AVRO"'),
        ("format parquet; drop table t", 'syntax error at or near ";"'),
        ("parquet manifest manifest", "conflicting or redundant options"),
    ],
)
def test_parameters_that_do_not_go_with_the_format_are_refused(options: str, words: str) -> None:
    with pytest.raises(RedshiftError) as refused:
        copy_statement(f"copy t from 's3://b/k' iam_role '{COPY_ROLE}' {options}")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a,x,,,,,,", "Invalid digit"),
        (b"a,,,,,,,,", "Extra column"),
        (b"a,,", "Delimiter not found"),
        (b"abcde,,,,,,,", "String length exceeds DDL length"),
        (b"a,2147483648,,,,,,", "Overflow for integer"),
        (b'a,"1"2,,,,,,', "Invalid quote formatting"),
        (b"a,,,123456789012345,,,,", "Numeric data overflow"),
        (b"a,,,,2018-13-01 00:00:00,,,", "Invalid timestamp format or value"),
        (b"\xff,,,,,,,", "invalid or unsupported UTF8"),
        (b"a,,,,,,,maybe", "Unknown boolean format"),
    ],
)
def test_a_bad_row_of_a_csv_has_its_reason(line: bytes, reason: str) -> None:
    rows = list(csv_rows(b"id\n" + line, COLUMNS, header_lines=1, empty_as_null=False))
    assert [type(row) for row in rows] == [BadRowError]
    assert reason in str(rows[0])


def test_files_that_spark_writes_load_with_two_settings_and_not_without(spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.sql("""select 'x1' a, 1 b, 2L c, cast(10.5 as decimal(18,4)) d, timestamp '2018-01-01 10:00:00' e,
                                0.1D f, date '2018-01-01' g, true h""")

    def rows_of(name: str) -> list[tuple[Any, ...]]:
        frame.coalesce(1).write.parquet(str(tmp_path / name))
        (file,) = (tmp_path / name).glob("*.parquet")
        return list(parquet_rows(file.read_bytes(), COLUMNS, url=name, table="t"))

    settings = {"spark.sql.parquet.writeLegacyFormat": "true", "spark.sql.parquet.outputTimestampType": "INT96"}
    kept = {name: spark.conf.get(name) for name in settings}
    try:
        for name, value in settings.items():
            spark.conf.set(name, value)
        assert rows_of("legacy") == [
            ("x1", 1, 2, Decimal("10.5000"), at("2018-01-01 10:00:00"), 0.1, date(2018, 1, 1), True)
        ]
        spark.conf.set("spark.sql.parquet.writeLegacyFormat", "false")
        with pytest.raises(RedshiftError, match="Column type: numeric"):
            rows_of("modern")
    finally:
        for name, value in kept.items():
            spark.conf.set(name, value)
