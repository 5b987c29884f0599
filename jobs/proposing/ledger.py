"""A ledger as its sample shows it: its columns, what they hold, and what its rows are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jobs.errors import DataError
from jobs.proposing.columns import Column, columns_of, negatives_are_purchases, signs_of
from jobs.proposing.roles import Roles, roles_of
from jobs.proposing.row_kinds import RowKinds, row_kinds
from jobs.proposing.sample import Sample
from transforms.bounded_text import cut

LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Ledger:
    """What is known of a ledger.

    Attributes:
        sample: its beginning.
        columns: of the sample. Where the file names none, those that have a role are named after it.
        roles: of the columns.
        kinds: of the rows; None where nothing tells them apart.
    """

    sample: Sample
    columns: Sequence[Column]
    roles: Roles
    kinds: RowKinds | None

    @classmethod
    def from_sample(cls, sample: Sample) -> "Ledger":
        """The ledger of a sample.

        Raises:
            DataError: There is neither a column of times nor one of amounts.
        """
        has_header = sample.csv is None or sample.csv.has_header
        columns = columns_of(sample)
        roles = roles_of(columns, has_header=has_header)
        if roles.time is None and not roles.amounts:
            raise DataError(
                f"{sample.name}: no column holds times, and none holds amounts, expected a ledger with a row for each "
                "transaction. Check the file"
            )
        if not has_header:
            columns = _named(columns, roles)
            roles = roles_of(columns)
        return cls(sample, columns, roles, row_kinds(roles))

    @property
    def rows(self) -> str:
        """How many rows were looked at, in words."""
        number = len(self.sample.rows)
        words = f"{number:,} {'row' if number == 1 else 'rows'}"
        return f"the first {words}" if self.sample.goes_on else words

    @cached_property
    def signs(self) -> list[int]:
        """The signs of the amounts that can be read."""
        return [sign for sign in signs_of(self.roles.amounts) if sign is not None]

    @property
    def debits_are_negative(self) -> bool:
        """Whether most amounts are negative, so that these are the purchases."""
        return negatives_are_purchases(self.signs)

    @property
    def negative_share(self) -> float:
        """The share of amounts that are negative."""
        return self.signs.count(-1) / len(self.signs) if self.signs else 0.0


def percent(share: float) -> str:
    """A share as text; one of hardly anything is not nothing, and one of nearly all is not all."""
    if 0 < share < 0.001:
        return "less than 0.1%"
    if 0.999 < share < 1:
        return "more than 99.9%"
    return f"{share:.1%}"


def shown(text: str) -> str:
    """A name or a code as a comment shows it: printable, and not long."""
    return cut(text, longest=LONGEST_SHOWN)


def _named(columns: Sequence[Column], roles: Roles) -> list[Column]:
    named = {"customer": roles.customer, "date": roles.time, "currency": roles.currency}
    named["amount"] = roles.amounts[0] if len(roles.amounts) == 1 else None
    names = {column.name: name for name, column in named.items() if column}
    return [replace(column, name=names.get(column.name, column.name)) for column in columns]
