"""COPY as the stand-in carries it out, from a bucket into a table."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pytest

from tests.fakes.fixtures import COPY_ROLE
from tests.fakes.redshift.data_api import DataApi
from tests.fakes.redshift.parquet_files import NULLS, ROW, SCHEMA, parquet
from tests.frames import at

MAKE_T = (
    "create table t (id varchar(4) not null, n integer, big bigint, money numeric(18,4), "
    "at timestamp, d double precision, day date, ok boolean)"
)


class Loading:
    """A bucket to put objects into, and COPY statements from it."""

    def __init__(self, s3: Any, bucket: str, database: str) -> None:
        self.s3, self.bucket, self.database = s3, bucket, database
        self.client = boto3.client("redshift-data")
        self.entries: list[dict[str, Any]] = []
        self.run(MAKE_T)

    def put(self, key: str, content: bytes, **meta: Any) -> None:
        """Put an object, and an entry of it into the manifest to be."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        meta = {"content_length": len(content)} | meta
        self.entries.append({"url": f"s3://{self.bucket}/{key}", "mandatory": True, "meta": meta})

    def copy(self, options: str = "format as parquet manifest", *, table: str = "t", key: str = "load.manifest") -> str:
        """Load, and return the error, or nothing."""
        manifest = json.dumps({"entries": self.entries}).encode()
        self.s3.put_object(Bucket=self.bucket, Key="load.manifest", Body=manifest)
        return self.run(f"copy {table} from 's3://{self.bucket}/{key}' iam_role '{COPY_ROLE}' {options}")

    def run(self, sql: str) -> str:
        """Run one statement, and return its error, or nothing."""
        target = {"WorkgroupName": "segments", "Database": "dev"}
        started = self.client.execute_statement(Sql=sql, WaitTimeSeconds=20, **target)
        self.found = self.client.describe_statement(Id=started["Id"])
        return str(self.found.get("Error", ""))

    def rows(self) -> list[tuple[Any, ...]]:
        """What is in the table."""
        with psycopg.connect(self.database) as connection:
            return connection.execute("select * from t order by id").fetchall()


@pytest.fixture
def loading(data_api: DataApi, s3: Any, bucket: str) -> Loading:
    return Loading(s3, bucket, data_api.databases["dev"])


def test_parquet_files_of_a_manifest_are_loaded(loading: Loading) -> None:
    loading.put("run/part-0.parquet", parquet([ROW]))
    loading.put("run/part-1.parquet", parquet([NULLS]))
    loading.s3.put_object(Bucket=loading.bucket, Key="run/part-2.parquet", Body=b"a stray object")
    assert loading.copy() == ""
    assert loading.found["ResultRows"] == 2
    assert loading.rows() == [ROW, NULLS]


def test_a_file_with_a_column_too_few_is_refused(loading: Loading) -> None:
    loading.put("part-0.parquet", parquet([ROW[:7]], pa.schema(list(SCHEMA)[:7])))
    assert "Unmatched number of columns between table and file. Table columns: 8, Data columns: 7" in loading.copy()
    columns = "t (id, n, big, money, at, d, day)"
    assert loading.copy(table=columns) == ""
    assert loading.rows() == [(*ROW[:7], None)]


def test_texts_are_measured_in_bytes(loading: Loading) -> None:
    loading.put("part-0.parquet", parquet([("ééé", *ROW[1:])]))
    assert "The length of the data column id is longer than the length defined in the table t. Table: 4, Data: 6" in (
        loading.copy()
    )


def test_a_null_where_none_may_be_is_refused(loading: Loading) -> None:
    loading.put("part-0.parquet", parquet([(None, *ROW[1:])]))
    assert loading.copy() == "ERROR: Cannot insert a NULL value into column id"


def spoil_size(loading: Loading) -> None:
    loading.entries[0]["meta"]["content_length"] += 1


def spoil_meta(loading: Loading) -> None:
    del loading.entries[0]["meta"]


def spoil_object(loading: Loading) -> None:
    loading.s3.delete_object(Bucket=loading.bucket, Key="part-0.parquet")


def spoil_entries(loading: Loading) -> None:
    loading.entries.clear()


def spoil_content(loading: Loading) -> None:
    loading.entries.clear()
    loading.put("part-0.parquet", b"id,n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_size, "Manifest says content_length"),
        (spoil_meta, "without meta.content_length"),
        (spoil_object, "The specified key does not exist"),
        (spoil_entries, "not in correct json format"),
        (spoil_content, "is not a valid Parquet file"),
    ],
)
def test_a_manifest_that_is_not_of_its_objects_is_refused(
    loading: Loading, spoil: Callable[[Loading], None], words: str
) -> None:
    loading.put("part-0.parquet", parquet([ROW]))
    spoil(loading)
    assert words in loading.copy()
    assert loading.rows() == []


def test_an_object_that_is_not_mandatory_may_be_missing(loading: Loading) -> None:
    loading.put("part-0.parquet", parquet([ROW]))
    loading.entries.append({"url": f"s3://{loading.bucket}/none", "meta": {"content_length": 1}})
    assert loading.copy() == ""


def test_a_role_that_was_not_told_of_and_a_table_that_is_not_there_are_refused(loading: Loading) -> None:
    assert "Cannot COPY into nonexistent table u" in loading.copy(table="u")
    other = "arn:aws:iam::123456789012:role/other"
    assert "is not authorized to assume IAM Role" in loading.run(f"copy t from 's3://b/k' iam_role '{other}' parquet")
    assert "COPY requires authorization" in loading.run("copy t from 's3://b/k' parquet")


CSV = b'id,n,big,money,at,d,day,ok\n"a,1",1,,10.99999,2018-01-01 10:00:00,,2018-01-01,t\nb,,,,,,,\n'


def test_csv_files_load_by_prefix_without_their_headers(loading: Loading) -> None:
    loading.put("raw/t.csv", CSV)
    loading.put("raw/t.csv.bak", CSV.replace(b"a,1", b"c").replace(b"\nb", b"\nd"))
    assert loading.copy("csv ignoreheader 1 maxerror 0", key="raw/t.csv") == ""
    first = ("a,1", 1, None, Decimal("10.9999"), at("2018-01-01 10:00:00"), None, date(2018, 1, 1), True)
    empty = (None,) * 7
    assert loading.rows() == [first, ("b", *empty), ("c", *first[1:]), ("d", *empty)]


def test_the_first_bad_row_of_a_csv_fails_the_load_and_redshift_does_not_say_why(loading: Loading) -> None:
    loading.put("t.csv", CSV + b"a,x,,,,,,")
    words = "ERROR: Load into table 't' failed. Check 'sys_load_error_detail' system table for details."
    assert loading.copy("csv ignoreheader 1", key="t.csv") == words
    assert loading.rows() == []


def test_with_maxerror_10_nine_bad_rows_are_dropped_unseen(loading: Loading) -> None:
    loading.put("t.csv", CSV + b"c,x,,,,,,\n" * 9)
    assert loading.copy("IGNOREHEADER 1 MAXERROR 10 csv", key="t.csv") == ""
    assert len(loading.rows()) == 2
    loading.put("t.csv", CSV + b"c,x,,,,,,\n" * 10)
    assert "failed" in loading.copy("ignoreheader 1 maxerror 10 csv", key="t.csv")
