"""Drift between two models, computed by hand."""

import math

import pytest

from tests.transforms.clusters.models import model
from transforms.clusters.drift import drift_between


def test_equal_models_have_no_drift() -> None:
    same = model({0: (10, 1, 100), 1: (50, 2, 300)}, sizes={0: 30, 1: 70})
    drift = drift_between(earlier=same, current=same)
    assert (drift.magnitude, drift.stability_index) == (0.0, 0.0)


def test_the_shift_of_a_mean_is_a_share_of_the_range() -> None:
    # 12 weeks of 100 are 0.12 of the range, 160 of 1000 are 0.16: together 0.2.
    earlier, current = model({0: (10, 1, 100)}), model({0: (22, 1, 260)})
    drift = drift_between(earlier=earlier, current=current)
    assert drift.shifts == {0: pytest.approx(0.2)}
    assert drift.magnitude == pytest.approx(0.2)


def test_changed_shares_count_the_customers_that_would_have_to_move() -> None:
    places = {0: (10.0, 1.0, 100.0), 1: (50.0, 2.0, 300.0), 2: (90.0, 1.0, 200.0)}
    earlier, current = model(places, sizes={0: 50, 1: 30, 2: 20}), model(places, sizes={0: 35, 1: 40, 2: 25})
    drift = drift_between(earlier=earlier, current=current)
    assert drift.share_changes == pytest.approx({0: -0.15, 1: 0.10, 2: 0.05})
    assert drift.magnitude == pytest.approx(0.15)
    by_hand = 0.15 * math.log(50 / 35) + 0.10 * math.log(40 / 30) + 0.05 * math.log(25 / 20)
    assert drift.stability_index == pytest.approx(by_hand)


def test_a_cluster_of_one_model_alone_did_not_shift_but_its_share_counts() -> None:
    earlier = model({0: (10, 1, 100), 1: (50, 2, 300)}, sizes={0: 60, 1: 40})
    current = model({0: (10, 1, 100), 2: (90, 1, 200)}, sizes={0: 60, 2: 40})
    drift = drift_between(earlier=earlier, current=current)
    assert drift.shifts == {0: 0.0}
    assert drift.share_changes == pytest.approx({0: 0.0, 1: -0.4, 2: 0.4})
    assert drift.magnitude == pytest.approx(0.4)


def test_a_drift_is_stated_to_six_digits() -> None:
    # 2 weeks of 100 and 3 of 1000: sqrt(0.02 ** 2 + 0.003 ** 2). Shares: 3/7 less 1/3. The index: 2/21 * ln 1.5.
    earlier = model({0: (10, 1, 100), 1: (50, 2, 300)}, sizes={0: 1, 1: 2})
    current = model({0: (12, 1, 103), 1: (50, 2, 300)}, sizes={0: 3, 1: 4})
    assert drift_between(earlier=earlier, current=current).as_json() == {
        "against": "2018-06-30-earlier",
        "drift": 0.095238,
        "shift_of_means": {"0": 0.020224, "1": 0.0},
        "share_change": {"0": 0.095238, "1": -0.095238},
        "population_stability_index": 0.038616,
    }
