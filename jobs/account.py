"""The account of a run: what each step took in and gave out, and what has to hold between them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jobs.totals import ControlTotal, Total


@dataclass
class StepAccount:
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

    steps: list[StepAccount] = field(default_factory=list)
    totals: dict[str, Total] = field(default_factory=dict)
    claims: list[ControlTotal] = field(default_factory=list)

    def claim(self, whole: str, *parts: str, money_only: bool = False) -> None:
        """Assert that a total is the sum of others, and keep the claim.

        Raises:
            DataError: It is not.
        """
        claim = ControlTotal(
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
