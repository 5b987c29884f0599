"""Loads an exported audience into the table `audiences` of a warehouse, in place of its own rows and no others."""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from jobs.audiences.audience import AUDIENCE_FILE, Audience
from jobs.cli.logs import log_event
from jobs.errors import DataError, OutsideSystemError, reason_of
from jobs.storage.folder import Folder, StoredFile
from jobs.storage.table_files import TableFile
from jobs.storage.temporary import temporary_folder
from jobs.warehouse.members import RESTORE, AudienceToLoad
from jobs.warehouse.target import DuckDBAddress, WarehouseTarget

PIECE_BYTES = 1024 * 1024

log = logging.getLogger(__name__)


def load_audience(target: WarehouseTarget, audience: Audience, folder: Folder) -> None:
    """Load the members of an exported audience, both arms, into the table ``audiences``.

    It replaces the rows of this audience, in one transaction. Other audiences and the tables of runs stay as they are.
    A load that fails, or is killed, leaves the table as it was. The table is created if there is none.

    Args:
        target: the warehouse.
        audience: the record of the export.
        folder: the export, on a disk or in S3. Redshift reads a file in S3 where it is. For DuckDB it is copied to a
            temporary folder.

    Raises:
        ConfigurationError: The warehouse's package is not installed.
        DataError: The file of members is not the one that was exported, or the loaded rows differ from the record.
        OutsideSystemError: The warehouse, the disk or a service failed.
    """
    warehouse = target.open_warehouse()
    audience_id, address = audience.audience_id, target.address
    log_event(log, "load started", audience_id=audience_id, warehouse=address)
    started = time.monotonic()
    try:
        with _checked_file(audience, folder, reads_disk=isinstance(target.address, DuckDBAddress)) as file:
            warehouse.load_audience(AudienceToLoad.of(audience, file))
    except BaseException:
        log_event(log, "load failed", level=logging.ERROR, audience_id=audience_id, warehouse=address)
        raise
    rows, seconds = audience.members.rows, round(time.monotonic() - started, 2)
    log_event(log, "load complete", audience_id=audience_id, rows=rows, seconds=seconds)


@contextmanager
def _checked_file(audience: Audience, folder: Folder, *, reads_disk: bool) -> Iterator[TableFile]:
    """The file of members, after a check that it is, byte for byte, the one that was exported.

    Args:
        audience: the record of the export.
        folder: the export.
        reads_disk: whether a file in S3 is copied to the disk, since the warehouse reads it there.
    """
    name = audience.members.name
    path = folder.display_path(name)
    if not folder.exists(name):
        raise DataError(f"{path}: found no such file, expected the one that {AUDIENCE_FILE} lists. {RESTORE}")
    with _disk_errors(path):
        stored = folder.describe(name)
    if isinstance(stored, StoredFile):
        _compare(audience, path, stored.size, stored.sha256)
        yield TableFile(stored.path, stored.size)
        return
    with temporary_folder("audience") if reads_disk else nullcontext() as temporary:
        copy = temporary / name if temporary else None
        with _disk_errors(path):
            sha256 = _read(folder, name, copy)
        _compare(audience, path, stored.size, sha256)
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


def _compare(audience: Audience, path: str, size: int, sha256: str) -> None:
    recorded = audience.members
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
        raise OutsideSystemError(f"{path}: cannot be read ({reason_of(error)})") from None
