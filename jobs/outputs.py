"""The files of a run's tables: recorded when the run is whole, and looked at again before they are handed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import DataError, OutsideSystemError
from jobs.storage import LocalFolder, StoredFile, stored_file

AGAIN = "Files of a run are never edited: put back what was there, or run the pipeline again"


@dataclass(frozen=True)
class OutputFile:
    """A file of a table.

    Attributes:
        path: where it is.
        size: in bytes.
    """

    path: Path
    size: int


def recorded_files(folder: LocalFolder, table_path: str) -> list[dict[str, Any]]:
    """What a manifest says of a table's files: name, size in bytes and checksum.

    Args:
        folder: the output folder.
        table_path: the table's folder, below it.

    Raises:
        OutsideSystemError: A file cannot be read.
    """
    files = [_looked_at(path) for path in folder.files(*table_path.split("/"))]
    return [{"file": Path(file.path).name, "size": file.size, "sha256": file.sha256} for file in files]


def unchanged_files(
    folder: LocalFolder, *, table: str, table_path: str, recorded: Sequence[dict[str, Any]]
) -> tuple[OutputFile, ...]:
    """A table's files, after it was made sure that they are those that the run wrote, to the byte.

    Args:
        folder: the output folder.
        table: the table's name, for the message.
        table_path: its folder, below the output folder.
        recorded: what the run's manifest says of its files.

    Raises:
        DataError: A file is missing, was added, or is not what it was.
        OutsideSystemError: A file cannot be read.
    """
    present = {path.name: path for path in folder.files(*table_path.split("/"))}
    expected = {entry["file"]: entry for entry in recorded}
    for names, what in ((expected.keys() - present.keys(), "is missing"), (present.keys() - expected.keys(), "is new")):
        if names:
            raise DataError(
                f"table {table}: {min(names)} {what}: found {len(present)} files in {table_path}, expected the "
                f"{len(expected)} that the run wrote. {AGAIN}"
            )
    for name, path in present.items():
        _assert_unchanged(path, table=table, recorded=expected[name])
    return tuple(OutputFile(path, expected[name]["size"]) for name, path in present.items())


def _assert_unchanged(path: Path, *, table: str, recorded: dict[str, Any]) -> None:
    found = _looked_at(path)
    if (found.size, found.sha256) != (recorded["size"], recorded["sha256"]):
        raise DataError(
            f"table {table}: {path.name} was changed: found {found.size:,} bytes, SHA-256 {found.sha256[:12]}…, "
            f"expected {recorded['size']:,} bytes, {recorded['sha256'][:12]}…. {AGAIN}"
        )


def _looked_at(path: Path) -> StoredFile:
    try:
        return stored_file(path)
    except OSError as error:
        raise OutsideSystemError(f"{path}: cannot be read ({error.strerror})") from None
