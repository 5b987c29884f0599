"""The libraries of S3A, fetched once from a Maven repository with the Ivy that Spark brings."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path

import pyspark

from jobs import console
from jobs.errors import OutsideSystemError

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
    wanted = resources.files("jobs.s3a").joinpath("ivy.xml").read_text(encoding="utf-8")
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
        content = resources.files("jobs.s3a").joinpath(name).read_text(encoding="utf-8")
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
