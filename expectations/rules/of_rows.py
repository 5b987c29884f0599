"""Rules that a row keeps or breaks as a whole, or by what other rows there are."""

from dataclasses import dataclass
from typing import ClassVar

from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from expectations.rules.of_columns import ColumnRule
from expectations.rules.rule import Cells, RowRule, labelled

MALFORMED_ROW = "malformed_row"
"""Where the reader puts the text of a row that has too many fields or too few; null for all others."""

SOURCE_FILE = "source_file"

REPLACEMENT = "\ufffd"
"""What stands where bytes could not be read as UTF-8."""


@dataclass(frozen=True)
class HasAllFields(RowRule):
    """The row has as many fields as the header."""

    kind: ClassVar[str] = "has_all_fields"

    @property
    def subject(self) -> None:
        """The row as such."""

    @property
    def expectation(self) -> str:
        """The header's number of fields."""
        return "as many fields as the header has"

    def reason(self, _cells: Cells, /) -> Column:
        """Why the row has not as many fields, with its text."""
        malformed = F.col(MALFORMED_ROW)
        return self._reason_unless(malformed.isNull(), malformed)


@dataclass(frozen=True)
class IsText(RowRule):
    """The row's bytes were UTF-8: none of its columns has the mark that a reader puts for a byte that was not."""

    over: tuple[str, ...]
    kind: ClassVar[str] = "is_text"

    @property
    def subject(self) -> None:
        """The row as such."""

    @property
    def expectation(self) -> str:
        """The encoding."""
        return "UTF-8, found other bytes"

    def reason(self, _cells: Cells, /) -> Column:
        """Why not, with the row as far as it could be read."""
        row = F.concat_ws(",", *self.over)
        return self._reason_unless(~row.contains(REPLACEMENT), row)


@dataclass(frozen=True)
class RefersTo(ColumnRule):
    """The value is a key of an accepted row of another table. No value is fine here.

    Costs one exchange by the column on either side. A row whose counterpart is there, but was quarantined, follows it:
    it is refused too, for a reason of its own name (``follows``), since nothing is wrong with the row itself.
    """

    table: str
    key: str
    kind: ClassVar[str] = "refers_to"

    CASCADES: ClassVar[str] = "follows"

    @property
    def found(self) -> str:
        """The column in which the join to accepted rows leaves its mark."""
        return f"{self.column}_found_in_{self.table}"

    @property
    def quarantined(self) -> str:
        """The column in which the join to quarantined rows leaves its mark."""
        return f"{self.column}_quarantined_in_{self.table}"

    @property
    def cascaded_label(self) -> str:
        """How the reason of a follower is named."""
        return labelled(self.CASCADES, self.column)

    @property
    def expectation(self) -> str:
        """The key."""
        return f"the {self.key} of an accepted row of {self.table}"

    def reason(self, _cells: Cells, /) -> Column:
        """Why not, with the value."""
        value = F.col(self.column)
        message = f"expected {self.expectation}; that row was quarantined"
        orphan = self._reason_unless(value.isNull() | F.col(self.found), value)
        follower = self._because(value, message, kind=self.CASCADES)
        return F.when(F.coalesce(F.col(self.found), F.lit(False)), None).otherwise(
            F.when(F.col(self.quarantined), follower).otherwise(orphan)
        )


@dataclass(frozen=True)
class Unique(RowRule):
    """No other row has this key.

    In a raw table, of exact copies one passes; of rows that differ none does, since nobody can say which is right. Keys
    are compared as the values that their text stands for (``1`` is ``01``), rows as text. A row that another rule has
    refused is no rival, and is not to be among those that are looked at. In a computed table no row passes whose key
    another has.
    """

    key: tuple[str, ...]
    kind: ClassVar[str] = "unique"

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("key is empty, expected the columns that make it up")

    @property
    def subject(self) -> str:
        """The key's columns."""
        return ", ".join(self.key)

    @property
    def columns(self) -> tuple[str, ...]:
        """The key's columns."""
        return self.key

    @property
    def expectation(self) -> str:
        """One row a key."""
        return "one row with this key"

    def reason(self, cells: Cells, /) -> Column:
        """Why not, in a raw table: a copy, or one of several; with the key. Costs an exchange by the key."""
        key = [cells.value(column) for column in self.key]
        shown = F.concat_ws(", ", *[cells.text(column) for column in self.key])
        content = F.struct(*cells.types)
        rivals = Window.partitionBy(*key).orderBy(SOURCE_FILE)
        all_rivals = rivals.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
        differs = F.min(content).over(all_rivals) != F.max(content).over(all_rivals)
        is_copy = F.row_number().over(rivals) > 1
        several = self._because(shown, f"expected {self.expectation}, found several that differ; none was taken")
        copy = self._because(shown, "an exact copy of a row that was taken")
        return F.when(differs, several).when(is_copy, copy)
