"""Names and values as YAML: plain where that is safe, else in double quotes."""

import json
import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[^\W\d_][\w.()/+%-]*(?: [\w.()/+%-]+)*")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def scalar(text: str) -> str:
    """A text as one scalar that YAML reads as the same text."""
    if _PLAIN.fullmatch(text) and text.isprintable() and text.casefold() not in _RESERVED:
        return text
    return "".join(_escaped(character) for character in json.dumps(text, ensure_ascii=False))


def flow_list(texts: Sequence[str]) -> str:
    """Texts as a list in brackets."""
    return f"[{', '.join(map(scalar, texts))}]"


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
