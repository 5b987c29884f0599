"""Why a customer has a score: the band of each measure, and what is missing to the next better one.

With the card and these columns, anyone can compute a score by hand.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from transforms.rfm.scores import Bands, ScoredMeasure, amount_in_words


def reason_columns(bands: Mapping[str, Bands]) -> list[Column]:
    """The band of each measure and the distance to the next better one, over `schemas.MEASURES` and the scores.

    For each letter of `SCORED` they are ``<letter>_band``, which values have the score, in words; and
    ``<letter>_to_next``, null in the best band:

    - for r, the days that the last purchase would have to be nearer;
    - for f, the purchases that are missing;
    - for m, the money that is missing. More than that must be spent, since a cut point belongs to the band below it.
    """
    return [column for each in bands.values() for column in _reason(each)]


def _reason(bands: Bands) -> list[Column]:
    measure, value = bands.measure, F.col(bands.measure.column)
    positions = range(len(bands.scores))
    words = bands.of_score([bands.in_words(position) for position in positions], StringType())
    threshold = bands.of_score([_next_threshold(bands, position) for position in positions], measure.type)
    to_next = value - threshold if measure.low_is_best else threshold - value
    return [words.alias(f"{measure.letter}_band"), to_next.alias(f"{measure.letter}_to_next")]


def _next_threshold(bands: Bands, position: int) -> Decimal | None:
    """The value that the next better band begins with, or, of money, that must be passed; None in the best band."""
    above, up_to = bands.edges(position)
    if bands.measure.low_is_best:
        return above
    return up_to if up_to is None or bands.measure.decimals else up_to + 1


def scores_of_reason(reason: Mapping[str, Any], bands: Mapping[str, Bands]) -> dict[str, int]:
    """The scores that the bands of a reason have on a card, by letter.

    Args:
        reason: a row with `reason_columns`.
        bands: those of the card.

    Raises:
        ValueError: The card has no such band.
    """
    scores = {}
    for letter, each in bands.items():
        by_words = {each.in_words(position): score for position, score in enumerate(each.scores)}
        band = reason[f"{letter}_band"]
        if band not in by_words:
            raise ValueError(f"the card has no band {band!r} of {each.measure.column} (found: {', '.join(by_words)})")
        scores[letter] = by_words[band]
    return scores


def sentences(customer: Mapping[str, Any], bands: Mapping[str, Bands]) -> list[str]:
    """Why a customer has their scores, a sentence for each score.

    Args:
        customer: a row of `schemas.RFM`.
        bands: those of the card that the row was scored with.

    Returns:
        Sentences such as "F 1: 1 purchase; one more makes it 2".
    """
    return [_sentence(customer, each) for each in bands.values()]


def _sentence(customer: Mapping[str, Any], bands: Bands) -> str:
    measure = bands.measure
    value, to_next = customer[measure.column], customer[f"{measure.letter}_to_next"]
    position = bands.position(value)
    score = bands.scores[position]
    fact = f"{measure.letter.upper()} {score}: {_said(value, measure)}"
    if to_next is None:
        return f"{fact}; that is the best band" if len(bands.scores) > 1 else f"{fact}; all customers score the same"
    better = bands.scores[position - 1 if measure.low_is_best else position + 1]
    if measure.low_is_best:
        return f"{fact}; up to {_days(value - to_next)} makes it {better}"
    if measure.decimals:
        missing = f"more than {amount_in_words(to_next)} more" if to_next else "any more"
        return f"{fact}; {missing} makes it {better}"
    return f"{fact}; {'one' if to_next == 1 else _number(to_next)} more makes it {better}"


def _said(value: Any, measure: ScoredMeasure) -> str:
    if measure.decimals:
        return f"{amount_in_words(value)} spent"
    if measure.low_is_best:
        return f"last purchase {_days(value)} ago"
    return f"{_number(value)} purchase{'' if value == 1 else 's'}"


def _days(value: int) -> str:
    return f"{_number(value)} day{'' if value == 1 else 's'}"


def _number(value: int) -> str:
    return f"{value:,}"
