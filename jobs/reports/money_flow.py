"""The money of a run from the file to the segments: stages, each the one before less what did not go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

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
    stages = [Stage(name, rows, totals[at], removed) for name, rows, at, removed in ways if at in totals]
    segments = [total for boundary, total in totals.items() if boundary.kind is BoundaryKind.SEGMENT]
    return [*stages, *([Stage("segments", "customers", sum(segments, Total()))] if segments else [])]


def adds_up(stages: Sequence[Stage]) -> bool:
    """Whether each stage is the one before, less what did not go on."""
    return all(before.money == after.money + after.removed_money for before, after in pairwise(stages))
