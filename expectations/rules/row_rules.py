"""Rules about a row as a whole, or about a row and other rows."""

from dataclasses import dataclass
from typing import ClassVar

from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from expectations.rules.cells import Cells
from expectations.rules.column_rules import ColumnRule
from expectations.rules.rule import RowRule, rule_label

SOURCE_FILE = "source_file"

# What the reader of a file finds out about a row, beside its cells: the text of the row, or null.
MALFORMED_ROW = "malformed_row"
"""The column for a row with too many or too few fields, or with a quote that stays open at its end."""
UNDECODED_ROW = "undecoded_row"
"""The column for a row of which some bytes are not UTF-8."""
ILL_QUOTED_ROW = "ill_quoted_row"
"""The column for a row with a quote where RFC 4180 has none: within a field, or behind a backslash."""


@dataclass(frozen=True)
class ReadRule(RowRule):
    """A rule about a row as it was read. The reader of the file finds out which rows fail it.

    Attributes:
        row_column: the column for the text of a row that fails, as far as it can be read.
    """

    row_column: ClassVar[str]

    @property
    def subject(self) -> None:
        """None: the rule is about the row."""

    def passes(self, _cells: Cells, /) -> Column:
        """Whether the reader found nothing."""
        return F.col(self.row_column).isNull()

    def shown(self, _cells: Cells, /) -> Column:
        """The text of the row."""
        return F.col(self.row_column)


@dataclass(frozen=True)
class HasAllFields(ReadRule):
    """The row has as many fields as the header, and its last quote is closed."""

    kind: ClassVar[str] = "has_all_fields"
    row_column: ClassVar[str] = MALFORMED_ROW

    @property
    def expectation(self) -> str:
        """The number of fields in the header."""
        return "as many fields as the header has, each quote closed on its line"


@dataclass(frozen=True)
class IsText(ReadRule):
    """The bytes of the row are UTF-8."""

    kind: ClassVar[str] = "is_text"
    row_column: ClassVar[str] = UNDECODED_ROW

    @property
    def expectation(self) -> str:
        """The encoding."""
        return "UTF-8, found other bytes"


@dataclass(frozen=True)
class IsWellQuoted(ReadRule):
    """The quotes of the row are those of RFC 4180: around a field, and doubled inside.

    Where they are not, the row may have been written in another dialect, such as Spark's own with backslashes. Its
    text may then hold quotes and backslashes that are not part of it.
    """

    kind: ClassVar[str] = "is_well_quoted"
    row_column: ClassVar[str] = ILL_QUOTED_ROW

    @property
    def expectation(self) -> str:
        """The dialect."""
        return "quotes around a field only, doubled inside (RFC 4180)"


@dataclass(frozen=True)
class RefersTo(ColumnRule):
    """The value is a key of an accepted row of another table. Null passes.

    Costs one exchange by the column on either side. If the row that it refers to was quarantined, this row is rejected
    too. That is a cascaded rejection, with a reason of its own (``follows``): the row itself has no fault.
    """

    table: str
    key: str
    kind: ClassVar[str] = "refers_to"

    CASCADES: ClassVar[str] = "follows"
    """The rule that the reason of a cascaded rejection names, in quarantine."""

    @property
    def accepted_mark(self) -> str:
        """The column that marks a row whose key an accepted row has."""
        return f"{self.column}_accepted_in_{self.table}"

    @property
    def quarantined_mark(self) -> str:
        """The column that marks a row whose key a quarantined row has."""
        return f"{self.column}_quarantined_in_{self.table}"

    @property
    def cascaded_label(self) -> str:
        """The label of a cascaded rejection."""
        return rule_label(self.CASCADES, self.column)

    @property
    def expectation(self) -> str:
        """The key."""
        return f"the {self.key} of an accepted row of {self.table}"

    def passes(self, _cells: Cells, /) -> Column:
        """Whether an accepted row has the value, by a mark."""
        return F.col(self.column).isNull() | F.col(self.accepted_mark)

    def shown(self, _cells: Cells, /) -> Column:
        """The value."""
        return F.col(self.column)

    def reason(self, cells: Cells, /) -> Column:
        """A reason with the value, of a row with the two marks."""
        message = f"expected {self.expectation}; that row was quarantined"
        cascaded = self._reason(self.shown(cells), message, kind=self.CASCADES)
        return F.when(self.fails(cells) & F.col(self.quarantined_mark), cascaded).otherwise(super().reason(cells))


@dataclass(frozen=True)
class Unique(RowRule):
    """No other row has the same key.

    In a raw table one of several exact copies passes. Conflicting rows with one key all fail, since nobody can say
    which is right. Keys are compared as values (``1`` equals ``01``), rows as text. Rows that another rule rejects do
    not compete, and must not be among the rows that are compared.

    In a computed table every row with a duplicate key fails.
    """

    key: tuple[str, ...]
    kind: ClassVar[str] = "unique"

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("key is empty, expected the columns of the key")

    @property
    def subject(self) -> str:
        """The columns of the key."""
        return ", ".join(self.key)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the key."""
        return self.key

    @property
    def expectation(self) -> str:
        """One row per key."""
        return "one row with this key"

    def passes(self, cells: Cells, /) -> Column:
        """Whether the row is taken, of a raw table. Costs one exchange by the key."""
        return self.reason(cells).isNull()

    def shown(self, cells: Cells, /) -> Column:
        """The key."""
        return F.concat_ws(", ", *[cells.text(column) for column in self.key])

    def reason(self, cells: Cells, /) -> Column:
        """A reason with the key, for rows of a raw table: a copy, or a conflict. Costs one exchange by the key."""
        content = F.struct(*cells.types)
        same_key = Window.partitionBy(*[cells.value(column) for column in self.key]).orderBy(SOURCE_FILE)
        whole_group = same_key.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
        is_conflict = F.min(content).over(whole_group) != F.max(content).over(whole_group)
        is_copy = F.row_number().over(same_key) > 1
        key = self.shown(cells)
        conflict = self._reason(key, f"expected {self.expectation}, found several that differ; none was taken")
        copy = self._reason(key, "an exact copy of a row that was taken")
        return F.when(is_conflict, conflict).when(is_copy, copy)
