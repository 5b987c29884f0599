"""YAML that a user wrote, parsed within bounds.

Aliases make 450 bytes of YAML a document of gigabytes, and brackets within brackets end the parser. So the events of
the text are counted before anything is built from them.
"""

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent

from transforms.bounded_text import LONGEST_NUMBER, cut

LONGEST = 100_000
"""Characters of the text. A rule has some 100."""

DEEPEST = 12
"""Lists and mappings within one another. A rule with a list of values has 5."""

MOST_NODES = 10_000
"""Values after each alias is replaced by what it refers to."""

LONGEST_SCALAR = 4_000
LONGEST_CAUSE = 200
NUMBER = re.compile(r"[-+]?[0-9.][0-9a-fA-FxXoeE+_.:-]*")


class YAMLTextError(ValueError):
    """The text is not YAML, or it exceeds a bound.

    Attributes:
        line: where, from 0 on.
    """

    def __init__(self, cause: str, *, line: int = 0) -> None:
        super().__init__(cut(" ".join(cause.split()), longest=LONGEST_CAUSE))
        self.line = line


def load_yaml(text: str) -> Any:
    """Parse YAML, with the line of each value.

    Raises:
        YAMLTextError: The text is not YAML, a value in it is none of its type, such as the date 2018-13-45, or it
            exceeds a bound.
    """
    if len(text) > LONGEST:
        raise YAMLTextError(f"found {len(text):,} characters, expected at most {LONGEST:,}")
    try:
        _check_bounds(text)
        return _parser().load(text)
    except YAMLTextError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YAMLTextError(f"invalid YAML: {error.problem}", line=mark.line if mark else 0) from None
    except YAMLError as error:
        raise YAMLTextError(f"invalid YAML: {str(error).splitlines()[0]}") from None
    # What ruamel.yaml's constructors let through from the types that they build, such as datetime.
    except (ValueError, ArithmeticError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise YAMLTextError(f"invalid YAML: found a value that is none of its type ({error})") from None


def _parser() -> YAML:
    parser = YAML()
    # An anchor that is set again is valid YAML, and a warning would be a second line on the terminal.
    parser.composer.warn_double_anchors = False
    return parser


def _check_bounds(text: str) -> None:
    nodes, opened, sizes = 0, list[tuple[str | None, int]](), dict[str, int]()
    for event in _parser().parse(text):
        line = event.start_mark.line
        if isinstance(event, AliasEvent):
            if event.anchor in {anchor for anchor, _ in opened}:
                raise YAMLTextError(f"found *{event.anchor} within &{event.anchor}, expected no circle", line=line)
            nodes += sizes.get(event.anchor, 1)
        elif isinstance(event, NodeEvent):
            nodes += 1
            if isinstance(event, CollectionStartEvent):
                opened.append((event.anchor, nodes - 1))
            elif event.anchor is not None:
                sizes[event.anchor] = 1
        elif isinstance(event, CollectionEndEvent):
            anchor, start = opened.pop()
            if anchor is not None:
                sizes[anchor] = nodes - start
        if isinstance(event, ScalarEvent):
            _check_scalar(event.value, line)
        if len(opened) > DEEPEST:
            raise YAMLTextError(f"nested deeper than {DEEPEST}, expected at most that", line=line)
        if nodes > MOST_NODES:
            raise YAMLTextError(f"more than {MOST_NODES:,} values with all aliases, expected fewer", line=line)


def _check_scalar(value: str, line: int) -> None:
    longest = LONGEST_NUMBER if NUMBER.fullmatch(value) else LONGEST_SCALAR
    if len(value) > longest:
        raise YAMLTextError(f"found a value of {len(value):,} characters, expected at most {longest:,}", line=line)
