"""Stable cluster ids."""

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.clusters.models import means, model
from transforms.clusters.matching import first_ids, matched_ids
from transforms.clusters.model import ClusterModel

OLD = {0: (10.0, 3.0, 500.0), 1: (50.0, 1.0, 100.0), 4: (90.0, 1.0, 90.0)}

PLACES = st.tuples(
    st.floats(0, 100, allow_subnormal=False),
    st.floats(1, 11, allow_subnormal=False),
    st.floats(0, 1000, allow_subnormal=False),
)


def cost(one: Mapping[str, float], other: tuple[float, float, float]) -> float:
    """The squared distance in `models.SCALE`, where 20 weeks, 2 purchases and 200 are one unit."""
    differences = (
        (one["recency"] - other[0]) / 20,
        (one["frequency"] - other[1]) / 2,
        (one["monetary"] - other[2]) / 200,
    )
    return sum(difference**2 for difference in differences)


def test_permuted_labels_keep_their_ids() -> None:
    new = {0: means(*OLD[4]), 1: means(*OLD[0]), 2: means(*OLD[1])}
    assert matched_ids(means=new, previous=model(OLD)) == {0: 4, 1: 0, 2: 1}


def test_a_new_cluster_gets_the_next_id_of_the_previous_model() -> None:
    new = {0: means(50, 9, 950), 1: means(*OLD[0]), 2: means(*OLD[1]), 3: means(*OLD[4])}
    assert matched_ids(means=new, previous=model(OLD, next_id=7)) == {0: 7, 1: 0, 2: 1, 3: 4}


def test_a_new_cluster_gets_no_id_that_another_run_used() -> None:
    new = {0: means(50, 9, 950), 1: means(*OLD[0]), 2: means(*OLD[1]), 3: means(*OLD[4])}
    assert matched_ids(means=new, previous=model(OLD, next_id=7), first_free=9) == {0: 9, 1: 0, 2: 1, 3: 4}


def test_of_two_new_clusters_the_one_that_spends_more_gets_the_lower_id() -> None:
    new = {0: means(50, 9, 700), 1: means(*OLD[0]), 2: means(*OLD[1]), 3: means(*OLD[4]), 4: means(50, 9, 950)}
    assert matched_ids(means=new, previous=model(OLD)) == {0: 6, 1: 0, 2: 1, 3: 4, 4: 5}


def test_with_one_cluster_fewer_its_id_is_not_used() -> None:
    new = {0: means(88, 1, 92), 1: means(12, 3, 480)}
    assert matched_ids(means=new, previous=model(OLD)) == {0: 4, 1: 0}


def test_the_first_ids_are_ordered_by_money_per_purchase_descending() -> None:
    assert first_ids({0: means(1, 1, 50), 1: means(2, 1, 300), 2: means(3, 1, 100)}) == {1: 0, 2: 1, 0: 2}


def test_one_new_big_spender_moves_no_cluster_since_the_scale_is_that_of_the_previous_model() -> None:
    # In a scale fitted to a customer who spends 1,000,000, money counts for nothing, and 0 and 1 change places.
    new = {0: means(40, 1, 100), 1: means(40, 1, 900), 2: means(40, 1, 1_000_000)}
    old = {0: (30.0, 1.0, 100.0), 1: (50.0, 1.0, 900.0)}
    assert matched_ids(means=new, previous=model(old)) == {0: 0, 1: 1, 2: 2}


@settings(max_examples=60, deadline=None)
@given(old=st.lists(PLACES, min_size=1, max_size=6), new=st.lists(PLACES, min_size=1, max_size=6))
def test_no_other_pairs_cost_less(old: list[tuple[float, float, float]], new: list[tuple[float, float, float]]) -> None:
    previous, new_means = model(dict(enumerate(old))), {label: means(*place) for label, place in enumerate(new)}
    ids = matched_ids(means=new_means, previous=previous)
    assert len(set(ids.values())) == len(new)
    matched = {label: cluster for label, cluster in ids.items() if cluster < previous.next_id}
    assert len(matched) == min(len(old), len(new))
    total = sum(cost(new_means[label], old[cluster]) for label, cluster in matched.items())
    assert total <= least_cost(new_means, old) + 1e-9


def least_cost(new: Mapping[int, Mapping[str, float]], old: list[tuple[float, float, float]]) -> float:
    """The least cost of all possible pairs."""
    few, many = sorted((len(new), len(old)))
    costs = np.array([[cost(place, other) for other in old] for place in new.values()])
    costs = costs if len(new) <= len(old) else costs.T
    return min(
        sum(costs[row, column] for row, column in enumerate(chosen))
        for chosen in itertools.permutations(range(many), few)
    )


@pytest.mark.parametrize("turns", [2, 3])
def test_ids_are_stable_over_several_runs(turns: int) -> None:
    previous: ClusterModel = model(OLD)
    for turn in range(turns):
        moved = [(recency + 1, frequency, monetary - 2 * turn) for recency, frequency, monetary in OLD.values()]
        new = {label: means(*place) for label, place in enumerate(reversed(moved))}
        assert matched_ids(means=new, previous=previous) == {2: 0, 1: 1, 0: 4}
        previous = model({0: moved[0], 1: moved[1], 4: moved[2]}, next_id=previous.next_id)
