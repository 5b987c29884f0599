"""Whether segments predict: who bought again after a cut, by the segment at the cut, and a verdict in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any

from transforms.intervals import Interval, wilson_interval
from transforms.rfm.rankings import (
    BestFifth,
    Estimate,
    Group,
    Ranking,
    best_fifth,
    gini,
    gini_difference,
)
from transforms.rfm.segments import Segment, SegmentMap

LEAST_OF_EACH = 30
"""The fewest people who bought again, and who did not, for a verdict. The interval of a Gini coefficient supposes that
errors are distributed normally, which those of fewer people are not."""

FAR_FEWER = 0.5
"""The share of purchases, of those in as many days before the cut, below which the days after it may be incomplete."""

BARELY = 0.1
"""The Gini coefficient below which a ranking tells little, however sure that is. It is a limit of ours: at 0.1, 55 of
100 pairs are ranked rightly."""

NO_MONEY = Decimal("0.0000")
SMALLEST_AMOUNT = Decimal("0.0001")

RANKINGS: Mapping[str, str] = MappingProxyType(
    {
        "segments": "the order of the segments in their map, the best first",
        "score_sum": "the sum of the three scores, the highest first",
        "recency": "days since the last purchase, the fewest first",
    }
)
"""The rankings that are compared."""

VERDICTS: Mapping[int, str] = MappingProxyType(
    {
        1: "The order of the segments tells who buys again.",
        0: "The order of the segments does not tell who buys again.",
        -1: "The order of the segments is the wrong way round: those of later segments rather buy again.",
    }
)
"""By whether the interval of their Gini coefficient lies above 0, reaches it, or lies below."""

BARELY_BETTER = "The order of the segments tells little of who buys again, though more than chance."
"""Where it lies above 0, and the coefficient is below `BARELY`."""


@dataclass(frozen=True)
class Outcome:
    """What some customers, who were scored at the cut, did after it.

    Attributes:
        customers: their number.
        repeat_buyers: those who bought again.
        revenue: what all of them paid, less what was returned.
    """

    customers: int
    repeat_buyers: int
    revenue: Decimal

    @classmethod
    def of(cls, groups: Sequence[Group]) -> "Outcome":
        """The sum of groups."""
        return cls(
            sum(group.customers for group in groups),
            sum(group.repeat_buyers for group in groups),
            sum((group.revenue for group in groups), NO_MONEY),
        )

    @property
    def repeat_rate(self) -> float | None:
        """The share of the customers who bought again; None of nobody."""
        return self.repeat_buyers / self.customers if self.customers else None

    @property
    def interval(self) -> Interval | None:
        """The interval of the rate."""
        return wilson_interval(self.repeat_buyers, self.customers)

    @property
    def revenue_per_customer(self) -> Decimal | None:
        """By customer, whether buying again or not; None of nobody."""
        return self.revenue / self.customers if self.customers else None

    def lift(self, whole: "Outcome") -> float | None:
        """The rate by that of all customers: 2 is twice as likely; None where there is no rate, or nobody bought."""
        if self.repeat_rate is None or not whole.repeat_rate:
            return None
        return self.repeat_rate / whole.repeat_rate

    def as_json(self) -> dict[str, Any]:
        """The figures in the manifest, money as text."""
        per_customer = self.revenue_per_customer
        return {
            "customers": self.customers,
            "repeat_buyers": self.repeat_buyers,
            "repeat_rate": self.repeat_rate,
            "repeat_rate_interval": self.interval.as_json() if self.interval else None,
            "revenue": str(self.revenue),
            "revenue_per_customer": None if per_customer is None else str(per_customer.quantize(SMALLEST_AMOUNT)),
        }


@dataclass(frozen=True)
class Prediction:
    """The segments of a cut, and what their customers did after it.

    Attributes:
        cut: the last day that customers are scored by.
        days: the days after it in which they are followed.
        segment_map: by which scores are segments.
        groups: the customers, by scores and days.
        purchases_after: purchases in these days, of all customers.
        purchases_before: purchases in as many days up to the cut.
    """

    cut: date
    days: int
    segment_map: SegmentMap
    groups: Sequence[Group]
    purchases_after: int
    purchases_before: int

    @cached_property
    def all(self) -> Outcome:
        """All customers who are scored."""
        return Outcome.of(self.groups)

    @cached_property
    def segments(self) -> list[tuple[Segment, Outcome]]:
        """Each segment, in the order of the map."""
        return [
            (segment, Outcome.of([group for group in self.groups if group.cell in segment.cells]))
            for segment in self.segment_map.segments
        ]

    @cached_property
    def rankings(self) -> Mapping[str, Ranking]:
        """Each of `RANKINGS`."""
        segments = self.segment_map.segments
        places = {cell: -place for place, segment in enumerate(segments) for cell in segment.cells}
        return {
            "segments": lambda group: places[group.cell],
            "score_sum": lambda group: sum(group.cell),
            "recency": lambda group: -group.days,
        }

    @cached_property
    def ginis(self) -> Mapping[str, Estimate | None]:
        """The Gini coefficient of each ranking, for who bought again."""
        return {name: gini(self.groups, ranking) for name, ranking in self.rankings.items()}

    @cached_property
    def beyond_recency(self) -> Mapping[str, Estimate | None]:
        """The Gini coefficient of each other ranking, less that of recency alone."""
        recency = self.rankings["recency"]
        return {
            name: gini_difference(self.groups, ranking, recency)
            for name, ranking in self.rankings.items()
            if name != "recency"
        }

    @property
    def is_enough(self) -> bool:
        """Whether enough people bought again, and enough did not, for a verdict."""
        return min(self.all.repeat_buyers, self.all.customers - self.all.repeat_buyers) >= LEAST_OF_EACH

    @property
    def verdict(self) -> str:
        """Whether the segments tell who buys again, and whether recency alone does so too. It has no figure of people.

        "These days" are those after the cut: with more of them, or more customers, intervals are narrower.
        """
        if not self.is_enough:
            what = "bought again" if self.all.repeat_buyers < LEAST_OF_EACH else "did not buy again"
            return f"Too few customers {what} to tell whether the segments predict: fewer than {LEAST_OF_EACH}."
        of_segments = self.ginis["segments"]
        segments, recency, beyond = (
            _side(estimate)
            for estimate in (self.ginis["segments"], self.ginis["recency"], self.beyond_recency["segments"])
        )
        if beyond > 0:
            beside = "They do better than recency alone."
        elif beyond < 0:
            beside = "Recency alone does better."
        elif segments <= 0 and recency <= 0:
            beside = "Recency alone does not either."
        else:
            beside = "These days cannot tell them from recency alone."
        is_weak = segments > 0 and of_segments is not None and of_segments.value < BARELY
        return f"{BARELY_BETTER if is_weak else VERDICTS[segments]} {beside}"

    def unlike_all(self, side: int) -> list[Segment]:
        """The segments whose interval does not reach the rate of all customers.

        Args:
            side: 1 for those above it, -1 for those below.
        """
        rate = self.all.repeat_rate or 0.0
        return [segment for segment, outcome in self.segments if _side_of_rate(outcome, rate) == side]

    @cached_property
    def best_fifths(self) -> Mapping[str, BestFifth]:
        """What the best fifth of the customers has, by each ranking."""
        return {name: best_fifth(self.groups, ranking) for name, ranking in self.rankings.items()}

    @property
    def may_lack_days(self) -> bool:
        """Whether far fewer purchases follow the cut than are in as many days before it."""
        return self.purchases_after < self.purchases_before * FAR_FEWER

    def as_json(self) -> dict[str, Any]:
        """The figures in the manifest."""
        segments = [
            {"code": segment.code, "name": segment.name, **outcome.as_json(), "lift": outcome.lift(self.all)}
            for segment, outcome in self.segments
        ]
        return {
            "days": self.days,
            "cut": self.cut.isoformat(),
            **self.all.as_json(),
            "purchases": {"before_the_cut": self.purchases_before, "after_the_cut": self.purchases_after},
            "segments": segments,
            "gini": {name: estimate.as_json() if estimate else None for name, estimate in self.ginis.items()},
            "gini_beyond_recency": {
                name: estimate.as_json() if estimate else None for name, estimate in self.beyond_recency.items()
            },
            "best_fifth": {name: best_fifth(self.groups, ranking).as_json() for name, ranking in self.rankings.items()},
            "verdict": self.verdict,
        }


def _side(estimate: Estimate | None) -> int:
    """1 where the interval of an estimate lies above 0, -1 where it lies below, and else 0."""
    if estimate is None or estimate.interval is None:
        return 0
    return (estimate.interval.low > 0) - (estimate.interval.high < 0)


def _side_of_rate(outcome: Outcome, rate: float) -> int:
    """1 where the interval of a rate lies above another rate, -1 where it lies below, and else 0."""
    if outcome.interval is None:
        return 0
    return (outcome.interval.low > rate) - (outcome.interval.high < rate)
