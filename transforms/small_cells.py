"""Cells of a table that are too small to be shown, since they would tell of single people."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

SMALLEST_CELL = 5
"""The fewest people of whom a figure is shown, unless the user says otherwise."""

Key = TypeVar("Key", bound=Hashable)


def cells_to_hide(
    people: Mapping[Key, int],
    *,
    smallest: int,
    totals: Sequence[Collection[Key]] = (),
    also: Collection[Key] = (),
    is_disjoint: bool = True,
) -> set[Key]:
    """The cells that may not be shown beside totals that a reader knows.

    Cells of fewer than ``smallest`` people are hidden. A reader who knows a total can subtract what is shown. So the
    smallest of the other cells are hidden too, until no hidden cell of a total is alone, and all of them together have
    ``smallest`` people or more. A cell without people is shown: it tells of nobody.

    Args:
        people: the number of people in each cell.
        smallest: the fewest people that a shown cell has; 1 shows every cell.
        totals: groups of cells whose sums are known, beside the sum of all.
        also: cells that are hidden for another reason.
        is_disjoint: whether nobody is in two cells. Where somebody may be, hidden cells are not added up: one of them
            has ``smallest`` people by itself.
    """
    hidden = {key for key, count in people.items() if 0 < count < smallest} | {key for key in also if people[key]}
    groups = [*totals, people.keys()]
    is_settled = False
    while not is_settled:
        is_settled = True
        for group in groups:
            inside = [people[key] for key in group if key in hidden]
            others = [key for key in group if key not in hidden and people[key]]
            enough = sum(inside) if is_disjoint else max(inside, default=0)
            if inside and others and (len(inside) == 1 or enough < smallest):
                hidden.add(min(others, key=lambda key: people[key]))
                is_settled = False
    return hidden
