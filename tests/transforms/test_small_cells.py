"""Which cells of a table tell of single people."""

import pytest

from transforms.small_cells import cells_to_hide


@pytest.mark.parametrize(
    ("people", "hidden"),
    [
        # Nobody is few.
        ({"a": 5, "b": 100}, set()),
        # Alone, "a" could be computed from the total: the smallest of the others goes with it.
        ({"a": 1, "b": 100, "c": 50}, {"a", "c"}),
        # Two of one person each would still tell of two people.
        ({"a": 1, "b": 1, "c": 100, "d": 7}, {"a", "b", "d"}),
        # Three and four are seven people together: nobody can be computed.
        ({"a": 3, "b": 4, "c": 100}, {"a", "b"}),
        # A cell without people tells of nobody.
        ({"a": 0, "b": 6}, set()),
        ({"a": 0, "b": 1}, {"b"}),
        ({"a": 2}, {"a"}),
        ({}, set()),
    ],
)
def test_small_cells_are_hidden_and_those_by_which_they_could_be_computed(
    people: dict[str, int], hidden: set[str]
) -> None:
    assert cells_to_hide(people, smallest=5) == hidden


def test_a_group_whose_sum_is_known_hides_no_cell_alone() -> None:
    people = {"a": 2, "b": 9, "c": 3, "d": 8, "e": 90}
    assert cells_to_hide(people, smallest=5, totals=[["a", "b"], ["c", "d", "e"]]) == {"a", "b", "c", "d"}


def test_a_cell_that_is_hidden_for_another_reason_takes_others_with_it() -> None:
    assert cells_to_hide({"a": 9, "b": 0, "c": 7, "d": 8}, smallest=5, also=["a", "b"]) == {"a", "c"}


def test_where_people_may_be_in_two_cells_hidden_ones_are_not_added_up() -> None:
    # The same three people in both months.
    people = {"May": 3, "June": 3, "July": 40, "August": 50}
    assert cells_to_hide(people, smallest=5) == {"May", "June"}
    assert cells_to_hide(people, smallest=5, is_disjoint=False) == {"May", "June", "July"}


def test_with_one_as_the_smallest_cell_nothing_is_hidden() -> None:
    assert cells_to_hide({"a": 1, "b": 2}, smallest=1) == set()
