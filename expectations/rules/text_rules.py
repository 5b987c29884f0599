"""Rules about the text of a column."""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import ClassVar

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from expectations.rules.cells import Cells
from expectations.rules.column_rules import NullableRule
from expectations.rules.patterns import check_pattern
from expectations.rules.rule import GxExpectation, RowRule

NUL, SIGN_FOR_NUL = "\0", "\u2400"

SHOWN_CHARACTERS = 40
"""Of a text that is too long, in its reason."""


@dataclass(frozen=True)
class TextRule(NullableRule):
    """A rule about the text of a column, as the file has it."""

    def incompatibility(self, cells: Cells, /) -> str | None:
        """A typed value can be written in several ways, so that only text will do."""
        data_type = cells.types[self.column]
        if cells.are_text or isinstance(data_type, StringType):
            return None
        return f"{self.column} is {data_type.simpleString()}, expected a column of text"

    def shown(self, cells: Cells, /) -> Column:
        """The text."""
        return cells.text(self.column)


@dataclass(frozen=True)
class Matches(TextRule):
    """The text matches a regular expression of Java, anywhere unless the expression is anchored.

    `patterns` says which expressions it takes. A ``$`` at the end is made to match at the end alone. Java's also
    matches before a line end.
    """

    pattern: str
    kind: ClassVar[str] = "matches"

    def __post_init__(self) -> None:
        check_pattern(self.pattern)

    @property
    def expectation(self) -> str:
        """The expression."""
        return f"a text that matches {self.pattern}"

    @property
    def regex(self) -> str:
        """The expression as Spark gets it."""
        is_anchored = self.pattern.endswith("$") and not self.pattern.endswith("\\$")
        return self.pattern[:-1] + r"\z" if is_anchored else self.pattern

    def passes(self, cells: Cells, /) -> Column:
        """Whether the expression is in the text."""
        return self.or_null(cells.text(self.column).rlike(self.regex))

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The native one."""
        arguments = {"column": self.column, "regex": self.regex}
        return self.with_null(GxExpectation("expect_column_values_to_match_regex", arguments))


@dataclass(frozen=True)
class InSet(TextRule):
    """The text is one of a set."""

    values: tuple[str, ...]
    kind: ClassVar[str] = "in_set"

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("values is empty, so that nothing could pass")

    @property
    def expectation(self) -> str:
        """The set."""
        return f"one of {', '.join(self.values)}"

    def passes(self, cells: Cells, /) -> Column:
        """Whether the text is in the set."""
        return self.or_null(cells.text(self.column).isin(*self.values))

    def gx_expectations(self, _cells: Cells, /) -> tuple[GxExpectation, ...]:
        """The native one."""
        arguments = {"column": self.column, "value_set": list(self.values)}
        return self.with_null(GxExpectation("expect_column_values_to_be_in_set", arguments))


@dataclass(frozen=True)
class MaxBytes(TextRule):
    """The text has at most ``limit`` bytes of UTF-8, the unit in which warehouses state the length of a column."""

    limit: int
    kind: ClassVar[str] = "max_bytes"

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("limit is below 1, so that nothing could pass")

    @property
    def expectation(self) -> str:
        """The length."""
        return f"a text of at most {self.limit} bytes"

    def passes(self, cells: Cells, /) -> Column:
        """Whether the text is that short."""
        return self.or_null(F.octet_length(cells.text(self.column)) <= self.limit)

    def shown(self, cells: Cells, /) -> Column:
        """The beginning of the text and its length. The row has the text itself."""
        text = cells.text(self.column)
        beginning = F.substring(text, 1, SHOWN_CHARACTERS)
        return F.concat(beginning, F.lit("... ("), F.octet_length(text), F.lit(" bytes)"))

    # Great Expectations counts characters, not bytes.
    gx_expectations = RowRule.gx_expectations


@dataclass(frozen=True)
class HasNoNul(RowRule):
    """No cell of the row has a NUL character, which neither Redshift nor PostgreSQL stores."""

    over: tuple[str, ...]
    kind: ClassVar[str] = "has_no_nul"

    @property
    def subject(self) -> None:
        """None: the rule is about the row."""

    @property
    def expectation(self) -> str:
        """The character."""
        return "text without NUL characters, which warehouses refuse"

    def passes(self, cells: Cells, /) -> Column:
        """Whether no cell has one."""
        return ~reduce(or_, (_has_nul(column, cells) for column in self.over))

    def shown(self, _cells: Cells, /) -> Column:
        """The row, in which a visible sign stands for NUL."""
        return F.translate(F.concat_ws(",", *self.over), NUL, SIGN_FOR_NUL)


def _has_nul(column: str, cells: Cells) -> Column:
    """Whether a cell has a NUL character. A cell that stands for a value has none, and is not searched."""
    has_nul = F.coalesce(F.col(column).contains(NUL), F.lit(False))
    is_parsed = cells.are_parsed and column in cells.parsed_columns
    return (cells.value(column).isNull() & has_nul) if is_parsed else has_nul
