"""A folder on a local disk."""

import fcntl
import hashlib
import logging
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path

from jobs.cli.logs import log_event
from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.storage.folder import LARGEST_TEXT, Extent, Stored, StoredFile, WriteConflictError, decoded

LOCK_SECONDS, SECONDS_BETWEEN_ATTEMPTS = 60.0, 0.1
log = logging.getLogger(__name__)


class LocalFolder:
    """A folder on a local disk; see `Folder` for what its methods promise."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def uri(self, *parts: str) -> str:
        """A ``file:`` URI, whatever Spark's default filesystem is.

        It is not percent-encoded as URIs are elsewhere: Hadoop takes the path literally.
        """
        return f"file://{self.path.joinpath(*parts)}"

    def display_path(self, *parts: str) -> str:
        """The absolute path."""
        return str(self.path.joinpath(*parts))

    def names(self, *parts: str) -> list[str]:
        """The names in a folder, sorted; none where there is no such folder."""
        folder = self.path.joinpath(*parts)
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def exists(self, *parts: str) -> bool:
        """Whether there is such a file or folder."""
        return self.path.joinpath(*parts).exists()

    def is_folder(self, *parts: str) -> bool:
        """Whether there is such a folder."""
        return self.path.joinpath(*parts).is_dir()

    def extent(self, *parts: str) -> Extent | None:
        """The size and the newest change of all that is below a folder, without what links in it lead to.

        Raises:
            ConfigurationError: The folder is a link: what it leads to may not belong here.
        """
        top = self.path.joinpath(*parts)
        if top.is_symlink():
            raise ConfigurationError(
                f"{top}: found a link, expected a folder. Remove the link, or put the folder there"
            )
        if not top.is_dir():
            return None
        states = [top.lstat()]
        for folder, subfolders, files in os.walk(top, onerror=_raise_unless_gone):
            for name in (*subfolders, *files):
                with suppress(FileNotFoundError):  # a run that still works removes what it staged
                    states.append(Path(folder, name).lstat())
        size = sum(state.st_size for state in states if not stat.S_ISDIR(state.st_mode))
        return Extent(size, datetime.fromtimestamp(max(state.st_mtime for state in states), UTC))

    def read(self, *parts: str) -> str | None:
        """A text file's content, or None where there is no such file."""
        return self.read_version(*parts)[0]

    def read_version(self, *parts: str) -> tuple[str | None, str | None]:
        """A text file's content and its SHA-256."""
        file = self.path.joinpath(*parts)
        try:
            with open_regular(file) as stream:
                content = stream.read(LARGEST_TEXT + 1)
            return decoded(content, name=str(file)), _sha256(content)
        except (FileNotFoundError, NotADirectoryError):
            return None, None
        except OSError as error:
            raise ConfigurationError(f"{file}: cannot be read as text ({error.strerror})") from None

    def open_file(self, *parts: str) -> BufferedReader:
        """A file, open for reading."""
        return open_regular(self.path.joinpath(*parts))

    def describe(self, *parts: str) -> StoredFile:
        """A file's path, size and SHA-256; this reads the whole file."""
        return describe_file(self.path.joinpath(*parts))

    def data_files(self, *parts: str) -> list[StoredFile]:
        """The data files of a table's folder."""
        return [self.describe(*parts, name) for name in self.names(*parts) if not name.startswith((".", "_"))]

    def is_unchanged(self, file: Stored) -> bool:
        """Whether a file still has the same size and time of change."""
        path = Path(file.path)
        if not isinstance(file, StoredFile) or not path.exists():
            return False
        state = path.stat()
        return (state.st_size, state.st_mtime_ns) == (file.size, file.modified_ns)

    def create_folder(self, *parts: str) -> None:
        """Create a folder that must not exist yet, and its parents."""
        folder = self.path.joinpath(*parts)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()

    def remove(self, *parts: str) -> None:
        """Remove a file, or a folder with its content; nothing where there is none."""
        target = self.path.joinpath(*parts)
        with suppress(FileNotFoundError):
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink()

    def copy_in(self, folder: Path, *parts: str) -> None:
        """Copy a local folder to a path that does not exist yet."""
        shutil.copytree(folder, self.path.joinpath(*parts))

    def write_text(self, text: str, *parts: str) -> None:
        """Write a text file atomically.

        The content reaches the disk before the file gets its name, and the name reaches it before this returns. So a
        power cut too leaves the old content or the new.
        """
        target = self.path.joinpath(*parts)
        new_file = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with new_file.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new_file.replace(target)
        except BaseException:  # Ctrl-C too
            with suppress(OSError):
                new_file.unlink(missing_ok=True)
            raise
        with _parent_of(target) as parent:
            os.fsync(parent)

    def write_texts(self, texts: Mapping[str, str], *parts: str) -> None:
        """Write text files by their paths below a folder."""
        for path, text in texts.items():
            target = (*parts, *path.split("/"))
            self.path.joinpath(*target).parent.mkdir(parents=True, exist_ok=True)
            self.write_text(text, *target)

    def write_if_unchanged(self, text: str, *parts: str, version: str | None) -> str:
        """`write_text` over a file that still has the SHA-256 ``version``. A lock on its folder makes writers queue.

        Raises:
            WriteConflictError: Another writer was faster.
            OutsideSystemError: Another writer has the lock for longer than `LOCK_SECONDS`.
        """
        with _parent_of(self.path.joinpath(*parts)) as parent:
            _lock(parent, self.path.joinpath(*parts))
            if self.read_version(*parts)[1] != version:
                raise WriteConflictError
            self.write_text(text, *parts)
        return _sha256(text.encode())


def describe_file(path: Path) -> StoredFile:
    """A local file's path, size and SHA-256; this reads the whole file.

    Raises:
        ConfigurationError: It is no file.
        DataError: It changed while it was read.
    """
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(
            f"{path}: changed while it was read ({before.st_size:,} bytes, then {after.st_size:,}), expected one "
            "content. Run again when nothing writes it any more"
        )
    return StoredFile(path=str(path), size=after.st_size, sha256=digest, modified_ns=after.st_mtime_ns)


def open_regular(path: Path) -> BufferedReader:
    """A file, open for reading. Another kind is refused: a pipe or a device may never end.

    Raises:
        ConfigurationError: It is a named pipe, a socket or a device.
        OSError: It cannot be opened.
    """
    # A pipe without a writer would not even open.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    kind = next((name for is_kind, name in KINDS if is_kind(mode)), None)
    if kind is None:
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise ConfigurationError(f"{path}: found {kind}, expected a file. Write its content to a file and name that")


KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _lock(folder: int, file: Path) -> None:
    """Lock a folder for the writer of a file in it. The lock ends with its process, however that ends."""
    give_up = time.monotonic() + LOCK_SECONDS
    is_logged = False
    while True:
        try:
            return fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise OutsideSystemError(
                    f"{file}: still locked by {_holder(folder)} after {LOCK_SECONDS:.0f} s. End that program if it is "
                    "stopped, and run again"
                ) from None
            if not is_logged:
                log_event(log, "waiting for a lock", level=logging.WARNING, file=file, held_by=_holder(folder))
                is_logged = True
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)


def _holder(folder: int) -> str:
    """Who has the lock of a folder, as far as Linux tells."""
    number = os.fstat(folder).st_ino
    with suppress(OSError, ValueError, IndexError):
        for lock in Path("/proc/locks").read_text().splitlines():
            fields = lock.split()
            if fields[1] == "FLOCK" and fields[5].endswith(f":{number}"):
                return f"process {fields[4]}"
    return "another process"


@contextmanager
def _parent_of(file: Path) -> Iterator[int]:
    """A file descriptor of the folder that a file is in."""
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
