"""The raw CSV files: finding them, reading their headers, and reading their records as text."""

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
from expectations.rules.of_rows import MALFORMED_ROW, SOURCE_FILE
from jobs.errors import ConfigurationError, DataError
from jobs.storage.folder import Folder, StoredFile, StoredObject
from jobs.storage.uris import escape_glob, folder_at

ENDINGS = (".csv", ".csv.gz")


@dataclass(frozen=True)
class Source:
    """The file or files that a table comes from, found and looked into, not read yet.

    Attributes:
        contract: the table's.
        files: the files, in name order.
        header: the columns that they all have, in their order.
        folder: where the files are.
        uris: what Spark is given to read, in name order.
    """

    contract: FileContract
    files: tuple[StoredFile | StoredObject, ...]
    header: tuple[str, ...]
    folder: Folder
    uris: tuple[str, ...]

    @property
    def ignored_columns(self) -> list[str]:
        """Columns of the file that the contract does not know."""
        return [name for name in self.header if name not in self.contract.source_columns]

    def as_json(self) -> dict[str, Any]:
        """What the manifest says of the source.

        Raises:
            DataError: A file is not any more what it was when it was found, so that nobody knows what was read.
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
    """Find each contract's file under a folder and check its header, before anything is started.

    Raises:
        ConfigurationError: There is no such folder, or a file is missing or there twice.
        DataError: A file is empty, has no rows, or its header lacks a column.
    """
    folder = folder_at(uri, argument="--input")
    try:
        if not folder.is_folder():
            found = "a file" if folder.exists() else "nothing"
            raise ConfigurationError(f"--input {uri}: found {found}, expected a folder with the CSV files. Check it")
        return [_source(folder, contract) for contract in contracts]
    except OSError as error:
        raise ConfigurationError(f"--input {uri}: cannot be read ({error.strerror}: {error.filename})") from None


def inputs_of(sources: Sequence[Source]) -> dict[str, Any]:
    """What the manifest says of the files."""
    return {"files": [source.as_json() for source in sources]}


def read_source(session: SparkSession, source: Source) -> DataFrame:
    """Read every record of a source as text.

    Grain: one row per record; blank lines are none. The contract's columns by the file's names, null where the field
    is empty; ``source_file``; and ``malformed_row``, the text of a record that has not as many fields as the header.
    """
    wanted = source.contract.source_columns
    # A column that is ignored gets a name by its place: its own may clash with one of ours but for the case.
    names = [name if name in wanted else f"ignored_{place}" for place, name in enumerate(source.header)]
    text = [StructField(name, StringType()) for name in (*names, MALFORMED_ROW)]
    return (
        session.read.schema(StructType(text))
        .options(
            header=True,
            # Quotes are doubled inside quotes, as Kaggle's files and RFC 4180 have it, and line breaks may stand there.
            escape='"',
            multiLine=True,
            mode="PERMISSIVE",
            # A row of more fields than this ends the run; one of fewer, as many as they are, is set aside.
            maxColumns=1_000_000,
            columnNameOfCorruptRecord=MALFORMED_ROW,
        )
        .csv([escape_glob(uri) for uri in source.uris])
        .select(*wanted, F.col("_metadata.file_path").alias(SOURCE_FILE), MALFORMED_ROW)
    )


def _source(folder: Folder, contract: FileContract) -> Source:
    names = folder.names()
    present = [contract.file + ending for ending in ENDINGS if contract.file + ending in names]
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
    headers = {file: _header(folder, file) for file in files}
    header = headers[files[0]]
    for file, other in headers.items():
        if other != header:
            raise DataError(
                f"{file[-1]}: its header ({_listed(other)}) is not that of {files[0][-1]} ({_listed(header)})"
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
    """The file of that name, or those in the folder of that name, each as the parts of its path."""
    if not folder.is_folder(name):
        return ((name,),)
    parts = tuple(
        (name, part) for part in folder.names(name) if part.endswith(ENDINGS) and not part.startswith((".", "_"))
    )
    if not parts:
        raise DataError(f"{name}: a folder without part files, expected files that end in .csv or .csv.gz")
    return parts


def _check_header(name: str, header: tuple[str, ...], contract: FileContract) -> None:
    missing = [column for column in contract.source_columns if column not in header]
    if missing:
        columns = ", ".join(f"'{column}'" for column in missing)
        raise DataError(
            f"{name}: no column {columns} (found: {_listed(header)}). "
            f"Rename the column, or check that this is the {contract.table} file"
        )
    twice = sorted({column for column in contract.source_columns if header.count(column) > 1})
    if twice:
        raise DataError(f"{name}: column {', '.join(twice)} stands in the header twice, expected once")


def _header(folder: Folder, file: Sequence[str]) -> tuple[str, ...]:
    with _readable(folder, file) as lines:
        header = next(csv.reader(lines), None)
    if header is None:
        raise DataError(f"{file[-1]}: empty, expected a header line and rows. Check how the file was exported")
    return tuple(header)


def _has_rows(folder: Folder, file: Sequence[str]) -> bool:
    """Whether anything follows the header; what it is, is for the rules to say."""
    with _readable(folder, file) as lines:
        next(csv.reader(lines), None)
        return any(line.strip("\r\n") for line in lines)


@contextmanager
def _readable(folder: Folder, file: Sequence[str]) -> Iterator[IO[str]]:
    """The lines of a file, of which a few are read to know its header and whether anything follows."""
    try:
        with folder.open_file(*file) as content, _as_text(content, file[-1]) as lines:
            yield lines
    except (OSError, EOFError, csv.Error, zlib.error) as error:
        raise DataError(f"{file[-1]}: cannot be read as CSV ({error}). Check the file") from None


def _as_text(content: IO[bytes], name: str) -> IO[str]:
    # Bytes that are no UTF-8 are for the rules to refuse, row by row; here they must not stop the reading.
    unpacked = gzip.GzipFile(fileobj=content) if name.endswith(".gz") else content
    return io.TextIOWrapper(unpacked, encoding="utf-8-sig", errors="replace", newline="")


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns)
