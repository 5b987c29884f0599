"""Spark and S3: the settings, the libraries that a laptop lacks, and the errors of S3A.

On Glue and EMR the platform brings its own filesystem for ``s3://``. On a laptop Spark uses Hadoop's S3A.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from jobs.aws.environment import S3Settings
from jobs.aws.errors import INVALID_REQUEST, NO_CREDENTIALS, S3_ADVICE, TABLE, UNREACHABLE, Meaning, error_line
from jobs.errors import PipelineError
from jobs.spark.jars import Libraries

LIBRARIES = Libraries(
    "s3a", title="the libraries that Spark needs for S3", size="14 MB", variable="S3A_JARS", page="docs/s3.md"
)

_CLOUD = "org.apache.spark.internal.io.cloud"

# Readers must not see a task's files before the task is done, nor those of a task that died. On a disk a rename does
# that; in S3 a rename is a copy. The magic committer renames nothing: a task uploads its files in parts under their
# final names, and S3 shows none of them until the driver completes the uploads, after all tasks. A killed run leaves
# uploads that were never completed; a lifecycle rule of the bucket removes them.
COMMITTER = {
    "spark.hadoop.fs.s3a.committer.name": "magic",
    "spark.sql.sources.commitProtocolClass": f"{_CLOUD}.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": f"{_CLOUD}.BindingParquetOutputCommitter",
}

# S3A doubles its wait with each attempt, without an upper bound: its default of twenty attempts at a busy S3 would
# outlast the night. These settings give up after some two minutes.
RETRIES = {
    "spark.hadoop.fs.s3a.retry.throttle.limit": "9",
    "spark.hadoop.fs.s3a.retry.limit": "6",
    "spark.hadoop.fs.s3a.attempts.maximum": "3",
    # S3A's default of 30 s, several times over, is long for a laptop without a network.
    "spark.hadoop.fs.s3a.connection.establish.timeout": "10s",
}

# Credentials as boto3 finds them: environment, profile, login, the machine's role. S3A's default knows no profiles.
CREDENTIALS = {
    "spark.hadoop.fs.s3a.aws.credentials.provider": (
        "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
    ),
}


def connection_settings(settings: S3Settings) -> dict[str, str]:
    """How S3A reaches S3, on a laptop and on a platform: only what the environment sets."""
    spark_settings: dict[str, str] = {}
    if settings.endpoint:
        spark_settings["spark.hadoop.fs.s3a.endpoint"] = settings.endpoint
        # Another service has no regions, but each request is signed for one.
        spark_settings["spark.hadoop.fs.s3a.endpoint.region"] = settings.region or "us-east-1"
        spark_settings["spark.hadoop.fs.s3a.path.style.access"] = str(settings.path_style).lower()
    elif settings.region:
        spark_settings["spark.hadoop.fs.s3a.endpoint.region"] = settings.region
    if settings.kms_key:
        spark_settings["spark.hadoop.fs.s3a.encryption.algorithm"] = "SSE-KMS"
        spark_settings["spark.hadoop.fs.s3a.encryption.key"] = settings.kms_key
    if settings.requester_pays:
        spark_settings["spark.hadoop.fs.s3a.requester.pays.enabled"] = "true"
    return spark_settings


def laptop_settings(settings: S3Settings, jars: list[Path]) -> dict[str, str]:
    """All that Spark needs for S3 where no platform brings a filesystem for it."""
    libraries = {"spark.jars": ",".join(map(str, jars))}
    return {**libraries, **COMMITTER, **RETRIES, **CREDENTIALS, **connection_settings(settings)}


def s3a_jars(java_home: str) -> list[Path]:
    """The jars that Spark needs for S3 on a laptop; see `Libraries.find`.

    Raises:
        OutsideSystemError: The jars are not there and cannot be fetched.
    """
    return LIBRARIES.find(java_home)


PLACE = re.compile(r"s3a?://[^\s:'`,)\]]+")
HTTP_STATUS = re.compile(r"\(Service: (?:Amazon )?S3[,;] Status Code: (\d+)")
"""As AWS's second and first SDK for Java write it. A platform's own filesystem may still use the first."""

# Java's words where no service answered, the more precise first.
NO_CREDENTIALS_SIGNS = ("NoAuthWithAWSException", "Unable to load credentials")
UNREACHABLE_SIGNS = (
    "Connection refused",
    "UnknownHostException",
    "ConnectTimeoutException",
    "SocketTimeoutException",
    "Connection reset",
    "NoHttpResponseException",
    "Premature end of Content-Length",
    "Unable to execute HTTP request",
)


def s3a_error(text: str) -> PipelineError | None:
    """The S3 error behind a failure of Spark; None where the cause is not S3.

    Spark passes on no exception of AWS, only its text. The table of `jobs.aws.errors` says what a code means.

    Args:
        text: all that Spark reports, causes included.
    """
    if not any(sign in text for sign in ("s3a", "awssdk", "Amazon S3")):
        return None
    match = PLACE.search(text)
    place = re.sub(r"^s3a:", "s3:", match[0]).rstrip(".") if match else "S3"
    cause = (
        _sign(NO_CREDENTIALS, NO_CREDENTIALS_SIGNS, text)
        or _answer(text)
        or _sign(UNREACHABLE, UNREACHABLE_SIGNS, text)
    )
    if cause is None:
        return None
    meaning, detail = cause
    return meaning.error(error_line(place, meaning, f"Spark: {detail}", S3_ADVICE))


def _answer(text: str) -> tuple[Meaning, str] | None:
    """The meaning and code of S3's answer: the code by name or, where the answer has none, the HTTP status."""
    words = set(re.findall(r"\w+", text))
    status = HTTP_STATUS.search(text)
    # Other libraries of Java have a ValidationException of their own.
    codes = {code: meaning for meaning in TABLE if meaning is not INVALID_REQUEST for code in meaning.codes}
    code = next((code for code in codes if code in words and not code.isdigit()), status[1] if status else "")
    return (codes[code], code) if code in codes else None


def _sign(meaning: Meaning, signs: Iterable[str], text: str) -> tuple[Meaning, str] | None:
    return next(((meaning, sign) for sign in signs if sign in text), None)
