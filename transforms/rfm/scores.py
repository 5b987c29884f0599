"""Scores from 1 to 5 for recency, frequency and monetary value; 5 is best.

A score says between which cut points a measure is. The cut points are exact percentiles of the customers
(`percentiles`), each kept once. A value that equals a cut point belongs to the band below it. So equal values have
equal scores, and neither the order of rows nor their partitions matter.

A measure in which percentiles coincide has fewer than five bands. It is called degenerate, and a fallback applies:

- ``counts``, for purchases: 1, 2, 3, 4, and 5 or more. It applies where the highest percentile is 4 or less.
- ``fewer_bands``: the bands that are left, with their scores spread over 1 to 5 (`SPREAD`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from transforms import schemas
from transforms.bounded_text import shown
from transforms.rfm.dimensions import ScoreCardError, is_number
from transforms.schemas import name_of

HIGHEST_SCORE = 5
SPREAD: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {1: (3,), 2: (1, 5), 3: (1, 3, 5), 4: (1, 2, 4, 5), 5: (1, 2, 3, 4, 5)}
)
"""The scores of one to five bands, from the worst to the best."""

COUNTS = (1, 2, 3, 4)
"""The cut points of the fallback ``counts``."""

Fallback = Literal["counts", "fewer_bands"]
FALLBACKS: tuple[Fallback, ...] = ("counts", "fewer_bands")


@dataclass(frozen=True)
class ScoredMeasure:
    """A measure that is scored.

    Attributes:
        letter: of the score: r, f or m.
        dimension: the dimension's name.
        column: the column of `schemas.MEASURES` that is scored.
        unit: of that column.
        decimals: of its values.
        low_is_best: whether a low value is good.
    """

    letter: str
    dimension: str
    column: str
    unit: str
    decimals: int = 0
    low_is_best: bool = False

    @property
    def type(self) -> DataType:
        """The type of the column."""
        return schemas.MEASURES[self.column].dataType

    @property
    def score(self) -> str:
        """The name of the score's column."""
        return f"{self.letter}_score"

    def whole(self) -> Column:
        """The measure as a whole number: in units of its last decimal."""
        value = F.col(self.column)
        return (value * F.lit(10**self.decimals) if self.decimals else value).cast("bigint")

    def from_whole(self, value: int) -> Decimal:
        """The inverse of `whole`, for one value."""
        return Decimal(value).scaleb(-self.decimals)

    def to_whole(self, value: Decimal | float) -> int:
        """`whole` for one value."""
        return int(Decimal(value).scaleb(self.decimals))


SCORED: Mapping[str, ScoredMeasure] = MappingProxyType(
    {
        measure.letter: measure
        for measure in (
            ScoredMeasure("r", "recency", "days_since_last_purchase", "days", low_is_best=True),
            ScoredMeasure("f", "frequency", "purchase_count", "purchases"),
            ScoredMeasure("m", "monetary", "total_value", "currency", decimals=schemas.MONEY.scale),
        )
    }
)
"""The measures that are scored, by letter. Shops' tools score what a customer spent in all, so ``m`` does too; the
workshop's ``monetary`` is the average purchase."""


@dataclass(frozen=True)
class Degeneracy:
    """Why a measure has fewer than five bands, and what was done.

    Attributes:
        distinct_values: the number of distinct values.
        commonest_value: the value that most customers have.
        commonest_share: the share of customers who have it.
        bands: the number of bands that the percentiles leave.
        fallback: what was used instead.
    """

    distinct_values: int
    commonest_value: Decimal
    commonest_share: float
    bands: int
    fallback: Fallback


@dataclass(frozen=True)
class Bands:
    """The bands of one measure, in ascending order of its values.

    Attributes:
        measure: what is scored.
        cut_points: between the bands, ascending. A cut point belongs to the band below it.
        scores: the score of each band, one more than cut points.
        degeneracy: where the percentiles leave fewer than five bands; else None.
    """

    measure: ScoredMeasure
    cut_points: tuple[Decimal, ...]
    scores: tuple[int, ...]
    degeneracy: Degeneracy | None = None

    def __post_init__(self) -> None:
        name, scores = self.measure.letter, self.scores
        if any(low >= high for low, high in pairwise(self.cut_points)):
            raise ScoreCardError(f'"cut_points" of "{name}" are {_listed(self.cut_points)} (expected ascending values)')
        ascending = scores[::-1] if self.measure.low_is_best else scores
        if any(low >= high for low, high in pairwise(ascending)) or not set(scores) <= set(range(1, 6)):
            order = "descending" if self.measure.low_is_best else "ascending"
            raise ScoreCardError(f'"scores" of "{name}" are {_listed(scores)} (expected {order} numbers from 1 to 5)')
        if len(scores) != len(self.cut_points) + 1:
            raise ScoreCardError(
                f'"{name}" has {len(self.cut_points)} cut points and {len(scores)} scores (expected one score more)'
            )

    def position(self, value: Decimal | int) -> int:
        """Which band a value is in, from 0."""
        return sum(value > cut_point for cut_point in self.cut_points)

    def edges(self, position: int) -> tuple[Decimal | None, Decimal | None]:
        """The cut point that a band is above, and the one that it goes up to; None where it has no end."""
        edges: list[Decimal | None] = [None, *self.cut_points, None]
        return edges[position], edges[position + 1]

    def score(self) -> Column:
        """The score of each row, from its measure."""
        return self.score_of(F.col(self.measure.column))

    def score_of(self, value: Column) -> Column:
        """The score of a value of the measure, which must not be null."""
        score = F.lit(self.scores[-1])
        for cut_point, lower in reversed(list(zip(self.cut_points, self.scores, strict=False))):
            score = F.when(value <= F.lit(cut_point).cast(name_of(self.measure.type)), F.lit(lower)).otherwise(score)
        return score

    def in_words(self, position: int) -> str:
        """A band as its column has it, such as "142 to 227" or, of money, "above 47.72, up to 83.27"."""
        above, up_to = self.edges(position)
        if self.measure.decimals:
            ends = (("above", above), ("up to", up_to))
            return ", ".join(f"{word} {amount_in_words(edge)}" for word, edge in ends if edge is not None) or "any"
        if above is None:
            return "any" if up_to is None else f"up to {up_to}"
        if up_to is None:
            return f"{above + 1} or more"
        return f"{up_to}" if above + 1 == up_to else f"{above + 1} to {up_to}"

    def of_score(self, values: Sequence[Any], data_type: DataType) -> Column:
        """A value for each row, from its score: a lookup, since each band has a score of its own.

        Args:
            values: the value of each band.
            data_type: their type.
        """
        by_score = dict(zip(self.scores, values, strict=True))
        every = [F.lit(by_score.get(score)).cast(name_of(data_type)) for score in range(1, HIGHEST_SCORE + 1)]
        return F.get(F.array(*every), F.col(self.measure.score) - F.lit(1))

    def as_json(self) -> dict[str, Any]:
        """The bands as a card has them in JSON, money as text."""
        content: dict[str, Any] = {
            "measure": self.measure.column,
            "unit": self.measure.unit,
            "cut_points": [_as_json(value) for value in self.cut_points],
            "scores": list(self.scores),
        }
        if self.degeneracy is not None:
            content["degenerate"] = {
                "distinct_values": self.degeneracy.distinct_values,
                "commonest_value": _as_json(self.degeneracy.commonest_value),
                "commonest_share": self.degeneracy.commonest_share,
                "bands": self.degeneracy.bands,
                "fallback": self.degeneracy.fallback,
            }
        return content

    @classmethod
    def from_json(cls, content: Any, *, letter: str) -> "Bands":
        """Read bands; the inverse of `as_json`.

        Raises:
            ScoreCardError: The content is not bands of this measure.
        """
        measure = SCORED[letter]
        if not isinstance(content, dict):
            raise ScoreCardError(f'"{letter}" of "scores" is {shown(content)} (expected an object with "cut_points")')
        if content.get("measure", measure.column) != measure.column:
            raise ScoreCardError(
                f'"measure" of "{letter}" is {shown(content["measure"])} (expected "{measure.column}")'
            )
        cut_points, scores = content.get("cut_points"), content.get("scores")
        if not isinstance(cut_points, list):
            raise ScoreCardError(f'"cut_points" of "{letter}" is {shown(cut_points)} (expected a list of numbers)')
        if not isinstance(scores, list) or not all(type(score) is int for score in scores):
            raise ScoreCardError(f'"scores" of "{letter}" is {shown(scores)} (expected a list of whole numbers)')
        degenerate = content.get("degenerate")
        return cls(
            measure,
            tuple(_value_of(value, measure) for value in cut_points),
            tuple(scores),
            None if degenerate is None else _degeneracy_of(degenerate, measure),
        )


def fitted_bands(
    measure: ScoredMeasure, percentiles: Sequence[int], *, highest: int, commonest: Callable[[], tuple[int, int, float]]
) -> Bands:
    """The bands that percentiles make.

    Args:
        measure: what is scored.
        percentiles: its values at the percentiles, as whole numbers.
        highest: its highest value. A cut point there would have nobody above it.
        commonest: gives the number of distinct values, the commonest of them, and the share of customers who have it.
            It is asked only where there are fewer than five bands.
    """
    cut_points = [value for value in sorted(set(percentiles)) if value < highest]
    bands = len(cut_points) + 1
    degeneracy = None
    if bands < HIGHEST_SCORE:
        distinct_values, value, share = commonest()
        fallback: Fallback = "fewer_bands"
        if measure.letter == "f" and max(percentiles) <= max(COUNTS):
            fallback, cut_points = "counts", list(COUNTS)
        degeneracy = Degeneracy(distinct_values, measure.from_whole(value), share, bands, fallback)
    scores = SPREAD[len(cut_points) + 1]
    return Bands(
        measure,
        tuple(map(measure.from_whole, cut_points)),
        scores[::-1] if measure.low_is_best else scores,
        degeneracy,
    )


def amount_in_words(amount: Decimal) -> str:
    """Money to the cent, or to its last decimal where it has more."""
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount:,.4f}"


def _as_json(value: Decimal) -> int | str:
    return int(value) if value.as_tuple().exponent == 0 else str(value)


def _value_of(value: Any, measure: ScoredMeasure) -> Decimal:
    """A value of a measure from JSON, exactly: money is text there, and may be a number.

    Raises:
        ScoreCardError: It is not a value of the measure.
    """
    number = None
    if isinstance(value, str) or is_number(value):
        try:
            number = Decimal(str(value))
        except ArithmeticError:
            number = None
    step, digits = Decimal(1).scaleb(-measure.decimals), 9 if measure.low_is_best else 14
    is_in_range = number is not None and number.is_finite() and -(10**digits) < number < 10**digits
    if number is None or not is_in_range or number != number.quantize(step):
        kind = "an amount" if measure.decimals else "a whole number"
        form = f"of at most {digits} digits" + (
            f" before the point and {measure.decimals} after it" if measure.decimals else ""
        )
        raise ScoreCardError(f'a value of "{measure.letter}" is {shown(value)} (expected {kind} {form})')
    return number.quantize(step)


def _degeneracy_of(content: Any, measure: ScoredMeasure) -> Degeneracy:
    fields = content if isinstance(content, dict) else {}
    distinct, share, bands = (fields.get(name) for name in ("distinct_values", "commonest_share", "bands"))
    is_valid = type(distinct) is int and is_number(share) and type(bands) is int and fields.get("fallback") in FALLBACKS
    if not is_valid:
        raise ScoreCardError(
            f'"degenerate" of "{measure.letter}" is {shown(content)} (expected distinct_values, commonest_value, '
            f"commonest_share, bands, and a fallback of: {', '.join(FALLBACKS)})"
        )
    return Degeneracy(
        fields["distinct_values"],
        _value_of(fields.get("commonest_value"), measure),
        float(fields["commonest_share"]),
        fields["bands"],
        fields["fallback"],
    )


def _listed(values: Sequence[Any]) -> str:
    return shown([_as_json(value) if isinstance(value, Decimal) else value for value in values])
