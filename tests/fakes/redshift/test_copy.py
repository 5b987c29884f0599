"""COPY: from objects in a bucket into a table, and what it rejects of each format."""

import io
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pytest
from pyarrow import parquet as pq
from pyspark.sql import SparkSession

from tests.fakes.environment import COPY_ROLE, WORKGROUP
from tests.fakes.redshift.copy_files import BadRowError, Column, csv_rows, parquet_rows
from tests.fakes.redshift.copy_statement import parse_copy
from tests.fakes.redshift.data_api import DataApi
from tests.fakes.redshift.errors import RedshiftError
from tests.frames import at

CREATE_T = (
    "create table t (id varchar(4) not null, n integer, big bigint, money numeric(18,4), "
    "at timestamp, d double precision, day date, ok boolean)"
)
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
NULL_ROW = ("x2", None, None, None, None, None, None, None)


def parquet(rows: list[tuple[Any, ...]], schema: pa.Schema = SCHEMA, **options: Any) -> bytes:
    """A Parquet file as Spark writes it, with legacy decimals and INT96 timestamps."""
    columns = [pa.array(values, type=field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    file = io.BytesIO()
    options = {"use_deprecated_int96_timestamps": True, "store_decimal_as_integer": False} | options
    pq.write_table(pa.table(columns, schema=schema), file, **options)
    return file.getvalue()


class CopyClient:
    """Puts objects into a bucket, and sends COPY statements that load them."""

    def __init__(self, s3: Any, bucket: str, database: str) -> None:
        self.s3, self.bucket, self.database = s3, bucket, database
        self.client = boto3.client("redshift-data")
        self.entries: list[dict[str, Any]] = []
        self.run(CREATE_T)

    def put(self, key: str, content: bytes, **meta: Any) -> None:
        """Put an object, and add an entry for it to the manifest."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        meta = {"content_length": len(content)} | meta
        self.entries.append({"url": f"s3://{self.bucket}/{key}", "mandatory": True, "meta": meta})

    def copy(self, options: str = "format as parquet manifest", *, table: str = "t", key: str = "load.manifest") -> str:
        """Write the manifest, load, and return the error; empty if there is none."""
        manifest = json.dumps({"entries": self.entries}).encode()
        self.s3.put_object(Bucket=self.bucket, Key="load.manifest", Body=manifest)
        return self.run(f"copy {table} from 's3://{self.bucket}/{key}' iam_role '{COPY_ROLE}' {options}")

    def run(self, sql: str) -> str:
        """Run one statement, and return its error; empty if there is none."""
        response = self.client.execute_statement(Sql=sql, WaitTimeSeconds=20, **WORKGROUP)
        self.description = self.client.describe_statement(Id=response["Id"])
        return str(self.description.get("Error", ""))

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows of the table."""
        with psycopg.connect(self.database) as connection:
            return connection.execute("select * from t order by id").fetchall()


@pytest.fixture
def copy_client(data_api: DataApi, s3: Any, bucket: str) -> CopyClient:
    return CopyClient(s3, bucket, data_api.databases["dev"])


def test_parquet_files_of_a_manifest_are_loaded(copy_client: CopyClient) -> None:
    copy_client.put("run/part-0.parquet", parquet([ROW]))
    copy_client.put("run/part-1.parquet", parquet([NULL_ROW]))
    copy_client.s3.put_object(Bucket=copy_client.bucket, Key="run/part-2.parquet", Body=b"a stray object")
    assert copy_client.copy() == ""
    assert copy_client.description["ResultRows"] == 2
    assert copy_client.rows() == [ROW, NULL_ROW]


def test_a_file_with_too_few_columns_is_rejected(copy_client: CopyClient) -> None:
    copy_client.put("part-0.parquet", parquet([ROW[:7]], pa.schema(list(SCHEMA)[:7])))
    assert "Unmatched number of columns between table and file. Table columns: 8, Data columns: 7" in copy_client.copy()
    columns = "t (id, n, big, money, at, d, day)"
    assert copy_client.copy(table=columns) == ""
    assert copy_client.rows() == [(*ROW[:7], None)]


def test_texts_are_measured_in_bytes(copy_client: CopyClient) -> None:
    copy_client.put("part-0.parquet", parquet([("ééé", *ROW[1:])]))
    assert "The length of the data column id is longer than the length defined in the table t. Table: 4, Data: 6" in (
        copy_client.copy()
    )


def test_a_null_in_a_not_null_column_is_rejected(copy_client: CopyClient) -> None:
    copy_client.put("part-0.parquet", parquet([(None, *ROW[1:])]))
    assert copy_client.copy() == "ERROR: Cannot insert a NULL value into column id"


def corrupt_size(copy_client: CopyClient) -> None:
    copy_client.entries[0]["meta"]["content_length"] += 1


def corrupt_meta(copy_client: CopyClient) -> None:
    del copy_client.entries[0]["meta"]


def corrupt_object(copy_client: CopyClient) -> None:
    copy_client.s3.delete_object(Bucket=copy_client.bucket, Key="part-0.parquet")


def corrupt_entries(copy_client: CopyClient) -> None:
    copy_client.entries.clear()


def corrupt_content(copy_client: CopyClient) -> None:
    copy_client.entries.clear()
    copy_client.put("part-0.parquet", b"id,n")


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (corrupt_size, "Manifest says content_length"),
        (corrupt_meta, "without meta.content_length"),
        (corrupt_object, "The specified key does not exist"),
        (corrupt_entries, "not in correct json format"),
        (corrupt_content, "is not a valid Parquet file"),
    ],
)
def test_a_manifest_that_does_not_match_its_objects_is_rejected(
    copy_client: CopyClient, corrupt: Callable[[CopyClient], None], message: str
) -> None:
    copy_client.put("part-0.parquet", parquet([ROW]))
    corrupt(copy_client)
    assert message in copy_client.copy()
    assert copy_client.rows() == []


def test_an_object_that_is_not_mandatory_may_be_missing(copy_client: CopyClient) -> None:
    copy_client.put("part-0.parquet", parquet([ROW]))
    copy_client.entries.append({"url": f"s3://{copy_client.bucket}/none", "meta": {"content_length": 1}})
    assert copy_client.copy() == ""


def test_an_unknown_role_and_an_unknown_table_are_rejected(copy_client: CopyClient) -> None:
    assert "Cannot COPY into nonexistent table u" in copy_client.copy(table="u")
    other = "arn:aws:iam::123456789012:role/other"
    assert "is not authorized to assume IAM Role" in copy_client.run(
        f"copy t from 's3://b/k' iam_role '{other}' parquet"
    )
    assert "COPY requires authorization" in copy_client.run("copy t from 's3://b/k' parquet")


CSV = b'id,n,big,money,at,d,day,ok\n"a,1",1,,10.99999,2018-01-01 10:00:00,,2018-01-01,t\nb,,,,,,,\n'


def test_csv_files_load_by_prefix_without_their_headers(copy_client: CopyClient) -> None:
    copy_client.put("raw/t.csv", CSV)
    copy_client.put("raw/t.csv.bak", CSV.replace(b"a,1", b"c").replace(b"\nb", b"\nd"))
    assert copy_client.copy("csv ignoreheader 1 maxerror 0", key="raw/t.csv") == ""
    first = ("a,1", 1, None, Decimal("10.9999"), at("2018-01-01 10:00:00"), None, date(2018, 1, 1), True)
    empty = (None,) * 7
    assert copy_client.rows() == [first, ("b", *empty), ("c", *first[1:]), ("d", *empty)]


def test_the_first_bad_row_of_a_csv_fails_the_load_without_its_reason(copy_client: CopyClient) -> None:
    copy_client.put("t.csv", CSV + b"a,x,,,,,,")
    message = "ERROR: Load into table 't' failed. Check 'sys_load_error_detail' system table for details."
    assert copy_client.copy("csv ignoreheader 1", key="t.csv") == message
    assert copy_client.rows() == []


def test_with_maxerror_10_nine_bad_rows_are_dropped_silently(copy_client: CopyClient) -> None:
    copy_client.put("t.csv", CSV + b"c,x,,,,,,\n" * 9)
    assert copy_client.copy("IGNOREHEADER 1 MAXERROR 10 csv", key="t.csv") == ""
    assert len(copy_client.rows()) == 2
    copy_client.put("t.csv", CSV + b"c,x,,,,,,\n" * 10)
    assert "failed" in copy_client.copy("ignoreheader 1 maxerror 10 csv", key="t.csv")


@pytest.mark.parametrize(
    ("position", "file_type", "options"),
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
def test_a_physical_type_other_than_the_columns_is_rejected(
    position: int, file_type: pa.DataType, options: dict[str, Any]
) -> None:
    content = parquet([(None,) * 8], SCHEMA.set(position, pa.field("x", file_type)), **options)
    with pytest.raises(RedshiftError, match=r"has an incompatible Parquet schema for column 's3://b/k\.x'"):
        list(parquet_rows(content, COLUMNS, url="s3://b/k", table="t"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("format parquet manifest region 'eu-west-1'", "REGION argument is not supported for PARQUET based COPY"),
        ("format parquet maxerror 1", "MAXERROR argument is not supported"),
        ("format parquet csv", "conflicting or redundant options"),
        ("format avro", 'syntax error at or near "AVRO"'),
        ("format parquet; drop table t", 'syntax error at or near ";"'),
        ("parquet manifest manifest", "conflicting or redundant options"),
    ],
)
def test_options_that_the_format_does_not_have_are_rejected(options: str, message: str) -> None:
    with pytest.raises(RedshiftError) as rejection:
        parse_copy(f"copy t from 's3://b/k' iam_role '{COPY_ROLE}' {options}")
    assert message in str(rejection.value)


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
def test_a_bad_row_of_a_csv_has_a_reason(line: bytes, reason: str) -> None:
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
    previous = {name: spark.conf.get(name) for name in settings}
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
        for name, value in previous.items():
            spark.conf.set(name, value)
