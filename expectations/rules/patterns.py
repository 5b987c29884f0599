"""The regular expressions that a rule may have: those of both Java, which evaluates them, and Python, which checks.

A file of rules is checked before Spark starts, so there is no Java to ask. Python's own check is not enough: it takes
``a{`` and ``[[]``, which Java refuses, and reads ``[a&&b]`` in another way.
"""

import re
import warnings

COMMON_ESCAPES = frozenset("dDwWsSbBAtnrfaxu123456789")
"""Letters and digits that mean the same after a backslash. Any other sign after it is itself."""

NOT_IN_CLASSES = frozenset("A1B2b3456789")

GROUPS = re.compile(r"\?(?::|=|!|<=|<!|>|<[a-zA-Z][a-zA-Z0-9]*>|[ims]+[:)])")
REPETITION = re.compile(r"\{\d{1,5}(,\d{0,5})?\}")
PROPERTY = re.compile(
    r"[pP]\{(?:L[ultmo]?|M[ecn]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfos]?|Alpha|Digit|Alnum|Upper|Lower|Punct"
    r"|Graph|Print|Blank|Cntrl|XDigit|Space|ASCII|IsAlphabetic|IsDigit|IsLetter|IsUppercase|IsLowercase|IsLatin)\}"
)
"""Classes of characters that Java knows and Python does not. The checks put a plain class in their place."""


def check_pattern(pattern: str) -> None:
    """Check a regular expression of a rule.

    Raises:
        ValueError: Java may refuse it, or read it in another way than it looks.
    """
    in_python = _in_python(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(in_python)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(f"pattern is not a regular expression ({error})") from None


def _in_python(pattern: str) -> str:
    """The expression in Python's syntax; its parts that not both languages have are refused."""
    parts: list[str] = []
    in_class, position = False, 0
    while position < len(pattern):
        part, translated = _part_at(pattern, position, in_class=in_class)
        parts.append(translated)
        if not in_class and part.startswith("["):
            in_class = True
        elif in_class and part == "]":
            in_class = False
        position += len(part)
    return "".join(parts)


def _part_at(pattern: str, position: int, *, in_class: bool) -> tuple[str, str]:
    """The next part of an expression, and the same in Python's syntax."""
    sign = pattern[position]
    if sign == "\\":
        return _escape_at(pattern, position, in_class=in_class)
    if in_class:
        if sign == "[" or pattern.startswith("&&", position):
            raise _not_common("&&" if sign == "&" else "[", "inside a class. Put a backslash before it")
        return sign, sign
    if sign == "[":
        part = "[^" if pattern.startswith("[^", position) else "["
        if pattern.startswith("]", position + len(part)):
            raise _not_common("]", "first in a class. Put a backslash before it")
        return part, part
    if sign == "{":
        match = REPETITION.match(pattern, position)
        if match is None:
            raise _not_common("{", "that is no number of repetitions, such as {2} or {2,}. Put a backslash before it")
        return match[0], match[0]
    if pattern.startswith("(?", position):
        if pattern.startswith("(?P", position):
            raise ValueError("pattern has (?P, which only Python knows: name groups as Java does, (?<name>...)")
        match = GROUPS.match(pattern, position + 1)
        if match is None:
            raise _not_common(pattern[position : position + 4], "")
        part = f"({match[0]}"
        is_named = part.startswith("(?<") and part.endswith(">")
        return part, part.replace("(?<", "(?P<") if is_named else part
    return sign, sign


def _escape_at(pattern: str, position: int, *, in_class: bool) -> tuple[str, str]:
    match = PROPERTY.match(pattern, position + 1)
    if match is not None:
        return f"\\{match[0]}", "A" if in_class else "[A-Z]"
    letter = pattern[position + 1 : position + 2]
    is_plain = not (letter.isascii() and letter.isalnum())
    if not (is_plain or letter in COMMON_ESCAPES) or (in_class and letter in NOT_IN_CLASSES):
        raise _not_common(f"\\{letter}", "inside a class" if in_class and letter in COMMON_ESCAPES else "")
    return f"\\{letter}", f"\\{letter}"


def _not_common(part: str, where: str) -> ValueError:
    construct = f"{part} {where}".strip()
    return ValueError(f"pattern has {construct}: not in the subset of expressions that Java and Python have in common")
