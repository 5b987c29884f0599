"""A folder on a local disk."""

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from jobs.errors import ConfigurationError
from jobs.storage.folder import Stored, StoredFile, WriteConflictError


class LocalFolder:
    """A folder on a local disk; see `Folder` for what its methods promise."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def uri(self, *parts: str) -> str:
        """A ``file:`` URI, whatever Spark's default filesystem is.

        Not percent-encoded as URIs are elsewhere: Hadoop takes a path for what it says.
        """
        return f"file://{self.path.joinpath(*parts)}"

    def display_path(self, *parts: str) -> str:
        """The path."""
        return str(self.path.joinpath(*parts))

    def names(self, *parts: str) -> list[str]:
        """What is in a folder, sorted; nothing when there is no such folder."""
        folder = self.path.joinpath(*parts)
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def exists(self, *parts: str) -> bool:
        """Whether there is such a file or folder."""
        return self.path.joinpath(*parts).exists()

    def is_folder(self, *parts: str) -> bool:
        """Whether there is such a folder."""
        return self.path.joinpath(*parts).is_dir()

    def read(self, *parts: str) -> str | None:
        """A text file's content, or None when there is no such file."""
        return self.read_version(*parts)[0]

    def read_version(self, *parts: str) -> tuple[str | None, str | None]:
        """A text file's content, and its checksum."""
        file = self.path.joinpath(*parts)
        try:
            content = file.read_bytes()
            return content.decode(), _checksum(content)
        except (FileNotFoundError, NotADirectoryError):
            return None, None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{file}: cannot be read as text ({error})") from None

    def open_file(self, *parts: str) -> IO[bytes]:
        """A file, open for reading."""
        return self.path.joinpath(*parts).open("rb")

    def describe(self, *parts: str) -> StoredFile:
        """A file's name, size and checksum."""
        return describe_file(self.path.joinpath(*parts))

    def data_files(self, *parts: str) -> list[StoredFile]:
        """The data files of a table's folder."""
        return [self.describe(*parts, name) for name in self.names(*parts) if not name.startswith((".", "_"))]

    def is_unchanged(self, file: Stored) -> bool:
        """Whether a file has the size and the time of change that it had."""
        path = Path(file.path)
        if not isinstance(file, StoredFile) or not path.exists():
            return False
        state = path.stat()
        return (state.st_size, state.st_mtime_ns) == (file.size, file.modified_ns)

    def create_folder(self, *parts: str) -> None:
        """Make a folder that must not exist yet, and those above it."""
        folder = self.path.joinpath(*parts)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()

    def remove(self, *parts: str) -> None:
        """Remove a folder with all that is in it, or a file; nothing when there is none."""
        target = self.path.joinpath(*parts)
        with suppress(FileNotFoundError):
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink()

    def copy_in(self, folder: Path, *parts: str) -> None:
        """Copy a local folder to a place where there is none yet."""
        shutil.copytree(folder, self.path.joinpath(*parts))

    def write_text(self, text: str, *parts: str) -> None:
        """Write a text file so that a reader finds the old content or the new, and never half.

        The new content reaches the disk before it gets the name, and the name before this returns: a power cut
        leaves one of the two as well.
        """
        target = self.path.joinpath(*parts)
        fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        with _folder_of(target) as folder:
            os.fsync(folder)

    def write_if_unchanged(self, text: str, *parts: str, version: str | None) -> str:
        """`replace` a file that is still what it was; those who do so at once take turns by a lock on its folder."""
        with _folder_of(self.path.joinpath(*parts)) as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if self.read_version(*parts)[1] != version:
                raise WriteConflictError
            self.replace(text, *parts)
        return _checksum(text.encode())


@contextmanager
def _folder_of(file: Path) -> Iterator[int]:
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        yield folder
    finally:
        os.close(folder)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def describe_file(path: Path) -> StoredFile:
    """A local file's name, size and checksum."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    state = path.stat()
    return StoredFile(path=str(path), size=state.st_size, sha256=digest, modified_ns=state.st_mtime_ns)
