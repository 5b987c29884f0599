"""The table store of a run: the files of its tables, recorded when the run is complete and verified before a load."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from jobs.errors import DataError, OutsideSystemError
from jobs.storage.folder import Folder, Stored
from jobs.storage.run_files import RecordedFile
from transforms.bounded_text import cut

RESTORE = "Files of a run are never edited: restore them, or run the pipeline again"


@dataclass(frozen=True)
class TableFile:
    """A file of a table.

    Attributes:
        path: a path, or an ``s3://`` URI.
        size: in bytes.
    """

    path: str
    size: int

    @property
    def name(self) -> str:
        """Its name in its folder."""
        return self.path.rpartition("/")[2]


def list_table_files(folder: Folder, table_path: str) -> list[dict[str, Any]]:
    """The manifest's entries for a table's files: name, size in bytes, and SHA-256 or ETag.

    Args:
        folder: the output folder.
        table_path: the table's folder, below it.

    Raises:
        OutsideSystemError: A file cannot be read.
    """
    return [_entry(file) for file in _data_files(folder, table_path)]


def verify_table_files(
    folder: Folder, *, table: str, table_path: str, recorded: Sequence[RecordedFile]
) -> tuple[TableFile, ...]:
    """A table's files, after a check that they are, byte for byte, those that the run wrote.

    Args:
        folder: the output folder.
        table: the table's name, for the message.
        table_path: its folder, below the output folder.
        recorded: the entries for its files in the run's manifest.

    Raises:
        DataError: A file is missing, was added, or was changed.
        OutsideSystemError: A file cannot be read.
    """
    files = _data_files(folder, table_path)
    present = {entry["file"]: entry for entry in map(_entry, files)}
    expected = {entry.file: entry for entry in recorded}
    _check_names(present.keys(), expected.keys(), table=table, table_path=table_path)
    for name, entry in present.items():
        recorded_file = expected[name]
        if fingerprint(entry) != recorded_file.fingerprint:
            actual = _in_words(fingerprint(entry), is_sha256="sha256" in entry)
            wrote = _in_words(recorded_file.fingerprint, is_sha256=recorded_file.sha256 is not None)
            raise DataError(
                f"table {table}: {cut(name, longest=120)} was changed: found {actual}, expected {wrote}. {RESTORE}"
            )
    return tuple(TableFile(file.path, file.size) for file in files)


def verify_file_names(folder: Folder, *, table: str, table_path: str, recorded: Sequence[RecordedFile]) -> None:
    """Check that a table has the files that the run wrote, by their names: one listing, whatever their size.

    Raises:
        DataError: A file is missing, or was added.
        OutsideSystemError: The folder cannot be read.
    """
    try:
        names = folder.names(*table_path.split("/"))
    except OSError as error:
        raise OutsideSystemError(f"{error.filename}: cannot be read ({error.strerror})") from None
    present = {name for name in names if not name.startswith((".", "_"))}
    _check_names(present, {entry.file for entry in recorded}, table=table, table_path=table_path)


def _check_names(present: Set[str], expected: Set[str], *, table: str, table_path: str) -> None:
    for names, state in ((expected - present, "is missing"), (present - expected, "is new")):
        if names:
            raise DataError(
                f"table {table}: {cut(min(names), longest=120)} {state}: found {len(present)} files in {table_path}, "
                f"expected the {len(expected)} that the run wrote. {RESTORE}"
            )


def fingerprint(entry: Mapping[str, Any]) -> tuple[int, str]:
    """What identifies a file's content in the manifest: its size, and its SHA-256 or, in S3, its ETag."""
    return entry["size"], entry["sha256"] if "sha256" in entry else entry["etag"]


def _entry(file: Stored) -> dict[str, Any]:
    content = {name: value for name, value in file.as_json().items() if name != "path"}
    return {"file": TableFile(file.path, file.size).name, **content}


def _in_words(found: tuple[int, str], *, is_sha256: bool) -> str:
    size, digest = found
    return f"{size:,} bytes, {'SHA-256' if is_sha256 else 'ETag'} {cut(digest, longest=12)}"


def _data_files(folder: Folder, table_path: str) -> Sequence[Stored]:
    try:
        return folder.data_files(*table_path.split("/"))
    except OSError as error:
        raise OutsideSystemError(f"{error.filename}: cannot be read ({error.strerror})") from None
