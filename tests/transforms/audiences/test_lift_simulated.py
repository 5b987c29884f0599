"""Simulated campaigns with a known effect: how often the interval has it, and how often there seems to be one.

`test_proportions` has the exact rates. What is tested here is what a campaign sees, verdict and money included.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np
import pytest

from transforms.audiences.lift import ArmFigures, Lift

PAGE = (Path(__file__).parents[3] / "docs" / "lift.md").read_text()
CAMPAIGNS = 1000
SIZES = ((2000, "0.5"), (5000, "0.2"), (10_000, "0.1"), (50_000, "0.05"))
"""Members, and the share that is held back."""

RATES = (0.03, 0.05, 0.10, 0.20)
DAYS = 30


def campaigns(lift: float, *, seed: int) -> Iterator[Lift]:
    """Campaigns of all sizes and rates in turn. Arms are drawn too, so their sizes vary."""
    random = np.random.default_rng(seed)
    for (members, holdout), rate in islice(cycle(product(SIZES, RATES)), CAMPAIGNS):
        held_back = int(random.binomial(members, float(holdout)))
        treated = members - held_back
        yield Lift(
            ArmFigures(treated, int(random.binomial(treated, rate + lift)), Decimal(0), Decimal(0)),
            ArmFigures(held_back, int(random.binomial(held_back, rate)), Decimal(0), Decimal(0)),
            Decimal(holdout),
        )


@pytest.mark.parametrize("lift", [0.0, 0.03])
def test_the_interval_covers_the_truth_in_93_to_97_of_a_hundred_campaigns(lift: float) -> None:
    covered = sum(covers(campaign, lift) for campaign in campaigns(lift, seed=20)) / CAMPAIGNS
    assert 0.93 <= covered <= 0.97
    assert f"{covered:.1%}".replace("%", " %") in PAGE


def test_without_an_effect_at_most_five_of_a_hundred_campaigns_raise_a_false_alarm() -> None:
    """40 seeds have 4.4 % between them, and 6 of the 40 exceed 5 % by chance."""
    verdicts = [campaign.verdict for campaign in campaigns(0.0, seed=20)]
    alarms = sum(verdict in ("more", "fewer") for verdict in verdicts) / CAMPAIGNS
    assert alarms <= 0.05
    assert f"{alarms:.1%} raise a false alarm".replace("%", " %") in PAGE
    # The sample ratio has a false alarm in 1 of 1,000.
    assert verdicts.count("unusable") <= 5


def covers(campaign: Lift, lift: float) -> bool:
    difference = campaign.repeat_rate
    return (
        difference is not None
        and difference.interval is not None
        and difference.interval.low <= lift <= difference.interval.high
    )


def test_a_look_every_night_finds_what_is_not_there() -> None:
    """The verdict is one test. 30 looks at a campaign without effect find one in more than 5 of 100."""
    random = np.random.default_rng(22)
    treated, held_back, alarms = 9000, 1000, 0
    for _ in range(CAMPAIGNS):
        # Members who have not bought buy for the first time on each day with the same chance.
        bought, others = 0, 0
        for _ in range(DAYS):
            bought += int(random.binomial(treated - bought, 0.10 / DAYS))
            others += int(random.binomial(held_back - others, 0.10 / DAYS))
            look = Lift(
                ArmFigures(treated, bought, Decimal(0), Decimal(0)),
                ArmFigures(held_back, others, Decimal(0), Decimal(0)),
                Decimal("0.1"),
            )
            if look.verdict in ("more", "fewer"):
                alarms += 1
                break
    stated = re.search(r"sees an effect in ([0-9]+) % of the campaigns that have none", PAGE)
    assert stated is not None
    assert abs(100 * alarms / CAMPAIGNS - int(stated[1])) <= 3


def test_the_page_says_how_often_the_interval_of_money_has_the_truth() -> None:
    """Values are drawn from a lognormal distribution; the spread is the standard deviation of their logarithm."""
    rows = re.findall(r"^\| ([0-9,]+) \| ([0-9,]+) \| ([0-9]+) % \| ([0-9]+) % \| ([0-9]+) % \|$", PAGE, re.MULTILINE)
    assert len(rows) == 6
    for treated, held_back, buyers, *stated in rows:
        sizes = int(treated.replace(",", "")), int(held_back.replace(",", ""))
        for spread, percent in zip((0.8, 1.3), stated, strict=True):
            covered = money_covered(*sizes, rate=int(buyers) / 100, spread=spread)
            assert abs(100 * covered - int(percent)) <= 2, (treated, held_back, buyers, spread)


def money_covered(treated: int, held_back: int, *, rate: float, spread: float) -> float:
    """The share of campaigns without effect whose interval of money has 0, of those that have an interval."""
    random = np.random.default_rng(23)

    def arm(members: int) -> ArmFigures:
        buyers = int(random.binomial(members, rate))
        values = random.lognormal(4.5, spread, buyers)
        revenue, squares = float(values.sum()), float((values * values).sum())
        return ArmFigures(members, buyers, Decimal(f"{revenue:.4f}"), Decimal(f"{squares:.4f}"))

    intervals = []
    for _ in range(CAMPAIGNS):
        difference = Lift(arm(treated), arm(held_back), Decimal(held_back) / (treated + held_back)).revenue_per_customer
        if difference is not None and difference.interval is not None:
            intervals.append(difference.interval)
    return sum(interval.low <= 0 <= interval.high for interval in intervals) / len(intervals)
