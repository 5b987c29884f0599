"""Hadoop's S3A: its version, the settings, and its errors."""

import re
from importlib import resources
from pathlib import Path

import pyspark
import pytest

from jobs.aws.environment import S3Settings
from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.spark.s3a import connection_settings, laptop_settings, s3a_error

AWS = S3Settings(endpoint=None, region=None, path_style=False, kms_key=None, requester_pays=False)


def test_the_libraries_are_those_of_sparks_own_hadoop() -> None:
    text = resources.files("jobs.spark").joinpath("s3a.xml").read_text(encoding="utf-8")
    [version] = re.findall(r'name="hadoop-aws" rev="([^"]+)"', text)
    assert (Path(pyspark.__file__).parent / "jars" / f"hadoop-client-api-{version}.jar").exists()


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
