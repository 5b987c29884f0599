"""CSV files as Python sees them before Spark starts: how they are packed, their header, and whether rows follow it."""

import csv
import gzip
import zlib
from dataclasses import dataclass
from io import BufferedIOBase

from jobs.errors import DataError
from jobs.inputs.diagnosis import GZIP, other_separator, refuse_what_is_no_csv
from jobs.storage.folder import Folder
from transforms.sources.mapping import CsvForm

LONGEST_HEADER = 1_000_000
"""In bytes. What has no line end until then is no header."""
PIECE = 65_536
CUT_OFF = "the gzip data is cut off before its end"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_ENDS = b"\r\n"
_NO_VALUE = ' ,"\t\r\n'


@dataclass(frozen=True)
class CsvFile:
    """What is known of a CSV file before its rows are read.

    Attributes:
        name: of the file.
        is_gzip: whether its content is packed, whatever its name says.
        header_line: the bytes of its first line that has a value; nothing for a file without a header line.
        header: the columns in it, or those that the user gave; none for an empty file.
        has_rows: whether anything follows. Whether it is valid is for the rules to decide.
    """

    name: str
    is_gzip: bool
    header_line: bytes
    header: tuple[str, ...]
    has_rows: bool

    def other_separator(self, form: CsvForm) -> str | None:
        """What separates the columns if not what should, in words."""
        return other_separator(self.header_line.decode(form.encoding, errors="replace"), expected=form.separator)

    @property
    def is_named_as_packed(self) -> bool:
        """Whether Spark, which goes by the name, reads the file as it is packed."""
        return self.name.endswith(".gz") == self.is_gzip


def open_csv(folder: Folder, path: tuple[str, ...], form: CsvForm) -> CsvFile:
    """Read the beginning of a file, a piece at a time: a header, and whether rows follow.

    Args:
        folder: where the file is.
        path: of the file, as its parts below the folder.
        form: in which it is written.

    Raises:
        DataError: The file is something else than CSV, cannot be unpacked, or has no header of a usual length.
    """
    name = path[-1]
    try:
        with folder.open_file(*path) as content:
            is_gzip = content.peek(len(GZIP)).startswith(GZIP)
            if name.lower().endswith(".gz") and not is_gzip and content.peek(1):
                raise DataError(f"{name}: found no gzip, expected what its name says. Rename it, or pack it with gzip")
            return _opened(name, gzip.GzipFile(fileobj=content) if is_gzip else content, form, is_gzip=is_gzip)
    except EOFError:
        raise DataError(f"{name}: {CUT_OFF}, expected a whole file. Get it anew") from None
    except (OSError, csv.Error, zlib.error) as error:
        raise DataError(f"{name}: cannot be read as CSV ({error}). Check the file") from None


def why_not_unpacked(folder: Folder, path: tuple[str, ...]) -> str | None:
    """Why a packed file cannot be read to its end, in words; None if it can.

    This reads the whole file. It is for telling the cause after Spark has failed.
    """
    try:
        with folder.open_file(*path) as content, gzip.GzipFile(fileobj=content) as unpacked:
            while unpacked.read(PIECE * 16):
                pass
    except EOFError:
        return CUT_OFF
    except (OSError, zlib.error) as error:
        return f"the gzip data is damaged ({error})"
    return None


def has_bytes_after_gzip(folder: Folder, path: tuple[str, ...]) -> bool:
    """Whether a packed file goes on with zeros after its data, as some tapes and block devices leave it."""
    tail = b""
    with folder.open_file(*path) as content:
        while piece := content.read(PIECE * 16):
            tail = piece[-8:] if len(piece) >= 8 else (tail + piece)[-8:]
    return tail.endswith(bytes(8))


def _opened(name: str, content: BufferedIOBase, form: CsvForm, *, is_gzip: bool) -> CsvFile:
    beginning = content.read(PIECE) or b""
    refuse_what_is_no_csv(beginning, name=name)
    line, rest = b"", beginning.removeprefix(BYTE_ORDER_MARK)
    nothing = (_NO_VALUE + form.separator).encode()
    # Blank lines before the header do not count.
    while form.header is None and rest and not line.strip(nothing):
        line, rest = _first_line(name, content, rest)
    has_header_line = bool(line.strip(nothing))
    has_rows = _has_value(content, rest, nothing)
    stated = form.header if form.header and has_rows else ()
    return CsvFile(
        name=name,
        is_gzip=is_gzip,
        header_line=line if has_header_line else b"",
        header=_columns(name, line, form) if has_header_line else stated,
        has_rows=has_rows,
    )


def _first_line(name: str, content: BufferedIOBase, text: bytes) -> tuple[bytes, bytes]:
    """The first line of a text that goes on in ``content``, without its end; and what follows of the text."""
    while not any(end in text for end in (b"\r", b"\n")) and len(text) <= LONGEST_HEADER:
        more = content.read(PIECE)
        if not more:
            return text, b""
        text += more
    place = min(place for place in (text.find(b"\r"), text.find(b"\n"), len(text)) if place >= 0)
    if place > LONGEST_HEADER:
        raise DataError(f"{name}: no line end in the first {LONGEST_HEADER:,} bytes, expected a header line of CSV")
    return text[:place], text[place:].lstrip(_LINE_ENDS) or (content.read(PIECE) or b"").lstrip(_LINE_ENDS)


def _columns(name: str, line: bytes, form: CsvForm) -> tuple[str, ...]:
    text = line.decode(form.encoding, errors="replace")
    if form.delimiter == "whitespace":
        return tuple(text.split())
    columns = tuple(next(csv.reader([text], strict=False, delimiter=form.separator)))
    if any("\n" in column for column in columns) or line.count(b'"') % 2:
        raise DataError(f"{name}: a quote in the header stays open at the end of its line, expected one line. Check it")
    return columns


def _has_value(content: BufferedIOBase, text: bytes, nothing: bytes) -> bool:
    while text:
        if text.strip(nothing):
            return True
        text = content.read(PIECE) or b""
    return False
