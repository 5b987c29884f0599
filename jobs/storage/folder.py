"""The interface of a place that stores runs and input files, and what the manifest records of a file there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any, Protocol

from jobs.errors import ConfigurationError

LARGEST_TEXT = 64 * 2**20
"""Bytes of a text file that are read at most. What may be larger is opened, and read in pieces."""

MARKER = "_opened.json"
"""The object that makes a folder in S3 exist as soon as it is created: S3 has no folders, only objects. It has
``opened_at``, and ``by``, which no other creation has."""


class NotTextError(ConfigurationError):
    """A file is not text in UTF-8, or is larger than a text file may be."""


class WriteConflictError(Exception):
    """A file changed after it was read, so it was not overwritten."""


@dataclass(frozen=True)
class StoredFile:
    """A file on disk that was read or written, as the manifest records it.

    Attributes:
        path: where it is.
        size: in bytes.
        sha256: checksum of its content.
        modified_ns: time of its last change; not in the manifest.
    """

    path: str
    size: int
    sha256: str
    modified_ns: int

    def as_json(self) -> dict[str, Any]:
        """The file's entry in the manifest."""
        return {"path": self.path, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True)
class StoredObject:
    """An object in S3 that was read or written, as the manifest records it.

    The ETag identifies the content: it changes with the content and costs no read. It is no checksum. For an object
    that was uploaded in parts, or is encrypted with KMS, it is not the MD5.

    Attributes:
        path: its ``s3://`` URI.
        size: in bytes.
        etag: without the quotes.
        version_id: of an object that was described by itself, in a versioned bucket; else None.
    """

    path: str
    size: int
    etag: str
    version_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The object's entry in the manifest."""
        version = {"version_id": self.version_id} if self.version_id else {}
        return {"path": self.path, "size": self.size, "etag": self.etag, **version}


Stored = StoredFile | StoredObject


@dataclass(frozen=True)
class Extent:
    """How much a folder holds, and since when it is as it is.

    Attributes:
        size: bytes of all files below it.
        changed_at: the newest change of what is in it.
    """

    size: int
    changed_at: datetime


def decoded(content: bytes, *, name: str) -> str:
    """The text of a file.

    Raises:
        NotTextError: It is not UTF-8, or it has more than `LARGEST_TEXT`.
    """
    if len(content) > LARGEST_TEXT:
        raise NotTextError(
            f"{name}: found more than {LARGEST_TEXT:,} bytes, expected a text file of less. Check the path"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise NotTextError(
            f"{name}: cannot be read as text (byte {error.start:,} is not UTF-8). Give a text file in UTF-8"
        ) from None


class Folder(Protocol):
    """A folder and what is below it. ``parts`` are the names on the path; without them it is the folder itself.

    Local folders raise OSError when the disk fails. Folders in S3 raise errors that end a run: ConfigurationError for
    a bucket that does not exist, OutsideSystemError for a service that refuses or does not answer.
    """

    def uri(self, *parts: str) -> str:
        """The URI under which Spark reads and writes it."""

    def display_path(self, *parts: str) -> str:
        """The path or ``s3://`` URI for messages, manifests and command lines."""

    def names(self, *parts: str) -> list[str]:
        """The names in a folder, sorted; none where there is no such folder."""

    def exists(self, *parts: str) -> bool:
        """Whether there is such a file or folder."""

    def is_folder(self, *parts: str) -> bool:
        """Whether there is such a folder."""

    def extent(self, *parts: str) -> Extent | None:
        """The size and the newest change of all that is below a folder; None where there is no such folder."""

    def read(self, *parts: str) -> str | None:
        """A text file's content, or None where there is no such file.

        Raises:
            ConfigurationError: It cannot be read, is not UTF-8, or has more than `LARGEST_TEXT`.
        """

    def read_version(self, *parts: str) -> tuple[str | None, str | None]:
        """A text file's content and its version for `write_if_unchanged`; both None where there is no such file."""

    def open_file(self, *parts: str) -> BufferedReader:
        """A file, open for reading from its beginning. Only what is read is fetched."""

    def describe(self, *parts: str) -> Stored:
        """A file as the manifest records it."""

    def data_files(self, *parts: str) -> Sequence[Stored]:
        """The data files of a table's folder, by name; not those that Spark ignores (``_`` and ``.``)."""

    def is_unchanged(self, file: Stored) -> bool:
        """Whether a file is still as `describe` found it."""

    def create_folder(self, *parts: str) -> None:
        """Create a folder that must not exist yet. Of several who try at once, one succeeds.

        Raises:
            FileExistsError: It exists.
        """

    def remove(self, *parts: str) -> None:
        """Remove a file, or a folder with its content; nothing where there is none."""

    def copy_in(self, folder: Path, *parts: str) -> None:
        """Copy a local folder to a path that does not exist yet."""

    def write_text(self, text: str, *parts: str) -> None:
        """Write a text file atomically: a reader finds the old content or the new, never half."""

    def write_texts(self, texts: Mapping[str, str], *parts: str) -> None:
        """Write text files, each by `write_text`, by their paths below a folder. Folders on the way are made."""

    def write_if_unchanged(self, text: str, *parts: str, version: str | None) -> str:
        """`write_text` over a file that still has the given version (compare and swap).

        Args:
            text: the new content.
            parts: the names on the path.
            version: what `read_version` returned; None if there was no file.

        Returns:
            The version of the new content.

        Raises:
            WriteConflictError: Another writer was faster; the file is left as that writer wrote it.
        """
