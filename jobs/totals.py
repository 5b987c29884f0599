"""Control totals: rows and money at each boundary, and the claim that they agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jobs.errors import DataError

NO_MONEY = Decimal("0.0000")


@dataclass(frozen=True)
class Total:
    """Rows, and the money in them: exact, None where the rows carry none."""

    rows: int = 0
    money: Decimal | None = None

    def __add__(self, other: "Total") -> "Total":
        if self.money is None and other.money is None:
            return Total(self.rows + other.rows)
        return Total(self.rows + other.rows, (self.money or NO_MONEY) + (other.money or NO_MONEY))

    def __str__(self) -> str:
        return f"{self.rows:,} rows" + ("" if self.money is None else f" worth {self.money:,.2f}")

    def as_json(self) -> dict[str, Any]:
        """Rows and money for the manifest; money as text, so that no reader makes a floating number of it."""
        return {"rows": self.rows} if self.money is None else {"rows": self.rows, "money": str(self.money)}


@dataclass(frozen=True)
class ControlTotal:
    """The claim that a whole is the sum of its parts, to the row and to the cent."""

    whole: tuple[str, Total]
    parts: Mapping[str, Total]
    money_only: bool = False

    @property
    def difference(self) -> Total:
        """The whole less its parts: nothing, when the claim holds."""
        _, whole = self.whole
        parts = sum(self.parts.values(), Total(0))
        money = None if whole.money is None else whole.money - (parts.money or NO_MONEY)
        return Total(0 if self.money_only else whole.rows - parts.rows, money)

    def holds(self) -> bool:
        """Whether nothing was lost and nothing came twice."""
        difference = self.difference
        return difference.rows == 0 and not difference.money

    def assert_holds(self) -> None:
        """Stop the run unless the claim holds.

        Raises:
            DataError: It does not; the message gives both sides and the difference.
        """
        if not self.holds():
            name, whole = self.whole
            parts = " + ".join(f"{part} ({total})" for part, total in self.parts.items())
            raise DataError(
                f"control total broken: {name} ({whole}) is not {parts}; the difference is {self.difference}. "
                "Rows were lost or doubled on the way: report it with this run's folder"
            )

    def as_json(self) -> dict[str, Any]:
        """Both sides of the claim, for the manifest."""
        name, whole = self.whole
        return {
            "whole": {name: whole.as_json()},
            "parts": {part: total.as_json() for part, total in self.parts.items()},
            "compared": ["money"] if self.money_only else ["rows"] if whole.money is None else ["rows", "money"],
            "holds": self.holds(),
        }
