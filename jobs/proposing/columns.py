"""The columns of a sample: how full and how distinct they are, and whether they hold times or numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from jobs.proposing.number_cells import POINT, NumberCell, decimal_of, number_of
from jobs.proposing.sample import Sample
from jobs.proposing.time_cells import TimeForm, is_clock, time_form_of

WORDS_FOR_NOTHING = frozenset(
    {"\\N", "NULL", "null", "NaN", "nan", "NaT", "None", "none", "NA", "N/A", "n/a", "#N/A", "<NA>", "-"}
)
"""What databases, pandas and spreadsheets write for no value."""

LONGEST_NAME, LONGEST_NAME_OF_DIGITS = 200, 64
"""Characters of a column's name that a mapping may hold."""

SHARE_OF_NUMBERS = 0.9
LONGEST_CODE = 40
MOST_CODES = 20
"""A column of fewer distinct values, such as types and statuses, may be shown."""


@dataclass(frozen=True)
class Column:
    """A column of a sample.

    Attributes:
        name: in the file.
        cells: of every row.
        decimal: the sign before decimals in the file.
        is_usable: whether a mapping can name it: no other column has the name, and it has one of a usual length.
    """

    name: str
    cells: tuple[str, ...]
    decimal: str = POINT
    is_usable: bool = True

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value is there, without empty cells and words for nothing."""
        return Counter(cell for cell in self.cells if cell and cell not in WORDS_FOR_NOTHING)

    @cached_property
    def words_for_nothing(self) -> list[str]:
        """The words for nothing in it."""
        return sorted(WORDS_FOR_NOTHING.intersection(self.cells))

    @cached_property
    def time(self) -> TimeForm | None:
        """The form of its times; None if it holds none."""
        return time_form_of(self.counts)

    @cached_property
    def numbers(self) -> dict[str, NumberCell]:
        """The number in each distinct value that is one."""
        read = {cell: number_of(cell, self.decimal) for cell in self.counts}
        return {cell: number for cell, number in read.items() if number}

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.counts.total()

    @property
    def missing_share(self) -> float:
        """The share of rows without a value."""
        return 1 - self.filled / len(self.cells)

    @property
    def empty_share(self) -> float:
        """The share of rows whose cell is empty."""
        return self.cells.count("") / len(self.cells)

    @property
    def distinct_share(self) -> float:
        """Distinct values per row with a value."""
        return len(self.counts) / self.filled if self.filled else 0.0

    @property
    def is_distinct(self) -> bool:
        """Whether every row has a value of its own."""
        return len(self.counts) == len(self.cells)

    @property
    def is_constant(self) -> bool:
        """Whether all rows have the same value, and there are several."""
        return len(self.cells) > 1 and len(self.counts) <= 1

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers."""
        readable = sum(self.counts[cell] for cell in self.numbers)
        return bool(self.filled) and readable >= SHARE_OF_NUMBERS * self.filled

    @property
    def has_fractions(self) -> bool:
        """Whether one of its numbers has decimals."""
        return any(number.has_fraction for number in self.numbers.values())

    @property
    def is_clock(self) -> bool:
        """Whether it holds times of day without a date."""
        return bool(self.filled) and all(map(is_clock, self.counts))

    @property
    def is_identifier(self) -> bool:
        """Whether its values may be ids: no times, no decimals, no text with spaces, not all the same."""
        return bool(self.filled) and not self.is_constant and self.has_words

    @property
    def has_words(self) -> bool:
        """Whether its values are single words or whole numbers, and no times."""
        has_spaces = any(" " in cell for cell in self.counts)
        return not (has_spaces or (self.is_numeric and self.has_fractions) or self.time or self.is_clock)

    @property
    def codes(self) -> list[str]:
        """Its distinct values, the most frequent first, if they are few and short; else none.

        Values with ``@`` or four digits in a row are no codes: they may tell who somebody is.
        """
        are_few = 0 < len(self.counts) <= MOST_CODES
        if not are_few or self.time or not all(map(_is_code, self.counts)):
            return []
        return sorted(self.counts, key=lambda cell: (-self.counts[cell], cell))

    def share_of(self, rows: int) -> float:
        """The share of so many rows."""
        return rows / len(self.cells)


def columns_of(sample: Sample) -> list[Column]:
    """The columns of a sample. In a CSV file, all have the same sign before decimals."""
    names = [name.casefold().strip() for name in sample.columns]
    cells = list(zip(*sample.rows, strict=True))
    times_seen = Counter(names)
    values = ([cell for cell in column if cell not in WORDS_FOR_NOTHING] for column in cells)
    decimal = decimal_of(values) if sample.csv else POINT
    return [
        Column(name, cells[number], decimal, is_usable=times_seen[names[number]] == 1 and _is_usual(name))
        for number, name in enumerate(sample.columns)
    ]


def signs_of(factors: Sequence[Column]) -> list[int | None]:
    """The sign of the product of some columns, by row; None where one of them has no number."""
    signs: list[int | None] = []
    for row in zip(*(column.cells for column in factors), strict=True):
        numbers = [column.numbers.get(cell) for column, cell in zip(factors, row, strict=True)]
        signs.append(prod(number.sign for number in numbers if number) if all(numbers) else None)
    return signs


def negatives_are_purchases(signs: Sequence[int | None]) -> bool:
    """Whether most amounts are negative, as a bank has what its customers spend."""
    return signs.count(-1) > signs.count(1)


def _is_usual(name: str) -> bool:
    longest = LONGEST_NAME if name[:1].isalpha() else LONGEST_NAME_OF_DIGITS
    return bool(name.strip()) and len(name) <= longest


def _is_code(cell: str) -> bool:
    digits_in_a_row = 0
    for character in cell:
        digits_in_a_row = digits_in_a_row + 1 if character.isdigit() else 0
        if digits_in_a_row == 4:
            return False
    return len(cell) <= LONGEST_CODE and "@" not in cell
