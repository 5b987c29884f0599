"""The three dimensions of a customer: what each is made of, and the bounds between which it becomes 0..5."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

DIMENSIONS = ("recency", "frequency", "monetary")
UNITS = {"recency": "weeks", "frequency": "purchases", "monetary": "currency per purchase"}

NORMALISED_RANGE = 5.0
"""Measures are normalised to 0..5, as in the workshop."""

HIGHEST = sys.float_info.max


class ScoreCardError(ValueError):
    """The text is no score card; the message says what was found and what was expected."""


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest value of a dimension, in its unit: what becomes 0 and what becomes 5."""

    low: float
    high: float


def is_number(value: Any) -> bool:
    """Whether something read from JSON is a finite number."""
    return not isinstance(value, bool) and isinstance(value, int | float) and -HIGHEST <= value <= HIGHEST


def bounds_of(by_dimension: Mapping[str, Any], name: str) -> Bounds:
    """The bounds of a dimension, as a card has them.

    Raises:
        ScoreCardError: A bound is missing or no finite number, or the minimum is above the maximum.
    """
    given = by_dimension.get(name)
    if not isinstance(given, dict):
        raise ScoreCardError(f'no bounds for "{name}" (found: {", ".join(by_dimension) or "none"})')
    for bound in ("min", "max"):
        value = given.get(bound)
        if not is_number(value):
            found = "is missing" if value is None else f"is {value!r}"
            raise ScoreCardError(f'"{bound}" of "{name}" {found} (expected a number)')
    if given["min"] > given["max"]:
        raise ScoreCardError(f'"{name}" has min {given["min"]} above max {given["max"]}')
    return Bounds(low=float(given["min"]), high=float(given["max"]))


def bounds_as_json(bounds: Mapping[str, Bounds]) -> dict[str, Any]:
    """Bounds as a card has them; the inverse of `bounds_of`."""
    return {name: {"min": bounds[name].low, "max": bounds[name].high, "unit": UNITS[name]} for name in DIMENSIONS}


def dimensions() -> dict[str, Column]:
    """What each normalised column of `schemas.RFM` is made of, over the columns of `schemas.MEASURES`.

    Monetary is the average purchase, taken from the exact total: the stored average is rounded for reading.
    """
    return {
        "recency": F.col("recency_weeks").cast("double"),
        "frequency": F.col("purchase_count").cast("double"),
        "monetary": F.col("total_value").cast("double") / F.col("purchase_count"),
    }


def normalise(value: Column, *, low: float, high: float) -> Column:
    """``(value - low) / (high - low) * 5``, and 0.0 where the bounds are one value.

    A value outside the bounds of a card fitted elsewhere gives a figure outside 0..5; it is kept.
    """
    if low == high:
        return F.lit(0.0)
    return (value - F.lit(low)) / F.lit(high - low) * F.lit(NORMALISED_RANGE)
