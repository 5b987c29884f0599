"""Cells that are numbers, and which sign a file has before its decimals."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

POINT, COMMA = ".", ","

_PLAIN = {
    POINT: re.compile(r"[-+]?(?:\d+(?P<fraction>\.\d*)?|(?P<short>\.\d+))(?:[eE][-+]?\d+)?", re.ASCII),
    COMMA: re.compile(r"[-+]?(?:\d+(?P<fraction>,\d*)?|(?P<short>,\d+))", re.ASCII),
}
_GROUPED = {
    POINT: re.compile(
        r"[-+]?\d{1,3}(?:(?P<mark>[,'’ \u00a0\u202f])\d{3})(?:(?P=mark)\d{3})*(?P<fraction>\.\d+)?", re.A
    ),
    COMMA: re.compile(r"[-+]?\d{1,3}(?:(?P<mark>[.'’ \u00a0\u202f])\d{3})(?:(?P=mark)\d{3})*(?P<fraction>,\d+)?", re.A),
}
_WITH_POINTS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+(?P<fraction>,\d+)?", re.ASCII)
_CURRENCY = r"(?:[€$£¥₹]|R\$|US\$|EUR|USD|GBP|BRL|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN)"
_DECORATED = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+])? ?{_CURRENCY}? ?(?P<inner>[-+])?(?P<digits>[\d.,]"
    rf"[\d.,'’ \u00a0\u202f]*?)\s?(?P<behind>-)?\s?{_CURRENCY}?(?P<close>\))?",
    re.ASCII,
)
VALUES_THAT_TELL = 500
_LONGEST = 64
"""Characters of a number. What is longer is none."""


@dataclass(frozen=True)
class NumberCell:
    """A cell that is a number.

    Attributes:
        sign: -1, 0 or 1.
        has_fraction: whether it has decimals.
        is_plain: whether the ledger's reader takes it: digits, a sign before them and decimals. Where decimals follow a
            comma, points may stand between thousands.
    """

    sign: int
    has_fraction: bool
    is_plain: bool


def number_of(cell: str, decimal: str) -> NumberCell | None:
    """The number in a cell; None where there is none.

    Args:
        cell: the text.
        decimal: the sign before decimals, `POINT` or `COMMA`.
    """
    if len(cell) > _LONGEST:
        return None
    match = _PLAIN[decimal].fullmatch(cell)
    if match:
        has_fraction = bool((match["fraction"] or match["short"] or "").strip(decimal + "0"))
        digits = cell.lower().partition("e")[0]
        return NumberCell(_sign_of(digits, is_negative=cell.startswith("-")), has_fraction, is_plain=True)
    if decimal == COMMA and (points := _WITH_POINTS.fullmatch(cell)):
        return NumberCell(_sign_of(cell, is_negative=cell.startswith("-")), bool(points["fraction"]), is_plain=True)
    text = cell.replace("\u2212", "-")
    parts = _DECORATED.fullmatch(text)
    if parts is None or (parts["open"] is None) != (parts["close"] is None):
        return None
    digits = parts["digits"].strip()
    grouped = _GROUPED[decimal].fullmatch(digits) or _PLAIN[decimal].fullmatch(digits)
    if grouped is None:
        return None
    is_negative = "-" in (parts["sign"], parts["inner"], parts["behind"]) or parts["open"] is not None
    return NumberCell(_sign_of(digits, is_negative=is_negative), bool(grouped["fraction"]), is_plain=False)


def decimal_of(columns: Iterable[Iterable[str]]) -> str:
    """The sign before decimals, by the cells that are a number with one of them alone.

    A column of text is not asked: nine in ten of its values must be numbers.

    Args:
        columns: the cells of each column, of which the first distinct values are looked at.
    """
    votes = {POINT: 0, COMMA: 0}
    for column in columns:
        cells = [cell for cell in dict.fromkeys(column) if cell][:VALUES_THAT_TELL]
        for decimal, other in ((POINT, COMMA), (COMMA, POINT)):
            readable = [cell for cell in cells if number_of(cell, decimal)]
            if len(readable) >= 0.9 * len(cells):
                votes[decimal] += sum(number_of(cell, other) is None for cell in readable)
    return COMMA if votes[COMMA] > votes[POINT] else POINT


def _sign_of(digits: str, *, is_negative: bool) -> int:
    if not re.search("[1-9]", digits):
        return 0
    return -1 if is_negative else 1
