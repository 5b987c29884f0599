"""What a validation says of segments: rates, lift, and a verdict beside recency alone."""

from datetime import date
from decimal import Decimal

import pytest

from transforms.rfm.prediction import Outcome, Prediction
from transforms.rfm.rankings import Group
from transforms.rfm.segments import SegmentMap

MAP = SegmentMap.from_content(
    {
        "name": "by money",
        "segments": [
            {"name": "Big", "code": "B", "advice": "Call.", "cells": [{"m": 5}]},
            {"name": "Small", "code": "S", "advice": "Write.", "cells": [{"m": "1-4"}]},
        ],
    }
)
CUT = date(2018, 5, 31)


def prediction(*groups: tuple[int, int, int, int], before: int = 10, after: int = 10) -> Prediction:
    """Groups of days, m_score, customers and repeat buyers."""
    outcomes = [
        Group(days, (3, 1, m_score), customers, buyers, Decimal(10 * buyers))
        for days, m_score, customers, buyers in groups
    ]
    return Prediction(CUT, 90, MAP, outcomes, purchases_after=after, purchases_before=before)


def test_each_segment_has_its_rate_its_lift_and_its_revenue() -> None:
    validated = prediction((1, 5, 40, 20), (2, 5, 10, 0), (1, 1, 150, 20))
    assert [(segment.code, outcome) for segment, outcome in validated.segments] == [
        ("B", Outcome(50, 20, Decimal(200))),
        ("S", Outcome(150, 20, Decimal(200))),
    ]
    assert validated.all == Outcome(200, 40, Decimal(400))
    big, small = (outcome for _, outcome in validated.segments)
    assert (big.repeat_rate, small.repeat_rate) == (0.4, 20 / 150)
    assert (big.lift(validated.all), small.lift(validated.all)) == (pytest.approx(2), pytest.approx(2 / 3))
    assert (big.revenue_per_customer, small.revenue_per_customer) == (Decimal(4), Decimal(200) / 150)
    assert small.as_json()["revenue_per_customer"] == "1.3333"
    # Wilson: 0.4 of 50 goes from 0.28 to 0.54, and 0.13 of 150 from 0.09 to 0.20. All customers have 0.2.
    assert [segment.code for segment in validated.unlike_all(1)] == ["B"]
    assert [segment.code for segment in validated.unlike_all(-1)] == ["S"]


def test_a_segment_without_customers_has_no_rate_and_nobody_who_buys_gives_no_lift() -> None:
    validated = prediction((1, 5, 40, 0))
    content = validated.as_json()
    assert content["segments"][1] == {
        "code": "S",
        "name": "Small",
        "customers": 0,
        "repeat_buyers": 0,
        "repeat_rate": None,
        "repeat_rate_interval": None,
        "revenue": "0.0000",
        "revenue_per_customer": None,
        "lift": None,
    }
    assert content["segments"][0]["lift"] is None
    assert content["gini"] == {"segments": None, "score_sum": None, "recency": None}
    assert content["best_fifth"]["recency"] == {"repeat_buyers": None, "revenue": None}


WRONG_WAY = "The order of the segments is the wrong way round: those of later segments rather buy again."
LITTLE = "The order of the segments tells little of who buys again, though more than chance."
TELLS = "The order of the segments tells who buys again."


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [
        # All big ones and none of the small; days are the same for all, so recency tells nothing.
        ([(9, 5, 40, 40), (9, 1, 40, 0)], f"{TELLS} They do better than recency alone."),
        # Both rank all pairs rightly.
        ([(1, 5, 40, 40), (9, 1, 40, 0)], f"{TELLS} These days cannot tell them from recency alone."),
        # Segments rank three of four pairs, and recency all.
        ([(1, 5, 40, 40), (9, 5, 20, 0), (9, 1, 20, 0)], f"{TELLS} Recency alone does better."),
        # 6 % of 10,000 against 5 %: too many for chance. Of 1,100 buyers 600 are big, and of 18,900 others 9,400.
        (
            [(9, 5, 10_000, 600), (9, 1, 10_000, 500)],
            f"{LITTLE} They do better than recency alone.",
        ),
        (
            [(9, 5, 40, 20), (9, 1, 40, 20)],
            "The order of the segments does not tell who buys again. Recency alone does not either.",
        ),
        (
            [(1, 1, 40, 40), (9, 5, 40, 0)],
            f"{WRONG_WAY} Recency alone does better.",
        ),
        (
            [(1, 5, 400, 29), (9, 1, 400, 0)],
            "Too few customers bought again to tell whether the segments predict: fewer than 30.",
        ),
        (
            [(1, 5, 400, 400), (9, 1, 400, 371)],
            "Too few customers did not buy again to tell whether the segments predict: fewer than 30.",
        ),
    ],
)
def test_the_verdict_says_plainly_what_tells_who_buys_again(
    groups: list[tuple[int, int, int, int]], verdict: str
) -> None:
    assert prediction(*groups).verdict == verdict


@pytest.mark.parametrize(("before", "after", "may_lack"), [(100, 50, False), (100, 49, True), (0, 0, False)])
def test_far_fewer_purchases_after_the_cut_are_a_sign_of_missing_files(before: int, after: int, may_lack: bool) -> None:
    assert prediction((1, 5, 1, 0), before=before, after=after).may_lack_days is may_lack
