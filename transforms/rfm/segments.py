"""Named segments: a map from the 125 cells of the three scores to segments with a name, a code and advice.

A map is data (`maps/*.yaml`, or a user's file). Reading one proves that each cell belongs to exactly one segment.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.bounded_text import shown
from transforms.rfm.dimensions import ScoreCardError
from transforms.rfm.scores import SCORED
from transforms.schemas import MAX_BYTES

Cell = tuple[int, int, int]
"""The scores r, f and m."""

CELLS: tuple[Cell, ...] = tuple((r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6))
LETTERS = tuple(SCORED)

LONGEST_ADVICE = 300
SEPARATOR = "\x1f"
"""Not printable, so that no name has it."""
MOST_CELLS_SHOWN = 6
CODE = re.compile(r"[A-Za-z0-9_-]+")
RANGE = re.compile(r"([1-5])(?:-([1-5]))?")
FIELDS = ("name", "code", "advice", "cells")


class SegmentMapError(ScoreCardError):
    """The content is not a segment map. The message states what was found and what was expected."""


@dataclass(frozen=True)
class Segment:
    """A segment.

    Attributes:
        name: what people call it.
        code: what lists and audiences call it. It says nothing about the people in it.
        advice: one line: what to do.
        cells: the cells that belong to it.
        stated: the cells as the map states them: ranges of scores, or scores such as 545.
    """

    name: str
    code: str
    advice: str
    cells: frozenset[Cell]
    stated: tuple[Any, ...]

    @classmethod
    def from_content(cls, content: Any, *, number: int) -> "Segment":
        """Read a segment.

        Args:
            content: what the map has.
            number: which segment it is, from 1, for messages.

        Raises:
            SegmentMapError: A field is missing, unknown or invalid.
        """
        if not isinstance(content, Mapping) or not set(content) <= set(FIELDS):
            raise SegmentMapError(f"segment {number} is {shown(_plain(content))} (expected {', '.join(FIELDS)})")
        name = _text(content, "name", f"segment {number}", longest=MAX_BYTES["segment"])
        code = _text(content, "code", f"segment {name}", longest=MAX_BYTES["segment_code"])
        if not CODE.fullmatch(code):
            raise SegmentMapError(f'"code" of {name} is {shown(code)} (expected letters, digits, - and _)')
        advice = _text(content, "advice", f"segment {name}", longest=LONGEST_ADVICE)
        stated = content.get("cells")
        if not isinstance(stated, Sequence) or isinstance(stated, str) or not stated:
            raise SegmentMapError(
                f'"cells" of {name} is {shown(_plain(stated))} (expected a list, such as [{{r: 4-5, f: 1}}, 333])'
            )
        plain = tuple(_plain(each) for each in stated)
        return cls(name, code, advice, frozenset[Cell]().union(*(_cells_of(each, name) for each in plain)), plain)

    def as_json(self) -> dict[str, Any]:
        """The segment as its map states it."""
        return {"name": self.name, "code": self.code, "advice": self.advice, "cells": list(self.stated)}


@dataclass(frozen=True)
class SegmentMap:
    """A map of all cells.

    Attributes:
        name: the map's.
        segments: in the order of their value; the best comes first.
    """

    name: str
    segments: tuple[Segment, ...]

    @classmethod
    def from_content(cls, content: Any) -> "SegmentMap":
        """Read a map from what YAML or JSON has; the inverse of `as_json`.

        Raises:
            SegmentMapError: A segment is invalid, two have one name or code, or a cell belongs to no segment or to two.
        """
        if not isinstance(content, Mapping) or set(content) != {"name", "segments"}:
            raise SegmentMapError(f'found {shown(_plain(content))} (expected "name" and "segments")')
        name = _text(content, "name", "the map", longest=MAX_BYTES["segment"])
        listed = content["segments"]
        if not isinstance(listed, Sequence) or isinstance(listed, str) or not 1 <= len(listed) <= len(CELLS):
            raise SegmentMapError(
                f'"segments" is {shown(_plain(listed))} (expected a list of 1 to {len(CELLS)} segments)'
            )
        segments = tuple(Segment.from_content(each, number=number) for number, each in enumerate(listed, start=1))
        for field in ("name", "code"):
            values = [getattr(segment, field) for segment in segments]
            repeated = sorted({value for value in values if values.count(value) > 1})
            if repeated:
                raise SegmentMapError(f'"{field}" {shown(repeated[0])} is that of two segments (expected one of each)')
        _check_cells(segments)
        return cls(name, segments)

    @cached_property
    def by_cell(self) -> Mapping[Cell, Segment]:
        """The segment of each cell."""
        return {cell: segment for segment in self.segments for cell in segment.cells}

    @property
    def hash(self) -> str:
        """A hash of what the map means, however its file writes it."""
        meaning = [(each.name, each.code, each.advice, sorted(each.cells)) for each in self.segments]
        return hashlib.sha256(json.dumps([self.name, meaning]).encode()).hexdigest()[:16]

    def columns(self) -> list[Column]:
        """``rfm_score``, ``segment_code`` and ``segment`` of each row, from its scores; null outside the cells."""
        place = _place_of({letter: F.col(SCORED[letter].score) for letter in LETTERS})
        values = {
            "rfm_score": ["".join(map(str, cell)) for cell in CELLS],
            "segment_code": [self.by_cell[cell].code for cell in CELLS],
            "segment": [self.by_cell[cell].name for cell in CELLS],
        }
        return [_value_at(place, texts).alias(column) for column, texts in values.items()]

    def code_of(self, scores: Mapping[str, Column]) -> Column:
        """The code of the segment of a cell, from its scores by letter; null outside the cells."""
        return _value_at(_place_of(scores), [self.by_cell[cell].code for cell in CELLS])

    def as_json(self) -> dict[str, Any]:
        """The map as a card has it in JSON."""
        return {"name": self.name, "segments": [segment.as_json() for segment in self.segments]}


@dataclass(frozen=True)
class SegmentMaps:
    """The maps that a new card may take.

    Attributes:
        over_frequency: the shipped map over recency and frequency.
        over_money: the shipped map over recency and money.
        own: a user's map, which replaces both; None for none.
    """

    over_frequency: SegmentMap
    over_money: SegmentMap
    own: SegmentMap | None = None

    def chosen(self, *, frequency_is_degenerate: bool) -> SegmentMap:
        """The map for customers, by whether the number of their purchases tells them apart."""
        return self.own or (self.over_money if frequency_is_degenerate else self.over_frequency)


def segment_totals(*, rfm: DataFrame) -> DataFrame:
    """Add up the customers of each segment.

    Grain in: one row per customer_unique_id, `schemas.RFM`. Grain out: one row per segment that has customers:
    ``segment_code``, ``customers``, and ``revenue``, what they spent.
    """
    return rfm.groupBy("segment_code").agg(F.count(F.lit(1)).alias("customers"), F.sum("total_value").alias("revenue"))


def _place_of(scores: Mapping[str, Column]) -> Column:
    """The place of a cell among `CELLS`; null outside them."""
    place, is_cell = F.lit(0), F.lit(True)
    for letter in LETTERS:
        place, is_cell = place * F.lit(5) + scores[letter] - F.lit(1), is_cell & scores[letter].between(1, 5)
    return F.when(is_cell, place)


def _value_at(place: Column, texts: Sequence[str]) -> Column:
    """The text at a place; null where the place is null.

    A literal that is split is folded into an array once; 375 literals cost a third of a second to pass to Java.
    """
    return F.get(F.split(F.lit(SEPARATOR.join(texts)), SEPARATOR), place)


def _check_cells(segments: Sequence[Segment]) -> None:
    """Check that the segments cover all cells, and that no two share one.

    Raises:
        SegmentMapError: They do not; the message names the cells.
    """
    owner: dict[Cell, Segment] = {}
    for segment in segments:
        shared = sorted(cell for cell in segment.cells if cell in owner)
        if shared:
            others = sorted({owner[cell].name for cell in shared})
            raise SegmentMapError(
                f"{segment.name} has {_listed(shared)}, and so has {', '.join(others)} (expected each cell in one "
                "segment)"
            )
        owner |= dict.fromkeys(segment.cells, segment)
    missing = [cell for cell in CELLS if cell not in owner]
    if missing:
        raise SegmentMapError(f"no segment has {_listed(missing)} (expected all {len(CELLS)} cells, 111 to 555)")


def _listed(cells: Sequence[Cell]) -> str:
    texts = ["".join(map(str, cell)) for cell in cells[:MOST_CELLS_SHOWN]]
    more = f" and {len(cells) - MOST_CELLS_SHOWN} more" if len(cells) > MOST_CELLS_SHOWN else ""
    return f"cell{'s' if len(cells) > 1 else ''} {', '.join(texts)}{more}"


def _cells_of(stated: Any, name: str) -> frozenset[Cell]:
    """The cells of one entry: scores such as 545, or a range of each score; a score without a range may be any."""
    if isinstance(stated, Mapping) and stated and set(stated) <= set(LETTERS):
        ranges = [RANGE.fullmatch(str(stated.get(letter, "1-5"))) for letter in LETTERS]
        bounds = [(int(match[1]), int(match[2] or match[1])) for match in ranges if match]
        if len(bounds) == len(LETTERS) and all(low <= high for low, high in bounds):
            r, f, m = (range(low, high + 1) for low, high in bounds)
            return frozenset(cell for cell in CELLS if cell[0] in r and cell[1] in f and cell[2] in m)
    elif isinstance(stated, int | str) and re.fullmatch("[1-5]{3}", str(stated)):
        return frozenset(cell for cell in CELLS if "".join(map(str, cell)) == str(stated))
    raise SegmentMapError(f'"cells" of {name} has {shown(stated)} (expected scores such as 545, or {{r: 4-5, f: 1}})')


def _text(content: Mapping[str, Any], field: str, owner: str, *, longest: int) -> str:
    text = content.get(field)
    is_text = isinstance(text, str) and text.strip() == text and text.isprintable()
    if not is_text or not 1 <= len(str(text).encode()) <= longest:
        raise SegmentMapError(
            f'"{field}" of {owner} is {shown(_plain(text))} (expected a printable text of at most {longest} bytes, '
            "without blanks around it)"
        )
    return str(text)


def _plain(value: Any) -> Any:
    """A value without the types of the parser that made it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return str(value) if isinstance(value, str) else value
