"""The bounds of a rule."""

from datetime import date
from math import isfinite
from typing import Any

Bound = int | float | date


def check_bounds(low: Any, high: Any) -> None:
    """See that there is a bound, and that a value can be between them.

    Raises:
        ValueError: There is none, they are of different kinds, or the low one is above the high one.
    """
    for bound in (low, high):
        if isinstance(bound, float) and not isfinite(bound):
            raise ValueError(f"bound {bound}, expected a number that is one")
    if low is None and high is None:
        raise ValueError("neither low nor high is given, so that everything would pass")
    if low is not None and high is not None:
        are_of_one_kind = isinstance(low, date) == isinstance(high, date)
        if not are_of_one_kind:
            raise ValueError(f"low {low} and high {high} are not of one kind")
        if low > high:
            raise ValueError(f"low {low} is above high {high}, so that nothing could pass")


def bounds_in_words(low: Bound | None, high: Bound | None) -> str:
    """The bounds, for a sentence that starts with "expected"."""
    bounds = [(f"at least {low}", low), (f"at most {high}", high)]
    return " and ".join(words for words, bound in bounds if bound is not None)
