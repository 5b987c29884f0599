"""The raw CSV files: find them, check their headers, and read their records as text."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from expectations.contracts.contract import FileContract
from expectations.rules.row_rules import MALFORMED_ROW, SOURCE_FILE
from jobs.errors import ConfigurationError, DataError
from jobs.storage.folder import Folder, Stored
from jobs.storage.uris import escape_glob, folder_at, unreadable_name

SUFFIXES = (".csv", ".csv.gz")


@dataclass(frozen=True)
class Source:
    """The file or files of one raw table, found and with a valid header, not read yet.

    Attributes:
        contract: the table's.
        files: in name order, as the manifest records them.
        header: the columns of every file, in file order.
        folder: where the files are.
        uris: what Spark reads, in name order.
    """

    contract: FileContract
    files: tuple[Stored, ...]
    header: tuple[str, ...]
    folder: Folder
    uris: tuple[str, ...]

    @property
    def ignored_columns(self) -> list[str]:
        """Columns of the file that the contract does not have."""
        return [name for name in self.header if name not in self.contract.source_columns]

    def as_json(self) -> dict[str, Any]:
        """The source's entry in the manifest.

        Raises:
            DataError: A file changed since it was found, so what was read is not known.
        """
        for file in self.files:
            if not self.folder.is_unchanged(file):
                raise DataError(f"{file.path}: changed while it was read, expected it to stay. Run again")
        return {
            "table": self.contract.table,
            "files": [file.as_json() for file in self.files],
            "ignored_columns": self.ignored_columns,
        }


def find_sources(uri: str, contracts: Sequence[FileContract]) -> list[Source]:
    """Find each contract's file in a folder and check its header, before Spark starts.

    Args:
        uri: the folder, from ``--input``.
        contracts: of the raw tables.

    Raises:
        ConfigurationError: There is no such folder, a file is missing, or it is there both plain and packed.
        DataError: A file is empty, has no rows, or its header lacks a column.
    """
    folder = folder_at(uri, argument="--input")
    try:
        if not folder.is_folder():
            state = "a file" if folder.exists() else "nothing"
            raise ConfigurationError(f"--input {uri}: found {state}, expected a folder with the CSV files. Check it")
        return [_find_source(folder, contract) for contract in contracts]
    except OSError as error:
        raise ConfigurationError(f"--input {uri}: cannot be read ({error.strerror}: {error.filename})") from None


def inputs_of(sources: Sequence[Source]) -> dict[str, Any]:
    """The manifest's entry for the input files.

    Raises:
        DataError: A file changed since it was found.
    """
    return {"files": [source.as_json() for source in sources]}


def read_source(session: SparkSession, source: Source) -> DataFrame:
    """Read every record of a source as text.

    Grain out: one row per record; blank lines are not records. Columns: the contract's source columns, null where the
    field is empty; ``source_file``; and ``malformed_row``, the text of a record with another number of fields than the
    header.
    """
    columns = source.contract.source_columns
    # Spark's names ignore case: an ignored column such as Order_ID would clash with order_id, so its name changes.
    names = [name if name in columns else f"ignored_{position}" for position, name in enumerate(source.header)]
    schema = StructType([StructField(name, StringType()) for name in (*names, MALFORMED_ROW)])
    return (
        session.read.schema(schema)
        .options(
            header=True,
            # As in Kaggle's files and RFC 4180: inside quotes a quote is doubled, and line breaks are allowed.
            escape='"',
            multiLine=True,
            mode="PERMISSIVE",
            # A record with more fields than this ends the run. Any other wrong number of fields is quarantined.
            maxColumns=1_000_000,
            columnNameOfCorruptRecord=MALFORMED_ROW,
        )
        .csv([escape_glob(uri) for uri in source.uris])
        .select(*columns, F.col("_metadata.file_path").alias(SOURCE_FILE), MALFORMED_ROW)
    )


def _find_source(folder: Folder, contract: FileContract) -> Source:
    names = folder.names()
    present = [contract.file + suffix for suffix in SUFFIXES if contract.file + suffix in names]
    if not present:
        raise ConfigurationError(
            f"{folder.display_path()}: no {contract.file}.csv (found: {', '.join(names) or 'nothing'}). "
            "Put the file there, plain or as .csv.gz, or give another --input"
        )
    if len(present) > 1:
        raise ConfigurationError(
            f"{folder.display_path()}: found {' and '.join(present)}, expected one of them. Remove the other"
        )
    files = _part_files(folder, present[0])
    headers = {file: _read_header(folder, file) for file in files}
    header = headers[files[0]]
    for file, other in headers.items():
        if other != header:
            raise DataError(
                f"{file[-1]}: found the header {', '.join(other)}, expected that of {files[0][-1]}: "
                f"{', '.join(header)}. Export all part files alike"
            )
    _check_header(present[0], header, contract)
    if not any(_has_rows(folder, file) for file in files):
        raise DataError(f"{present[0]}: a header and no rows, expected at least one. Check how the file was exported")
    return Source(
        contract=contract,
        files=tuple(folder.describe(*file) for file in files),
        header=header,
        folder=folder,
        uris=tuple(folder.uri(*file) for file in files),
    )


def _part_files(folder: Folder, name: str) -> tuple[tuple[str, ...], ...]:
    """The file of that name, or the part files in the folder of that name; each as the parts of its path."""
    if not folder.is_folder(name):
        return ((name,),)
    parts = tuple(
        (name, part) for part in folder.names(name) if part.endswith(SUFFIXES) and not part.startswith((".", "_"))
    )
    for _, part in parts:
        cause = unreadable_name(part)
        if cause is not None:
            raise ConfigurationError(f"{name}/{part}: {cause}")
    if not parts:
        raise DataError(f"{name}: a folder without part files, expected files that end in .csv or .csv.gz")
    return parts


def _check_header(name: str, header: tuple[str, ...], contract: FileContract) -> None:
    missing = [column for column in contract.source_columns if column not in header]
    if missing:
        columns = ", ".join(f"'{column}'" for column in missing)
        raise DataError(
            f"{name}: no column {columns} (found: {', '.join(header)}). "
            f"Rename the column, or check that this is the {contract.table} file"
        )
    duplicates = sorted({column for column in contract.source_columns if header.count(column) > 1})
    if duplicates:
        raise DataError(
            f"{name}: column {', '.join(duplicates)} is in the header more than once, expected once. Remove the others"
        )


def _read_header(folder: Folder, file: Sequence[str]) -> tuple[str, ...]:
    with _lines(folder, file) as lines:
        header = next(csv.reader(lines), None)
    if header is None:
        raise DataError(f"{file[-1]}: empty, expected a header line and rows. Check how the file was exported")
    return tuple(header)


def _has_rows(folder: Folder, file: Sequence[str]) -> bool:
    """Whether anything follows the header. Whether it is valid is for the rules to decide."""
    with _lines(folder, file) as lines:
        next(csv.reader(lines), None)
        return any(line.strip("\r\n") for line in lines)


@contextmanager
def _lines(folder: Folder, file: Sequence[str]) -> Iterator[IO[str]]:
    """The lines of a file, unpacked and decoded. Only the first few are read here."""
    try:
        with folder.open_file(*file) as content, _as_text(content, file[-1]) as lines:
            yield lines
    except (OSError, EOFError, csv.Error, zlib.error) as error:
        raise DataError(f"{file[-1]}: cannot be read as CSV ({error}). Check the file") from None


def _as_text(content: IO[bytes], name: str) -> IO[str]:
    # The rules reject bytes that are not UTF-8, row by row. Here they must not end the run.
    unpacked = gzip.GzipFile(fileobj=content) if name.endswith(".gz") else content
    return io.TextIOWrapper(unpacked, encoding="utf-8-sig", errors="replace", newline="")
