"""The beginning of a CSV file: its encoding, what separates its cells, and whether its first line is a header."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from jobs.errors import DataError
from jobs.inputs.diagnosis import refuse_what_is_no_csv
from jobs.proposing.number_cells import COMMA, POINT, number_of
from jobs.proposing.sample import (
    LONGEST_CELL,
    MOST_COLUMNS,
    WHITESPACE,
    CsvForm,
    Sample,
    numbered,
    rows_to_read,
)
from jobs.proposing.time_cells import is_time, time_form_of

DELIMITERS = {",": ",", ";": ";", "|": "|", "tab": "\t", WHITESPACE: None}
"""By the word of a mapping. Spaces come last: texts and times have them too."""

LINE_END, SPACES = re.compile(r"\r\n|\r|\n"), re.compile(r"[ \t]+")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ROWS_THAT_TELL = 200
"""So many rows show what separates cells, and whether the first line is one of them."""
SHARE_OF_EVEN_ROWS = 0.9
SHARE_OF_TYPED_CELLS = 0.8

Row = tuple[str, ...]


@dataclass(frozen=True)
class _Split:
    """The first lines of a file, split by one delimiter."""

    delimiter: str
    rows: list[Row]

    @property
    def width(self) -> int:
        """The number of cells that most rows have."""
        widths = Counter(len(row) for row in self.rows)
        return max(widths, key=lambda width: (widths[width], width), default=0)

    @property
    def rank(self) -> tuple[bool, int, int]:
        """How well the delimiter fits: rows are even, columns are times and numbers, and there are many."""
        rows = self.rows[self.first_even :]
        even = sum(len(row) == self.width for row in rows)
        is_even = self.width > 1 and even >= SHARE_OF_EVEN_ROWS * len(rows)
        return is_even, len(_typed_columns(rows[1:] or rows, self.width)), self.width

    @property
    def first_even(self) -> int:
        """The number of the first row with as many cells as most."""
        return next((number for number, row in enumerate(self.rows) if len(row) == self.width), 0)


def sample_of_csv(content: bytes, *, name: str, goes_on: bool) -> Sample:
    """The sample of a file.

    Args:
        content: its beginning, unpacked, up to the end of a line.
        name: of the file, for messages.
        goes_on: whether the file has more.

    Raises:
        DataError: It is no CSV, is empty or has no rows, or its header is not its first line.
    """
    refuse_what_is_no_csv(content[:4096], name=name)
    text, encoding = _decoded(content.removeprefix(BYTE_ORDER_MARK))
    delimiter = _delimiter_of(text, name=name)
    rows = [row for row in _split(text, delimiter, name=name) if any(row)]
    if not rows:
        raise DataError(f"{name}: empty, expected a header line and rows. Check how the file was exported")
    has_header = _has_header(rows, name=name)
    width = len(rows[0])
    if width > MOST_COLUMNS:
        raise DataError(f"{name}: found {width:,} columns, expected at most {MOST_COLUMNS:,}. Check the file")
    most = rows_to_read(rows[0])
    data = rows[has_header:]
    if not data:
        raise DataError(f"{name}: a header and no rows, expected at least one. Check how the file was exported")
    if goes_on and 1 < len(data) <= most:
        data.pop()  # its last cell may go on in the next line
    taken = data[:most]
    return Sample(
        columns=rows[0] if has_header else numbered(width),
        rows=tuple((*row, *[""] * (width - len(row)))[:width] for row in taken),
        csv=CsvForm(delimiter, encoding, has_header, sum(len(row) != width for row in taken)),
        goes_on=goes_on or len(data) > most,
    )


def _decoded(content: bytes) -> tuple[str, str]:
    """The text, and its encoding as Python, Java and a mapping name it."""
    for encoding in ("utf-8", "windows-1252"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return content.decode("iso-8859-1"), "iso-8859-1"


def _delimiter_of(text: str, *, name: str) -> str:
    lines = io.StringIO(text, newline="").readlines()[: ROWS_THAT_TELL + 1]
    beginning = "".join(lines)
    splits = []
    for delimiter in DELIMITERS:
        with suppress(DataError):  # of one that does not fit; the one that is chosen is read again
            rows = [row for row in _split(beginning, delimiter, name=name) if any(row)]
            splits.append(_Split(delimiter, rows))
    best = max(splits, key=lambda split: split.rank)
    return best.delimiter if best.rank[0] else ","


def _split(text: str, delimiter: str, *, name: str) -> list[Row]:
    """The rows of a text. The first keeps the spaces around its cells, since they may be a part of names."""
    sign = DELIMITERS[delimiter]
    if sign is None:
        lines = [line.strip(" \t") for line in LINE_END.split(text)]
        return [tuple(cell[:LONGEST_CELL] for cell in SPACES.split(line)) for line in lines]
    try:
        rows = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=sign)]
    except csv.Error as error:
        raise DataError(f"{name}: cannot be read as CSV ({error}). Check the file") from None
    first = next((number for number, row in enumerate(rows) if any(cell.strip() for cell in row)), 0)
    rest = [tuple(cell.strip()[:LONGEST_CELL] for cell in row) for row in rows[first + 1 :]]
    return [*rows[first : first + 1], *rest]


def _has_header(rows: Sequence[Row], *, name: str) -> bool:
    """Whether the first row names the columns, as far as the rows below it tell.

    Raises:
        DataError: There are other lines above the header.
    """
    first, below = rows[0], rows[1 : ROWS_THAT_TELL + 1]
    width = _Split("", list(rows[: ROWS_THAT_TELL + 1])).width
    above = next((n for n, row in enumerate(rows) if len(row) == width and 2 * sum(map(bool, row)) >= width), 0)
    if above and not any(map(_is_typed, rows[above])):
        lines = "a line" if above == 1 else f"{above:,} lines"
        raise DataError(
            f"{name}: found {lines} above the header, expected the header line first. Remove what is above it"
        )
    cells = [cell.strip() for cell in first]
    if not below:
        return not any(map(is_time, cells))
    typed = [column for column in _typed_columns(below, len(cells)) if cells[column]]
    of_first = [column for column in typed if _is_typed(cells[column])]
    return not typed or len(of_first) < len(typed) / 2


def _typed_columns(rows: Sequence[Row], width: int) -> list[int]:
    """The columns that hold times or numbers."""
    columns = []
    for column in range(min(width, MOST_COLUMNS)):
        cells = Counter(row[column].strip() for row in rows if len(row) > column and row[column].strip())
        typed = sum(count for cell, count in cells.items() if _is_number(cell))
        if cells and (typed >= SHARE_OF_TYPED_CELLS * cells.total() or time_form_of(cells)):
            columns.append(column)
    return columns


def _is_typed(cell: str) -> bool:
    return is_time(cell) or _is_number(cell)


def _is_number(cell: str) -> bool:
    return number_of(cell, POINT) is not None or number_of(cell, COMMA) is not None
