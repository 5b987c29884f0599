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
from jobs.storage.folder import LARGEST_TEXT, Stored, StoredFile, WriteConflictError, decoded


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

    def read(self, *parts: str) -> str | None:
        """A text file's content, or None where there is no such file."""
        return self.read_version(*parts)[0]

    def read_version(self, *parts: str) -> tuple[str | None, str | None]:
        """A text file's content and its SHA-256."""
        file = self.path.joinpath(*parts)
        try:
            with file.open("rb") as opened:
                content = opened.read(LARGEST_TEXT + 1)
            return decoded(content, name=str(file)), _sha256(content)
        except (FileNotFoundError, NotADirectoryError):
            return None, None
        except OSError as error:
            raise ConfigurationError(f"{file}: cannot be read as text ({error.strerror})") from None

    def open_file(self, *parts: str) -> IO[bytes]:
        """A file, open for reading."""
        return self.path.joinpath(*parts).open("rb")

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
        with new_file.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new_file.replace(target)
        with _parent_of(target) as parent:
            os.fsync(parent)

    def write_if_unchanged(self, text: str, *parts: str, version: str | None) -> str:
        """`write_text` over a file that still has the SHA-256 ``version``. A lock on its folder makes writers queue."""
        with _parent_of(self.path.joinpath(*parts)) as parent:
            fcntl.flock(parent, fcntl.LOCK_EX)
            if self.read_version(*parts)[1] != version:
                raise WriteConflictError
            self.write_text(text, *parts)
        return _sha256(text.encode())


def describe_file(path: Path) -> StoredFile:
    """A local file's path, size and SHA-256; this reads the whole file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    state = path.stat()
    return StoredFile(path=str(path), size=state.st_size, sha256=digest, modified_ns=state.st_mtime_ns)


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
