"""What all kinds of rule have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType

from expectations.rules.text import parsed
from transforms.schemas import REASON

Severity = Literal["quarantine", "stop", "warn"]
"""What a broken rule leads to: its row is set aside; that, and the run is stopped; or it is told, and no more."""


@dataclass(frozen=True)
class Cells:
    """A table as its rules see it: the text that stands in a column, and the value that the text stands for.

    The two differ in a raw table alone, where all is text. There a value that is no text goes by a name of its own.

    Attributes:
        types: the type of each column's value.
        are_text: whether the table is raw.
    """

    types: Mapping[str, DataType]
    are_text: bool

    def text(self, column: str) -> Column:
        """The text, or the value written as text."""
        return F.col(column) if self.are_text else F.col(column).cast(StringType())

    def value(self, column: str) -> Column:
        """The value, or null where the text stands for none."""
        return parsed(F.col(column), self.types[column]) if self.are_text else F.col(column)

    def name_of_value(self, column: str) -> str:
        """The column that holds the value wherever both are shown, such as ``payment_value as decimal(18,4)``."""
        kind = self.types[column]
        return f"{column} as {kind.simpleString()}" if self.are_text and not isinstance(kind, StringType) else column


@dataclass(frozen=True)
class Expected:
    """An expectation, by the name and the arguments that it has in Great Expectations."""

    type: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Rule(ABC):
    """A name, what it speaks of, what it expects, and how grave it is when broken."""

    _: KW_ONLY
    severity: Severity = "quarantine"
    kind: ClassVar[str]

    @property
    @abstractmethod
    def subject(self) -> str | None:
        """The column or columns that the rule is about; None when it is the row or the table as such."""

    @property
    @abstractmethod
    def expectation(self) -> str:
        """What is expected, in words that follow "expected"."""

    @abstractmethod
    def reason(self, cells: Cells) -> Column:
        """Null where the rule is kept, else why it is not."""

    @abstractmethod
    def expected(self, cells: Cells, /) -> tuple[Expected, ...]:
        """The expectations that are all met just when the rule is kept throughout."""

    def why_not(self, _cells: Cells, /) -> str | None:
        """Why a table with these columns cannot have the rule, or None when it can. All its columns are there."""
        return None

    @property
    def label(self) -> str:
        """The rule as manifests and messages name it, such as ``not_null(order_id)``."""
        return labelled(self.kind, self.subject)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return () if self.subject is None else (self.subject,)

    def _because(self, value: Column, message: str, kind: str | None = None) -> Column:
        return F.struct(F.lit(kind or self.kind), F.lit(self.subject), value, F.lit(message)).cast(REASON)

    def _reason_unless(self, passes: Column, value: Column) -> Column:
        return F.when(~F.coalesce(passes, F.lit(False)), self._because(value, f"expected {self.expectation}"))


@dataclass(frozen=True)
class RowRule(Rule):
    """A rule that each row keeps or breaks."""

    def expected(self, _cells: Cells, /) -> tuple[Expected, ...]:
        """By default the verdict itself: a column of the rule's name is null in every row."""
        return (Expected("expect_column_values_to_be_null", {"column": self.label}),)

    @property
    def has_result_column(self) -> bool:
        """Whether Great Expectations has no such expectation, so that it is shown the verdict."""
        return type(self).expected is RowRule.expected


def labelled(kind: str, subject: str | None) -> str:
    """The name of a rule of that kind over that subject."""
    return kind if subject is None else f"{kind}({subject})"
