"""Libraries for Java that Spark needs beside its own: pinned, fetched once with Ivy, and kept in the user's cache."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pyspark

from jobs.cli import console
from jobs.errors import OutsideSystemError, PipelineError
from jobs.storage.user_cache import cache_folder

MAVEN_CENTRAL = "https://repo1.maven.org/maven2/"
DOWNLOAD_SECONDS = 900
IVY_FAILURES = ("UNRESOLVED", "FAILED DOWNLOADS", "Server access error")


@dataclass(frozen=True)
class Libraries:
    """A set of jars: ``<name>.xml`` in this package has their versions, and ``<name>.sha256`` their checksums.

    Attributes:
        name: of the set.
        title: what messages call it.
        size: of the download, as a user reads it.
        variable: the environment variable that names a folder with the jars, or the one jar.
        page: the document that lists them.
        error: raised where they cannot be had; its exit code ends the run.
    """

    name: str
    title: str
    size: str
    variable: str
    page: str
    error: type[PipelineError] = OutsideSystemError

    def find(self, java_home: str) -> list[Path]:
        """The jars: those that the variable names, those in the cache or, the first time, the repository's.

        ``DEFAULT_ARTIFACT_REPOSITORY``, which Spark reads too, replaces Maven Central.

        Raises:
            PipelineError: The jars are not there and cannot be fetched; `error` says which.
        """
        own = os.environ.get(self.variable)
        place = Path(own).expanduser() if own else self._cached(java_home)
        jars = [place] if place.is_file() else sorted(place.glob("*.jar"))
        if not jars:
            raise self.error(f"{self.variable}={own}: found no jars there, expected those of {self.page}")
        return jars

    def _cached(self, java_home: str) -> Path:
        """The cache's folder for exactly these versions. A download gets its name only when it is complete."""
        versions = _resource(f"{self.name}.xml")
        cache = cache_folder()
        target = cache / f"{self.name}-{hashlib.sha256(versions.encode()).hexdigest()[:12]}"
        if target.is_dir() and not self._differing(target):
            return target
        shutil.rmtree(target, ignore_errors=True)  # incomplete, or not what was fetched
        try:
            cache.mkdir(parents=True, exist_ok=True)
            download = Path(tempfile.mkdtemp(dir=cache, prefix=".fetching-"))
        except OSError as error:
            raise self.error(f"{cache}: cannot store {self.title} there ({error.strerror})") from None
        try:
            self._fetch(java_home, download)
            differing = self._differing(download / "jars")
            if differing:
                raise self.error(
                    f"{', '.join(differing[:3])}: found other content than jobs/spark/{self.name}.sha256 lists for it. "
                    f"Do not use that repository (DEFAULT_ARTIFACT_REPOSITORY); set {self.variable} to a folder with "
                    "the right ones"
                )
            try:
                (download / "jars").rename(target)
            except OSError:
                if not target.is_dir():  # otherwise another run has fetched them meanwhile
                    raise
        finally:
            shutil.rmtree(download, ignore_errors=True)
        return target

    def _differing(self, folder: Path) -> list[str]:
        """The jars that a folder lacks, or has with another content than they had when the list was made."""
        listed = [line.split() for line in _resource(f"{self.name}.sha256").splitlines()]
        expected = {name: checksum for checksum, name in listed}
        actual = {jar.name: _checksum(jar) for jar in folder.glob("*.jar")}
        return sorted(name for name in expected.keys() | actual.keys() if actual.get(name) != expected.get(name))

    def _fetch(self, java_home: str, folder: Path) -> None:
        repository = os.environ.get("DEFAULT_ARTIFACT_REPOSITORY") or MAVEN_CENTRAL
        console.note(f"Fetching {self.title} from {repository} ({self.size}, once) ...")
        for name in (f"{self.name}.xml", "ivysettings.xml"):
            folder.joinpath(name).write_text(_resource(name), encoding="utf-8")
        [ivy] = (Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar")
        command = [
            f"{java_home}/bin/java",
            f"-Djars.repository={repository.rstrip('/')}/",
            f"-Djars.cache={folder / 'cache'}",
            *("-jar", str(ivy), "-warn"),
            *("-settings", str(folder / "ivysettings.xml"), "-ivy", str(folder / f"{self.name}.xml")),
            *("-retrieve", str(folder / "jars" / "[artifact]-[revision].[ext]")),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_SECONDS)
            output, has_failed = done.stdout + done.stderr, done.returncode != 0
        except (OSError, subprocess.TimeoutExpired) as error:
            output, has_failed = f"Server access error: {error}", True
        if has_failed:
            raise self.error(
                f"{self.title} cannot be fetched from {repository} ({_ivy_failure(output)}). Check the network, set "
                f"DEFAULT_ARTIFACT_REPOSITORY to a repository within reach, or {self.variable} to a folder that has "
                "the jars"
            )


def _ivy_failure(output: str) -> str:
    """The line of Ivy's output that names the cause: the server, rather than the modules that it did not give."""
    failures = [line.strip() for line in output.splitlines() if any(sign in line for sign in IVY_FAILURES)]
    of_server = (line for line in failures if line.startswith("Server"))
    return next(of_server, failures[0] if failures else output[-200:])


def _checksum(jar: Path) -> str:
    with jar.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _resource(name: str) -> str:
    return resources.files("jobs.spark").joinpath(name).read_text(encoding="utf-8")
