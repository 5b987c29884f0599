"""Two shares and the difference between them: how sure it is, which one shows, and how many people that takes."""

from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt
from statistics import NormalDist

from transforms.intervals import QUANTILE, Interval

POWER = 0.80
POWER_QUANTILE = NormalDist().inv_cdf(POWER)
"""0.84: how many standard errors of bad luck a difference that shows has to outlast."""

BISECTIONS = 60
MOST_MEMBERS = 10**12


@dataclass(frozen=True)
class Share:
    """A share of some people. Their number need not be whole where sizes are planned.

    Attributes:
        value: from 0 to 1.
        people: more than 0.
    """

    value: float
    people: float

    @property
    def variance(self) -> float:
        """Of the share, as far as chance draws it."""
        return self.value * (1 - self.value) / self.people

    @cached_property
    def interval(self) -> Interval:
        """The interval of Wilson (1927) with a correction for continuity (Newcombe 1998a, method 4).

        It stays between 0 and 1, and says something where the share is 0 or 1.
        """
        p, n, square = self.value, self.people, QUANTILE**2
        below = QUANTILE * sqrt(square - 2 - 1 / n + 4 * p * (n * (1 - p) + 1)) if p > 0 else 0.0
        above = QUANTILE * sqrt(square + 2 - 1 / n + 4 * p * (n * (1 - p) - 1)) if p < 1 else 0.0
        low = (2 * n * p + square - 1 - below) / (2 * (n + square)) if p > 0 else 0.0
        high = (2 * n * p + square + 1 + above) / (2 * (n + square)) if p < 1 else 1.0
        return Interval(min(p, max(0.0, low)), max(p, min(1.0, high)))


def difference_interval(share: Share, other: Share) -> Interval:
    """The interval of a share less another one, of other people.

    It is Newcombe's hybrid score interval with a correction for continuity (Newcombe 1998b, method 11). Without the
    correction (his method 10), arms of unequal size are wrong to one side. Where 10 % are held back and few buy, up to
    4 % of campaigns without effect seem to do harm. With it, neither side exceeds 2.5 %. What that costs is an
    interval that is too wide where an arm has few buyers.
    """
    of_share, of_other, difference = share.interval, other.interval, share.value - other.value
    down = sqrt((share.value - of_share.low) ** 2 + (of_other.high - other.value) ** 2)
    up = sqrt((of_share.high - share.value) ** 2 + (other.value - of_other.low) ** 2)
    return Interval(max(-1.0, difference - down), min(1.0, difference + up))


def smallest_difference(*, treated: float, held_back: float, rate: float) -> float | None:
    """The smallest difference that shows with a power of 80 %: in four of five campaigns the interval is above 0.

    Args:
        treated: customers who are treated, more than 0.
        held_back: customers who are held back, more than 0.
        rate: the share of the latter who buy, from 0 to 1.

    Returns:
        A share between 0 and 1; None where not even ``1 - rate`` would show.
    """
    if not _shows(1 - rate, treated, held_back, rate):
        return None
    low, high = 0.0, 1 - rate
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if _shows(middle, treated, held_back, rate) else (middle, high)
    return high


def members_needed(*, rate: float, difference: float, holdout: float) -> int:
    """How many members, in both arms together, a difference needs to show with a power of 80 %.

    Args:
        rate: the share of those held back who buy, from 0 to 1.
        difference: the share of the treated who buy, less ``rate``; more than 0.
        holdout: the share of members who are held back, between 0 and 1.

    Raises:
        ValueError: No audience has such rates.
    """
    if not (0 <= rate < rate + difference <= 1 and 0 < holdout < 1):
        raise ValueError(
            f"rate {rate}, difference {difference}, holdout {holdout}: expected shares, and a difference above 0"
        )

    def are_enough(members: int) -> bool:
        return _shows(difference, members * (1 - holdout), members * holdout, rate)

    low, high = 0, ceil(1 / min(holdout, 1 - holdout))
    while not are_enough(high):
        low, high = high, high * 2
        if high > MOST_MEMBERS:
            raise ValueError(f"difference {difference}: expected one that {MOST_MEMBERS:,} members would show")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if are_enough(middle) else (middle, high)
    return high


def _shows(difference: float, treated: float, held_back: float, rate: float) -> bool:
    """Whether the interval is above 0 even with the bad luck that one campaign of five has.

    The bad luck is shared out: both shares are as far from what is expected as their variances have them.
    """
    lifted, base = Share(rate + difference, treated), Share(rate, held_back)
    deviation = sqrt(lifted.variance + base.variance)
    if deviation:
        unlucky = max(0.0, lifted.value - POWER_QUANTILE * lifted.variance / deviation)
        lucky = min(1.0, base.value + POWER_QUANTILE * base.variance / deviation)
        lifted, base = Share(unlucky, treated), Share(lucky, held_back)
    return difference_interval(lifted, base).low > 0
