"""Numbers, days, money and purchases as the sentences of an explanation have them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from jobs.cli.printable import counted
from jobs.explaining.rescoring import Purchase
from transforms.rfm.scores import Bands, ScoredMeasure, amount_in_words
from transforms.rfm.segments import Segment

MOST_PURCHASES = 3
"""Purchases that a sentence lists one by one."""


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def purchase_in_words(purchase: Purchase) -> str:
    """A purchase with its value and its day, or a return."""
    what = f"a return of {amount_in_words(-purchase.value)}" if purchase.is_return else amount_in_words(purchase.value)
    return f"{what} on {purchase.day}"


def purchases_in_words(purchases: Sequence[Purchase]) -> str:
    """Their number, and the first of them one by one."""
    bought = sum(not purchase.is_return for purchase in purchases)
    returned = len(purchases) - bought
    numbers = [counted(bought, "purchase")] if bought else []
    numbers += [counted(returned, "return")] if returned else []
    each = [purchase_in_words(purchase) for purchase in purchases[:MOST_PURCHASES]]
    each += [f"{len(purchases) - MOST_PURCHASES:,} more"] if len(purchases) > MOST_PURCHASES else []
    return f"{listed(numbers)} ({', '.join(each)})"


def band_in_words(bands: Bands, position: int) -> str:
    """The values of a band with their unit: "up to 141 days", "2 purchases", "above 47.72, up to 83.27 spent"."""
    words = bands.in_words(position)
    if bands.measure.decimals:
        return f"{words} spent"
    is_one = words.rpartition(" ")[2] == "1"
    return f"{words} {bands.measure.unit.removesuffix('s')}{'' if is_one else 's'}"


def is_plural(words: str) -> bool:
    """Whether a band is spoken of as many: "31 to 60 days score", but "up to 30 days scores"."""
    return words.endswith("s") and not words.startswith("up to")


def value_in_words(measure: ScoredMeasure, value: Decimal | int) -> str:
    """A value of a measure with its unit: "142 days", "1 purchase", "187.97 spent"."""
    if measure.decimals:
        return f"{amount_in_words(Decimal(value))} spent"
    return counted(int(value), measure.unit.removesuffix("s"))


def segment_in_words(segment: Segment | None) -> str:
    """The name of a segment."""
    return segment.name if segment else "no segment"


def named(name: str, code: str | None) -> str:
    """A name with its code."""
    return f"{name} ({code})" if code else name


def days_ago(days: int, day: date) -> str:
    """A day, counted back from the as-of date."""
    return f"today ({day})" if days == 0 else f"{counted(days, 'day')} ago ({day})"
