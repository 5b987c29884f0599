"""Whether a request or an answer is one that botocore's model of a service knows.

botocore itself checks types, required members and least lengths; this adds greatest lengths, enumerations and
patterns, which it leaves to the service. Members that the model does not name are faults, in answers as in requests.

A test uses it through `JsonService`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

UNICODE_CLASSES = {
    r"\p{L}": "a-zA-Z\u00c0-\uffff",
    r"\p{Z}": r"\s",
    r"\p{N}": r"\d",
    r"\uD800\uDC00-\uDBFF\uDFFF": "\U00010000-\U0010ffff",
}
"""Character classes that the models use and `re` lacks, wide enough not to refuse what the service takes. The last is
every character beyond the first 65,536, as Java writes it."""


def faults_of(value: Any, shape: Shape) -> list[str]:
    """Everything in which a value is not of a shape; nothing when it is."""
    report = ParamValidator().validate(value, shape)
    return [*filter(None, report.generate_report().splitlines()), *_limits(value, shape, "")]


def as_json(value: Any, shape: Shape) -> Any:
    """A value as the JSON protocols write it: moments as seconds since 1970."""
    if isinstance(shape, StructureShape):
        return {name: as_json(item, shape.members[name]) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [as_json(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return {name: as_json(item, shape.value) for name, item in value.items()}
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=value.tzinfo or UTC).timestamp(), 3)
    return value


def _limits(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, item in value.items():
            if name in shape.members:
                yield from _limits(item, shape.members[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _longer_than_allowed(len(value), shape, path)
        for position, item in enumerate(value):
            yield from _limits(item, shape.member, f"{path}[{position}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        yield from _longer_than_allowed(len(value), shape, path)
        for name, item in value.items():
            yield from _limits(name, shape.key, f"{path} key")
            yield from _limits(item, shape.value, f"{path}.{name}")
    elif isinstance(value, str):
        yield from _longer_than_allowed(len(value), shape, path)
        yield from _unlike(value, shape, path)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value > shape.metadata.get("max", value):
        yield f"Value {value} at '{path}' failed to satisfy constraint: at most {shape.metadata['max']}"


def _longer_than_allowed(length: int, shape: Shape, path: str) -> Iterator[str]:
    if length > shape.metadata.get("max", length):
        yield f"Value at '{path}' failed to satisfy constraint: length at most {shape.metadata['max']}, found {length}"


def _unlike(value: str, shape: Shape, path: str) -> Iterator[str]:
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: one of [{', '.join(enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: regular expression pattern {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for name, characters in UNICODE_CLASSES.items():
        pattern = pattern.replace(name, characters)
    return re.compile(pattern)
