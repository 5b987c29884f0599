"""An archive of the classes that Spark loads, with which Java starts sooner. One run writes it, and later runs read it.

Without it each start reads and verifies some twenty thousand classes from hundreds of jars. With it Java maps them into
memory as an earlier process had them, which Java calls dynamic class data sharing. Java itself refuses an archive of
another build, of other jars or of another class path, and starts without it.
"""

import atexit
import hashlib
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyspark

from jobs.cli import console
from jobs.errors import ConfigurationError
from jobs.spark.process import kill_started, let_end

VARIABLE = "JAVA_CLASS_ARCHIVE"
"""``write`` lets `jobs.pipeline` write an archive where there is none; ``off`` leaves one that is there unread."""

QUIET = "-Xlog:cds=off -Xlog:cds+dynamic=off"
"""Otherwise Java names on stdout each class that it cannot archive, and says there why it refuses an archive."""

SECONDS_WITHOUT_A_WORD, SECONDS_TO_WRITE = 1, 120
SECONDS_UNTIL_LEFT_OVER = 3600
UNQUOTABLE = frozenset(':"\\')
"""What a path in an option of Java cannot have: Java splits at colons, and Spark at quotes and backslashes."""


@dataclass(frozen=True)
class ClassArchive:
    """The archive for one Java, one PySpark and one class path.

    Attributes:
        folder: where it lies. It is that of the Python environment, so that both are removed together.
        name: how the name of its file begins. The size of the file follows.
    """

    folder: Path
    name: str

    @classmethod
    def of(cls, java_home: str, class_path: str) -> "ClassArchive":
        """The archive for a Java, and for what is on its class path beside PySpark's jars."""
        home, jars = Path(java_home).resolve(), spark_home() / "jars"
        release = home / "release"
        text = release.read_text() if release.is_file() else ""
        facts = (str(home), text, str(jars), str(jars.stat().st_mtime_ns), class_path)
        key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
        return cls(Path(sys.prefix).resolve(), f"java-classes-{key}")

    def file(self) -> Path | None:
        """Its file, if it is as long as it was when it was written. One that was cut off crashes Java."""
        files = self.folder.glob(f"{self.name}-*.jsa")
        return next((file for file in files if file.name == self._file_name(file.stat().st_size)), None)

    def keep(self, part: Path) -> None:
        """Give a file that Java wrote to its end the name that later runs look for."""
        part.replace(self.folder / self._file_name(part.stat().st_size))

    def new_part(self) -> Path:
        """Where Java may write, beside what other processes write. What a process left that was killed is removed."""
        for left in self.folder.glob("java-classes-*.part-*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > SECONDS_UNTIL_LEFT_OVER:
                    left.unlink()
        return self.folder / f"{self.name}.part-{os.getpid()}"

    def _file_name(self, size: int) -> str:
        return f"{self.name}-{size}.jsa"


def spark_home() -> Path:
    """The folder of PySpark, whatever links lead to it: Java refuses an archive of jars that have another path."""
    return Path(pyspark.__file__).parent.resolve()


_unfinished: dict[ClassArchive, Path] = {}
"""The archive that the Java of this process writes when it ends, and where."""


def java_options(java_home: str, class_path: str) -> str:
    """The options of Java with which it reads the archive, or writes it when it ends; none where it does neither.

    Raises:
        ConfigurationError: The variable has another value than it may have.
    """
    choice = os.environ.get(VARIABLE, "")
    if choice not in ("", "write", "off"):
        raise ConfigurationError(f"invalid {VARIABLE}={choice}: expected write, off or nothing")
    archive = ClassArchive.of(java_home, class_path)
    if choice == "off" or UNQUOTABLE & set(str(archive.folder)):
        return ""
    if file := archive.file():
        return f'{QUIET} "-XX:SharedArchiveFile={file}"'
    if choice != "write" or not os.access(archive.folder, os.W_OK):
        return ""
    _unfinished[archive] = archive.new_part()
    atexit.register(_give_up)
    return f'{QUIET} "-XX:ArchiveClassesAtExit={_unfinished[archive]}"'


def leave_class_archive() -> None:
    """Have the Java that was started here end, and keep the archive that it writes then, if it was to write one.

    Nothing in this process can use Spark afterwards. Where Java cannot write it, later runs start as this one did.
    """
    for archive, part in _unfinished.items():
        with suppress(OSError):
            if _exit_code(let_end()) == 0 and part.is_file():
                archive.keep(part)
    _give_up()


def _exit_code(process: subprocess.Popen[bytes] | None) -> int | None:
    """The exit code of a process that ends; None where there is none, or where it takes too long."""
    if process is None:
        return None
    with suppress(subprocess.TimeoutExpired):
        return process.wait(SECONDS_WITHOUT_A_WORD)
    console.note("Archiving Java's classes (once), so that later runs start sooner ...")
    with suppress(subprocess.TimeoutExpired):
        return process.wait(SECONDS_TO_WRITE)
    return None


def _give_up() -> None:
    """End a Java that would write an archive that nobody waits for."""
    for part in _unfinished.values():
        kill_started()
        with suppress(OSError):
            part.unlink(missing_ok=True)
    _unfinished.clear()
