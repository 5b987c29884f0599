"""Spark and S3: the settings, the libraries that a laptop lacks, and the errors of S3A.

On Glue and EMR the platform brings its own filesystem for ``s3://``. On a laptop Spark uses Hadoop's S3A.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import pyspark

from jobs.aws.environment import S3Settings
from jobs.aws.errors import INVALID_REQUEST, NO_CREDENTIALS, S3_ADVICE, TABLE, UNREACHABLE, Meaning, error_line
from jobs.cli import console
from jobs.errors import OutsideSystemError, PipelineError

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


MAVEN_CENTRAL = "https://repo1.maven.org/maven2/"
DOWNLOAD_SECONDS = 900
IVY_FAILURES = ("UNRESOLVED", "FAILED DOWNLOADS", "Server access error")


def s3a_jars(java_home: str) -> list[Path]:
    """The jars that Spark needs for S3: from the user's cache or, the first time, from the repository.

    ``S3A_JARS`` names a folder with the jars, for a machine that reaches no repository.
    ``DEFAULT_ARTIFACT_REPOSITORY``, which Spark reads too, replaces Maven Central.

    Raises:
        OutsideSystemError: The jars are not there and cannot be fetched.
    """
    own_folder = os.environ.get("S3A_JARS")
    folder = Path(own_folder).expanduser() if own_folder else _cached_jars(java_home)
    jars = sorted(folder.glob("*.jar"))
    if not jars:
        raise OutsideSystemError(f"S3A_JARS={own_folder}: found no jars there, expected those of docs/s3.md")
    return jars


def _cached_jars(java_home: str) -> Path:
    """The cache's folder for exactly these versions. A download gets the folder's name only when it is complete."""
    versions = _resource("ivy.xml")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "olist-rfm-segments"
    target = cache / f"s3a-{hashlib.sha256(versions.encode()).hexdigest()[:12]}"
    if target.is_dir() and not _differing(target):
        return target
    shutil.rmtree(target, ignore_errors=True)  # incomplete, or not what was fetched
    try:
        cache.mkdir(parents=True, exist_ok=True)
        download = Path(tempfile.mkdtemp(dir=cache, prefix=".fetching-"))
    except OSError as error:
        raise OutsideSystemError(f"{cache}: cannot store the libraries for S3 there ({error.strerror})") from None
    try:
        _fetch(java_home, download)
        differing = _differing(download / "jars")
        if differing:
            raise OutsideSystemError(
                f"{', '.join(differing[:3])}: found other content than jobs/spark/s3a.sha256 lists for it. Do "
                "not use that repository (DEFAULT_ARTIFACT_REPOSITORY); set S3A_JARS to a folder with the right ones"
            )
        try:
            (download / "jars").rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another run has fetched them meanwhile
                raise
    finally:
        shutil.rmtree(download, ignore_errors=True)
    return target


def _differing(folder: Path) -> list[str]:
    """The libraries that a folder lacks, or has with another content than they had when this list was made."""
    listed = [line.split() for line in _resource("s3a.sha256").splitlines()]
    expected = {name: checksum for checksum, name in listed}
    actual = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    return sorted(name for name in expected.keys() | actual.keys() if actual.get(name) != expected.get(name))


def _fetch(java_home: str, folder: Path) -> None:
    repository = os.environ.get("DEFAULT_ARTIFACT_REPOSITORY") or MAVEN_CENTRAL
    console.note(f"Fetching the libraries that Spark needs for S3 from {repository} (14 MB, once) ...")
    for name in ("ivy.xml", "ivysettings.xml"):
        folder.joinpath(name).write_text(_resource(name), encoding="utf-8")
    [ivy] = (Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar")
    command = [
        f"{java_home}/bin/java",
        f"-Ds3a.repository={repository.rstrip('/')}/",
        f"-Ds3a.cache={folder / 'cache'}",
        *("-jar", str(ivy), "-warn"),
        *("-settings", str(folder / "ivysettings.xml"), "-ivy", str(folder / "ivy.xml")),
        *("-retrieve", str(folder / "jars" / "[artifact]-[revision].[ext]")),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_SECONDS)
        output, has_failed = done.stdout + done.stderr, done.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        output, has_failed = f"Server access error: {error}", True
    if has_failed:
        raise OutsideSystemError(
            f"the libraries that Spark needs for S3 cannot be fetched from {repository} ({_ivy_failure(output)}). "
            "Check the network, set DEFAULT_ARTIFACT_REPOSITORY to a repository within reach, or S3A_JARS to a folder "
            "that has them"
        )


def _ivy_failure(output: str) -> str:
    """The line of Ivy's output that names the cause: the server, rather than the modules that it did not give."""
    failures = [line.strip() for line in output.splitlines() if any(sign in line for sign in IVY_FAILURES)]
    of_server = (line for line in failures if line.startswith("Server"))
    return next(of_server, failures[0] if failures else output[-200:])


def _resource(name: str) -> str:
    return resources.files("jobs.spark").joinpath(name).read_text(encoding="utf-8")


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
