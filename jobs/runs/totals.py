"""Control totals: rows and money at each boundary, and the claim that they agree."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class ReconciliationCheck:
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


@dataclass
class StepMetrics:
    """What one step took in, gave out, and did not pass on."""

    name: str
    rows_in: int = 0
    out: Total = field(default_factory=Total)
    not_passed_on: int = 0
    seconds: float = 0.0
    spark_jobs: int = 0

    def as_json(self) -> dict[str, Any]:
        """The step's entry in the manifest."""
        return {
            "step": self.name,
            "rows_in": self.rows_in,
            "rows_out": self.out.rows,
            "rows_not_passed_on": self.not_passed_on,
            "money_out": None if self.out.money is None else str(self.out.money),
            "seconds": round(self.seconds, 2),
            "spark_jobs": self.spark_jobs,
        }

    def as_row(self) -> tuple[str, ...]:
        """The step's line in the table that a person sees."""
        money = "" if self.out.money is None else f"{self.out.money:,.2f}"
        figures = (f"{self.rows_in:,}", f"{self.out.rows:,}", f"{self.not_passed_on:,}", money, f"{self.seconds:.1f}")
        return (self.name, *figures)


@dataclass
class Account:
    """Steps, totals by boundary, and the claims that were asserted over them."""

    steps: list[StepMetrics] = field(default_factory=list)
    totals: dict[str, Total] = field(default_factory=dict)
    claims: list[ReconciliationCheck] = field(default_factory=list)

    def claim(self, whole: str, *parts: str, money_only: bool = False) -> None:
        """Assert that a total is the sum of others, and keep the claim.

        Raises:
            DataError: It is not.
        """
        claim = ReconciliationCheck(
            whole=(whole, self.totals[whole]),
            parts={part: self.totals[part] for part in parts},
            money_only=money_only,
        )
        self.claims.append(claim)
        claim.assert_holds()

    def as_json(self) -> dict[str, Any]:
        """The account's part of the manifest."""
        return {
            "steps": [step.as_json() for step in self.steps],
            "totals": {name: total.as_json() for name, total in self.totals.items()},
            "control_totals": [claim.as_json() for claim in self.claims],
        }


def totals_of(manifest: dict[str, Any]) -> dict[str, Total]:
    """The totals that an earlier run's manifest states."""
    return {
        name: Total(total["rows"], Decimal(total["money"]) if "money" in total else None)
        for name, total in manifest["totals"].items()
    }
