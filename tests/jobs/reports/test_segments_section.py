"""The segments on the page: what is said of them, and what is hidden. No Spark: a page is made of figures."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.reports.customers import Customers, SmallCells, Sums
from jobs.reports.earlier_runs import EarlierRun, Trend
from jobs.reports.figures import Figure
from jobs.reports.segments import SegmentSection
from jobs.runs.recorded_changes import RecordedBeginning, RecordedChanges, RecordedMoves
from transforms.changes import CAUSES
from transforms.rfm.scores import SCORED, Bands
from transforms.rfm.segments import Cell, SegmentMap

FIVE = SmallCells(5)
CUTS = {
    "r": (Decimal(10), Decimal(20), Decimal(30), Decimal(40)),
    "f": (Decimal(1), Decimal(2), Decimal(3), Decimal(4)),
    "m": (Decimal(50), Decimal(60), Decimal(70), Decimal(80)),
}
BANDS = {
    letter: Bands(SCORED[letter], cuts, (5, 4, 3, 2, 1) if letter == "r" else (1, 2, 3, 4, 5))
    for letter, cuts in CUTS.items()
}
BY_MONEY = [("A", [{"r": "1-5", "m": 5}]), ("B", [{"r": "1-5", "m": 4}]), ("C", [{"r": "1-5", "m": "1-3"}])]
SETTINGS = ("all", "sum", None)


def section(
    customers: Mapping[Cell, tuple[int, str]],
    segments: list[tuple[str, list[Any]]] = BY_MONEY,
    *,
    previous: EarlierRun | None = None,
    card: str = "card",
    changes: RecordedChanges | None = None,
) -> SegmentSection:
    """A section of customers and their revenue by cell."""
    segment_map = SegmentMap.from_content(
        {
            "name": "mine",
            "segments": [{"name": c, "code": c, "advice": f"Write to {c}.", "cells": of} for c, of in segments],
        }
    )
    scored_by = SimpleNamespace(segment_map=segment_map, bands=BANDS)
    run: Any = SimpleNamespace(
        card=SimpleNamespace(scored_by=scored_by),
        recorded_card=SimpleNamespace(hash=card),
        manifest=SimpleNamespace(configuration=SimpleNamespace(measured_by=SETTINGS), changes=changes),
    )
    cells = {cell: Sums(count, count, Decimal(revenue), 10 * count) for cell, (count, revenue) in customers.items()}
    runs = [previous, previous] if previous else []
    return SegmentSection(run, Customers(cells, {}, ()), Trend(runs), FIVE)


def earlier(customers: Mapping[str, int], *, card: str = "card", measured_by: tuple[Any, ...] = SETTINGS) -> EarlierRun:
    moment = datetime(2018, 1, 1, tzinfo=UTC)
    return EarlierRun("2018-01-01-a", date(2018, 1, 1), moment, "map", customers, card, measured_by, True)


def texts(rows: Any) -> list[list[str]]:
    return [[cell.text if isinstance(cell, Figure) else cell.name for cell in row] for row in rows]


def test_the_sentence_names_the_segment_that_brings_most() -> None:
    leading = section({(5, 1, 5): (10, "300"), (5, 1, 4): (30, "700")}).leading()
    assert leading is not None
    segment, revenue, customers = leading
    assert (segment.name, revenue.text, customers.text) == ("B", "70.0%", "75.0%")


@pytest.mark.parametrize(
    "customers",
    [
        # Returns as large as all purchases, and larger.
        {(5, 1, 5): (10, "50"), (5, 1, 4): (10, "-50")},
        {(5, 1, 5): (10, "50"), (5, 1, 4): (10, "-150")},
        # Both segments are hidden.
        {(5, 1, 5): (4, "400"), (5, 1, 4): (3, "300")},
        # One of three people, who is hidden, brings nearly all; B is hidden with it.
        {(5, 1, 5): (1, "9900"), (5, 1, 4): (9, "60"), (5, 1, 3): (20, "40")},
    ],
)
def test_no_segment_is_named_where_that_would_be_false(customers: dict[Cell, tuple[int, str]]) -> None:
    assert section(customers).leading() is None


def test_a_segment_of_one_customer_is_hidden_with_the_smallest_of_the_others() -> None:
    segments = section({(5, 1, 5): (1, "9900"), (5, 1, 4): (9, "60"), (5, 1, 3): (20, "40")})
    assert texts(segments.table().rows) == [
        ["A", "< 5", "", "", "", "", ""],
        ["B", "hidden", "", "", "", "", ""],
        ["C", "20", "66.7%", "40.00", "0.4%", "2.00", "10.0"],
    ]
    assert [(name, customers.text) for name, customers, _ in segments.shares] == [
        ("A", "< 5"),
        ("B", "hidden"),
        ("C", "66.7%"),
    ]


def test_the_grid_hides_what_would_give_a_hidden_segment_away() -> None:
    # A has 3 customers, and B, hidden with it, 9 in one place.
    customers = {
        (5, 1, 5): (3, "3"),
        (5, 1, 4): (9, "9"),
        (5, 1, 3): (30, "30"),
        (4, 1, 3): (2, "2"),
        (3, 1, 3): (8, "8"),
    }
    grid = section(customers).grid()
    shown = {label.text: [cell.customers.text for cell in cells] for label, cells in grid.rows}
    assert grid.across == "m"
    assert shown["up to 10"] == ["0", "0", "30", "hidden", "< 5"]
    # Within C, whose total is shown, the place of two customers takes the smallest other one with it.
    assert shown["11 to 20"] == ["0", "0", "< 5", "0", "0"]
    assert shown["21 to 30"] == ["0", "0", "hidden", "0", "0"]


def test_segments_that_share_a_place_of_the_grid_are_hidden_together() -> None:
    # X and Y share the place r 5, f 5, which is told apart by m alone; X has 3 customers.
    split = [
        ("X", [{"r": 5, "f": 5, "m": "4-5"}]),
        ("Y", [{"r": 5, "f": 5, "m": "1-3"}, {"r": 5, "f": "1-4"}]),
        ("Z", [{"r": "1-4"}]),
    ]
    customers = {
        (5, 5, 5): (3, "3"),
        (5, 5, 1): (6, "6"),
        (5, 1, 1): (20, "20"),
        (1, 1, 1): (90, "90"),
        (2, 1, 1): (90, "90"),
    }
    grid = section(customers, split).grid()
    assert grid.across == "f"
    assert [cell.customers.text for cell in grid.rows[0][1]] == ["hidden", "0", "0", "0", "hidden"]


def test_the_change_is_hidden_where_one_of_the_two_numbers_is() -> None:
    previous = earlier({"A": 12, "B": 9, "C": 1})
    rows = texts(
        section({(5, 1, 5): (10, "1"), (5, 1, 4): (9, "1"), (5, 1, 3): (20, "1")}, previous=previous).table().rows
    )
    assert [(row[0], row[-1]) for row in rows] == [("A", "-2"), ("B", "hidden"), ("C", "hidden")]


def test_the_change_of_all_customers_is_hidden_where_there_were_few() -> None:
    table = section({(5, 1, 5): (10, "1")}, previous=earlier({"A": 3})).table()
    assert isinstance(table.total[-1], Figure)
    assert table.total[-1].text == "hidden"


MOVES: dict[str, Any] = {
    "since": {"run_id": "2018-01-02-b", "as_of": "2018-01-02", "card": "card"},
    "customers": {"before": 30, "stayed": 20, "moved": 10, "new": 5, "vanished": 0, "now": 35},
    "causes": {"time_passed": 10, "new_customer": 5},
    "transitions": [],
    "by_segment": [
        {"code": code, "name": code, "before": before, "now": now, **dict.fromkeys(CAUSES, 0)}
        for code, before, now in (("A", 10, 5), ("B", 20, 30))
    ],
    "population_stability_index": 0.1,
}
"""The entry of a run that is compared with one of 2018-01-02."""


def test_the_change_is_that_since_the_run_with_which_the_manifest_compares() -> None:
    changes = RecordedMoves.model_validate(MOVES)
    people: dict[Cell, tuple[int, str]] = {(5, 1, 5): (5, "5"), (5, 1, 4): (30, "30")}
    segments = section(people, previous=earlier({"A": 99}), changes=changes)
    day = segments.compared_with()
    assert (day.text if day else None, segments.previous and segments.previous.run_id) == ("2018-01-02", "2018-01-02-b")
    assert [(row[0], row[-1]) for row in texts(segments.table().rows)] == [("A", "-5"), ("B", "+10"), ("C", "0")]
    assert "the same cut points" in segments.change_note()
    assert segments.changes is not None


def test_a_run_that_is_compared_with_none_has_no_change_whatever_runs_there_are() -> None:
    changes = RecordedBeginning.model_validate({"since": None})
    segments = section({(5, 1, 5): (10, "1")}, previous=earlier({"A": 99}), changes=changes)
    assert (segments.compared_with(), segments.changes) == (None, None)
    assert segments.change_note() == "This run was compared with none, so there is no change to show."


@pytest.mark.parametrize(
    ("previous", "note"),
    [
        (None, "No run as of an earlier day"),
        (earlier({}), "the same cut points"),
        (earlier({}, card="other"), "cut points of its own"),
        (earlier({}, measured_by=("all", "any", None)), "value purchases in another way"),
    ],
)
def test_the_note_says_why_customers_may_have_moved(previous: EarlierRun | None, note: str) -> None:
    assert note in section({(5, 1, 5): (10, "1")}, previous=previous).change_note()
