"""Cells of a list as text: harmless in a spreadsheet, and complete for Braze."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jobs.audiences.audience import ListFormat

STARTS_A_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""What a cell begins with that a spreadsheet would compute (OWASP, CSV Injection)."""

APOSTROPHE = "'"
"""Goes in front of such a cell; and of one that begins with it, so that a reader can take one off and has the text."""

NO_TEXT = "(none)"
"""Text that is missing, in Braze, which passes over a blank cell and so would keep the value of an earlier import. No
code of a segment has a parenthesis."""


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    if text and (text[0] in STARTS_A_FORMULA or text[0] == APOSTROPHE):
        return APOSTROPHE + text
    return text


def cells(values: Sequence[Any], form: ListFormat, *, is_text: bool) -> Sequence[Any]:
    """The cells of a column, to be written as CSV; None is blank.

    Args:
        values: the column's.
        form: of the list.
        is_text: whether the column is text. Numbers and times begin with no formula, and stay; some are text already.
    """
    if form == "braze":
        if is_text:
            return [NO_TEXT if value is None else value for value in values]
        return [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return [value if value is None else harmless(str(value)) for value in values] if is_text else values
