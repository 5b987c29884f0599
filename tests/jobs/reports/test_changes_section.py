"""What changed, on the page: what is said of it, and what is hidden. No Spark: it is made of the manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.reports.changes import ChangesSection
from jobs.reports.customers import SmallCells
from jobs.reports.figures import Figure, Named
from jobs.runs.recorded_changes import RecordedMoves
from transforms.changes import CAUSES, STEPS

STEP = {step: number for number, step in enumerate(STEPS)}
Ways = Mapping[str, int]
"""How many customers went from a segment to another, such as "A>B time_passed"; ">A" are new, and "A>" vanished."""


def moves(ways: Ways, **changes: Any) -> RecordedMoves:
    """The manifest's entry about ways of one step each."""
    codes = sorted({code for way in ways for code in way.split()[0].split(">") if code})
    causes = dict.fromkeys(CAUSES, 0)
    by_segment = {code: dict.fromkeys(("before", "now", *CAUSES), 0) for code in codes}
    transitions = []
    for way, count in ways.items():
        names, *cause = way.split()
        start, end = names.split(">")
        transitions.append({"from": start or None, "to": end or None, "customers": count})
        name = "new_customer" if not start else "vanished_customer" if not end else cause[0] if cause else None
        if name is not None:
            causes[name] += count
        for code, side, sign in ((start, "before", -1), (end, "now", 1)):
            if code:
                by_segment[code][side] += count
                by_segment[code][name or side] += sign * count if name else 0
    new, vanished = causes["new_customer"], causes["vanished_customer"]
    moved = sum(causes[step] for step in STEPS)
    stayed = sum(ways.values()) - new - vanished - moved
    customers = {"stayed": stayed, "moved": moved, "new": new, "vanished": vanished}
    customers |= {"before": stayed + moved + vanished, "now": stayed + moved + new}
    content = {
        "since": {"run_id": "2018-06-30-before", "as_of": "2018-06-30", "card": "ab"},
        "settings_that_differ": {},
        "customers": customers,
        "causes": causes,
        "transitions": transitions,
        "by_segment": [{"code": code, "name": f"segment {code}", **each} for code, each in by_segment.items()],
        "population_stability_index": 0.12345,
        **changes,
    }
    return RecordedMoves.model_validate(content)


def section(ways: Ways, *, smallest: int = 5, **changes: Any) -> ChangesSection:
    recorded, small = moves(ways, **changes), SmallCells(smallest)
    return ChangesSection(recorded, small, now=small.hidden({each.code: each.now for each in recorded.by_segment}))


def texts(row: Sequence[Any]) -> list[str]:
    return [each.code if isinstance(each, Named) else each.text if isinstance(each, Figure) else each for each in row]


def numbers(of: ChangesSection) -> list[str]:
    """The figures of the first table, by row."""
    return [texts(row)[1] for row in of.numbers().rows]


def matrix(of: ChangesSection) -> list[list[str]]:
    return [texts([row.name, *[figure for figure, _ in row.cells]]) for row in of.matrix()]


LARGE = {
    "A>A": 40, "A>B time_passed": 10, "A>C cut_points": 6, "A>": 5,
    "B>B": 70, "B>A new_purchases": 8, "C>C": 20, ">A": 9,
}  # fmt: skip


def test_large_numbers_are_all_shown_and_lead_from_then_to_now() -> None:
    changes = section(LARGE)
    # Then 40 + 10 + 6 + 5 + 70 + 8 + 20; now 5 fewer and 9 more.
    assert numbers(changes) == ["159", "130", "24", "0", "8", "10", "6", "0", "5", "9"]
    assert texts(changes.numbers().total) == ["customers now", "163"]
    assert matrix(changes) == [
        ["A", "40", "10", "6", "5"],
        ["B", "8", "70", "0", "0"],
        ["C", "0", "0", "20", "0"],
        ["new", "9", "0", "0", ""],
    ]
    assert [[stayed for _, stayed in row.cells] for row in changes.matrix()][1] == [False, True, False, False]
    bridge = changes.bridge()
    assert bridge.header[1:5] == ["before", "new", "vanished", "past data"]
    assert [texts(row) for row in bridge.rows] == [
        ["A", "61", "+9", "-5", "0", "+8", "-10", "-6", "0", "57"],
        ["B", "78", "0", "0", "0", "-8", "+10", "0", "0", "80"],
        ["C", "20", "0", "0", "0", "0", "0", "+6", "0", "26"],
    ]
    assert texts(bridge.total) == ["all customers", "159", "+9", "-5", "0", "0", "0", "0", "0", "163"]
    assert not changes.hides_some


def test_a_small_cause_is_hidden_with_those_who_stayed() -> None:
    changes = section({**LARGE, "A>C cut_points": 2})
    # 159 - 5 - 8 - 10 is the sum of those who stayed and of two: neither can be told.
    assert numbers(changes) == ["155", "hidden", "hidden", "0", "8", "10", "< 5", "0", "5", "9"]
    assert changes.hides_some
    # The way of two people, with the diagonal and the way that nobody went.
    assert matrix(changes) == [
        ["A", "hidden", "10", "hidden", "5"],
        ["B", "8", "70", "0", "0"],
        ["C", "hidden", "0", "hidden", "0"],
        ["new", "9", "0", "0", ""],
    ]
    assert [row[-2] for row in map(texts, changes.bridge().rows)] == ["0", "0", "0"]
    [a, _, c] = [texts(row) for row in changes.bridge().rows]
    assert (a[-3], c[-3]) == ("hidden", "hidden")


def test_few_new_customers_are_hidden_in_every_table() -> None:
    changes = section({**LARGE, ">A": 3})
    # The difference of both runs is known, so those who vanished are hidden with those who are new.
    assert numbers(changes)[-2:] == ["hidden", "< 5"]
    assert matrix(changes)[-1][1:] == ["hidden", "hidden", "hidden", ""]
    assert {texts(row)[2] for row in changes.bridge().rows} == {"hidden"}
    assert texts(changes.bridge().total)[2:4] == ["hidden", "hidden"]


def test_a_segment_that_is_hidden_now_or_then_tells_nothing_here() -> None:
    changes = section({"A>A": 40, "B>B": 50, "C>C": 2, "A>B time_passed": 10})
    rows = {row[0]: row[1:] for row in matrix(changes)}
    # A is hidden with C, since all customers are known.
    assert rows["C"] == ["hidden"] * 4
    assert rows["A"] == ["hidden"] * 4
    assert [row[0] for row in rows.values()] == ["hidden", "hidden", "hidden", "hidden"]
    bridge = {row[0]: row[1:] for row in map(texts, changes.bridge().rows)}
    assert (bridge["C"][0], bridge["C"][-1]) == ("< 5", "< 5")
    assert set(bridge["C"][1:-1]) == {"hidden"}


def test_a_run_with_few_customers_then_or_now_shows_no_figure() -> None:
    assert section({"A>A": 3, ">A": 90}).is_hidden
    assert section({"A>A": 3, "A>": 90}).is_hidden
    assert not section({"A>A": 3, ">A": 90}, smallest=1).is_hidden
    assert not section(LARGE).is_hidden


def test_with_one_as_the_smallest_cell_nothing_is_hidden() -> None:
    changes = section({**LARGE, ">A": 1, "A>C cut_points": 1}, smallest=1)
    assert numbers(changes) == ["154", "130", "19", "0", "8", "10", "1", "0", "5", "1"]
    assert not changes.hides_some


def test_the_index_is_read_by_its_convention() -> None:
    assert "0.123, which is called moderate" in section(LARGE).index_note().text
    assert "called stable" in section(LARGE, population_stability_index=0.0999).index_note().text
    assert "called large" in section(LARGE, population_stability_index=0.2501).index_note().text


def test_settings_that_differ_are_named_with_their_values_where_they_are_short() -> None:
    settings = {
        "order_statuses": ["all", ["delivered", "shipped"]],
        "window_months": [None, 12],
        "source": [{"k": "v" * 99}, {}],
    }
    assert section(LARGE).settings_note() == ""
    assert (
        section(LARGE, settings_that_differ=settings)
        .settings_note()
        .startswith(
            "Settings that differ: order statuses (all then, delivered, shipped now); window months (none then, 12 "
            "now); source (another). What they did counts as past data"
        )
    )
