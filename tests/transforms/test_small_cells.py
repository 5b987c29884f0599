"""Which cells of a table tell of single people."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from transforms.small_cells import cells_to_hide, matrix_cells_to_hide


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


def matrix(text: str) -> dict[tuple[int, int], int]:
    """The cells of a matrix from its rows, as lines of numbers."""
    rows = [list(map(int, line.split())) for line in text.strip().splitlines()]
    return {(row, column): count for row, counts in enumerate(rows) for column, count in enumerate(counts)}


@pytest.mark.parametrize(
    ("people", "hidden"),
    [
        ("50 9\n7 60", ""),
        ("50 2\n7 60", "00 01 10 11"),
        # Of the four rectangles around the small cell, that with the fewest people: 50, 9 and 9.
        ("50 2 9\n7 60 8\n9 9 70", "00 01 20 21"),
        # A cell without people completes the rectangle, so that one of 30 people can be shown.
        ("50 2 30\n0 60 30\n9 9 70", "00 01 10 11"),
        # Nobody else is in the row of the small cell, nor in its column.
        ("2 0\n0 60", "00 01 10 11"),
        # Two and two are too few together, so a third one is hidden in the row, and in each column.
        ("2 2 9\n9 9 90\n80 80 80", "00 01 02 10 11 12"),
        # There is nothing to hide it among.
        ("2", "00"),
        ("0 0\n0 9", ""),
    ],
)
def test_a_matrix_hides_what_the_sums_of_its_rows_and_columns_would_give_away(people: str, hidden: str) -> None:
    cells = {(int(cell[0]), int(cell[1])) for cell in hidden.split()}
    assert matrix_cells_to_hide(matrix(people), smallest=5) == cells


def test_a_matrix_hides_those_who_stayed_rather_than_those_who_moved() -> None:
    people = matrix("50 2 9\n7 60 8\n9 9 70")
    diagonal = [(0, 0), (1, 1), (2, 2)]
    assert matrix_cells_to_hide(people, smallest=5, preferred=diagonal) == {(0, 1), (0, 0), (1, 1), (1, 0)}


def test_a_cell_that_alone_links_two_hidden_parts_is_hidden_with_another() -> None:
    # Two squares of threes, and a three between them: rows 0 and 1 less columns 0 and 1 are 3, to whoever adds up.
    people = matrix("3 3 3 40\n3 3 20 40\n30 30 3 3\n30 9 3 3")
    hidden = matrix_cells_to_hide(people, smallest=5)
    assert hidden > {cell for cell, count in people.items() if count == 3}


@given(
    st.integers(1, 5)
    .flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from([0, 0, 1, 2, 4, 5, 9, 30]), min_size=width, max_size=width), min_size=2, max_size=5
        )
    )
    .filter(lambda rows: len(rows[0]) > 1)
)
def test_no_hidden_cell_of_a_matrix_follows_from_sums_of_rows_and_columns(rows: list[list[int]]) -> None:
    people = {(row, column): count for row, counts in enumerate(rows) for column, count in enumerate(counts)}
    hidden = sorted(matrix_cells_to_hide(people, smallest=5))
    assert {cell for cell, count in people.items() if 0 < count < 5} <= set(hidden)
    lines = [
        [count for cell, count in people.items() if cell[axis] == place and cell in hidden]
        for axis in (0, 1)
        for place in range(5)
    ]
    whole = [
        sum(count for cell, count in people.items() if cell[axis] == place) for axis in (0, 1) for place in range(5)
    ]
    assert all(sum(line) >= min(5, total) for line, total in zip(lines, whole, strict=True) if any(line))
    # The sums as equations over the hidden cells: what they determine is what their null space leaves alone.
    sums = [[float(cell[axis] == place) for cell in hidden] for axis in (0, 1) for place in range(5)]
    free = scipy.linalg.null_space(np.array(sums)) if hidden else np.ones((0, 1))
    assert all(np.abs(row).max(initial=0) > 1e-9 for row in free)
