"""What changed since the run before, in figures: by cause, from segment to segment, and segment by segment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.errors import DataError
from jobs.history.previous import PreviousRun
from transforms.changes import CAUSES, NEW, STEPS, VANISHED, population_stability_index
from transforms.rfm.segments import Segment

COMPARED_SETTINGS = ("order_statuses", "purchase_value", "window_months", "rules", "source")
"""The settings that the measures of a run depend on. Where one differs, so may the measures of the same purchases."""


@dataclass(frozen=True)
class SegmentBridge:
    """The customers of a segment, from the run before to this one.

    Attributes:
        code, name: of the segment.
        before: its customers in the run before.
        differences: how many more by each of `CAUSES`, or fewer.
        now: its customers in this run.
    """

    code: str
    name: str
    before: int
    differences: Mapping[str, int]
    now: int

    def as_json(self) -> dict[str, Any]:
        """The entry of the manifest."""
        return {"code": self.code, "name": self.name, "before": self.before, **self.differences, "now": self.now}


@dataclass(frozen=True)
class SegmentChanges:
    """What changed since the run before.

    Attributes:
        previous: the run before.
        settings_that_differ: by name, the value in the run before and the one in this run.
        stayed: the number of customers who are in the same segment.
        causes: the number of other customers, by cause.
        transitions: the number of customers by segment before and now; None for no segment.
        bridges: each segment of this run, and then those that the run before alone has.
    """

    previous: PreviousRun
    settings_that_differ: Mapping[str, tuple[Any, Any]]
    stayed: int
    causes: Mapping[str, int]
    transitions: Mapping[tuple[str | None, str | None], int]
    bridges: tuple[SegmentBridge, ...]

    @classmethod
    def of(
        cls,
        previous: PreviousRun,
        *,
        counts: Sequence[Any],
        now: Sequence[tuple[Segment, int]],
        stayed: int,
        settings: Mapping[str, Any],
    ) -> "SegmentChanges":
        """The changes in the rows of `change_counts`.

        Args:
            previous: the run before.
            counts: the rows.
            now: the segments of this run, each with the number of its customers.
            stayed: the number of customers who are in the same segment.
            settings: those of this run that its rows depend on.
        """
        causes: dict[str, int] = dict.fromkeys(CAUSES, 0)
        transitions: dict[tuple[str | None, str | None], int] = defaultdict(int)
        differences: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CAUSES, 0))
        for row in counts:
            kind, _, name = row["counted"].partition(" ")
            start, end, customers = row["from_code"], row["to_code"], row["customers"]
            if kind == "cause":
                causes[name] += customers
                transitions[start, end] += customers
            if kind == "step" or name in (NEW, VANISHED):
                if start is not None:
                    differences[start][name] -= customers
                if end is not None:
                    differences[end][name] += customers
        names = {segment.code: segment.name for segment, _ in now}
        names |= {each.code: each.name for each in previous.segments if each.code not in names}
        before = {each.code: each.customers for each in previous.segments}
        customers_now = {segment.code: customers for segment, customers in now}
        bridges = tuple(
            SegmentBridge(code, name, before.get(code, 0), differences[code], customers_now.get(code, 0))
            for code, name in names.items()
        )
        for code, customers in customers_now.items():
            stays = customers - sum(count for (_, end), count in transitions.items() if end == code)
            if stays:
                transitions[code, code] = stays
        return cls(previous, _that_differ(previous, settings), stayed, causes, dict(transitions), bridges)

    @property
    def before_and_now(self) -> int:
        """The number of customers of either run."""
        return self.stayed + sum(self.causes.values())

    @property
    def moved(self) -> int:
        """The number of customers of both runs who changed their segment."""
        return sum(self.causes[step] for step in STEPS)

    @property
    def customers(self) -> dict[str, int]:
        """The customers of both runs, and what became of them."""
        new, vanished = self.causes[NEW], self.causes[VANISHED]
        return {
            "before": self.stayed + self.moved + vanished,
            "stayed": self.stayed,
            "moved": self.moved,
            "new": new,
            "vanished": vanished,
            "now": self.stayed + self.moved + new,
        }

    @property
    def stability_index(self) -> float:
        """The population stability index of the segments."""
        now, before = (max(sum(getattr(each, side) for each in self.bridges), 1) for side in ("now", "before"))
        return population_stability_index((each.now / now, each.before / before) for each in self.bridges)

    def check(self) -> None:
        """Check that the differences lead from the customers before to those now, in each segment and in all.

        Raises:
            DataError: They do not.
        """
        for each in self.bridges:
            total = each.before + sum(each.differences.values())
            if total != each.now:
                raise DataError(
                    f"segment {each.code}: found {each.before:,} customers in run {self.previous.run_id} and changes "
                    f"that make them {total:,}, expected the {each.now:,} of this run. Report it with this run's folder"
                )
        if self.customers["before"] != self.previous.customers:
            raise DataError(
                f"segment_changes: found {self.customers['before']:,} customers of run {self.previous.run_id}, "
                f"expected {self.previous.customers:,}. Report it with this run's folder"
            )

    def as_json(self) -> dict[str, Any]:
        """The entry ``changes`` of the manifest."""
        return {
            "since": {
                "run_id": self.previous.run_id,
                "as_of": self.previous.as_of.isoformat(),
                "card": self.previous.card.hash,
            },
            "settings_that_differ": {name: list(values) for name, values in self.settings_that_differ.items()},
            "customers": self.customers,
            "causes": dict(self.causes),
            "transitions": [
                {"from": start, "to": end, "customers": customers}
                for (start, end), customers in sorted(self.transitions.items(), key=_place)
            ],
            "by_segment": [each.as_json() for each in self.bridges],
            "population_stability_index": round(self.stability_index, 6),
        }


def _that_differ(previous: PreviousRun, settings: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The settings of the run before that this run has otherwise."""
    earlier = previous.manifest.configuration.as_json()
    return {
        name: (earlier[name], settings.get(name))
        for name in COMPARED_SETTINGS
        if name in earlier and earlier[name] != settings.get(name)
    }


def _place(transition: tuple[tuple[str | None, str | None], int]) -> tuple[str, str]:
    (start, end), _ = transition
    return start or "", end or ""
