"""A folder in S3: its URI, its names, what is fetched of a file, and the arguments of a write."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts.olist import CUSTOMERS
from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.inputs.input_files import find_inputs
from jobs.quality.active_rules import active_rules
from jobs.storage.folder import StoredObject
from jobs.storage.s3 import RANGE_BYTES, S3Folder
from jobs.storage.uris import folder_at
from tests.fakes.s3.service import S3Proxy
from tests.raw_files import RawFiles


def keys(s3: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("uri", "bucket", "prefix"),
    [
        ("s3://lake/some/folder", "lake", "some/folder"),
        ("s3a://lake/some/folder/", "lake", "some/folder"),
        ("S3://lake", "lake", ""),
        ("s3://lake/", "lake", ""),
        ("s3://lake/a b/100%25/[x]/what?/nr#1", "lake", "a b/100%25/[x]/what?/nr#1"),
    ],
)
def test_an_s3_uri_is_a_bucket_and_a_literal_key(uri: str, bucket: str, prefix: str) -> None:
    folder = folder_at(uri, argument="--input")
    assert isinstance(folder, S3Folder)
    assert (folder.bucket, folder.prefix) == (bucket, prefix)


@pytest.mark.parametrize("uri", ["s3://", "s3:///key", "s3://UPPER/key", "s3://lake/a//b", "s3://lake/a/../b"])
def test_an_invalid_s3_uri_is_reported(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="--input s3://"):
        folder_at(uri, argument="--input")


def test_spark_reads_s3a_uris_on_a_laptop_and_s3_uris_on_a_platform(aws: pytest.MonkeyPatch) -> None:
    folder = S3Folder("lake", "runs")
    assert folder.uri("a", "b") == "s3a://lake/runs/a/b"
    aws.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert folder.uri("a", "b") == "s3://lake/runs/a/b"
    assert folder.display_path("a") == "s3://lake/runs/a"


def test_names_are_the_children_without_folder_markers(folder: S3Folder, s3: Any, bucket: str) -> None:
    for key in ("some/folder/", "some/folder/a.csv", "some/folder/b/c", "some/folder/b/d", "some/folders", "other"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert folder.names() == ["a.csv", "b"]
    assert folder.names("b") == ["c", "d"]
    assert folder.names("none") == []
    assert folder.is_folder("b")
    assert not folder.is_folder("a.csv")
    assert folder.exists("a.csv")
    assert folder.exists("b")
    assert not folder.exists("a")


@pytest.mark.long
def test_more_names_than_one_page_are_all_listed_and_all_removed(folder: S3Folder, s3: Any, bucket: str) -> None:
    names = [f"{number:04d}" for number in range(1001)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: s3.put_object(Bucket=bucket, Key=f"some/folder/x/{name}"), names))
    s3.put_object(Bucket=bucket, Key="some/folder/xy")
    assert folder.names("x") == names
    folder.remove("x")
    assert keys(s3, bucket) == ["some/folder/xy"]


def test_the_data_files_of_a_table_are_those_that_spark_reads(folder: S3Folder, s3: Any, bucket: str) -> None:
    for name in ("", "part-1.parquet", "_SUCCESS", ".crc", "__magic_job-1/x", "part-0.parquet"):
        s3.put_object(Bucket=bucket, Key=f"some/folder/table/{name}", Body=b"hello")
    first, second = folder.data_files("table")
    assert first.path == f"s3://{bucket}/some/folder/table/part-0.parquet"
    assert second.path.endswith("part-1.parquet")
    assert first.as_json() == {"path": first.path, "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592"}


def test_an_input_is_described_by_etag_and_version(folder: S3Folder, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="some/folder/a", Body=b"hello")["VersionId"]
    described = folder.describe("a")
    assert described == StoredObject(
        f"s3://{bucket}/some/folder/a", 5, "5d41402abc4b2a76b9719d911017c592", version_id=version
    )
    assert described.as_json()["version_id"] == version
    assert folder.is_unchanged(described)
    s3.put_object(Bucket=bucket, Key="some/folder/a", Body=b"other")
    assert not folder.is_unchanged(described)
    s3.delete_object(Bucket=bucket, Key="some/folder/a")
    assert not folder.is_unchanged(described)
    for name in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=name["Key"], VersionId=name["VersionId"])
    for marker in s3.list_object_versions(Bucket=bucket).get("DeleteMarkers", []):
        s3.delete_object(Bucket=bucket, Key=marker["Key"], VersionId=marker["VersionId"])


def test_a_folder_may_be_a_single_object(folder: S3Folder, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="some/folder/model.tar.gz", Body=b"hello")
    place = folder_at(folder.display_path("model.tar.gz"), argument="--model-artifact")
    described = place.describe()
    assert described.path == f"s3://{bucket}/some/folder/model.tar.gz"
    assert place.is_unchanged(described)
    s3.put_object(Bucket=bucket, Key="some/folder/model.tar.gz", Body=b"other")
    assert not place.is_unchanged(described)


def test_a_header_is_read_without_fetching_the_file(folder: S3Folder, proxy: S3Proxy, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="some/folder/big", Body=b"a,b\n" + b"x" * (5 * RANGE_BYTES))
    with folder.open_file("big") as file:
        assert file.readline() == b"a,b\n"
        proxy.inject("AccessDenied", method="GET", path="big")
    assert proxy.injected == []
    with folder.open_file("big") as file, pytest.raises(OutsideSystemError, match="access denied"):
        file.readline()


def test_a_file_read_to_its_end_is_the_file(folder: S3Folder, s3: Any, bucket: str) -> None:
    content = bytes(range(256)) * (RANGE_BYTES // 100)
    s3.put_object(Bucket=bucket, Key="some/folder/big", Body=content)
    with folder.open_file("big") as file:
        assert file.read() == content


def test_a_file_that_changes_while_it_is_read_is_reported(folder: S3Folder, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="some/folder/big", Body=b"x" * (3 * RANGE_BYTES))
    with folder.open_file("big") as file:
        file.read(10)
        s3.put_object(Bucket=bucket, Key="some/folder/big", Body=b"y" * (3 * RANGE_BYTES))
        with pytest.raises(DataError, match="changed while it was read"):
            file.read()


def test_every_write_names_the_kms_key_and_the_payer(
    aws: pytest.MonkeyPatch, s3: Any, bucket: str, tmp_path: Path
) -> None:
    aws.setenv("S3_KMS_KEY", "alias/segments")
    aws.setenv("CUSTOMER_S3_REQUESTER_PAYS", "true")
    folder = S3Folder(bucket)
    folder.create_folder("runs", "r1")
    (tmp_path / "page.html").write_text("<html>")
    folder.copy_in(tmp_path, "docs")
    folder.write_text("<html>", "report.html")
    for key in keys(s3, bucket):
        head = s3.head_object(Bucket=bucket, Key=key)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/segments")
    assert s3.head_object(Bucket=bucket, Key="docs/page.html")["ContentType"] == "text/html"
    assert s3.head_object(Bucket=bucket, Key="report.html")["ContentType"] == "text/html; charset=utf-8"
    aws.setenv("S3_REQUESTER_PAYS", "perhaps")
    with pytest.raises(ConfigurationError, match="invalid S3_REQUESTER_PAYS=perhaps: expected true or false"):
        S3Folder(bucket)


def test_sources_are_found_in_a_bucket_plain_packed_or_in_parts(folder: S3Folder, raw: RawFiles) -> None:
    raw.write()
    parts = raw.folder / "olist_orders_dataset.csv.parts"
    parts.mkdir()
    raw.orders_file.rename(parts / "part-0.csv")
    (parts / "_SUCCESS").touch()
    parts.rename(raw.orders_file)
    packed = raw.payments_file.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(raw.payments_file.read_bytes()))
    raw.payments_file.unlink()
    folder.copy_in(raw.folder, "raw")
    sources = find_inputs(f"{folder.display_path()}/raw", active_rules(None).of_files)
    names = sorted(uri.removeprefix(f"{folder.uri()}/raw/") for source in sources for uri in source.uris)
    assert names == [
        "olist_customers_dataset.csv",
        "olist_order_payments_dataset.csv.gz",
        "olist_orders_dataset.csv/part-0.csv",
    ]
    with pytest.raises(ConfigurationError, match=r"no olist_customers_dataset.csv \(found: raw\)"):
        find_inputs(folder.display_path(), [CUSTOMERS])


def test_texts_are_written_at_once_and_a_refusal_of_one_is_reported(
    folder: S3Folder, proxy: S3Proxy, s3: Any, bucket: str
) -> None:
    folder.write_texts({"a/one.json": "1\n", "b/two.json": ""}, "runs", "x")
    assert keys(s3, bucket) == ["some/folder/runs/x/a/one.json", "some/folder/runs/x/b/two.json"]
    assert folder.read("runs", "x", "a", "one.json") == "1\n"
    proxy.inject("AccessDenied", method="PUT", path="/b/two.json")
    with pytest.raises(OutsideSystemError, match=r"x/b/two.json: access denied .*needs s3:PutObject"):
        folder.write_texts({"a/one.json": "2\n", "b/two.json": "3\n"}, "runs", "x")
