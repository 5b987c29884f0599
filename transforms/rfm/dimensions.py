"""The three dimensions of a customer: their measures, their units, and the bounds that map them to 0..5."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from transforms.bounded_text import LONGEST_SHOWN, cut, shown

DIMENSIONS = ("recency", "frequency", "monetary")
UNITS = {"recency": "weeks", "frequency": "purchases", "monetary": "currency per purchase"}

NORMALISED_RANGE = 5.0
"""Measures are normalised to 0..5, as in the workshop."""

HIGHEST = sys.float_info.max


class ScoreCardError(ValueError):
    """The text is not a score card. The message states what was found and what was expected."""


@dataclass(frozen=True)
class Bounds:
    """The values of a dimension, in its unit, that map to 0 and to 5."""

    low: float
    high: float


def is_number(value: Any) -> bool:
    """Whether a value from JSON is a finite number."""
    return not isinstance(value, bool) and isinstance(value, int | float) and -HIGHEST <= value <= HIGHEST


def bounds_of(by_dimension: Mapping[str, Any], name: str) -> Bounds:
    """The bounds of one dimension, from the bounds of a card in JSON.

    Raises:
        ScoreCardError: A bound is missing or is not a finite number, or the minimum is above the maximum.
    """
    bounds = by_dimension.get(name)
    if not isinstance(bounds, dict):
        raise ScoreCardError(f'no bounds for "{name}" (found: {_names_in(by_dimension)})')
    for bound in ("min", "max"):
        value = bounds.get(bound)
        if not is_number(value):
            actual = "is missing" if value is None else f"is {shown(value)}"
            raise ScoreCardError(f'"{bound}" of "{name}" {actual} (expected a number)')
    if bounds["min"] > bounds["max"]:
        raise ScoreCardError(f'"{name}" has min {bounds["min"]} above max {bounds["max"]}')
    return Bounds(low=float(bounds["min"]), high=float(bounds["max"]))


def _names_in(by_dimension: Mapping[str, Any]) -> str:
    return cut(", ".join(by_dimension) or "none", longest=LONGEST_SHOWN)


def bounds_as_json(bounds: Mapping[str, Bounds]) -> dict[str, Any]:
    """Bounds as a card has them in JSON, with the unit of each dimension."""
    return {
        name: {"min": float(bounds[name].low), "max": float(bounds[name].high), "unit": UNITS[name]}
        for name in DIMENSIONS
    }


def dimensions() -> dict[str, Column]:
    """For each dimension its measure, from the columns of `schemas.MEASURES`.

    The monetary value is the average purchase, from the exact total: the stored average is rounded for reading.
    """
    return {
        "recency": F.col("recency_weeks").cast("double"),
        "frequency": F.col("purchase_count").cast("double"),
        "monetary": F.col("total_value").cast("double") / F.col("purchase_count"),
    }


def normalise(value: Column, *, low: float, high: float) -> Column:
    """``(value - low) / (high - low) * 5``, or 0.0 if the bounds are equal.

    A value outside the bounds, which a card fitted to other customers may have, gives a figure outside 0..5.
    """
    if low == high:
        return F.lit(0.0)
    return (value - F.lit(low)) / F.lit(high - low) * F.lit(NORMALISED_RANGE)
