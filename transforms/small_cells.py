"""Cells of a table that are too small to be shown, since they would tell of single people."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
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


Name = TypeVar("Name", bound=Hashable)
"""Of a row or a column of a matrix. A cell has the names of both."""

Node = tuple[int, Hashable]
"""A row, as 0 and its name, or a column, as 1 and its name."""


def matrix_cells_to_hide(
    people: Mapping[tuple[Name, Name], int],
    *,
    smallest: int,
    also: Collection[tuple[Name, Name]] = (),
    preferred: Collection[tuple[Name, Name]] = (),
) -> set[tuple[Name, Name]]:
    """The cells of a matrix that may not be shown beside the sums of its rows and columns, which a reader knows.

    Cells of fewer than ``smallest`` people are hidden. So that none can be computed, each is a corner of a rectangle of
    hidden cells: then no sum of rows and columns tells one of them. The hidden cells of a row, and those of a column,
    have ``smallest`` people together, wherever there are so many. Of all rectangles, the one is taken that hides least:
    cells that are preferred, or without people, count for less than others.

    Args:
        people: the number of people in each cell, by row and column, also of those without people. In a matrix of
            differences, how many more or fewer there are.
        smallest: the fewest people that a shown cell has; 1 shows every cell.
        also: cells that are hidden for another reason.
        preferred: the cells to hide beside a small one, rather than others: what the reader needs least.
    """
    lines = _lines(people)
    hidden = {cell for cell, count in people.items() if 0 < count < smallest} | set(also)
    loss = {cell: 1 if cell in preferred or not count else 4 for cell, count in people.items()}
    is_settled = False
    while not is_settled:
        rectangles = (_rectangle(link, hidden, people, loss, smallest) for link in _lone_links(hidden))
        more = next(filter(None, rectangles), None) or _to_be_enough(lines, hidden, people, loss, smallest)
        is_settled = not more
        hidden |= more
    return hidden


def _lines(people: Mapping[tuple[Name, Name], int]) -> list[list[tuple[Name, Name]]]:
    """The rows of a matrix, and its columns."""
    lines: dict[Node, list[tuple[Name, Name]]] = defaultdict(list)
    for cell in people:
        lines[0, cell[0]].append(cell)
        lines[1, cell[1]].append(cell)
    return list(lines.values())


def _rectangle(
    corner: tuple[Name, Name],
    hidden: Collection[tuple[Name, Name]],
    people: Mapping[tuple[Name, Name], int],
    loss: Mapping[tuple[Name, Name], int],
    smallest: int,
) -> set[tuple[Name, Name]]:
    """The other corners of the rectangle that hides least beside a cell; nothing in a matrix of one row or column."""
    row, column = corner
    in_row = [cell for cell in people if cell[0] == row and cell != corner]
    in_column = [cell for cell in people if cell[1] == column and cell != corner]
    rectangles = [
        (beside, below, (below[0], beside[1]))
        for beside in in_row
        for below in in_column
        if (below[0], beside[1]) in people
    ]

    def cost(corners: tuple[tuple[Name, Name], ...]) -> tuple[int, int, int]:
        # One that leaves too few people in the row or the column takes more cells with it.
        few = sum(people[corner] + people[cell] < smallest for cell in corners[:2])
        lost = [cell for cell in corners if cell not in hidden]
        return few, sum(loss[cell] for cell in lost), sum(people[cell] for cell in lost)

    return set(min(rectangles, key=cost, default=())) - set(hidden)


def _to_be_enough(
    lines: Sequence[Sequence[tuple[Name, Name]]],
    hidden: Collection[tuple[Name, Name]],
    people: Mapping[tuple[Name, Name], int],
    loss: Mapping[tuple[Name, Name], int],
    smallest: int,
) -> set[tuple[Name, Name]]:
    """A further cell of a line whose hidden cells have too few people together; nothing where there is no such line."""
    for line in lines:
        others = [cell for cell in line if cell not in hidden and people[cell]]
        if others and 0 < sum(people[cell] for cell in line if cell in hidden) < smallest:
            return {min(others, key=lambda cell: (loss[cell], people[cell]))}
    return set()


def _lone_links(hidden: Collection[tuple[Name, Name]]) -> list[tuple[Name, Name]]:
    """The hidden cells whose row and column no other hidden cells connect.

    Rows and columns are the nodes of a graph, and hidden cells its edges. These are its bridges.
    """
    nodes = _nodes_of(hidden)
    order: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    links: list[tuple[Node, Node]] = []

    def visit(node: Node, origin: Node | None) -> None:
        order[node] = lowest[node] = len(order)
        for each in nodes[node]:
            if each not in order:
                visit(each, node)
                lowest[node] = min(lowest[node], lowest[each])
                if lowest[each] > order[node]:
                    links.append((node, each))
            elif each != origin:
                lowest[node] = min(lowest[node], order[each])

    for node in nodes:
        if node not in order:
            visit(node, None)
    pairs = {frozenset(link) for link in links}
    return [cell for cell in hidden if frozenset(((0, cell[0]), (1, cell[1]))) in pairs]


def _nodes_of(cells: Iterable[tuple[Name, Name]]) -> dict[Node, list[Node]]:
    """The rows and columns of cells, each as 0 or 1 and its name, and those that a cell connects each with."""
    nodes: dict[Node, list[Node]] = defaultdict(list)
    for row, column in cells:
        nodes[0, row].append((1, column))
        nodes[1, column].append((0, row))
    return nodes
