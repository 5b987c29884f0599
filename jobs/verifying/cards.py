"""A score card as verification reads it: bands, words and cells, as docs/segments.md states them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any

from jobs.querying.views import literal

MEASURES = {"r": "days_since_last_purchase", "f": "purchase_count", "m": "total_value"}
"""The measure that each score is of."""

SPREAD = {1: [3], 2: [1, 5], 3: [1, 3, 5], 4: [1, 2, 4, 5], 5: [1, 2, 3, 4, 5]}
"""The scores of one to five bands, from the worst to the best."""

Cell = tuple[int, int, int]

CELLS: list[Cell] = [(r, f, m) for r, f, m in product(range(1, 6), repeat=3)]
RANGE = re.compile(r"([1-5])(?:-([1-5]))?")


@dataclass(frozen=True)
class Band:
    """The values of one measure that have one score: above one cut point, and up to the next.

    Attributes:
        above: the cut point below; None in the lowest band.
        up_to: the cut point that belongs to it; None in the highest band.
        score: 1 to 5.
    """

    above: Decimal | None
    up_to: Decimal | None
    score: int


@dataclass(frozen=True)
class Card:
    """A score card with cut points.

    Attributes:
        content: as it stands in its file.
    """

    content: Mapping[str, Any]

    def bands(self, letter: str) -> list[Band]:
        """The bands of a measure, in the order of its values."""
        of_measure = self.content["scores"][letter]
        edges = [None, *(Decimal(str(value)) for value in of_measure["cut_points"]), None]
        return [
            Band(above, up_to, score)
            for above, up_to, score in zip(edges, edges[1:], of_measure["scores"], strict=False)
        ]

    def by_band(self, letter: str, values: list[str], measure: str) -> str:
        """A value by the band that a measure is in, as SQL.

        Args:
            letter: of the score.
            values: SQL of the value of each band.
            measure: SQL of the measure.
        """
        bands = self.bands(letter)
        lower = zip(bands, values, strict=True)
        when = [f"when {measure} <= {band.up_to} then {value}" for band, value in lower if band.up_to is not None]
        return f"case {' '.join(when)} else {values[-1]} end" if when else values[-1]

    def score(self, letter: str, measure: str) -> str:
        """The score of a measure, as SQL."""
        return self.by_band(letter, [str(band.score) for band in self.bands(letter)], measure)

    def words(self, letter: str, measure: str) -> str:
        """The band of a measure in words, as SQL."""
        return self.by_band(letter, [literal(in_words(letter, band)) for band in self.bands(letter)], measure)

    def to_next(self, letter: str, measure: str) -> str:
        """What is missing to the next better band, as SQL; null in the best band."""
        values = []
        for band in self.bands(letter):
            if letter == "r":
                values.append("null" if band.above is None else f"{measure} - {band.above}")
            elif letter == "f":
                values.append("null" if band.up_to is None else f"{band.up_to} + 1 - {measure}")
            else:
                values.append("null" if band.up_to is None else f"cast({band.up_to} as decimal(18, 4)) - {measure}")
        kind = "decimal(18, 4)" if letter == "m" else "bigint"
        return f"cast({self.by_band(letter, values, measure)} as {kind})"

    @cached_property
    def segments(self) -> list[tuple[str, str, frozenset[Cell]]]:
        """Code, name and cells of each segment, in the order of the card."""
        return [
            (segment["code"], segment["name"], frozenset().union(*map(cells_of, segment["cells"])))
            for segment in self.content["segment_map"]["segments"]
        ]

    def of_cell(self, part: int, scores: Mapping[str, str]) -> str:
        """The code (0) or the name (1) of the segment of three scores, as SQL."""
        texts = {cell: (code, name)[part] for code, name, cells in self.segments for cell in cells}
        return in_cell(texts, scores)

    def code(self, measures: Mapping[str, str]) -> str:
        """The code of the segment of three measures, as SQL; null for somebody without a purchase."""
        scores = {letter: self.score(letter, measures[letter]) for letter in MEASURES}
        return f"case when {measures['f']} > 0 then {self.of_cell(0, scores)} end"


def in_cell(values: Mapping[Cell, str], scores: Mapping[str, str]) -> str:
    """The text of the cell of three scores, as SQL."""
    listed = ", ".join(literal(values[cell]) for cell in CELLS)
    return f"[{listed}][({scores['r']} - 1) * 25 + ({scores['f']} - 1) * 5 + {scores['m']}]"


def cells_of(stated: Any) -> frozenset[Cell]:
    """The cells that an entry of a segment states: scores such as 545, or ranges such as ``{r: 4-5}``."""
    if not isinstance(stated, Mapping):
        r, f, m = map(int, str(stated))
        return frozenset({(r, f, m)})
    ranges = []
    for letter in MEASURES:
        match = RANGE.fullmatch(str(stated.get(letter, "1-5")))
        if match is None:
            raise ValueError(f"{stated}: expected ranges of scores")
        ranges.append(range(int(match[1]), int(match[2] or match[1]) + 1))
    return frozenset((r, f, m) for r, f, m in product(*ranges))


def in_words(letter: str, band: Band) -> str:
    """A band in words: whole numbers from the first to the last, and money above one amount and up to another."""
    if band.above is None and band.up_to is None:
        return "any"
    if letter == "m":
        parts = [f"above {_amount(band.above)}"] if band.above is not None else []
        return ", ".join([*parts, *([f"up to {_amount(band.up_to)}"] if band.up_to is not None else [])])
    if band.above is None:
        return f"up to {band.up_to}"
    if band.up_to is None:
        return f"{band.above + 1} or more"
    return str(band.up_to) if band.above + 1 == band.up_to else f"{band.above + 1} to {band.up_to}"


def _amount(amount: Decimal) -> str:
    """Money to the cent, or to four decimals where it has more than two."""
    return f"{amount:,.2f}" if amount == amount.quantize(Decimal("0.01")) else f"{amount:,.4f}"
