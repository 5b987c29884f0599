"""Validation of requests and responses against botocore's service models.

botocore itself checks types, required members and minimum lengths. It leaves maximum lengths, enumerations and patterns
to the service, so they are checked here. A member that the model does not name is a violation, in both directions.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

UNICODE_CLASSES = {
    r"\p{L}": "a-zA-Z\u00c0-\uffff",
    r"\p{Z}": r"\s",
    r"\p{N}": r"\d",
    r"\uD800\uDC00-\uDBFF\uDFFF": "\U00010000-\U0010ffff",
}
"""Character classes of the models that `re` lacks, wide enough to accept all that the service accepts.

The last one is every character above U+FFFF, as Java writes it.
"""


@cache
def service_model(name: str) -> ServiceModel:
    """botocore's model of a service, such as ``sagemaker``."""
    model: ServiceModel = botocore.session.get_session().get_service_model(name)
    return model


def echoed(service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The members of an earlier request that an operation returns as well."""
    members = service_model(service).operation_model(operation).output_shape.members
    return {name: value for name, value in request.items() if name in members}


def violations_of(value: Any, shape: Shape) -> list[str]:
    """Every way in which a value violates a shape; empty if it is valid."""
    report = ParamValidator().validate(value, shape)
    return [*filter(None, report.generate_report().splitlines()), *_limit_violations(value, shape, "")]


def as_json(value: Any, shape: Shape) -> Any:
    """A value as the JSON protocols write it, with timestamps as seconds since 1970."""
    if isinstance(shape, StructureShape):
        return {name: as_json(item, shape.members[name]) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [as_json(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return {name: as_json(item, shape.value) for name, item in value.items()}
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=value.tzinfo or UTC).timestamp(), 3)
    return value


def _limit_violations(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, item in value.items():
            if name in shape.members:
                yield from _limit_violations(item, shape.members[name], f"{path}.{name}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _too_long(len(value), shape, path)
        for position, item in enumerate(value):
            yield from _limit_violations(item, shape.member, f"{path}[{position}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        yield from _too_long(len(value), shape, path)
        for name, item in value.items():
            yield from _limit_violations(name, shape.key, f"{path} key")
            yield from _limit_violations(item, shape.value, f"{path}.{name}")
    elif isinstance(value, str):
        yield from _too_long(len(value), shape, path)
        yield from _mismatch(value, shape, path)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value > shape.metadata.get("max", value):
        yield f"Value {value} at '{path}' failed to satisfy constraint: at most {shape.metadata['max']}"


def _too_long(length: int, shape: Shape, path: str) -> Iterator[str]:
    if length > shape.metadata.get("max", length):
        yield f"Value at '{path}' failed to satisfy constraint: length at most {shape.metadata['max']}, found {length}"


def _mismatch(value: str, shape: Shape, path: str) -> Iterator[str]:
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
