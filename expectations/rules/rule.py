"""The base of every rule: what it is called, how severe a failure is, and the two forms in which it is evaluated."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.rules.cells import Cells
from transforms.schemas import REASON

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
        return F.struct(F.lit(kind or self.kind), F.lit(self.subject), value, F.lit(message)).cast(REASON)

    def _reason_unless(self, passes: Column, value: Column) -> Column:
        """The default reason. A check that comes out as null has failed."""
        return F.when(~F.coalesce(passes, F.lit(False)), self._reason(value, f"expected {self.expectation}"))


@dataclass(frozen=True)
class RowRule(Rule):
    """A rule that each row passes or fails."""

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The default for rules without a native expectation: the column named after the rule is null in every row."""
        return (GxExpectation("expect_column_values_to_be_null", {"column": self.label}),)

    @property
    def has_result_column(self) -> bool:
        """Whether the rule has no native expectation, so that Great Expectations reads its result from a column."""
        return type(self).gx_expectations is RowRule.gx_expectations


def rule_label(kind: str, subject: str | None) -> str:
    """The label of a rule of a kind about a subject."""
    return kind if subject is None else f"{kind}({subject})"
