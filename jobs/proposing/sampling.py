"""The files of a ledger that are looked at: the one that is named, or the first in a folder."""

import gzip
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from io import BufferedIOBase, BufferedReader
from itertools import islice

from jobs.errors import ConfigurationError, DataError
from jobs.inputs.csv_files import CUT_OFF, LONGEST_HEADER, PIECE
from jobs.inputs.diagnosis import GZIP
from jobs.proposing.csv_beginning import sample_of_csv
from jobs.proposing.sample import MOST_ROWS, Sample, joined
from jobs.storage.folder import Folder
from jobs.storage.local import LocalFolder
from jobs.storage.temporary import temporary_folder
from jobs.storage.uris import folder_at

PARQUET = b"PAR1"
LARGEST_BEGINNING = 16 * 2**20
"""In bytes. Ten thousand rows of a usual ledger are 1 MB."""
LARGEST_COPY = 2**30
"""Bytes of a Parquet file in S3. It is copied, since DuckDB reads its end first."""
DEEPEST = 16
"""Folders within one another."""
MOST_FILES = 20
"""So many files of a folder are opened, until they have enough rows."""

Path = tuple[str, ...]


def sample_of(uri: str) -> Sample:
    """The sample of a ledger.

    Args:
        uri: a file of CSV or Parquet, or a folder of such files, on a disk or in S3.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read; or it is Parquet, and DuckDB is not installed.
        DataError: The file is no ledger: it is empty, has no rows or is something else than CSV or Parquet.
    """
    folder = folder_at(uri, argument="FILE")
    try:
        if folder.is_folder():
            return _sample_of_folder(folder)
        if not folder.exists():
            raise ConfigurationError(f"{uri}: no such file or folder, expected an export of a ledger. Check the path")
        return _sample(folder, ())
    except OSError as error:
        raise ConfigurationError(f"{uri}: cannot be read ({error.strerror or error}). Check the file") from None


def _sample_of_folder(folder: Folder) -> Sample:
    """The sample of the first files: of as many as have enough rows. Writers leave parts that are empty too."""
    files = _data_files(folder, ())
    samples, errors = list[Sample](), list[DataError]()
    for path in islice(files, MOST_FILES):
        try:
            sample = _sample(folder, path)
        except DataError as error:
            errors.append(error)
            continue
        if not samples or samples[0].is_like(sample):
            samples.append(sample)
        if joined(samples).is_full:
            break
    if errors and not samples:
        raise errors[0]
    if not samples:
        raise DataError(
            f"{folder.display_path()}: a folder without data files, expected files of CSV or Parquet. Check the export"
        )
    goes_on = any(sample.goes_on for sample in samples) or next(files, None) is not None
    return replace(joined(samples), goes_on=goes_on, name=_name(folder))


def _data_files(folder: Folder, path: Path) -> Iterator[Path]:
    """The files below a folder by name, without those that Spark ignores."""
    for name in folder.names(*path):
        child = (*path, name)
        if name.startswith((".", "_")):
            continue
        if not folder.is_folder(*child):
            yield child
        elif len(child) < DEEPEST:
            yield from _data_files(folder, child)


def _sample(folder: Folder, path: Path) -> Sample:
    name = path[-1] if path else _name(folder)
    with folder.open_file(*path) as content:
        if content.peek(len(PARQUET)).startswith(PARQUET):
            sample = _sample_of_parquet(folder, path, content, name=name)
        else:
            beginning, goes_on = _beginning(content, name=name)
            sample = sample_of_csv(beginning, name=name, goes_on=goes_on)
    parts = [part.partition("=") for part in folder.display_path(*path).split("/")[:-1]]
    partitions = {key: (value,) * len(sample.rows) for key, sign, value in parts if sign}
    return replace(sample, name=name, partitions=partitions)


def _name(folder: Folder) -> str:
    return folder.display_path().rpartition("/")[2]


def _beginning(content: BufferedReader, *, name: str) -> tuple[bytes, bool]:
    """Whole lines at the beginning of a file, unpacked, and whether more follow."""
    is_gzip = content.peek(len(GZIP)).startswith(GZIP)
    if name.lower().endswith(".gz") and not is_gzip and content.peek(1):
        raise DataError(f"{name}: found no gzip, expected what its name says. Rename it, or pack it with gzip")
    try:
        return _whole_lines(gzip.GzipFile(fileobj=content) if is_gzip else content, name=name)
    except EOFError:
        raise DataError(f"{name}: {CUT_OFF}, expected a whole file. Get it anew") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{name}: the gzip data is damaged ({error}). Get it anew") from None


def _whole_lines(content: BufferedIOBase, *, name: str) -> tuple[bytes, bool]:
    pieces, size, lines = list[bytes](), 0, 0
    # One row more than are looked at, beside the header: the last may go on behind the end.
    while lines < MOST_ROWS + 2 and size < LARGEST_BEGINNING:
        piece = content.read(PIECE)
        if not piece:
            return b"".join(pieces), False
        pieces.append(piece)
        size += len(piece)
        lines += max(piece.count(b"\n"), piece.count(b"\r"))
        if not lines and size > LONGEST_HEADER:
            raise DataError(f"{name}: no line end in the first {LONGEST_HEADER:,} bytes, expected a header line of CSV")
    beginning = b"".join(pieces)
    end = max(beginning.rfind(b"\n"), beginning.rfind(b"\r"))
    return beginning[: end + 1], True


def _sample_of_parquet(folder: Folder, path: Path, content: BufferedReader, *, name: str) -> Sample:
    # Imported here because only Parquet needs DuckDB, which is not installed everywhere.
    try:
        module = import_module("jobs.proposing.parquet_beginning")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{name}: found Parquet, which needs the package {error.name} here. Run: pip install "
            "'olist-rfm-segments[duckdb]'; or give a CSV file"
        ) from None
    with temporary_folder("ledger") as folder_of_copy:
        copy = folder_of_copy / "ledger.parquet"
        if isinstance(folder, LocalFolder):
            copy.symlink_to(folder.path.joinpath(*path))  # under a name without signs that DuckDB reads as a pattern
        else:
            size = folder.describe(*path).size
            if size > LARGEST_COPY:
                raise DataError(f"{name}: found {size:,} bytes, expected at most {LARGEST_COPY:,}. Give a smaller part")
            with copy.open("wb") as target:
                shutil.copyfileobj(content, target)
        sample: Sample = module.sample_of_parquet(copy, name=name)
    return sample
