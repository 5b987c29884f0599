"""The files of a run's tables: recorded when the run is whole, and looked at again before they are handed on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.errors import DataError, OutsideSystemError
from jobs.storage.folder import Folder, Stored

AGAIN = "Files of a run are never edited: put back what was there, or run the pipeline again"


@dataclass(frozen=True)
class TableFile:
    """A file of a table.

    Attributes:
        path: where it is: a path, or an ``s3://`` URI.
        size: in bytes.
    """

    path: str
    size: int

    @property
    def name(self) -> str:
        """Its name in its folder."""
        return self.path.rpartition("/")[2]


def list_table_files(folder: Folder, table_path: str) -> list[dict[str, Any]]:
    """What a manifest says of a table's files: name, size in bytes, and checksum or ETag.

    Args:
        folder: the output folder.
        table_path: the table's folder, below it.

    Raises:
        OutsideSystemError: A file cannot be read.
    """
    return [_entry(file) for file in _stored_files(folder, table_path)]


def verify_table_files(
    folder: Folder, *, table: str, table_path: str, recorded: Sequence[dict[str, Any]]
) -> tuple[TableFile, ...]:
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
    present = {entry["file"]: (entry, file) for file in _stored_files(folder, table_path) for entry in (_entry(file),)}
    expected = {entry["file"]: entry for entry in recorded}
    for names, what in ((expected.keys() - present.keys(), "is missing"), (present.keys() - expected.keys(), "is new")):
        if names:
            raise DataError(
                f"table {table}: {min(names)} {what}: found {len(present)} files in {table_path}, expected the "
                f"{len(expected)} that the run wrote. {AGAIN}"
            )
    for name, (entry, _) in present.items():
        if fingerprint(entry) != fingerprint(expected[name]):
            raise DataError(
                f"table {table}: {name} was changed: found {_in_words(entry)}, expected {_in_words(expected[name])}. "
                f"{AGAIN}"
            )
    return tuple(TableFile(file.path, file.size) for _, file in present.values())


def fingerprint(entry: Mapping[str, Any]) -> tuple[int, str]:
    """What a manifest's entry says of a file's content: its size, and its checksum or, in S3, its ETag."""
    return entry["size"], entry["sha256"] if "sha256" in entry else entry["etag"]


def _entry(file: Stored) -> dict[str, Any]:
    told = {name: value for name, value in file.as_json().items() if name != "path"}
    return {"file": TableFile(file.path, file.size).name, **told}


def _in_words(entry: Mapping[str, Any]) -> str:
    size, mark = fingerprint(entry)
    return f"{size:,} bytes, {'SHA-256' if 'sha256' in entry else 'ETag'} {mark[:12]}…"


def _stored_files(folder: Folder, table_path: str) -> Sequence[Stored]:
    try:
        return folder.data_files(*table_path.split("/"))
    except OSError as error:
        raise OutsideSystemError(f"{error.filename}: cannot be read ({error.strerror})") from None
