"""The base of every rule: what it is called, how severe a failure is, and the two forms in which it is evaluated."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.rules.cells import Cells
from transforms.schemas import REASON, name_of

Severity = Literal["quarantine", "stop", "blank", "warn"]
"""What a failed rule does: quarantine the row; quarantine it and stop the run; accept the row without the cell; or
warn, and accept the row. A cell that is blanked is kept elsewhere, with its reason."""


@dataclass(frozen=True)
class GxExpectation:
    """An expectation, by the type and the arguments that Great Expectations has for it."""

    type: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Rule(ABC):
    """One rule of a contract. Its fields are hashed into the manifest and named in files of overrides."""

    _: KW_ONLY
    severity: Severity = "quarantine"
    kind: ClassVar[str]

    @property
    @abstractmethod
    def subject(self) -> str | None:
        """The columns that the rule is about; None if it is about the row or the table."""

    @property
    @abstractmethod
    def expectation(self) -> str:
        """What is expected, as words that follow "expected"."""

    @abstractmethod
    def reason(self, cells: Cells, /) -> Column:
        """Null if the rule passes, else a `schemas.REASON`."""

    @abstractmethod
    def gx_expectations(self, cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The same rule for Great Expectations: it passes if all of these are met."""

    def incompatibility(self, _cells: Cells, /) -> str | None:
        """Why columns of these types cannot have the rule; None if they can. The rule's own columns are among them."""
        return None

    @property
    def label(self) -> str:
        """The name of the rule in manifests and messages, such as ``not_null(order_id)``."""
        return rule_label(self.kind, self.subject)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule reads."""
        return () if self.subject is None else (self.subject,)

    def _reason(self, value: Column, message: str, kind: str | None = None) -> Column:
        return F.struct(F.lit(kind or self.kind), F.lit(self.subject), value, F.lit(message)).cast(name_of(REASON))

    def _reason_unless(self, passes: Column, value: Column) -> Column:
        """The default reason."""
        return F.when(_is_not_true(passes), self._reason(value, f"expected {self.expectation}"))


@dataclass(frozen=True)
class RowRule(Rule):
    """A rule that each row passes or fails."""

    @abstractmethod
    def passes(self, cells: Cells, /) -> Column:
        """Whether the row passes."""

    @abstractmethod
    def shown(self, cells: Cells, /) -> Column:
        """The value that the reason of a row that fails shows."""

    def fails(self, cells: Cells, /) -> Column:
        """Whether the row has a reason. It costs less to make than the reason."""
        return _is_not_true(self.passes(cells))

    def reason(self, cells: Cells, /) -> Column:
        """Null if the row passes, else a reason with the value that is shown."""
        return self._reason_unless(self.passes(cells), self.shown(cells))

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The default for rules without a native expectation: the column named after the rule is null in every row."""
        return (GxExpectation("expect_column_values_to_be_null", {"column": self.label}),)

    @property
    def has_result_column(self) -> bool:
        """Whether the rule has no native expectation, so that Great Expectations reads its result from a column."""
        return type(self).gx_expectations is RowRule.gx_expectations


def _is_not_true(passes: Column) -> Column:
    """Whether a check fails, as one does that comes out as null."""
    return ~passes.eqNullSafe(True)


def rule_label(kind: str, subject: str | None) -> str:
    """The label of a rule of a kind about a subject."""
    return kind if subject is None else f"{kind}({subject})"
