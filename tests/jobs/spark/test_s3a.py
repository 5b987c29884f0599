"""Hadoop's S3A: where a laptop gets its libraries, the settings, and its errors."""

import hashlib
import re
from importlib import resources
from pathlib import Path

import pyspark
import pytest

from jobs.aws.environment import S3Settings
from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.spark import s3a
from jobs.spark.java import java_home
from jobs.spark.s3a import connection_settings, laptop_settings, s3a_error, s3a_jars

AWS = S3Settings(endpoint=None, region=None, path_style=False, kms_key=None, requester_pays=False)


def test_the_libraries_are_those_of_sparks_own_hadoop() -> None:
    text = resources.files("jobs.spark").joinpath("ivy.xml").read_text(encoding="utf-8")
    [version] = re.findall(r'name="hadoop-aws" rev="([^"]+)"', text)
    assert (Path(pyspark.__file__).parent / "jars" / f"hadoop-client-api-{version}.jar").exists()


@pytest.mark.parametrize(
    ("name", "value"), [("DEFAULT_ARTIFACT_REPOSITORY", "http://127.0.0.1:9/maven2"), ("S3A_JARS", "no/jars")]
)
def test_libraries_that_cannot_be_fetched_are_reported_and_leave_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(name, value)
    with pytest.raises(OutsideSystemError, match=re.escape(value)) as failed:
        s3a_jars(java_home())
    assert "\n" not in str(failed.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_checksum_is_listed_for_each_library() -> None:
    ivy = resources.files("jobs.spark").joinpath("ivy.xml").read_text(encoding="utf-8")
    libraries = {f"{name}-{version}.jar" for name, version in re.findall(r' name="([^"]+)" rev="([^"]+)"', ivy)}
    lines = resources.files("jobs.spark").joinpath("s3a.sha256").read_text(encoding="utf-8").splitlines()
    assert {line.split()[1] for line in lines} == libraries
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in lines)


def test_fetched_libraries_with_another_content_are_refused_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fetch_another(_: str, folder: Path) -> None:
        (folder / "jars").mkdir()
        (folder / "jars" / "hadoop-aws-3.4.2.jar").write_text("another")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("S3A_JARS", raising=False)
    monkeypatch.setattr(s3a, "_fetch", fetch_another)
    with pytest.raises(OutsideSystemError, match="found other content than"):
        s3a_jars("no java")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_libraries_that_changed_in_the_cache_are_fetched_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contents = {"a.jar": "a", "b.jar": "b"}
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}" for name, text in contents.items()]
    fetched = []

    def fetch(_: str, folder: Path) -> None:
        fetched.append(folder)
        (folder / "jars").mkdir()
        for name, text in contents.items():
            (folder / "jars" / name).write_text(text)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("S3A_JARS", raising=False)
    monkeypatch.setattr(s3a, "_fetch", fetch)
    monkeypatch.setattr(s3a, "_resource", lambda name: "\n".join(lines) if name == "s3a.sha256" else name)
    jars = s3a_jars("no java")
    assert s3a_jars("no java") == jars
    assert len(fetched) == 1
    for damage in (lambda: jars[0].write_text("x"), jars[1].unlink, (jars[0].parent / "c.jar").touch):
        damage()
        assert s3a_jars("no java") == jars
        assert [jar.read_text() for jar in jars] == ["a", "b"]
    assert len(fetched) == 4


def test_libraries_in_a_folder_are_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.jar").touch()
    monkeypatch.setenv("S3A_JARS", str(tmp_path))
    assert s3a_jars("no java") == [tmp_path / "a.jar"]


def test_the_connection_settings_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert connection_settings(S3Settings.from_environment()) == {}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")
    monkeypatch.setenv("S3_KMS_KEY", "arn:aws:kms:eu-west-1:1:key/k")
    monkeypatch.setenv("S3_REQUESTER_PAYS", "true")
    assert connection_settings(S3Settings.from_environment()) == {
        "spark.hadoop.fs.s3a.endpoint": "http://127.0.0.1:5000",
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.encryption.algorithm": "SSE-KMS",
        "spark.hadoop.fs.s3a.encryption.key": "arn:aws:kms:eu-west-1:1:key/k",
        "spark.hadoop.fs.s3a.requester.pays.enabled": "true",
    }


def test_a_platform_keeps_its_own_committer_and_credentials() -> None:
    assert connection_settings(AWS) == {}
    assert laptop_settings(AWS, [Path("/a.jar")])["spark.hadoop.fs.s3a.committer.name"] == "magic"


NO_BUCKET = """\
org.apache.hadoop.fs.s3a.UnknownStoreException: `s3a://lake/t': getFileStatus on s3a://lake/t:
software.amazon.awssdk.services.s3.model.NoSuchBucketException: The specified bucket does not exist
(Service: S3, Status Code: 404, Request ID: g):NoSuchBucket: The specified bucket does not exist"""
DENIED = """\
java.nio.file.AccessDeniedException: s3a://lake/t: getFileStatus on s3a://lake/t:
software.amazon.awssdk.services.s3.model.S3Exception: null (Service: S3, Status Code: 403, Request ID: g):null"""
EXPIRED = """\
org.apache.hadoop.fs.s3a.AWSBadRequestException: upload part on s3a://lake/t/part-0:
software.amazon.awssdk.services.s3.model.S3Exception: The provided token has expired.
(Service: S3, Status Code: 400, Request ID: g):ExpiredToken: The provided token has expired."""
REFUSED = """\
java.net.ConnectException: getFileStatus on s3a://lake/t: software.amazon.awssdk.core.exception.SdkClientException:
Unable to execute HTTP request: Connect to 127.0.0.1:9 failed: Connection refused"""
FIRST_SDK = """\
org.apache.spark.SparkException: [FAILED_READ_FILE.NO_HINT] Encountered error while reading file s3://lake/t/part-0.
com.amazonaws.services.s3.model.AmazonS3Exception: Please reduce your request rate.
(Service: Amazon S3; Status Code: 503; Error Code: SlowDown; Request ID: g)"""
BREAKS_OFF = """\
org.apache.spark.SparkException: [FAILED_READ_FILE.NO_HINT] Encountered error while reading file s3a://lake/t.csv.gz.
java.io.EOFException: Unexpected end of input stream"""
NOBODY = """\
java.nio.file.AccessDeniedException: lake: org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials
provided by DefaultCredentialsProvider"""


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        (NO_BUCKET, ConfigurationError, "s3://lake/t: no such bucket (Spark: NoSuchBucket)"),
        (FIRST_SDK, OutsideSystemError, "s3://lake/t/part-0: too many requests (Spark: SlowDown)"),
        (DENIED, OutsideSystemError, "s3://lake/t: access denied (Spark: AccessDeniedException)"),
        (EXPIRED, OutsideSystemError, "s3://lake/t/part-0: the AWS credentials have expired (Spark: ExpiredToken)"),
        (REFUSED, OutsideSystemError, "s3://lake/t: the service cannot be reached (Spark: Connection refused)"),
        (NOBODY, OutsideSystemError, "no AWS credentials (Spark: NoAuthWithAWSException)"),
    ],
)
def test_an_error_of_s3a_has_its_row_of_the_table(text: str, error: type[Exception], line: str) -> None:
    reported = s3a_error(text)
    assert type(reported) is error
    assert line in str(reported)


def test_a_failure_of_something_else_is_no_error_of_s3() -> None:
    assert s3a_error("java.lang.OutOfMemoryError: Java heap space") is None
    assert s3a_error(BREAKS_OFF) is None
    assert s3a_error("[NUMERIC_VALUE_OUT_OF_RANGE] in s3a://lake/orders AccessControl") is None
