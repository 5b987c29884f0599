"""How well a ranking of customers tells who buys again: Gini coefficients, the best fifth, and how sure a rate is.

Customers come in groups, each of customers whom no ranking tells apart. So the arithmetic is exact, and its size is the
number of groups. No sample is drawn.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt

from transforms.intervals import QUANTILE, Interval
from transforms.rfm.segments import Cell

BEST_SHARE = Fraction(1, 5)


@dataclass(frozen=True)
class Group:
    """Customers with equal scores and an equal number of days since their last purchase.

    Attributes:
        days: since the last purchase, at the cut.
        cell: the scores at the cut.
        customers: their number.
        repeat_buyers: those who bought again after the cut.
        revenue: what all of them paid after the cut, less what was returned.
    """

    days: int
    cell: Cell
    customers: int
    repeat_buyers: int
    revenue: Decimal

    @property
    def others(self) -> int:
        """Those who did not buy again."""
        return self.customers - self.repeat_buyers


Ranking = Callable[[Group], int]
"""The rank of a group; a higher one is better."""


@dataclass(frozen=True)
class Estimate:
    """A figure, and its interval; None where there are too few people for one."""

    value: float
    interval: Interval | None

    def as_json(self) -> dict[str, float | list[float] | None]:
        """The estimate in the manifest."""
        return {"value": self.value, "interval": self.interval.as_json() if self.interval else None}


def gini(groups: Sequence[Group], ranking: Ranking) -> Estimate | None:
    """The Gini coefficient of a ranking, for who buys again: 1 is perfect, 0 is chance, below 0 is the wrong way round.

    It is twice the area under the ROC curve, less 1. Take all pairs of one who bought again and one who did not. The
    coefficient is the share in which the first ranks higher, less the share in which the second does.

    The interval is that of DeLong, DeLong and Clarke-Pearson (1988). None where all bought again, or nobody did.
    """
    places = _Places.of(groups, ranking)
    if places is None:
        return None
    value = places.gini
    return Estimate(value, _interval(value, _variance(groups, places.placement, places), lowest=-1.0, highest=1.0))


def gini_difference(groups: Sequence[Group], ranking: Ranking, other: Ranking) -> Estimate | None:
    """The Gini coefficient of a ranking less that of another, over the same customers.

    Both rank the same people, so their errors go together. The interval takes that into account (DeLong, DeLong and
    Clarke-Pearson 1988). It is therefore narrower than a comparison of two intervals suggests.
    """
    one, two = _Places.of(groups, ranking), _Places.of(groups, other)
    if one is None or two is None:
        return None

    def placement(group: Group) -> tuple[float, float]:
        (one_again, one_not), (two_again, two_not) = one.placement(group), two.placement(group)
        return one_again - two_again, one_not - two_not

    value = one.gini - two.gini
    return Estimate(value, _interval(value, _variance(groups, placement, one), lowest=-2.0, highest=2.0))


@dataclass(frozen=True)
class BestFifth:
    """What the best fifth of the customers by a ranking has: its share of repeat buyers, and of later revenue.

    Attributes:
        repeat_buyers: None where nobody bought again.
        revenue: None where there was none, or less than none.
    """

    repeat_buyers: float | None
    revenue: float | None

    def as_json(self) -> dict[str, float | None]:
        """The shares in the manifest."""
        return {"repeat_buyers": self.repeat_buyers, "revenue": self.revenue}


def best_fifth(groups: Sequence[Group], ranking: Ranking) -> BestFifth:
    """The shares of the best fifth. Of customers with one rank, as many as there is room for count in proportion."""
    room = BEST_SHARE * sum(group.customers for group in groups)
    buyers = revenue = Fraction(0)
    for members in _by_rank(groups, ranking):
        customers = sum(group.customers for group in members)
        part = min(room, Fraction(customers)) / customers
        buyers += part * sum(group.repeat_buyers for group in members)
        revenue += part * sum(Fraction(group.revenue) for group in members)
        room -= part * customers
    all_buyers, all_revenue = sum(group.repeat_buyers for group in groups), sum(group.revenue for group in groups)
    return BestFifth(
        float(buyers / all_buyers) if all_buyers else None,
        float(revenue / Fraction(all_revenue)) if all_revenue > 0 else None,
    )


@dataclass(frozen=True)
class _Places:
    """A ranking over customers: how each rank stands to those who bought again, and to those who did not.

    Attributes:
        ranking: the ranking.
        by_rank: two shares of each rank. Of those who did not buy again, the part that it beats; of those who did, the
            part that beats it. Ties count half.
        repeat_buyers, others: how many bought again, and how many did not; one or more of each.
        gini: of the ranking.
    """

    ranking: Ranking
    by_rank: Mapping[int, tuple[float, float]]
    repeat_buyers: int
    others: int
    gini: float

    @classmethod
    def of(cls, groups: Sequence[Group], ranking: Ranking) -> "_Places | None":
        buyers, others = sum(group.repeat_buyers for group in groups), sum(group.others for group in groups)
        if not buyers or not others:
            return None
        by_rank, won_twice = {}, 0
        buyers_above = others_above = 0
        for members in _by_rank(groups, ranking):
            buyers_here, others_here = (
                sum(group.repeat_buyers for group in members),
                sum(group.others for group in members),
            )
            others_below = others - others_above - others_here
            by_rank[ranking(members[0])] = (
                (2 * others_below + others_here) / (2 * others),
                (2 * buyers_above + buyers_here) / (2 * buyers),
            )
            won_twice += buyers_here * (2 * others_below + others_here)
            buyers_above, others_above = buyers_above + buyers_here, others_above + others_here
        return cls(ranking, by_rank, buyers, others, won_twice / (buyers * others) - 1)

    def placement(self, group: Group) -> tuple[float, float]:
        """The shares of a group's rank."""
        return self.by_rank[self.ranking(group)]


def _by_rank(groups: Sequence[Group], ranking: Ranking) -> Iterator[list[Group]]:
    """The groups of each rank, the best first."""
    members: dict[int, list[Group]] = defaultdict(list)
    for group in groups:
        members[ranking(group)].append(group)
    for rank in sorted(members, reverse=True):
        yield members[rank]


def _variance(
    groups: Sequence[Group], placement: Callable[[Group], tuple[float, float]], places: _Places
) -> float | None:
    """The variance of twice an area under the curve, from its placements; None of fewer than two people of a kind."""
    if min(places.repeat_buyers, places.others) <= 1:
        return None
    weighted = [(group.repeat_buyers, group.others, *placement(group)) for group in groups]
    total = 0.0
    for people, values in (
        (places.repeat_buyers, [(buyers, again) for buyers, _, again, _ in weighted]),
        (places.others, [(others, behind) for _, others, _, behind in weighted]),
    ):
        mean = sum(count * value for count, value in values) / people
        total += sum(count * (value - mean) ** 2 for count, value in values) / (people - 1) / people
    return 4 * total


def _interval(value: float, variance: float | None, *, lowest: float, highest: float) -> Interval | None:
    if variance is None:
        return None
    reach = QUANTILE * sqrt(variance)
    return Interval(max(lowest, value - reach), min(highest, value + reach))
