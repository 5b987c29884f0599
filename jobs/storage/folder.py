"""What a place has to be able to do so that runs can be kept in it and files read from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol


class WriteConflictError(Exception):
    """A file is not any more what it was when it was read, so that it was not written over."""


@dataclass(frozen=True)
class StoredFile:
    """A file on disk that was read or written, as the manifest names it."""

    path: str
    size: int
    sha256: str
    modified_ns: int

    def as_json(self) -> dict[str, Any]:
        """The file's entry in the manifest."""
        return {"path": self.path, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True)
class StoredObject:
    """An object in S3 that was read or written, as the manifest names it.

    Its content is told by its ETag: it changes with the content, costs no reading, and is no checksum of it (of an
    object that came in parts, or is encrypted with KMS, it is not the MD5).

    Attributes:
        path: its ``s3://`` URI.
        size: in bytes.
        etag: as S3 tells it, without the quotes.
        version_id: where the bucket keeps versions and the object was asked for by itself; else None.
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


class Folder(Protocol):
    """A folder, and what is below it: ``parts`` are the names on the way there, none for the folder itself.

    Local folders raise OSError where a disk fails. Those in S3 raise what ends a run: ConfigurationError for a bucket
    that is not there, OutsideSystemError for a service that refuses or does not answer.
    """

    def uri(self, *parts: str) -> str:
        """What Spark is given to write there."""

    def display_path(self, *parts: str) -> str:
        """The place in a form that a person can use: a path, or an ``s3://`` URI."""

    def names(self, *parts: str) -> list[str]:
        """What is in a folder, sorted; nothing when there is no such folder."""

    def exists(self, *parts: str) -> bool:
        """Whether there is such a file or folder."""

    def is_folder(self, *parts: str) -> bool:
        """Whether there is such a folder."""

    def read(self, *parts: str) -> str | None:
        """A text file's content, or None when there is no such file."""

    def read_version(self, *parts: str) -> tuple[str | None, str | None]:
        """A text file's content and what tells this content from others, for `exchange`; both None for no file."""

    def open_file(self, *parts: str) -> IO[bytes]:
        """A file, open for reading from its beginning; what was not asked for is not fetched."""

    def describe(self, *parts: str) -> Stored:
        """A file as the manifest names it."""

    def data_files(self, *parts: str) -> Sequence[Stored]:
        """The data files of a table's folder by name: none that Spark hides from its readers (``_`` and ``.``)."""

    def is_unchanged(self, file: Stored) -> bool:
        """Whether a file is what it was when it was `stored`."""

    def create_folder(self, *parts: str) -> None:
        """Make a folder that must not exist yet: of several who try at once, one succeeds.

        Raises:
            FileExistsError: It exists.
        """

    def remove(self, *parts: str) -> None:
        """Remove a folder with all that is in it, or a file; nothing when there is none."""

    def copy_in(self, folder: Path, *parts: str) -> None:
        """Copy a local folder to a place where there is none yet."""

    def write_text(self, text: str, *parts: str) -> None:
        """Write a text file so that a reader finds the old content or the new, and never half."""

    def write_if_unchanged(self, text: str, *parts: str, version: str | None) -> str:
        """`replace` a file that still has the content told by ``version`` (None: that is still not there).

        Returns:
            The version of the new content.

        Raises:
            WriteConflictError: Somebody else wrote it meanwhile; it was left as it is.
        """
