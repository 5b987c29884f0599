"""Lower and upper bounds of a rule: their check, their test as a column, and their words."""

from datetime import date
from math import isfinite
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

Bound = int | float | date

HIGHEST_BOUND = 10**18
"""More than any column here holds, and little enough for every type of Spark's that a number is compared as."""


def check_bounds(low: Any, high: Any) -> None:
    """Check that at least one bound is set and that some value can pass.

    Raises:
        ValueError: Neither bound is set, a bound is not finite or fits no type, the two differ in type, or low is above
            high.
    """
    for bound in (low, high):
        if isinstance(bound, float) and not isfinite(bound):
            raise ValueError(f"bound {bound}, expected a finite number")
        if isinstance(bound, int | float) and abs(bound) > HIGHEST_BOUND:
            raise ValueError(f"bound of {len(str(int(bound)))} digits, expected a number within {HIGHEST_BOUND:,}")
    if low is None and high is None:
        raise ValueError("neither low nor high is set, so that everything would pass")
    if low is not None and high is not None:
        if isinstance(low, date) != isinstance(high, date):
            raise ValueError(f"low {low} and high {high} differ in type, expected two numbers or two days")
        if low > high:
            raise ValueError(f"low {low} is above high {high}, so that nothing could pass")


def check_share(share: float) -> None:
    """Check a share.

    Raises:
        ValueError: It is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}, expected 0 to 1")


def is_within(value: Column, low: Bound | None, high: Bound | None) -> Column:
    """Whether a value is at least ``low`` and at most ``high``; None is no bound."""
    is_high_enough = F.lit(True) if low is None else value >= F.lit(low)
    is_low_enough = F.lit(True) if high is None else value <= F.lit(high)
    return is_high_enough & is_low_enough


def bounds_text(low: Bound | None, high: Bound | None) -> str:
    """The bounds as words that follow "expected"."""
    bounds = [(f"at least {low}", low), (f"at most {high}", high)]
    return " and ".join(text for text, bound in bounds if bound is not None)
