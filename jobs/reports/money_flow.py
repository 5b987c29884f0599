"""The money of a run from the file to the segments: stages, each the one before less what did not go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from jobs.reports.figures import Figure, Shown, Table, money
from jobs.runs.totals import Boundary, BoundaryKind, Total

READ, EXCLUDED = BoundaryKind.READ, BoundaryKind.EXCLUDED


@dataclass(frozen=True)
class Stage:
    """The money at a stage.

    Attributes:
        name: of the stage.
        rows: what carries the money, such as "payments".
        total: what arrived.
        removed: what did not go on from the stage before, by cause.
    """

    name: str
    rows: str
    total: Total
    removed: Mapping[str, Total] = field(default_factory=dict)

    @property
    def money(self) -> Decimal:
        """The money that arrived."""
        return self.total.money or Decimal(0)

    @property
    def removed_money(self) -> Decimal:
        """The money that did not go on from the stage before."""
        return sum((total.money or Decimal(0) for total in self.removed.values()), Decimal(0))


def money_stages(totals: Mapping[Boundary, Total]) -> Sequence[Stage]:
    """The stages that a run, or a run that it continues, has totals of."""
    excluded: dict[str, dict[str, Total]] = {}
    for boundary, total in totals.items():
        if boundary.kind is EXCLUDED and total.money is not None:
            cause = (boundary.part or "").replace("_", " ")
            excluded.setdefault(boundary.table, {})[cause] = total
    quarantined = totals.get(Boundary("quarantine/payments"), Total())
    ways: tuple[tuple[str, str, Boundary, Mapping[str, Total]], ...] = (
        ("in the files", "records", Boundary("payments", READ), {}),
        ("accepted", "payments", Boundary("payments"), {"quarantined": quarantined}),
        ("transactions", "payments", Boundary("transactions"), excluded.get("payments", {})),
        ("purchases", "purchases", Boundary("purchases"), excluded.get("transactions", {})),
        ("customers", "customers", Boundary("rfm"), excluded.get("purchases", {})),
    )
    # Of a ledger this begins with transactions: before them, amounts may have another sign or another currency.
    stages = [Stage(name, rows, totals[at], removed) for name, rows, at, removed in ways if at in totals]
    segments = [total for boundary, total in totals.items() if boundary.kind is BoundaryKind.SEGMENT]
    return [*stages, *([Stage("segments", "customers", sum(segments, Total()))] if segments else [])]


def adds_up(stages: Sequence[Stage]) -> bool:
    """Whether each stage is the one before, less what did not go on."""
    return all(before.money == after.money + after.removed_money for before, after in pairwise(stages))


def ledger_table(totals: Mapping[Boundary, Total]) -> Table | None:
    """The rows of a ledger and their money, currency by currency, as it stands there; None for another source.

    What was read is what was accepted and quarantined; what was accepted is what counts and what does not.
    """
    if Boundary("ledger", READ) not in totals:
        return None
    lines = [
        ("in the files", totals[Boundary("ledger", READ)]),
        ("− quarantined", totals[Boundary("quarantine/ledger")]),
        ("accepted", totals[Boundary("ledger")]),
        *_parts(totals, EXCLUDED, "− "),
        *_parts(totals, BoundaryKind.COUNTED, "counts as "),
    ]
    currencies = sorted({name for _, total in lines for name in total.by_currency or ()})
    rows: list[Sequence[Shown]] = [[name, Figure(total.rows), *_amounts(total, currencies)] for name, total in lines]
    return Table("The ledger, as it stands", ["rows of the ledger", "rows", *(currencies or ["money"])], rows)


def _parts(totals: Mapping[Boundary, Total], kind: BoundaryKind, prefix: str) -> list[tuple[str, Total]]:
    return [
        (f"{prefix}{(at.part or '').replace('_', ' ')}", total)
        for at, total in totals.items()
        if at.table == "ledger" and at.kind is kind
    ]


def _amounts(total: Total, currencies: Sequence[str]) -> list[Shown]:
    if total.by_currency is None:
        return [money(total.money)]
    return [money(total.by_currency.get(name, Decimal(0))) for name in currencies]
