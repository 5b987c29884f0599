"""A sheet: its question, its filter, and its visuals in rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.quicksight.fields import Fields
from deploy.quicksight.visuals import Words, figure, table

COLUMNS = 36
"""Columns of QuickSight's grid."""
LOW, HIGH = 5, 12
"""Rows of the grid that a number takes, and a chart."""

MONEY = "money in the currency of the source"


@dataclass(frozen=True)
class Row:
    """Visuals beside each other, of one width.

    Attributes:
        height: in rows of the grid.
        visuals: from left to right. At most three, and their number divides the columns of the grid.
        slots: into how many parts the row is divided; as many as there are visuals, if 0.
    """

    height: int
    visuals: Sequence[dict[str, Any]]
    slots: int = 0

    @property
    def columns(self) -> int:
        """The width of each visual."""
        return COLUMNS // (self.slots or len(self.visuals))


@dataclass(frozen=True)
class Sheet:
    """A sheet.

    Attributes:
        name: also its id, in lower case.
        question: what it answers.
        filter_on: the table and the text column whose values the reader can choose.
        rows: below each other.
    """

    name: str
    question: str
    filter_on: tuple[str, str]
    rows: Sequence[Row]

    @property
    def sheet_id(self) -> str:
        """The sheet's id."""
        return self.name.lower()


def numbers(sheet: str, source: str, *figures: dict[str, Any]) -> Row:
    """The first row of a sheet: the day that it shows, and its most important numbers, two at most."""
    fields = Fields(f"{sheet}-as-of", source)
    words = Words("As of", "the day up to which purchases count", "The as-of date of the run that this sheet shows.")
    day = table(fields, words, groups=["as_of"], values=[], order=fields.sort("as_of", "DESC"))
    return Row(LOW, [day, *figures], slots=3)


def number(visual: str, source: str, column: str, *, title: str, unit: str) -> dict[str, Any]:
    """The sum of a column."""
    fields = Fields(visual, source)
    return figure(fields, Words(title, unit, f"{title}: {unit}."), value=fields.measure(column))
