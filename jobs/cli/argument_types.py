"""The texts of the command line as values: each is what it says, or is refused with what was expected."""

import argparse
import re
from datetime import date
from typing import Literal

from expectations.contracts.olist import ORDER_STATUSES
from transforms.rfm.dimensions import ScoreCardError
from transforms.rfm.score_card import LONGEST_WINDOW, percents_of

NumberOfClusters = int | Literal["auto"]

ALL_STATUSES = "all"
MAX_QUARANTINED = 0.01
HIGHEST_K = 100
MOST_DAYS = 3650
"""The longest validation: ten years."""


def yes_or_no(text: str) -> bool:
    """Yes or no."""
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected yes or no")
    return text == "yes"


def day(text: str) -> date:
    """A day, as ISO 8601 writes it."""
    try:
        value = date.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a date such as 2018-10-17")
    return value


def share(text: str) -> float:
    """A share, from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a share from 0 to 1, such as {MAX_QUARANTINED}")
    return value


def statuses(text: str) -> tuple[str, ...] | None:
    """Order statuses, sorted; None for all."""
    if text == ALL_STATUSES:
        return None
    chosen = sorted({part.strip() for part in text.split(",")})
    unknown = [status for status in chosen if status not in ORDER_STATUSES]
    if unknown:
        expected = f"statuses of {', '.join(ORDER_STATUSES)}; or {ALL_STATUSES}"
        raise argparse.ArgumentTypeError(f"{', '.join(map(repr, unknown))}: expected {expected}")
    return tuple(chosen)


def percentiles(text: str) -> tuple[float, ...]:
    """Four percentiles, from the lowest on."""
    try:
        return percents_of([float(part) for part in text.split(",")])
    except (ValueError, ScoreCardError):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected four ascending numbers between 0 and 100, such as 20,40,60,80"
        ) from None


def months(text: str) -> int:
    """A number of months."""
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= LONGEST_WINDOW:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of months from 1 to {LONGEST_WINDOW}")
    return int(text)


def days(text: str) -> int:
    """A number of days."""
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of days from 1 to {MOST_DAYS}")
    return int(text)


def number_of_clusters(text: str) -> NumberOfClusters:
    """A number of clusters, or auto."""
    if text == "auto":
        return "auto"
    if not text.isascii() or not text.isdigit() or not 2 <= int(text) <= HIGHEST_K:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of clusters from 2 to {HIGHEST_K}, or auto")
    return int(text)


def range_of_clusters(text: str) -> tuple[int, int]:
    """The lowest and the highest number of clusters."""
    bounds = re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3})", text)
    low, high = (int(bounds[1]), int(bounds[2])) if bounds else (0, 0)
    if not 2 <= low <= high <= HIGHEST_K:
        raise argparse.ArgumentTypeError(f"{text!r}: expected two numbers of clusters, such as 2-8")
    return low, high


def drift(text: str) -> float:
    """A distance, from 0 on."""
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 0, such as 0.1")
    return limit
