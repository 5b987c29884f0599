"""The ranges of a measure as the page shows them: few enough to be read, labelled in the measure's unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from jobs.reports.customers import SmallCells, Sums
from jobs.reports.figures import Figure, Words
from transforms.rfm.distributions import DAYS_OF_RANGE, NOTHING, range_of
from transforms.rfm.scores import Bands

MOST_BARS = 60
LOWEST = Decimal(-(10**14))
"""Below any amount."""


@dataclass(frozen=True)
class Bin:
    """A range of values, and the customers in it.

    Attributes:
        label: the range in words, such as "14 to 27".
        low: the first value.
        high: the value after the last.
        customers: hidden where they are few.
    """

    label: Words
    low: float
    high: float
    customers: Figure


def bins_of(bands: Bands, ranges: Mapping[int, Sums], *, small_cells: SmallCells) -> Sequence[Bin]:
    """The ranges of a measure, from the lowest to the highest that has customers.

    Days and money have no gaps. Numbers of purchases are listed where there are customers, and the highest are one
    range if each has few.

    Args:
        bands: of the measure. Where a band begins with a range, the grid tells how many customers are on either side.
        ranges: the customers by the key of their range.
        small_cells: what may not be shown.
    """
    customers = {key: ranges[key].customers for key in sorted(ranges)}
    ways = {"r": _weeks, "f": _counts, "m": _amounts}
    spans = ways[bands.measure.letter](customers, small_cells.smallest)
    counts = {place: span.customers for place, span in enumerate(spans)}
    hidden = small_cells.hidden(counts, totals=_between_bands(spans, bands))
    return [
        Bin(
            span.label,
            float(span.low),
            float(span.high),
            Figure(None, instead=hidden[place]) if place in hidden else Figure(span.customers),
        )
        for place, span in enumerate(spans)
    ]


@dataclass(frozen=True)
class _Span:
    """A range before it is known whether it may be shown: from ``low``, which belongs to it, up to ``high``."""

    label: Words
    low: Decimal
    high: Decimal
    customers: int


def _between_bands(spans: Sequence[_Span], bands: Bands) -> list[list[int]]:
    """The places of the ranges, cut where a band ends and a range does too."""
    step = Decimal(1).scaleb(-bands.measure.decimals)
    groups: list[list[int]] = []
    for place, span in enumerate(spans):
        is_cut = not place or bands.position(spans[place - 1].high - step) < bands.position(span.low)
        groups = [*groups, [place]] if is_cut else [*groups[:-1], [*groups[-1], place]]
    return groups


def _weeks(customers: Mapping[int, int], _smallest: int) -> list[_Span]:
    """Weeks, or as many weeks to a bar as the page has room for: 1, 2, 4, 8 ..."""
    width = 1
    while customers and max(customers) // width >= MOST_BARS:
        width *= 2
    merged: dict[int, int] = {}
    for key, count in customers.items():
        merged[key // width] = merged.get(key // width, 0) + count
    spans = []
    for key in range(min(merged, default=0), max(merged, default=-1) + 1):
        low, high = Decimal(key * width * DAYS_OF_RANGE), Decimal((key + 1) * width * DAYS_OF_RANGE)
        label = Words.of(Figure(int(low)), " to ", Figure(int(high) - 1))
        spans.append(_Span(label, low, high, merged.get(key, 0)))
    return spans


def _counts(customers: Mapping[int, int], smallest: int) -> list[_Span]:
    merged, last = dict(customers), None
    while len(merged) > 1 and merged[max(merged)] < smallest:
        merged[last := sorted(merged)[-2]] += merged.pop(max(merged))
    spans = []
    for key, count in merged.items():
        low, high = range_of("f", key)
        first, end = ceil(low or 0), ceil(high) - 1
        ending = [" or more"] if key == last else [" to ", Figure(end)] if first < end else []
        highest = range_of("f", max(customers))[1] if key == last else high
        spans.append(_Span(Words([Figure(first), *ending]), Decimal(first), Decimal(ceil(highest)), count))
    return spans


def _amounts(customers: Mapping[int, int], _smallest: int) -> list[_Span]:
    in_series = [key for key in customers if key > NOTHING]
    keys = [key for key in customers if key <= NOTHING]
    spans = []
    for key in [*keys, *range(min(in_series, default=0), max(in_series, default=-1) + 1)]:
        low, high = range_of("m", key)
        label = Words.of("below 0" if low is None else "0")
        if low:
            label = Words.of(Figure(low, "amount"), " to below ", Figure(high, "amount"))
        spans.append(_Span(label, LOWEST if low is None else low, high, customers.get(key, 0)))
    return spans
