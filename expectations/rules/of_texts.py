"""Rules that a row keeps or breaks by the text in one of its columns."""

import re
from dataclasses import dataclass
from typing import ClassVar

from pyspark.sql import Column
from pyspark.sql.types import StringType

from expectations.rules.of_columns import NullableRule
from expectations.rules.rule import Cells, Expected


@dataclass(frozen=True)
class TextRule(NullableRule):
    """A rule about a text as it stands there."""

    def why_not(self, cells: Cells, /) -> str | None:
        """What is no text has several ways to be written."""
        kind = cells.types[self.column]
        if cells.are_text or isinstance(kind, StringType):
            return None
        return f"{self.column} is {kind.simpleString()}, expected a column of text"


@dataclass(frozen=True)
class Matches(TextRule):
    """The text matches a regular expression (Java's), anywhere unless the expression is anchored.

    A ``$`` at the end means the end: Java's matches before a line end too.
    """

    pattern: str
    kind: ClassVar[str] = "matches"

    def __post_init__(self) -> None:
        if "(?P" in self.pattern:
            raise ValueError("pattern has (?P, which Python alone knows: name groups as Java does, (?<name>...)")
        # Java is not running yet. What it writes otherwise than Python is written as Python does first.
        in_python = re.sub(r"\(\?<(?![=!])", "(?P<", re.sub(r"\\[pP]\{\w+\}", r"\\w", self.pattern))
        try:
            re.compile(in_python)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression ({error})") from None

    @property
    def expectation(self) -> str:
        """The expression."""
        return f"a text that matches {self.pattern}"

    @property
    def regex(self) -> str:
        """The expression as Spark is given it."""
        ends = self.pattern.endswith("$") and not self.pattern.endswith("\\$")
        return self.pattern[:-1] + r"\z" if ends else self.pattern

    def reason(self, cells: Cells, /) -> Column:
        """Why not, with the text."""
        text = cells.text(self.column)
        return self._reason_unless(self.or_null(text.rlike(self.regex)), text)

    def expected(self, _cells: Cells, /) -> tuple[Expected, ...]:
        """The text matches."""
        return self.with_null(
            Expected("expect_column_values_to_match_regex", {"column": self.column, "regex": self.regex})
        )


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

    def reason(self, cells: Cells, /) -> Column:
        """Why not, with the text."""
        text = cells.text(self.column)
        return self._reason_unless(self.or_null(text.isin(*self.values)), text)

    def expected(self, _cells: Cells, /) -> tuple[Expected, ...]:
        """The text is in the set."""
        return self.with_null(
            Expected("expect_column_values_to_be_in_set", {"column": self.column, "value_set": list(self.values)})
        )
