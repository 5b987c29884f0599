"""Lift: what the treated customers of a campaign did beyond those who were held back, and how sure that is.

All members count in the arm that they were assigned to, whatever became of them (intention to treat). Money is added
exactly, as decimals. Means, differences and intervals are floats.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import erfc, exp, lgamma, log, log1p, sqrt
from typing import Any, Literal

from scipy.special import stdtrit

from transforms.audiences.proportions import Share, difference_interval, smallest_difference
from transforms.intervals import CONFIDENCE, Interval

ALARM = 0.001
"""The chance below which shares of arms are no accident. A sound draw raises one false alarm in 1,000 campaigns."""

FEWEST_EXPECTED = 5
"""Members of an arm from whom on chi-square is near enough. Below them the binomial distribution is added up."""

FEWEST_BUYERS = 10
"""Buyers of an arm below whom money has no interval: so few do not tell its spread, and of nobody it seems to be 0."""

FEW_BUYERS = 100
"""Buyers of an arm below whom the interval of money is too narrow. Where few pay, and some far more than others, it
covers the truth in clearly fewer than 95 % of campaigns (docs/lift.md has figures)."""

SMALLEST_AMOUNT = Decimal("0.0001")

Verdict = Literal["more", "fewer", "undecided", "unusable", "incomparable"]
"""What the repeat rates say: more or fewer of the treated bought, or no difference shows. Unusable are arms whose
shares are not those that were drawn, and incomparable is an arm that is empty."""

NEGLIGIBLE = 0.1
"""The part of the rate of those held back within which any difference is little. It is a limit of ours."""


@dataclass(frozen=True)
class ArmFigures:
    """What the members of an arm did in some days.

    Attributes:
        members: all who were assigned to the arm.
        buyers: those of them with a purchase.
        revenue: what all of them paid, less what was returned.
        squares: the sum over members of the square of what each paid, less what was returned.
    """

    members: int
    buyers: int
    revenue: Decimal
    squares: Decimal

    def __post_init__(self) -> None:
        if not 0 <= self.buyers <= self.members:
            raise ValueError(f"found {self.buyers} buyers of {self.members} members, expected none to all of them")

    @property
    def repeat_rate(self) -> float | None:
        """The share of the members with a purchase; None of nobody."""
        return self.buyers / self.members if self.members else None

    @property
    def revenue_per_customer(self) -> Decimal | None:
        """By member, whether buying or not, to four decimals; None of nobody."""
        return (self.revenue / self.members).quantize(SMALLEST_AMOUNT) if self.members else None

    @property
    def mean(self) -> Fraction:
        """Revenue by member, exactly."""
        return Fraction(self.revenue) / self.members

    @property
    def variance(self) -> float | None:
        """Of the money by member, as a sample has it; None of fewer than two."""
        if self.members < 2:
            return None
        # As fractions: in double precision, what is left of two large numbers may fall below 0.
        return float((Fraction(self.squares) - self.mean**2 * self.members) / (self.members - 1))

    def as_json(self) -> dict[str, Any]:
        """The figures, money as text."""
        per_customer = self.revenue_per_customer
        return {
            "members": self.members,
            "buyers": self.buyers,
            "repeat_rate": self.repeat_rate,
            "revenue": f"{self.revenue:f}",
            "revenue_per_customer": None if per_customer is None else f"{per_customer:f}",
        }


@dataclass(frozen=True)
class Difference:
    """A figure of the treated less that of those held back.

    Attributes:
        value: the difference.
        interval: None where the data does not tell one.
    """

    value: float
    interval: Interval | None

    @property
    def side(self) -> int:
        """1 where the interval lies above 0, -1 where it lies below, and else 0."""
        if self.interval is None:
            return 0
        return (self.interval.low > 0) - (self.interval.high < 0)

    def as_json(self) -> dict[str, Any]:
        """The difference and its interval."""
        return {"value": self.value, "interval": self.interval.as_json() if self.interval else None}


@dataclass(frozen=True)
class SampleRatio:
    """Whether as many are held back as were to be. If not, the arms are not alike, and no difference means anything.

    Attributes:
        expected: the share that was to be held back.
        held_back: members who are.
        members: all members.
    """

    expected: Decimal
    held_back: int
    members: int

    @property
    def actual(self) -> float | None:
        """The share that is held back; None of nobody."""
        return self.held_back / self.members if self.members else None

    @cached_property
    def p_value(self) -> float:
        """How often chance alone leads as far off: by chi-square, or with few members by the binomial distribution."""
        share, members = float(self.expected), self.members
        if not members:
            return 1.0
        if members * min(share, 1 - share) < FEWEST_EXPECTED:
            rarer = self.held_back if share <= 0.5 else members - self.held_back
            return _binomial_p_value(members, min(share, 1 - share), rarer)
        deviation = self.held_back - members * share
        return erfc(sqrt(deviation**2 / (members * share * (1 - share)) / 2))

    @property
    def is_alarming(self) -> bool:
        """Whether chance is no explanation."""
        return self.p_value < ALARM

    def as_json(self) -> dict[str, Any]:
        """Both shares and the test."""
        return {
            "expected": f"{self.expected:f}",
            "actual": self.actual,
            "p_value": self.p_value,
            "is_alarming": self.is_alarming,
        }


@dataclass(frozen=True)
class Lift:
    """Two arms of a campaign beside each other.

    Attributes:
        treatment: of those who were treated.
        control: of those who were held back.
        holdout: the share that was to be held back.
    """

    treatment: ArmFigures
    control: ArmFigures
    holdout: Decimal

    @property
    def members(self) -> int:
        """Of both arms."""
        return self.treatment.members + self.control.members

    @property
    def has_both_arms(self) -> bool:
        """Whether neither arm is empty."""
        return self.treatment.members > 0 and self.control.members > 0

    @property
    def sample_ratio(self) -> SampleRatio:
        """The shares of the arms."""
        return SampleRatio(self.holdout, self.control.members, self.members)

    @cached_property
    def repeat_rate(self) -> Difference | None:
        """The difference between the repeat rates, as a share; None where an arm is empty."""
        if not self.has_both_arms:
            return None
        treated, held_back = (Share(arm.buyers / arm.members, arm.members) for arm in (self.treatment, self.control))
        return Difference(treated.value - held_back.value, difference_interval(treated, held_back))

    @cached_property
    def revenue_per_customer(self) -> Difference | None:
        """The difference between the revenues per customer, after Welch (1947); None where an arm is empty.

        It has no interval where fewer than `FEWEST_BUYERS` of an arm bought, or all members of each arm paid the same.
        """
        if not self.has_both_arms:
            return None
        value = float(self.treatment.mean - self.control.mean)
        is_enough = self._fewest_buyers >= FEWEST_BUYERS
        return Difference(value, _welch_interval(value, self.treatment, self.control) if is_enough else None)

    @property
    def is_money_rough(self) -> bool:
        """Whether an arm has too few buyers for the interval of the revenue to be as sure as it says."""
        return self._fewest_buyers < FEW_BUYERS

    @property
    def _fewest_buyers(self) -> int:
        return min(self.treatment.buyers, self.control.buyers)

    @cached_property
    def smallest_difference(self) -> float | None:
        """The smallest difference between repeat rates that arms of these sizes show in four of five campaigns.

        It supposes that those who are held back buy at the rate of all members. None where no difference would show.
        """
        if not self.has_both_arms:
            return None
        rate = (self.treatment.buyers + self.control.buyers) / self.members
        return smallest_difference(treated=self.treatment.members, held_back=self.control.members, rate=rate)

    @property
    def is_negligible(self) -> bool:
        """Whether the interval of the repeat rates tells that there is little difference, if any."""
        if self.repeat_rate is None or self.repeat_rate.interval is None or self.control.repeat_rate is None:
            return False
        interval = self.repeat_rate.interval
        return max(abs(interval.low), abs(interval.high)) <= NEGLIGIBLE * self.control.repeat_rate

    @property
    def verdict(self) -> Verdict:
        """What the repeat rates say. It is one test; without an effect, at most 5 % of campaigns seem to have one."""
        if self.repeat_rate is None:
            return "incomparable"
        if self.sample_ratio.is_alarming:
            return "unusable"
        verdicts: dict[int, Verdict] = {1: "more", -1: "fewer", 0: "undecided"}
        return verdicts[self.repeat_rate.side]

    def as_json(self) -> dict[str, Any]:
        """All figures: money as text, shares and differences as numbers."""
        rate, revenue = self.repeat_rate, self.revenue_per_customer
        return {
            "arms": {"treatment": self.treatment.as_json(), "control": self.control.as_json()},
            "repeat_rate_difference": rate.as_json() if rate else None,
            "revenue_per_customer_difference": revenue.as_json() if revenue else None,
            "revenue_interval_is_rough": self.is_money_rough,
            "sample_ratio": self.sample_ratio.as_json(),
            "smallest_difference": self.smallest_difference,
            "verdict": self.verdict,
        }


def _welch_interval(value: float, treatment: ArmFigures, control: ArmFigures) -> Interval | None:
    if treatment.variance is None or control.variance is None:
        return None
    of_treatment, of_control = treatment.variance / treatment.members, control.variance / control.members
    square = of_treatment + of_control
    if square <= 0:
        return None
    # Shares of the whole variance: their squares do not overflow, however large the money is.
    parts = ((of_treatment, treatment.members), (of_control, control.members))
    weights = sum((part / square) ** 2 / (members - 1) for part, members in parts)
    reach = float(stdtrit(1 / weights, (1 + CONFIDENCE) / 2)) * sqrt(square)
    return Interval(value - reach, value + reach)


def _binomial_p_value(trials: int, share: float, successes: int) -> float:
    """Twice the probability of as many successes, or of more extreme numbers on the same side."""

    def at_most(most: int) -> float:
        logs = (
            lgamma(trials + 1) - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(share) + (trials - k) * log1p(-share)
            for k in range(most + 1)
        )
        return min(1.0, sum(map(exp, logs)))

    return min(1.0, 2 * min(at_most(successes), 1 - at_most(successes - 1)))
