"""What Spark is told of S3: how to reach it, and how to write there."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path

import pyspark

from jobs.aws.environment import S3Settings
from jobs.aws.errors import KINDS, named_code
from jobs.cli import console
from jobs.errors import OutsideSystemError, PipelineError

CLOUD = "org.apache.spark.internal.io.cloud"

# How tables are written on a laptop; platforms bring committers of their own, or this one.
#
# A task's files must not be seen before the task is done, nor those of a task that died. On a disk that is a rename; in
# S3 a rename is a copy. The magic committer needs none: a task uploads its files in parts under their final names, and
# S3 shows none of them until the upload is completed, which the driver does when all tasks are done. What a killed run
# leaves are uploads that were never completed, which a lifecycle rule of the bucket removes.
COMMITTER = {
    "spark.hadoop.fs.s3a.committer.name": "magic",
    "spark.sql.sources.commitProtocolClass": f"{CLOUD}.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": f"{CLOUD}.BindingParquetOutputCommitter",
}

# How long Spark goes on asking. S3A waits twice as long each time, without an upper bound: its own twenty tries where
# S3 is busy would last longer than a night. These are given up after some two minutes.
PATIENCE = {
    "spark.hadoop.fs.s3a.retry.throttle.limit": "9",
    "spark.hadoop.fs.s3a.retry.limit": "6",
    "spark.hadoop.fs.s3a.attempts.maximum": "3",
    # A connection that nobody answers: S3A's own 30 s, several times over, is long for a laptop without a network.
    "spark.hadoop.fs.s3a.connection.establish.timeout": "10s",
}

# Credentials as boto3 finds them: environment, profile, log-in, the machine's role. S3A's own list knows no profiles.
CREDENTIALS = {
    "spark.hadoop.fs.s3a.aws.credentials.provider": (
        "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
    ),
}


def reaching(settings: S3Settings) -> dict[str, str]:
    """What holds wherever S3A is the filesystem, on a platform too: only what the environment names."""
    wanted: dict[str, str] = {}
    if settings.endpoint:
        wanted["spark.hadoop.fs.s3a.endpoint"] = settings.endpoint
        # A service elsewhere has no regions, but each request is signed for one.
        wanted["spark.hadoop.fs.s3a.endpoint.region"] = settings.region or "us-east-1"
        wanted["spark.hadoop.fs.s3a.path.style.access"] = str(settings.path_style).lower()
    elif settings.region:
        wanted["spark.hadoop.fs.s3a.endpoint.region"] = settings.region
    if settings.kms_key:
        wanted["spark.hadoop.fs.s3a.encryption.algorithm"] = "SSE-KMS"
        wanted["spark.hadoop.fs.s3a.encryption.key"] = settings.kms_key
    if settings.requester_pays:
        wanted["spark.hadoop.fs.s3a.requester.pays.enabled"] = "true"
    return wanted


def on_a_laptop(settings: S3Settings, jars: list[Path]) -> dict[str, str]:
    """All that Spark needs where nobody else brings it a filesystem for S3."""
    libraries = {"spark.jars": ",".join(map(str, jars))}
    return {**libraries, **COMMITTER, **PATIENCE, **CREDENTIALS, **reaching(settings)}


CENTRAL = "https://repo1.maven.org/maven2/"
SECONDS_TO_FETCH = 900
FAILED = ("UNRESOLVED", "FAILED DOWNLOADS", "Server access error")


def s3a_jars(java_home: str) -> list[Path]:
    """The jars that Spark needs to reach S3, from the user's cache or, the first time, from the repository.

    ``S3A_JARS`` names a folder with the jars, for a machine that reaches no repository;
    ``DEFAULT_ARTIFACT_REPOSITORY``, which Spark knows too, another repository than Maven Central.

    Raises:
        OutsideSystemError: They cannot be had.
    """
    given = os.environ.get("S3A_JARS")
    folder = Path(given).expanduser() if given else _cached(java_home)
    jars = sorted(folder.glob("*.jar"))
    if not jars:
        raise OutsideSystemError(f"S3A_JARS={given}: found no jars there, expected those named in docs/s3.md")
    return jars


def _cached(java_home: str) -> Path:
    """The folder of the cache for just these versions; fetched beside it and given its name when it is whole."""
    wanted = resources.files("jobs.spark").joinpath("ivy.xml").read_text(encoding="utf-8")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "olist-rfm-segments"
    target = cache / f"s3a-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if target.is_dir():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=cache, prefix=".fetching-"))
    except OSError as error:
        raise OutsideSystemError(f"{cache}: cannot keep the libraries for S3 there ({error.strerror})") from None
    try:
        _fetch(java_home, fresh)
        try:
            (fresh / "jars").rename(target)
        except OSError:
            if not target.is_dir():  # else another run fetched them meanwhile
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _fetch(java_home: str, folder: Path) -> None:
    repository = os.environ.get("DEFAULT_ARTIFACT_REPOSITORY") or CENTRAL
    console.note(f"Fetching the libraries that Spark needs for S3 from {repository} (14 MB, once) ...")
    for name in ("ivy.xml", "ivysettings.xml"):
        content = resources.files("jobs.spark").joinpath(name).read_text(encoding="utf-8")
        folder.joinpath(name).write_text(content, encoding="utf-8")
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
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS_TO_FETCH)
        said, failed = ran.stdout + ran.stderr, ran.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        said, failed = f"Server access error: {error}", True
    if failed:
        reasons = [line.strip() for line in said.splitlines() if any(word in line for word in FAILED)]
        reason = next((line for line in reasons if line.startswith("Server")), reasons[0] if reasons else said[-200:])
        raise OutsideSystemError(
            f"the libraries that Spark needs for S3 cannot be fetched from {repository} ({reason}). Check the network, "
            "set DEFAULT_ARTIFACT_REPOSITORY to a repository that is reached, or S3A_JARS to a folder that has them"
        )


CODES = tuple(code for kind in KINDS for code in kind.codes)
PLACE = re.compile(r"s3a?://[^\s:'`,)\]]+")
ANSWER = re.compile(r"\(Service: (?:Amazon )?S3[,;] Status Code: (\d+)")
"""As AWS's second and first SDK for Java put it; a platform's own filesystem may still have the first."""

NO_CREDENTIALS = re.compile(r"NoAuthWithAWSException|Unable to load credentials")
UNREACHED = (
    "Connection refused",
    "UnknownHostException",
    "ConnectTimeoutException",
    "SocketTimeoutException",
    "Connection reset",
    "NoHttpResponseException",
    "Premature end of Content-Length",
    "Unable to execute HTTP request",
)
"""What is said where no answer came, the more telling first."""


def named_failure(text: str) -> PipelineError | None:
    """The error for a failure of Spark that was one of S3; None for any other.

    Args:
        text: all that Spark says of it, causes too.
    """
    if not any(sign in text for sign in ("s3a", "awssdk", "Amazon S3")):
        return None
    found = PLACE.search(text)
    place = re.sub(r"^s3a:", "s3:", found[0]).rstrip(".") if found else "S3"
    if NO_CREDENTIALS.search(text):
        return OutsideSystemError(f"{place}: no AWS credentials for Spark. Log in, or set AWS_PROFILE, and run again")
    words = set(re.findall(r"\w+", text))
    status = ANSWER.search(text)
    code = next((code for code in CODES if code in words and not code.isdigit()), status[1] if status else "")
    known = named_code(place, code, asked="something by Spark")
    if known is not None:
        return known
    unreached = next((words for words in UNREACHED if words in text), None)
    if unreached:
        return OutsideSystemError(
            f"{place}: S3 cannot be reached by Spark ({unreached}). Check the network and AWS_ENDPOINT_URL"
        )
    return None
