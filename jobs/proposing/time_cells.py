"""Cells that are times: in which form a column has them, and whether its sample tells day and month apart."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

Zone = Literal["none", "UTC", "offsets"]
Order = Literal["ymd", "dmy", "mdy"]

SHARE_OF_TIMES = 0.9
"""Of the filled cells of a column, so many have one form. Else it is no column of times."""
SHARE_OF_COMPACT_TIMES = 0.99
"""Of those without signs, such as 20181017, which an id may look like."""
FIRST_YEAR, LAST_YEAR = 1900, 2100

_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?P<clock>[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
    r"(?: ?(?P<utc>UTC|GMT|Z|\+00(?::?00)?)|(?P<offset>[-+]\d{2}(?::?\d{2})?))?)?",
    re.ASCII,
)
_SEPARATED = re.compile(
    r"(?P<first>\d{1,4})(?P<separator>[-./ ])(?P<middle>\d{1,2}|[A-Za-z]{3})(?P=separator)(?P<last>\d{1,4})"
    r"(?:(?P<gap>[T ]|, )(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,6})?)?"
    r"(?P<half> ?[AaPp][Mm])?)?",
    re.ASCII,
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?P<clock>\d{6})?", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class _Style(NamedTuple):
    """What the cells of one form have in common, the order of day and month aside."""

    separator: str
    is_year_first: bool
    year_letters: str
    month_by_name: bool
    gap: str
    clock: str


@dataclass(frozen=True)
class TimeForm:
    """The form in which a column has its times.

    Attributes:
        format: in Spark's letters; None for ISO 8601 and its usual variants.
        order: of day, month and year.
        other_format: the reading with day and month exchanged, where the sample fits both.
        zone: whether the cells say in which zone they are.
        has_clock: whether there is a time of day.
        other_cells: filled cells in another form.
    """

    format: str | None
    order: Order = "ymd"
    other_format: str | None = None
    zone: Zone = "none"
    has_clock: bool = False
    other_cells: int = 0

    def day_of(self, cell: str) -> date | None:
        """The day of a cell; None where it is in another form."""
        if self.format is None:
            return _numbered_day(_ISO.fullmatch(cell))
        match = _SEPARATED.fullmatch(cell)
        return _day(match, self.order) if match else _numbered_day(_COMPACT.fullmatch(cell))


def time_form_of(counts: Mapping[str, int]) -> TimeForm | None:
    """The form of a column's times; None where it holds none.

    Args:
        counts: how often each filled cell is there.
    """
    total = sum(counts.values())
    for form in (_iso_form, _compact_form, _separated_form):
        times = form(counts) if total else None
        if times:
            return times
    return None


def is_time(cell: str) -> bool:
    """Whether a cell by itself is a time."""
    return time_form_of({cell: 1}) is not None


def is_clock(cell: str) -> bool:
    """Whether a cell is a time of day without a date."""
    return _CLOCK.fullmatch(cell) is not None


def _iso_form(counts: Mapping[str, int]) -> TimeForm | None:
    matches = {cell: match for cell in counts if (match := _ISO.fullmatch(cell)) and _numbered_day(match)}
    number = sum(counts[cell] for cell in matches)
    if number < SHARE_OF_TIMES * sum(counts.values()):
        return None
    zone: Zone = "UTC" if any(match["utc"] for match in matches.values()) else "none"
    return TimeForm(
        format=None,
        zone="offsets" if any(match["offset"] for match in matches.values()) else zone,
        has_clock=any(match["clock"] for match in matches.values()),
        other_cells=sum(counts.values()) - number,
    )


def _compact_form(counts: Mapping[str, int]) -> TimeForm | None:
    clocks: Counter[bool] = Counter()
    for cell, count in counts.items():
        match = _COMPACT.fullmatch(cell)
        if match and _numbered_day(match):
            clocks[match["clock"] is not None] += count
    has_clock, number = max(clocks.items(), key=lambda item: item[1], default=(False, 0))
    if number < SHARE_OF_COMPACT_TIMES * sum(counts.values()):
        return None
    return TimeForm(
        format="yyyyMMddHHmmss" if has_clock else "yyyyMMdd",
        has_clock=has_clock,
        other_cells=sum(counts.values()) - number,
    )


def _separated_form(counts: Mapping[str, int]) -> TimeForm | None:
    by_style: dict[_Style, dict[re.Match[str], int]] = {}
    for cell, count in counts.items():
        match = _SEPARATED.fullmatch(cell)
        style = _style_of(match) if match else None
        if match and style:
            by_style.setdefault(style, {})[match] = count
    if not by_style:
        return None
    style, matches = max(by_style.items(), key=lambda item: sum(item[1].values()))
    orders = _orders(style, matches)
    number = sum(matches[match] for match in matches if _day(match, orders[0]))
    if number < SHARE_OF_TIMES * sum(counts.values()):
        return None
    return TimeForm(
        format=_format_of(style, matches, orders[0]),
        order=orders[0],
        other_format=_format_of(style, matches, orders[1]) if len(orders) > 1 else None,
        has_clock=bool(style.clock),
        other_cells=sum(counts.values()) - number,
    )


def _style_of(match: re.Match[str]) -> _Style | None:
    is_year_first, by_name = len(match["first"]) == 4, match["middle"].isalpha()
    year = match["first"] if is_year_first else match["last"]
    day = match["last"] if is_year_first else match["first"]
    if len(year) not in (2, 4) or len(day) > 2 or (by_name and match["middle"].lower() not in _MONTHS):
        return None
    if (match["separator"] == " " and not by_name) or int(match["hour"] or 0) > 23:
        return None
    clock = "" if match["hour"] is None else ":mm"
    clock += ":ss" if match["second"] else ""
    clock += "." + "S" * (len(match["fraction"]) - 1) if match["fraction"] else ""
    clock += " a" if match["half"] and match["half"][0] == " " else "a" if match["half"] else ""
    return _Style(match["separator"], is_year_first, "y" * len(year), by_name, match["gap"] or "", clock)


def _orders(style: _Style, matches: Mapping[re.Match[str], int]) -> tuple[Order, ...]:
    """The order of day and month, and the other order where the cells fit both."""
    if style.is_year_first:
        return ("ymd",)
    if style.month_by_name:
        return ("dmy",)
    valid = {order: sum(n for match, n in matches.items() if _day(match, order)) for order in ("dmy", "mdy")}
    if valid["dmy"] != valid["mdy"]:
        return ("dmy",) if valid["dmy"] > valid["mdy"] else ("mdy",)
    # A sample is from a short time: read the other way round, its first days become one day of each month.
    spans = {order: _span(matches, order) for order in ("dmy", "mdy")}
    is_usual_in_america = style.separator == "/" and style.clock.endswith("a")
    month_first = spans["mdy"] < spans["dmy"] or (spans["mdy"] == spans["dmy"] and is_usual_in_america)
    return ("mdy", "dmy") if month_first else ("dmy", "mdy")


def _span(matches: Iterable[re.Match[str]], order: str) -> int:
    days = [day for match in matches if (day := _day(match, order))]
    return (max(days) - min(days)).days if days else 0


def _format_of(style: _Style, matches: Iterable[re.Match[str]], order: Order) -> str:
    """The format in Spark's letters. One letter takes one digit or two, and two letters take two."""
    texts = [(match["first"], match["middle"], match["last"], match["hour"] or "") for match in matches]
    first = 1 if style.is_year_first else 0
    short = [part for text in texts for part in (*text[first : first + 2], text[3])]
    # A leading zero shows that all numbers have two digits, unless one of them has one.
    width = 2 if any(part.startswith("0") for part in short if len(part) == 2) else 1
    width = 1 if any(len(part) == 1 for part in short) else width
    month = "MMM" if style.month_by_name else "M" * width
    letters = {"d": "d" * width, "m": month, "y": style.year_letters}
    hour = ("h" if style.clock.endswith("a") else "H") * width if style.clock else ""
    gap = "'T'" if style.gap == "T" else style.gap
    return style.separator.join(letters[letter] for letter in order) + gap + hour + style.clock


def _day(match: re.Match[str], order: str) -> date | None:
    parts = dict(zip(order, (match["first"], match["middle"], match["last"]), strict=True))
    month = _MONTHS.index(parts["m"].lower()) + 1 if parts["m"].isalpha() else int(parts["m"])
    year = int(parts["y"]) + (2000 if len(parts["y"]) == 2 else 0)
    return _checked(year, month, int(parts["d"]))


def _numbered_day(match: re.Match[str] | None) -> date | None:
    return _checked(int(match["year"]), int(match["month"]), int(match["day"])) if match else None


def _checked(year: int, month: int, day: int) -> date | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
