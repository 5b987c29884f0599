"""The file of an audience's members, on this machine or where it is, after a check that nobody has changed it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from jobs.audiences.audience import AUDIENCE_FILE, RESTORE, Members
from jobs.errors import DataError, OutsideSystemError, reason_of
from jobs.storage.folder import Folder, StoredFile
from jobs.storage.table_files import TableFile
from jobs.storage.temporary import temporary_folder

PIECE_BYTES = 2**20


@contextmanager
def members_file(folder: Folder, recorded: Members, *, on_disk: bool) -> Iterator[TableFile]:
    """The file of all members, byte for byte the one that was exported. It is read once.

    Args:
        folder: the export.
        recorded: what the record of the audience says of the file.
        on_disk: whether a file in S3 is copied to a temporary folder (``TMPDIR``), since who reads it needs a disk.

    Raises:
        DataError: It is missing, or was changed.
        OutsideSystemError: It cannot be read, or there is no room for its copy.
    """
    name = recorded.name
    path = folder.display_path(name)
    if not folder.exists(name):
        raise DataError(f"{path}: found no such file, expected the one that {AUDIENCE_FILE} lists. {RESTORE}")
    with _disk_errors(path):
        stored = folder.describe(name)
    if isinstance(stored, StoredFile):
        _compare(recorded, path, stored.size, stored.sha256)
        yield TableFile(stored.path, stored.size)
        return
    with temporary_folder("audience") if on_disk else nullcontext() as temporary:
        copy = temporary / name if temporary else None
        with _disk_errors(path):
            sha256 = _read(folder, name, copy)
        _compare(recorded, path, stored.size, sha256)
        yield TableFile(path if copy is None else str(copy), stored.size)


def _read(folder: Folder, name: str, copy: Path | None) -> str:
    """Read a file once, into a copy if there is to be one, and return its SHA-256."""
    digest = hashlib.sha256()
    opened: BinaryIO | None = copy.open("xb") if copy else None
    with opened or nullcontext(), folder.open_file(name) as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            if opened:
                opened.write(piece)
    return digest.hexdigest()


def _compare(recorded: Members, path: str, size: int, sha256: str) -> None:
    if (size, sha256) != (recorded.size, recorded.sha256):
        raise DataError(
            f"{path} was changed: found {size:,} bytes, SHA-256 {sha256[:12]}…, expected {recorded.size:,} bytes, "
            f"SHA-256 {recorded.sha256[:12]}…. {RESTORE}"
        )


@contextmanager
def _disk_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutsideSystemError(
            f"{path}: cannot be read ({reason_of(error)}). Give this user the right to, and room in TMPDIR"
        ) from None
