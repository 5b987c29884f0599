"""Names of clusters."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from transforms.clusters.names import NAMES, RECENCY, Position, cluster_names

LEVELS = ("low", "middle", "high")

OVERALL = Position({"recency": 30, "frequency": 1.5, "monetary": 150})


def position(recency: float, frequency: float, monetary: float) -> Position:
    return Position({"recency": recency, "frequency": frequency, "monetary": monetary})


def names(*positions: Position) -> list[str]:
    return list(cluster_names(clusters=dict(enumerate(positions)), overall=OVERALL).values())


def test_the_table_has_a_different_name_for_every_position() -> None:
    assert set(RECENCY) == set(LEVELS)
    assert set(NAMES) == set(product(LEVELS, LEVELS))
    full_names = [f"{RECENCY[recency]} {name}" for recency in LEVELS for name in NAMES.values()]
    assert len(set(full_names)) == 27


def test_a_name_states_where_a_cluster_is_compared_to_all_customers() -> None:
    assert names(position(5, 4, 400), position(30, 1.5, 150), position(60, 1.5, 60)) == [
        "recent frequent big spenders",
        "average buyers",
        "lapsed small spenders",
    ]


def test_two_thirds_and_four_thirds_are_still_in_the_middle() -> None:
    assert names(position(20, 1, 100), position(40, 2, 200)) == [
        "average buyers, 20.0 weeks ago",
        "average buyers, 40.0 weeks ago",
    ]


def test_clusters_with_one_name_get_the_figure_that_differs_most() -> None:
    assert names(position(45, 1.5, 300), position(50, 1.5, 900)) == [
        "lapsed big spenders, 300.00 a purchase",
        "lapsed big spenders, 900.00 a purchase",
    ]


def test_clusters_with_the_same_figure_get_their_id() -> None:
    assert names(position(30, 1.5, 150), position(30, 1.5, 150)) == [
        "average buyers, 30.0 weeks ago (cluster 0)",
        "average buyers, 30.0 weeks ago (cluster 1)",
    ]


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(1, 50), st.floats(0, 1e6)), min_size=1, max_size=12))
def test_every_cluster_has_a_name_of_its_own(places: list[tuple[float, float, float]]) -> None:
    all_names = names(*(position(*place) for place in places))
    assert len(set(all_names)) == len(places)
    assert all(all_names)
