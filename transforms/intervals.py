"""Confidence intervals: how far they reach, and that of a rate."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""1.96: how many standard errors an interval reaches to either side."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval, of 95 %."""

    low: float
    high: float

    def as_json(self) -> list[float]:
        """Both ends."""
        return [self.low, self.high]


def wilson_interval(successes: int, trials: int) -> Interval | None:
    """The interval of a rate, after Wilson (1927); None of no trials.

    It stays between 0 and 1, and says something where the rate is 0, which rate plus or minus two standard errors does
    not.
    """
    if not trials:
        return None
    rate, square = successes / trials, QUANTILE**2
    centre = (rate + square / (2 * trials)) / (1 + square / trials)
    reach = QUANTILE / (1 + square / trials) * sqrt(rate * (1 - rate) / trials + square / (4 * trials**2))
    # At the ends, rounding may lead past them.
    return Interval(max(0.0, centre - reach) if successes else 0.0, min(1.0, centre + reach))
