"""Text from outside, within bounds: JSON that is parsed, and values that messages show.

A file that was edited by hand or cut short may hold anything: a list where a number is, numbers of 5,000 digits, a
thousand brackets. It is refused before a parser or a message grows with it.
"""

import json
import re
from typing import Any, NoReturn

DEEPEST = 32
"""Brackets within brackets. The manifest, the deepest file of this project, has 9."""

LONGEST_NUMBER = 64
"""Characters of a number. A double in full has 24, and the largest decimal of Spark 40."""

LONGEST_SHOWN = 60
"""Characters of a value in a message. A message has room for several, in fewer than 500."""

BRACKETS_AND_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


class JSONTextError(ValueError):
    """The text is not an object in JSON, or it exceeds a bound. The message states what was found and expected."""


def parse_object(text: str, *, longest: int) -> dict[str, Any]:
    """Parse an object in JSON.

    Args:
        text: the JSON.
        longest: characters that the text may have.

    Raises:
        JSONTextError: The text is longer, or nested deeper than `DEEPEST`; or it is not JSON, or not an object. Or a
            number in it is not finite, or longer than `LONGEST_NUMBER`.
    """
    if len(text) > longest:
        raise JSONTextError(f"found {len(text):,} characters (expected at most {longest:,})")
    depth = 0
    for match in BRACKETS_AND_STRINGS.finditer(text):
        depth += STEPS.get(match[0], 0)
        if depth > DEEPEST:
            raise JSONTextError(f"nested deeper than {DEEPEST} (expected at most that)")
    try:
        content = json.loads(text, parse_int=_whole_number, parse_float=_number, parse_constant=_not_finite)
    except json.JSONDecodeError as error:
        cause = "it is empty" if not text.strip() else str(error)
        raise JSONTextError(f"invalid JSON: {cause}") from None
    if not isinstance(content, dict):
        raise JSONTextError(f"found {shown(content)} (expected an object in JSON)")
    return content


def shown(value: Any, *, longest: int = LONGEST_SHOWN) -> str:
    """A value as a message shows it: as Python writes it, printable, and cut after so many characters.

    Only as much of the value is turned into text as the message has room for.
    """
    if isinstance(value, str):
        return cut(repr(value[: longest + 1]), longest=longest)
    if isinstance(value, dict):
        items = [f"{shown(key)}: {shown(item)}" for key, item in list(value.items())[:5]]
        return cut(f"{{{', '.join(items)}}}", longest=longest)
    if isinstance(value, list | tuple):
        return cut(f"[{', '.join(shown(item) for item in value[:10])}]", longest=longest)
    try:
        return cut(repr(value), longest=longest)
    except ValueError:  # Python refuses to write a whole number of more than 4,300 digits
        return "a number of thousands of digits"


def cut(text: str, *, longest: int) -> str:
    """A text without unprintable characters, which a terminal would obey, and cut after so many characters."""
    printable = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[: longest + 1]
    )
    return printable if len(printable) <= longest else f"{printable[: longest - 1]}…"


def _whole_number(text: str) -> int:
    return int(_bounded(text))


def _number(text: str) -> float:
    value = float(_bounded(text))
    if value in (float("inf"), float("-inf")):
        _not_finite(text)
    return value


def _not_finite(text: str) -> NoReturn:
    raise JSONTextError(f"found the number {cut(text, longest=LONGEST_SHOWN)} (expected finite numbers only)")


def _bounded(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise JSONTextError(f"found a number of {len(text):,} digits (expected at most {LONGEST_NUMBER})")
    return text
