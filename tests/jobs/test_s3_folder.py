"""A folder in S3: what `Folder` promises, when all goes well and when it does not."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts import CUSTOMERS
from jobs.errors import ConfigurationError, DataError, OutsideSystemError, PipelineError
from jobs.rules_in_force import rules_in_force
from jobs.sources import find_sources
from jobs.storage import LocalFolder, RunStore, S3Folder, StoredObject, folder_at
from jobs.storage.folder import ChangedMeanwhileError
from jobs.storage.s3_client import s3_client
from jobs.storage.s3_reader import PIECE
from tests.raw_files import RawFiles
from tests.stand_ins.s3_proxy import S3Proxy

AS_OF = date(2018, 10, 17)


@pytest.fixture
def proxy(aws: pytest.MonkeyPatch, s3_endpoint: str) -> Iterator[S3Proxy]:
    """A proxy through which clients reach S3."""
    with S3Proxy(s3_endpoint).running() as proxy:
        aws.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture
def folder(bucket: str, proxy: S3Proxy) -> S3Folder:
    """An empty folder of an empty bucket."""
    assert proxy.met == []
    return S3Folder(bucket, "some/folder")


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
def test_an_s3_uri_is_a_bucket_and_a_key_as_it_is_written(uri: str, bucket: str, prefix: str) -> None:
    found = folder_at(uri, argument="--input")
    assert isinstance(found, S3Folder)
    assert (found.bucket, found.prefix) == (bucket, prefix)


@pytest.mark.parametrize("uri", ["s3://", "s3:///key", "s3://UPPER/key", "s3://lake/a//b", "s3://lake/a/../b"])
def test_an_s3_uri_that_cannot_be_one_is_told(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="--input s3://"):
        folder_at(uri, argument="--input")


def test_spark_is_given_s3a_on_a_laptop_and_the_uri_itself_on_a_platform(aws: pytest.MonkeyPatch) -> None:
    folder = S3Folder("lake", "runs")
    assert folder.uri("a", "b") == "s3a://lake/runs/a/b"
    aws.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert folder.uri("a", "b") == "s3://lake/runs/a/b"
    assert folder.shown("a") == "s3://lake/runs/a"


def test_names_are_what_is_right_below_and_no_marker_of_a_folder(folder: S3Folder, s3: Any, bucket: str) -> None:
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
def test_more_names_than_a_page_has_are_all_there_and_all_go(folder: S3Folder, s3: Any, bucket: str) -> None:
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
    first, second = folder.stored_files("table")
    assert first.path == f"s3://{bucket}/some/folder/table/part-0.parquet"
    assert second.path.endswith("part-1.parquet")
    assert first.as_json() == {"path": first.path, "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592"}


def test_an_input_is_told_by_etag_and_version(folder: S3Folder, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="some/folder/a", Body=b"hello")["VersionId"]
    found = folder.stored("a")
    assert found == StoredObject(
        f"s3://{bucket}/some/folder/a", 5, "5d41402abc4b2a76b9719d911017c592", version_id=version
    )
    assert found.as_json()["version_id"] == version
    assert folder.is_unchanged(found)
    s3.put_object(Bucket=bucket, Key="some/folder/a", Body=b"other")
    assert not folder.is_unchanged(found)
    s3.delete_object(Bucket=bucket, Key="some/folder/a")
    assert not folder.is_unchanged(found)
    for name in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=name["Key"], VersionId=name["VersionId"])
    for marker in s3.list_object_versions(Bucket=bucket).get("DeleteMarkers", []):
        s3.delete_object(Bucket=bucket, Key=marker["Key"], VersionId=marker["VersionId"])


def test_a_header_is_read_without_fetching_the_file(folder: S3Folder, proxy: S3Proxy, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="some/folder/big", Body=b"a,b\n" + b"x" * (5 * PIECE))
    with folder.opened("big") as file:
        assert file.readline() == b"a,b\n"
        proxy.meet("AccessDenied", method="GET", path="big")
    assert proxy.met == []
    with folder.opened("big") as file, pytest.raises(OutsideSystemError, match="access denied"):
        file.readline()


def test_a_file_read_to_its_end_is_the_file(folder: S3Folder, s3: Any, bucket: str) -> None:
    content = bytes(range(256)) * (PIECE // 100)
    s3.put_object(Bucket=bucket, Key="some/folder/big", Body=content)
    with folder.opened("big") as file:
        assert file.read() == content


def test_a_file_that_changes_while_it_is_read_is_told(folder: S3Folder, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="some/folder/big", Body=b"x" * (3 * PIECE))
    with folder.opened("big") as file:
        file.read(10)
        s3.put_object(Bucket=bucket, Key="some/folder/big", Body=b"y" * (3 * PIECE))
        with pytest.raises(DataError, match="changed while it was read"):
            file.read()


def test_a_folder_is_made_by_one_of_many_who_try_at_once(folder: S3Folder) -> None:
    def made(_: int) -> bool:
        try:
            folder.make("runs", "r1")
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(made, range(8))) == [False] * 7 + [True]
    assert folder.is_folder("runs", "r1")


def test_a_folder_that_somebody_copied_there_exists(folder: S3Folder, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="some/folder/runs/r1/manifest.json")
    with pytest.raises(FileExistsError):
        folder.make("runs", "r1")


def places(folder: S3Folder, tmp_path: Path) -> list[S3Folder | LocalFolder]:
    return [folder, LocalFolder(tmp_path)]


def test_of_many_who_exchange_a_file_at_once_one_does(folder: S3Folder, tmp_path: Path) -> None:
    for place in places(folder, tmp_path):
        version = place.exchange("old", "f", version=None)

        def exchanged(text: str, place: S3Folder | LocalFolder = place, version: str = version) -> bool:
            try:
                place.exchange(text, "f", version=version)
            except ChangedMeanwhileError:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(exchanged, "abcdefgh"))
        assert won.count(True) == 1
        assert place.read("f") == "abcdefgh"[won.index(True)]


def test_a_file_is_exchanged_from_what_it_was_alone(folder: S3Folder, tmp_path: Path) -> None:
    for place in places(folder, tmp_path):
        first = place.exchange("1", "f", version=None)
        with pytest.raises(ChangedMeanwhileError):
            place.exchange("2", "f", version=None)
        second = place.exchange("2", "f", version=first)
        with pytest.raises(ChangedMeanwhileError):
            place.exchange("3", "f", version=first)
        assert place.read_version("f") == ("2", second)
        place.remove("f")
        with pytest.raises(ChangedMeanwhileError):
            place.exchange("3", "f", version=second)
        assert place.read("f") is None


def test_a_write_whose_answer_is_lost_is_not_taken_for_anothers(folder: S3Folder, proxy: S3Proxy) -> None:
    version = folder.exchange("1", "f", version=None)
    proxy.meet("lost", method="PUT", path="/f")
    version = folder.exchange("2", "f", version=version)
    assert folder.read_version("f") == ("2", version)
    proxy.meet("lost", method="PUT", path="/_opened")
    folder.make("runs", "r1")
    assert len(proxy.met) == 2


def test_a_conditional_write_that_met_another_is_tried_again(folder: S3Folder, proxy: S3Proxy) -> None:
    proxy.meet("ConditionalRequestConflict", method="PUT", times=2)
    folder.exchange("1", "f", version=None)
    assert folder.read("f") == "1"


@pytest.mark.parametrize("what", ["InternalError", "SlowDown", "reset", "truncated", "lost"])
def test_what_passes_is_outlived(folder: S3Folder, proxy: S3Proxy, what: str) -> None:
    folder.replace("text of some length", "f")
    for method in ("GET", "HEAD", "PUT"):
        if what not in ("reset", "truncated") or method == "GET":
            proxy.meet(what, method=method, path="/f", times=2)
    proxy.meet(what, path="list-type=2", times=2)
    assert folder.read("f") == "text of some length"
    assert folder.stored("f").size == 19
    folder.replace("another", "f")
    assert folder.names() == ["f"]
    assert proxy.met


@pytest.mark.parametrize(
    ("what", "code", "line"),
    [
        ("InternalError", 4, "S3 is busy or failing, and was asked several times"),
        ("SlowDown", 4, "SlowDown, asked for GetObject, for which s3:GetObject is needed"),
        ("ExpiredToken", 4, "the AWS credentials have expired"),
        ("AccessDenied", 4, "access denied"),
        ("PermanentRedirect", 2, "the bucket is in another region"),
        ("reset", 4, "S3 cannot be reached"),
        ("lost", 4, "S3 cannot be reached"),
    ],
)
def test_what_does_not_pass_is_told_in_one_line(
    folder: S3Folder, proxy: S3Proxy, what: str, code: int, line: str
) -> None:
    folder.replace("text of some length", "f")
    proxy.meet(what, method="GET", times=1000)
    with pytest.raises(PipelineError, match=line) as failed:
        folder.read("f")
    assert failed.value.exit_code == code
    assert str(failed.value).startswith(folder.shown("f"))
    assert "\n" not in str(failed.value)


@pytest.mark.usefixtures("proxy")
def test_a_bucket_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match=r"s3://no-such-bucket.*found no such bucket"):
        find_sources("s3://no-such-bucket/raw", [CUSTOMERS])
    with pytest.raises(ConfigurationError, match="found no such bucket"):
        RunStore("s3://no-such-bucket").open_run(as_of=AS_OF, run_id=None)
    with pytest.raises(ConfigurationError, match="found no such bucket"):
        folder_at("s3://no-such-bucket/card.json", argument="--card").read()


def test_nobody_there(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OutsideSystemError, match=r"S3 cannot be reached.*127.0.0.1:9"):
        S3Folder("lake").names()


def test_no_credentials(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    s3_client.cache_clear()
    with pytest.raises(OutsideSystemError, match="no AWS credentials"):
        S3Folder("lake").names()
    s3_client.cache_clear()


def test_the_key_and_who_pays_go_with_every_write(
    aws: pytest.MonkeyPatch, s3: Any, bucket: str, tmp_path: Path
) -> None:
    aws.setenv("S3_KMS_KEY", "alias/segments")
    aws.setenv("CUSTOMER_S3_REQUESTER_PAYS", "true")
    folder = S3Folder(bucket)
    folder.make("runs", "r1")
    (tmp_path / "page.html").write_text("<html>")
    folder.take_in(tmp_path, "docs")
    for key in keys(s3, bucket):
        found = s3.head_object(Bucket=bucket, Key=key)
        assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "alias/segments")
    assert s3.head_object(Bucket=bucket, Key="docs/page.html")["ContentType"] == "text/html"
    aws.setenv("S3_REQUESTER_PAYS", "perhaps")
    with pytest.raises(ConfigurationError, match="S3_REQUESTER_PAYS=perhaps: expected true or false"):
        S3Folder(bucket)


def test_a_run_that_was_overtaken_leaves_the_pointer_and_stays(folder: S3Folder, tmp_path: Path) -> None:
    for output in (folder.shown(), str(tmp_path)):
        early, late = RunStore(output), RunStore(output)
        first = early.open_run(as_of=AS_OF, run_id="2018-10-17-first")
        second = late.open_run(as_of=AS_OF, run_id="2018-10-17-second")
        late.move_pointer({"run_id": second})
        early.write_manifest(first, {"run_id": first})
        with pytest.raises(OutsideSystemError, match=rf"run {first} is whole but not current.*points to {second}"):
            early.move_pointer({"run_id": first})
        assert RunStore(output).current() == {"run_id": second}
        assert early.manifest(first) == {"run_id": first}
        third = RunStore(output)
        third.open_run(as_of=AS_OF, run_id="2018-10-17-third")
        third.move_pointer({"run_id": "2018-10-17-third"})
        with pytest.raises(ConfigurationError, match="run 2018-10-17-first exists"):
            early.open_run(as_of=AS_OF, run_id=first)


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
    folder.take_in(raw.folder, "raw")
    found = find_sources(f"{folder.shown()}/raw", rules_in_force(None).of_files)
    names = sorted(uri.removeprefix(f"{folder.uri()}/raw/") for source in found for uri in source.uris)
    assert names == [
        "olist_customers_dataset.csv",
        "olist_order_payments_dataset.csv.gz",
        "olist_orders_dataset.csv/part-0.csv",
    ]
    with pytest.raises(ConfigurationError, match=r"no olist_customers_dataset.csv \(found: raw\)"):
        find_sources(folder.shown(), [CUSTOMERS])
