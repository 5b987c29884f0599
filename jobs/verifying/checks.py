"""What a verification says: a check for each claim that it tested, and the rows that are off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

MOST_FAULTS = 5
"""The rows that are off and are listed, of each check."""


class Result(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Fault:
    """A row, or another thing, that is off.

    Attributes:
        where: which one: the values of its key, by column; or of a thing that is no row, by what it is.
        what: the column or figure.
        actual: its value in the run.
        expected: the value that was derived.
    """

    where: Mapping[str, Any]
    what: str
    actual: Any
    expected: Any

    def as_json(self) -> dict[str, Any]:
        """The fault for ``--json``, each value as text."""
        return {
            "key": {name: _text(value) for name, value in self.where.items()},
            "what": self.what,
            "found": _text(self.actual),
            "expected": _text(self.expected),
        }

    def __str__(self) -> str:
        where = ", ".join(f"{name} {_text(value)}" for name, value in self.where.items())
        return (
            f"{where + ': ' if where else ''}{self.what}: found {_text(self.actual)}, expected {_text(self.expected)}"
        )


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: its name, which begins with the table or the file that it is about.
        compared: what was compared with what.
        result: whether it passed.
        rows: how many rows, files or figures were compared.
        off: how many of them are off.
        faults: the first of those.
        note: why it was not checked, or what else is to be said.
    """

    name: str
    compared: str
    result: Result
    rows: int = 0
    off: int = 0
    faults: tuple[Fault, ...] = ()
    note: str = ""

    @classmethod
    def of(cls, name: str, compared: str, *, rows: int, faults: Iterable[Fault], off: int | None = None) -> "Check":
        """A check that was done: failed if there is a fault.

        Args:
            name: of the check.
            compared: what with what.
            rows: how many were compared.
            faults: all of them, or the first.
            off: how many there are; None for as many as are given.
        """
        listed = tuple(faults)
        count = len(listed) if off is None else off
        result = Result.FAILED if count else Result.PASSED
        return cls(name, compared, result, rows, count, listed[:MOST_FAULTS])

    @classmethod
    def skipped(cls, name: str, compared: str, *, why: str) -> "Check":
        """A check that could not be done."""
        return cls(name, compared, Result.NOT_CHECKED, note=why)

    def as_json(self) -> dict[str, Any]:
        """The check for ``--json``."""
        return {
            "name": self.name,
            "compared": self.compared,
            "result": self.result.value,
            "rows": self.rows,
            "off": self.off,
            "note": self.note,
            "faults": [fault.as_json() for fault in self.faults],
        }


@dataclass(frozen=True)
class Verification:
    """What was found out about a run."""

    run_id: str
    as_of: date
    where: str
    checks: Sequence[Check] = field(default_factory=tuple)

    def having(self, result: Result) -> list[Check]:
        """The checks with a result."""
        return [check for check in self.checks if check.result is result]

    @property
    def passed(self) -> bool:
        """Whether nothing is off."""
        return not self.having(Result.FAILED)

    def as_json(self) -> dict[str, Any]:
        """The verification for ``--json``."""
        return {
            "run_id": self.run_id,
            "as_of": self.as_of.isoformat(),
            "run": self.where,
            "passed": self.passed,
            "checks": [check.as_json() for check in self.checks],
        }


def _text(value: Any) -> str:
    return "nothing" if value is None else str(value)
