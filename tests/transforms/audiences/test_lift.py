"""Lift from the figures of two arms: beside scipy, and where there is little or nothing to compare."""

import math
from collections.abc import Sequence
from decimal import Decimal

import pytest
from scipy.stats import binomtest, chisquare, ttest_ind

from transforms.audiences.lift import ArmFigures, Lift, SampleRatio

TREATED = [*["0.00"] * 30, "12.50", "99.90", "7.25", "1890.00", "-4.00", *["40.00"] * 20]
HELD_BACK = [*["0.00"] * 20, "3.10", "55.55", "12.00", *["25.00"] * 12]


def arm(values: Sequence[str]) -> ArmFigures:
    amounts = [Decimal(value) for value in values]
    return ArmFigures(
        members=len(amounts),
        buyers=sum(amount > 0 for amount in amounts),
        revenue=sum(amounts, Decimal("0.0000")),
        squares=sum((amount * amount for amount in amounts), Decimal(0)),
    )


def of(members: int, buyers: int, each: str = "10.00") -> ArmFigures:
    return arm([each] * buyers + ["0.00"] * (members - buyers))


def lift(treatment: ArmFigures, control: ArmFigures, holdout: str = "0.5") -> Lift:
    return Lift(treatment, control, Decimal(holdout))


def test_rates_and_revenue_are_shares_and_means_of_all_members() -> None:
    figures = arm(["10.00", "20.00", "-6.00", "0.00"])
    assert figures.repeat_rate == 0.5
    assert (figures.revenue, figures.revenue_per_customer) == (Decimal("24.00"), Decimal("6.0000"))
    # (4² + 14² + 12² + 6²) / 3
    assert figures.variance == pytest.approx(392 / 3)


def test_money_is_compared_as_welch_does() -> None:
    expected = ttest_ind(
        [float(value) for value in TREATED], [float(value) for value in HELD_BACK], equal_var=False
    ).confidence_interval(0.95)
    difference = lift(arm(TREATED), arm(HELD_BACK)).revenue_per_customer
    assert difference is not None
    assert difference.interval is not None
    assert (difference.interval.low, difference.interval.high) == pytest.approx((expected.low, expected.high))


def test_money_far_from_nothing_keeps_its_small_spread() -> None:
    """In double precision the sum of squares would lose it."""
    one = arm([f"{10**9}.0001", f"{10**9}.0003"] * 10)
    assert one.variance == pytest.approx(20 / 19 * 1e-8)


def test_a_difference_that_is_clear_is_said_to_be_one() -> None:
    assert lift(of(1000, 124), of(1000, 80)).verdict == "more"
    assert lift(of(1000, 80), of(1000, 124)).verdict == "fewer"
    assert lift(of(1000, 85), of(1000, 80)).verdict == "undecided"


def test_of_many_members_no_difference_is_little_difference() -> None:
    """20 buyers more of 10,000: the interval reaches to 1.3 points, and a tenth of the rate are 2."""
    result = lift(of(10_000, 2020), of(10_000, 2000))
    assert (result.verdict, result.is_negligible) == ("undecided", True)
    assert not lift(of(1000, 202), of(1000, 200)).is_negligible
    assert not lift(of(0, 0), of(10, 2)).is_negligible


@pytest.mark.parametrize(
    ("treatment", "control"),
    [
        (of(20, 0), of(20, 0)),
        (of(1, 1), of(1, 0)),
        (of(1, 0), of(1, 0)),
        (of(20, 20), of(20, 20)),
        (of(20, 20), of(20, 20, "12.00")),
        (of(40, 12), of(40, 3)),
    ],
    ids=["nobody buys", "one member each", "one who buys nothing", "all buy", "all pay the same", "few buy"],
)
def test_little_data_has_a_rate_difference_and_no_interval_of_money(treatment: ArmFigures, control: ArmFigures) -> None:
    result = lift(treatment, control)
    assert result.repeat_rate is not None
    assert result.repeat_rate.interval is not None
    assert result.revenue_per_customer is not None
    assert result.revenue_per_customer.interval is None
    assert all(map(math.isfinite, [result.repeat_rate.value, *result.repeat_rate.interval.as_json()]))
    assert "NaN" not in str(result.as_json())


@pytest.mark.parametrize(("treated", "held_back"), [(0, 0), (5, 0), (0, 5)])
def test_an_empty_arm_has_nothing_to_compare(treated: int, held_back: int) -> None:
    result = lift(of(treated, 0), of(held_back, 0))
    facts = result.as_json()
    assert facts["verdict"] == "incomparable"
    assert facts["repeat_rate_difference"] is facts["revenue_per_customer_difference"] is None
    assert facts["smallest_difference"] is None
    assert facts["arms"]["control"]["repeat_rate"] == (None if held_back == 0 else 0.0)


def test_more_buyers_than_members_are_refused() -> None:
    with pytest.raises(ValueError, match="found 3 buyers of 2 members"):
        ArmFigures(2, 3, Decimal(0), Decimal(0))


@pytest.mark.parametrize(("held_back", "members"), [(100, 1000), (131, 1000), (2200, 10_000), (40, 1000)])
def test_the_sample_ratio_is_tested_by_chi_square(held_back: int, members: int) -> None:
    expected = chisquare([held_back, members - held_back], [0.1 * members, 0.9 * members]).pvalue
    assert SampleRatio(Decimal("0.1"), held_back, members).p_value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("share", "held_back", "members"), [("0.01", 2, 10), ("0.1", 0, 20), ("0.1", 9, 30), ("0.99", 8, 10)]
)
def test_the_sample_ratio_of_few_members_is_tested_exactly(share: str, held_back: int, members: int) -> None:
    """Twice the smaller tail."""
    tails = [binomtest(held_back, members, float(share), alternative=side).pvalue for side in ("less", "greater")]
    assert SampleRatio(Decimal(share), held_back, members).p_value == pytest.approx(min(1.0, 2 * min(tails)))


def test_arms_that_were_not_drawn_so_are_not_compared() -> None:
    """1 of 1,000 is the limit: 131 of 1,000 are just above it, and 132 below, by a table of chi-square (10.83)."""
    # (131 - 100)² / 90 = 10.68; (132 - 100)² / 90 = 11.38
    assert not SampleRatio(Decimal("0.1"), 131, 1000).is_alarming
    assert SampleRatio(Decimal("0.1"), 132, 1000).is_alarming
    assert lift(of(780, 100), of(220, 5), "0.10").verdict == "unusable"


def test_nobody_at_all_is_no_alarm() -> None:
    ratio = SampleRatio(Decimal("0.1"), 0, 0)
    assert (ratio.actual, ratio.p_value, ratio.is_alarming) == (None, 1.0, False)
