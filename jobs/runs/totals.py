"""Rows and money at each boundary of a run, and the reconciliation checks between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from jobs.errors import DataError
from jobs.storage.run_files import RecordedTotal

NO_MONEY = Decimal("0.0000")


@dataclass(frozen=True)
class Total:
    """Rows, and the money in them: exact, None where the rows carry none.

    Rows in several currencies have no one sum: their money is added currency by currency.

    Attributes:
        rows: their number.
        money: the sum of their amounts, where all are in one currency.
        by_currency: the sum of each currency, where they differ; without the currencies whose sum is 0.
    """

    rows: int = 0
    money: Decimal | None = None
    by_currency: Mapping[str, Decimal] | None = None

    def __post_init__(self) -> None:
        if self.by_currency is not None:
            present = {name: money for name, money in sorted(self.by_currency.items()) if money}
            object.__setattr__(self, "by_currency", present)

    def __add__(self, other: "Total") -> "Total":
        money = None
        if self.money is not None or other.money is not None:
            money = (self.money or NO_MONEY) + (other.money or NO_MONEY)
        return Total(self.rows + other.rows, money, _added(self.by_currency, other.by_currency))

    def __str__(self) -> str:
        rows = f"{self.rows:,} rows"
        if self.by_currency is not None:
            amounts = [f"{name} {money:,.2f}" for name, money in self.by_currency.items()]
            return f"{rows} worth {' + '.join(amounts) or 'nothing'}"
        return rows + ("" if self.money is None else f" worth {self.money:,.2f}")

    def as_json(self) -> dict[str, Any]:
        """Rows and money for the manifest; money as text, so that no reader turns it into a floating-point number."""
        money: dict[str, Any] = {} if self.money is None else {"money": str(self.money)}
        if self.by_currency is not None:
            money = {"money_by_currency": {name: str(amount) for name, amount in self.by_currency.items()}}
        return {"rows": self.rows, **money}


def _added(one: Mapping[str, Decimal] | None, other: Mapping[str, Decimal] | None) -> Mapping[str, Decimal] | None:
    if one is None and other is None:
        return None
    one, other = one or {}, other or {}
    return {name: one.get(name, NO_MONEY) + other.get(name, NO_MONEY) for name in {*one, *other}}


class BoundaryKind(StrEnum):
    """What is totalled at a boundary of a table."""

    READ = "read"
    """Records of the input files."""
    WRITTEN = "written"
    """Rows of the table, written by this run or by the run that it reuses the table from."""
    EXCLUDED = "excluded"
    """Valid rows that do not count, by cause."""
    COUNTED = "counted"
    """Rows of a table that lead on: orders of which a transaction came, customers of whom a person came, rows of a
    ledger by what they are."""
    CONVERTED = "converted"
    """The same rows of a ledger, worth what they are in transactions: with the sign and in the currency of those."""
    PEOPLE = "people"
    """People of a table, each counted once."""
    MEASURED = "measured"
    """Purchases that the customers of a table sum up."""
    VALIDATED = "validated"
    """Purchases and returns, by what they are to a validation: those up to its cut, and later ones by customer."""
    SEGMENT = "segment"
    """Customers of one segment, by code."""
    CLUSTER = "cluster"
    """Customers of one cluster, by stable id."""
    REPLAYED = "replayed"
    """Quarantined rows of the run that is replayed."""
    REUSED = "reused"
    """Rows that a replay takes from the replayed run as they are."""
    REVALIDATED = "revalidated"
    """Rows that a replay validates again."""
    NEWLY_ACCEPTED = "newly_accepted"
    """Revalidated rows that pass now."""
    REJECTED_AGAIN = "rejected_again"
    """Revalidated rows that still fail."""
    UNRESOLVED = "unresolved"
    """Quarantined rows that a replay leaves as they are."""


@dataclass(frozen=True)
class Boundary:
    """A place in a run at which rows are counted and money is added.

    Attributes:
        table: the table, or its quarantine.
        kind: what is totalled.
        part: the cause, the segment or the cluster, for kinds that have several.
    """

    table: str
    kind: BoundaryKind = BoundaryKind.WRITTEN
    part: str | None = None

    def __str__(self) -> str:
        if self.kind is BoundaryKind.WRITTEN:
            return self.table
        return f"{self.table} {self.kind.replace('_', ' ')}" + (f" ({self.part})" if self.part else "")

    def as_json(self) -> dict[str, str]:
        """The boundary's part of an entry in the manifest."""
        return {"table": self.table, "kind": self.kind.value, **({"part": self.part} if self.part else {})}


@dataclass(frozen=True)
class BoundaryTotal:
    """The total at a boundary."""

    boundary: Boundary
    total: Total

    def __str__(self) -> str:
        return f"{self.boundary} ({self.total})"

    def as_json(self) -> dict[str, Any]:
        """The entry in the manifest."""
        return self.boundary.as_json() | self.total.as_json()


def excluded_by_cause(table: str, rows: Mapping[str, int]) -> list[BoundaryTotal]:
    """The rows of a table that do not count, by cause, as entries of the accounts."""
    return [BoundaryTotal(Boundary(table, BoundaryKind.EXCLUDED, cause), Total(count)) for cause, count in rows.items()]


@dataclass(frozen=True)
class ReconciliationCheck:
    """Whether a whole is the sum of its parts, to the row and to the cent.

    Attributes:
        whole: what is reconciled.
        parts: what it must be the sum of.
        money_only: whether rows are not compared, because rows merge on the way.
    """

    whole: BoundaryTotal
    parts: Sequence[BoundaryTotal]
    money_only: bool = False

    @property
    def difference(self) -> Total:
        """The whole less its parts: nothing when the check passes."""
        whole, parts = self.whole.total, sum((part.total for part in self.parts), Total(0))
        money = None if whole.money is None else whole.money - (parts.money or NO_MONEY)
        by_currency = None
        if whole.by_currency is not None or parts.by_currency is not None:
            less = {name: -amount for name, amount in (parts.by_currency or {}).items()}
            by_currency = _added(whole.by_currency, less)
        return Total(0 if self.money_only else whole.rows - parts.rows, money, by_currency)

    @property
    def passed(self) -> bool:
        """Whether nothing was lost and nothing was doubled."""
        difference = self.difference
        return difference.rows == 0 and not difference.money and not difference.by_currency

    def raise_if_failed(self) -> None:
        """Stop the run unless the check passes.

        Raises:
            DataError: It fails; the message gives both sides and the difference.
        """
        if not self.passed:
            raise DataError(
                f"reconciliation failed: {self.whole} is not {' + '.join(map(str, self.parts))}; the difference is "
                f"{self.difference}. Rows were lost or doubled on the way: report it with this run's folder"
            )

    def as_json(self) -> dict[str, Any]:
        """Both sides of the check, for the manifest."""
        has_money = self.whole.total.money is not None or self.whole.total.by_currency is not None
        return {
            "whole": self.whole.as_json(),
            "parts": [part.as_json() for part in self.parts],
            "compared": ["money"] if self.money_only else ["rows", "money"] if has_money else ["rows"],
            "passed": self.passed,
        }


@dataclass(frozen=True)
class StepMetrics:
    """What one step read, wrote and did not pass on, and what it cost.

    Attributes:
        name: the step's.
        rows_in: rows that it read.
        out: rows and money that it wrote.
        not_passed_on: rows that it read and that neither were written nor merged.
        seconds: wall-clock time.
        spark_jobs: Spark jobs that it started.
    """

    name: str
    rows_in: int
    out: Total
    not_passed_on: int
    seconds: float
    spark_jobs: int

    def as_row(self) -> tuple[str, ...]:
        """The step's row in the summary."""
        money = "" if self.out.money is None else f"{self.out.money:,.2f}"
        if self.out.by_currency:
            money = ", ".join(f"{name} {amount:,.2f}" for name, amount in self.out.by_currency.items())
        counts = (self.rows_in, self.out.rows, self.not_passed_on)
        return (self.name, *(f"{count:,}" for count in counts), money, f"{self.seconds:.1f}")

    def as_json(self) -> dict[str, Any]:
        """The step's entry in the manifest."""
        return {
            "step": self.name,
            "rows_in": self.rows_in,
            "rows_out": self.out.rows,
            "rows_not_passed_on": self.not_passed_on,
            "money_out": None if self.out.money is None else str(self.out.money),
            **({"money_out_by_currency": self.out.as_json()["money_by_currency"]} if self.out.by_currency else {}),
            "seconds": round(self.seconds, 2),
            "spark_jobs": self.spark_jobs,
        }


@dataclass
class Accounts:
    """The totals of a run, the checks that passed over them, and the metrics of its steps, in the order of events."""

    totals: dict[Boundary, Total] = field(default_factory=dict)
    checks: list[ReconciliationCheck] = field(default_factory=list)
    steps: list[StepMetrics] = field(default_factory=list)

    def record(self, *entries: BoundaryTotal) -> None:
        """Add totals; one that is recorded already stays where it is."""
        self.totals |= {entry.boundary: entry.total for entry in entries}

    def reconcile(self, whole: BoundaryTotal, *parts: BoundaryTotal, money_only: bool = False) -> None:
        """Check that a total is the sum of others, and record both sides.

        Raises:
            DataError: It is not.
        """
        check = ReconciliationCheck(whole, parts, money_only)
        self.record(whole, *parts)
        self.checks.append(check)
        check.raise_if_failed()

    def excluded(self) -> list[str]:
        """What became no transaction or no row of rfm, with the cause, as lines for the summary."""
        return [
            f"{boundary.table} excluded: {total} ({(boundary.part or '').replace('_', ' ')})"
            for boundary, total in self.totals.items()
            if boundary.kind is BoundaryKind.EXCLUDED and total.rows
        ]

    def as_json(self) -> dict[str, Any]:
        """The accounts' part of the manifest."""
        return {
            "steps": [step.as_json() for step in self.steps],
            "totals": [BoundaryTotal(boundary, total).as_json() for boundary, total in self.totals.items()],
            "reconciliation": [check.as_json() for check in self.checks],
        }


class StatesTotals(Protocol):
    """A manifest, as far as its totals."""

    @property
    def totals(self) -> Sequence[RecordedTotal]:
        """The totals that it states."""


def totals_of(manifest: StatesTotals) -> dict[Boundary, Total]:
    """The totals that a manifest states, but those of a kind that this release does not know."""
    kinds = {kind.value for kind in BoundaryKind}
    return {
        Boundary(entry.table, BoundaryKind(entry.kind), entry.part): Total(
            entry.rows, entry.money, entry.money_by_currency
        )
        for entry in manifest.totals
        if entry.kind in kinds
    }


class StepRecorder:
    """Takes the rows and money of a step while it runs."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._figures: tuple[int, Total, int] | None = None

    def record(self, *, rows_in: int, out: Total, not_passed_on: int = 0) -> None:
        """State what the step read, what it wrote, and the rows that it neither wrote nor merged."""
        self._figures = (rows_in, out, not_passed_on)

    def metrics(self, *, seconds: float, spark_jobs: int) -> StepMetrics:
        """The figures of the step, which has ended.

        Raises:
            RuntimeError: The step recorded none, which is a fault of its code.
        """
        if self._figures is None:
            raise RuntimeError(f"step {self._name} ended without a record of its rows")
        rows_in, out, not_passed_on = self._figures
        return StepMetrics(self._name, rows_in, out, not_passed_on, seconds, spark_jobs)
