"""The files of an export, written row by row in bounded memory: CSV in parts of a bounded size, and Parquet."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from jobs.audiences.audience import ExportedFile, ListFormat
from jobs.errors import ConfigurationError
from jobs.exporting.cells import cells
from jobs.querying.engine import INSTALL
from jobs.storage.local import describe_file

LARGEST_FILE = 500_000_000
"""Bytes. Braze takes files of up to 500 MB (its documentation, "CSV import"); others may be no better."""

ROWS_OF_A_GROUP = 122_880
"""Rows of a row group in Parquet: what a file holds in memory until it is written."""

DECIMALS_WITHOUT_EXPONENT = 6
"""Python writes smaller decimals as 1E-7."""

EXTERNAL_ID = "external_id"
"""What Braze calls the customer."""


def arrow(module: str = "pyarrow") -> Any:
    """The package ``pyarrow``, or a module of it.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"the package pyarrow, which writes lists, is not installed. Install it: {INSTALL}"
        ) from None


class ListFiles(Protocol):
    """The files of a list, which take its rows in order."""

    def write(self, rows: Any) -> None:
        """Add the rows of an Arrow table."""

    def finish(self) -> list[ExportedFile]:
        """Write what is left, give the files their names, and describe them."""

    def close(self) -> None:
        """Close what is open, after `finish` or after an error."""


@contextmanager
def list_files(folder: Path, form: ListFormat, schema: Any) -> Iterator[ListFiles]:
    """The files of a list in a folder, open for its rows.

    Args:
        folder: an empty one.
        form: of the list.
        schema: the Arrow schema of the rows.
    """
    files = ParquetFile(folder / "list.parquet", schema) if form == "parquet" else CSVFiles(folder, form, schema)
    with closing(files):
        yield files


@contextmanager
def closing(files: ListFiles) -> Iterator[None]:
    """Close files at the end. After an error, another one from closing them says nothing new."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            files.close()
        raise
    files.close()


class CSVFiles:
    """A list as CSV: a header, UTF-8, CRLF, cells quoted where needed (RFC 4180).

    Before a file would have `LARGEST_FILE` bytes, the next one begins, with a header of its own. Where a file ends
    depends on the rows alone.
    """

    def __init__(self, folder: Path, form: ListFormat, schema: Any) -> None:
        self._folder, self._form = folder, form
        self._is_text = [is_text(field.type) for field in schema]
        names = [field.name for field in schema]
        self._header = _as_csv([(EXTERNAL_ID, *names[1:]) if form == "braze" else names])
        self._rows: list[int] = []
        self._begin_file()

    def write(self, rows: Any) -> None:
        """Add the rows of an Arrow table."""
        columns = [
            cells(_values(column, self._form), self._form, is_text=is_text)
            for column, is_text in zip(rows.columns, self._is_text, strict=True)
        ]
        self._write(list(zip(*columns, strict=True)))

    def finish(self) -> list[ExportedFile]:
        """Name the files by their number, and describe them."""
        self.close()
        count = len(self._rows)
        files = []
        for number, rows in enumerate(self._rows, start=1):
            name = "list.csv" if count == 1 else f"list-{number}-of-{count}.csv"
            path = self._path(number).rename(self._folder / name)
            files.append(described(path, rows=rows))
        return files

    def close(self) -> None:
        """Close the file that is open."""
        self._file.close()

    def _write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        content = _as_csv(rows)
        if self._size + len(content) < LARGEST_FILE or (len(rows) <= 1 and not self._rows[-1]):
            self._file.write(content)
            self._size += len(content)
            self._rows[-1] += len(rows)
        elif len(rows) == 1:
            self._file.close()
            self._begin_file()
            self._write(rows)
        else:
            half = len(rows) // 2
            self._write(rows[:half])
            self._write(rows[half:])

    def _begin_file(self) -> None:
        self._rows.append(0)
        self._file = self._path(len(self._rows)).open("xb")
        self._file.write(self._header)
        self._size = len(self._header)

    def _path(self, number: int) -> Path:
        return self._folder / f"part-{number}"


class ParquetFile:
    """Rows as one Parquet file, in row groups of one size, however many rows come at a time."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._path, self._schema = path, schema
        self._writer = arrow("pyarrow.parquet").ParquetWriter(path, schema)
        self._pending: list[Any] = []
        self._rows = self._rows_pending = 0

    def write(self, rows: Any) -> None:
        """Add the rows of an Arrow table."""
        self._pending.append(rows)
        self._rows += rows.num_rows
        self._rows_pending += rows.num_rows
        if self._rows_pending >= ROWS_OF_A_GROUP:
            whole = self._rows_pending // ROWS_OF_A_GROUP * ROWS_OF_A_GROUP
            table = arrow().concat_tables(self._pending)
            self._writer.write_table(table.slice(0, whole), row_group_size=ROWS_OF_A_GROUP)
            self._pending = [table.slice(whole)]
            self._rows_pending -= whole

    def finish(self) -> list[ExportedFile]:
        """Write the last rows, and describe the file."""
        if self._rows_pending:
            self._writer.write_table(arrow().concat_tables(self._pending))
        self._pending = []
        self.close()
        return [described(self._path, rows=self._rows)]

    def close(self) -> None:
        """Close the file; its footer is written then."""
        self._writer.close()


def is_text(kind: Any) -> bool:
    """Whether cells of an Arrow type may begin a formula: all but numbers, times, dates and booleans."""
    types = arrow("pyarrow.types")
    harmless = (types.is_integer, types.is_floating, types.is_decimal, types.is_temporal, types.is_boolean)
    return not any(is_kind(kind) for is_kind in harmless)


def _values(column: Any, form: ListFormat) -> list[Any]:
    """The values of a column, some as the text that Python would make of them, which Arrow makes faster.

    Decimals have all their decimals. Times without a zone have whole seconds; where there is a part of a second in the
    column, they are left to Python.
    """
    pa, types = arrow(), arrow("pyarrow.types")
    if types.is_decimal(column.type) and 0 <= column.type.scale <= DECIMALS_WITHOUT_EXPONENT:
        column = column.cast(pa.string())
    elif types.is_timestamp(column.type) and column.type.tz is None:
        with suppress(pa.ArrowInvalid):
            column = column.cast(pa.timestamp("s")).cast(pa.string())
            if form == "braze":
                column = arrow("pyarrow.compute").replace_substring(column, " ", "T")
    values: list[Any] = column.to_pylist()
    return values


def described(path: Path, *, rows: int) -> ExportedFile:
    """A file as ``audience.json`` records it."""
    file = describe_file(path)
    return ExportedFile(name=path.name, rows=rows, size=file.size, sha256=file.sha256)


def _as_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
