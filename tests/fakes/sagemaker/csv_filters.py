"""The JSONPath of batch transform for CSV: ``$``, ``$[3]``, ``$[0,-2,-1]``, ``$[1:]``."""

import re
from collections.abc import Sequence

from tests.fakes.http.faults import invalid

SLICE = re.compile(r"\$\[(-?\d+)?:(-?\d+)?\]")
INDICES = re.compile(r"\$\[(-?\d+(?:,\s*-?\d+)*)\]")


def filtered(columns: Sequence[str], path: str) -> list[str]:
    """The columns that a path names, in its order.

    Raises:
        ServiceError: It is no path of these, or names a column that is not there.
    """
    if path == "$":
        return list(columns)
    part = SLICE.fullmatch(path)
    if part:
        start, end = (int(number) if number else None for number in part.groups())
        return list(columns[start:end])
    indices = INDICES.fullmatch(path)
    if not indices:
        raise invalid(f"Invalid JSONPath for CSV: {path}")
    numbers = [int(number) for number in indices[1].split(",")]
    if any(not -len(columns) <= number < len(columns) for number in numbers):
        raise invalid(f"JSONPath {path} names a column that is not there: there are {len(columns)}")
    return [columns[number] for number in numbers]
