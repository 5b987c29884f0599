"""The choice of k."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from transforms.clusters.choose_k import adjusted_rand, choose_k

CENTRES = ((0.5, 0.5, 0.5), (4.5, 0.5, 0.5), (0.5, 4.5, 0.5), (2.5, 2.5, 4.5))


def test_four_distant_groups_are_four_clusters() -> None:
    random = np.random.default_rng(7)
    points = np.concatenate([random.normal(centre, 0.2, (400, 3)) for centre in CENTRES])
    chosen = choose_k(points, lowest=2, highest=8, fallback=5)
    assert (chosen.k, chosen.has_structure) == (4, True)
    assert [candidate.k for candidate in chosen.table] == [2, 3, 4, 5, 6, 7, 8]
    four = chosen.table[2]
    assert four.smallest_share == pytest.approx(0.25)
    assert four.agreement == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_uniform_cloud_has_no_structure_and_gets_the_fallback(seed: int) -> None:
    points = np.random.default_rng(seed).random((2_000, 3)) * 5
    chosen = choose_k(points, lowest=2, highest=8, fallback=5)
    assert (chosen.k, chosen.has_structure) == (5, False)
    assert chosen.as_json()["verdict"] == "no structure"


def test_customers_that_differ_uniformly_in_recency_alone_have_no_structure() -> None:
    # Minmax maps a shop where nearly all customers bought once to a line.
    random = np.random.default_rng(3)
    points = np.column_stack([random.random(3_000) * 5, np.zeros(3_000), random.random(3_000) * 0.1])
    assert not choose_k(points, lowest=2, highest=8, fallback=5).has_structure


def test_a_few_outliers_do_not_make_groups_of_the_others() -> None:
    # Olist in minmax: uniform recency, 3 % returning customers, money with a long tail.
    random = np.random.default_rng(5)
    returning = np.where(random.random(4_000) < 0.03, 0.3, 0.0)
    money = np.exp(random.normal(-3, 1, 4_000))
    points = np.column_stack([random.random(4_000) * 5, returning, money])
    points[:4, 2] = 5.0
    assert not choose_k(points, lowest=2, highest=8, fallback=5).has_structure


def test_the_same_sample_gives_the_same_figures() -> None:
    points = np.random.default_rng(1).random((500, 3))
    assert choose_k(points, lowest=2, highest=4, fallback=5) == choose_k(points, lowest=2, highest=4, fallback=5)


@pytest.mark.parametrize("distinct", [1, 2, 3])
def test_there_are_no_more_candidates_than_distinct_customers(distinct: int) -> None:
    points = np.repeat(np.eye(3)[:distinct], 20, axis=0)
    chosen = choose_k(points, lowest=2, highest=8, fallback=5)
    assert [candidate.k for candidate in chosen.table] == list(range(2, distinct + 1))


def test_two_customers_have_at_most_two_clusters() -> None:
    chosen = choose_k(np.array([[0.0, 0.0, 0.0], [5.0, 5.0, 5.0]]), lowest=2, highest=8, fallback=5)
    assert [candidate.k for candidate in chosen.table] == [2]


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_the_adjusted_rand_index_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random.integers(0, 4, 300), random.integers(3, 9, 300)
    other[:150] = one[:150]
    assert adjusted_rand(one, other) == pytest.approx(adjusted_rand_score(one, other))


def test_two_labellings_with_all_customers_in_one_cluster_agree() -> None:
    assert adjusted_rand(np.zeros(5), np.ones(5)) == 1.0
