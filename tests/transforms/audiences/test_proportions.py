"""The interval of a difference, beside published values and another engine; and exactly how often it is wrong."""

import re
from itertools import product
from math import ceil, sqrt
from pathlib import Path

import pytest
from scipy.stats import binom, binomtest

from transforms.audiences.proportions import (
    Share,
    difference_interval,
    members_needed,
    smallest_difference,
)

PAGE = (Path(__file__).parents[3] / "docs" / "lift.md").read_text()

SIZES = ((50, 50), (900, 100), (500, 500), (1800, 200), (4500, 500))
"""Customers who are treated, and who are held back."""

RATES = (0.005, 0.02, 0.05, 0.10, 0.30)


# Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 11.
@pytest.mark.parametrize(
    ("treated", "held_back", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0428, 0.3422),
        ((9, 10), (3, 10), 0.1013, 0.8387),
        ((5, 56), (0, 29), -0.0667, 0.2037),
        ((10, 10), (0, 10), 0.5128, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    treated: tuple[int, int], held_back: tuple[int, int], low: float, high: float
) -> None:
    interval = difference_interval(share(*treated), share(*held_back))
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
    mirrored = difference_interval(share(*held_back), share(*treated))
    assert (mirrored.low, mirrored.high) == pytest.approx((-interval.high, -interval.low))


@pytest.mark.parametrize("people", [1, 2, 20, 148, 5000])
def test_the_interval_of_a_share_is_that_of_scipy(people: int) -> None:
    for buyers in sorted({0, 1, people // 10, people // 2, people - 1, people}):
        expected = binomtest(buyers, people).proportion_ci(0.95, method="wilsoncc")
        interval = share(buyers, people).interval
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


# Without the correction, 50 of 100 in each arm would be wrong in 5.7 of 100 campaigns.
def test_without_an_effect_at_most_five_of_a_hundred_campaigns_seem_to_have_one() -> None:
    """Summed over all outcomes that are likely, so no seed is lucky. Each direction has at most half of it."""
    for (treated, held_back), rate in [
        *product(SIZES, RATES),
        ((50, 50), 0.5),
        ((500, 500), 0.5),
        ((9000, 1000), 0.02),
    ]:
        better = worse = 0.0
        for probability, one, other in likely(treated, held_back, rate, rate):
            interval = difference_interval(one, other)
            better += probability * (interval.low > 0)
            worse += probability * (interval.high < 0)
        # What is not summed is too rare to matter.
        assert max(better, worse) <= 0.025 + 1e-5, (treated, held_back, rate)


@pytest.mark.parametrize("lift", [0.0, 0.03])
def test_where_twenty_of_an_arm_buy_the_interval_covers_the_truth_in_95_to_97_of_a_hundred_campaigns(
    lift: float,
) -> None:
    for (treated, held_back), rate in product(SIZES, RATES):
        if held_back * rate < 20:
            continue
        covered = sum(
            probability
            for probability, one, other in likely(treated, held_back, rate + lift, rate)
            if (interval := difference_interval(one, other)).low <= lift <= interval.high
        )
        assert 0.95 <= covered <= 0.97, (treated, held_back, rate)


def test_the_smallest_difference_shows_in_four_of_five_campaigns() -> None:
    for (treated, held_back), rate in product(SIZES, RATES):
        difference = smallest_difference(treated=treated, held_back=held_back, rate=rate)
        assert difference is not None
        power = sum(
            probability
            for probability, one, other in likely(treated, held_back, rate + difference, rate)
            if difference_interval(one, other).low > 0
        )
        assert 0.78 <= power <= 0.82, (treated, held_back, rate)


def test_with_too_few_people_no_difference_shows() -> None:
    assert smallest_difference(treated=1, held_back=1, rate=0.0) is None
    assert smallest_difference(treated=9000, held_back=1000, rate=1.0) is None


def test_the_members_that_are_needed_show_the_difference_and_one_fewer_does_not() -> None:
    members = members_needed(rate=0.05, difference=0.02, holdout=0.1)
    for number, shows in ((members, True), (members - 1, False)):
        smallest = smallest_difference(treated=0.9 * number, held_back=0.1 * number, rate=0.05)
        assert smallest is not None
        assert (smallest <= 0.02) == shows


def test_the_page_has_the_members_that_are_needed() -> None:
    rows = re.findall(
        r"^\| ([0-9]+) % \| ([0-9.]+) \| ([0-9,]+ \| [0-9,]+ \| [0-9,]+ \| [0-9,]+) \|$", PAGE, re.MULTILINE
    )
    assert len(rows) == 8
    for rate, points, cells in rows:
        numbers = [
            members_needed(rate=int(rate) / 100, difference=float(points) / 100, holdout=holdout)
            for holdout in (0.05, 0.10, 0.20, 0.50)
        ]
        assert [int(cell.replace(",", "")) for cell in cells.split(" | ")] == [100 * ceil(n / 100) for n in numbers]


@pytest.mark.parametrize(
    ("rate", "difference", "holdout"), [(0.05, 0.0, 0.1), (0.9, 0.2, 0.1), (-0.1, 0.2, 0.1), (0.05, 0.02, 1.0)]
)
def test_rates_that_no_audience_has_are_refused(rate: float, difference: float, holdout: float) -> None:
    with pytest.raises(ValueError, match="expected shares, and a difference above 0"):
        members_needed(rate=rate, difference=difference, holdout=holdout)


def test_a_difference_that_nobody_could_see_is_refused() -> None:
    with pytest.raises(ValueError, match="members would show"):
        members_needed(rate=0.05, difference=1e-7, holdout=0.1)


def test_a_holdout_of_nearly_all_is_planned_too() -> None:
    # As many are in the smaller arm, whichever it is.
    members = members_needed(rate=0.05, difference=0.02, holdout=0.05)
    assert 0.8 * members < members_needed(rate=0.05, difference=0.02, holdout=0.95) < members


def share(buyers: int, people: int) -> Share:
    return Share(buyers / people, people)


def likely(treated: int, held_back: int, treated_rate: float, rate: float) -> list[tuple[float, Share, Share]]:
    """All outcomes but those that are too rare to matter, each with its probability."""

    def shares(people: int, value: float) -> list[tuple[float, Share]]:
        reach = 6 * sqrt(people * value * (1 - value)) + 2
        numbers = range(max(0, round(people * value - reach)), min(people, round(people * value + reach)) + 1)
        probabilities = binom.pmf(numbers, people, value).tolist()
        return [
            (probability, share(number, people)) for number, probability in zip(numbers, probabilities, strict=True)
        ]

    pairs = product(shares(treated, treated_rate), shares(held_back, rate))
    return [(first * second, one, other) for (first, one), (second, other) in pairs if first * second > 1e-10]
