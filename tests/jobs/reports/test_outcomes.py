"""Whether segments predict, on the page: who bought again, and nothing that tells of single people."""

from typing import Any

from jobs.reports.customers import SmallCells
from jobs.reports.figures import Shown
from jobs.reports.outcomes import OutcomeSection, outcome_section
from jobs.reports.reported_validation import ReportedValidation

FIVE = SmallCells(5)


def outcome(customers: int, buyers: int) -> dict[str, Any]:
    """The figures of customers who pay 10 each time; the interval is none that is right."""
    return {
        "customers": customers,
        "repeat_buyers": buyers,
        "repeat_rate": buyers / customers if customers else None,
        "repeat_rate_interval": [0.1, 0.3] if customers else None,
        "revenue": f"{10 * buyers}.0000",
    }


def section(
    *segments: tuple[int, int], fifth: float = 0.4, new: int = 40, small_cells: SmallCells = FIVE
) -> OutcomeSection:
    """The section of segments with so many customers and repeat buyers."""
    estimate = {"value": 0.2, "interval": [-0.001, 0.4]}
    shares = {"repeat_buyers": fifth, "revenue": 0.5}
    stated = {
        "days": 90,
        "cut": "2018-05-31",
        "verdict": "It does.",
        "notes": ["A window."],
        **outcome(sum(customers for customers, _ in segments), sum(buyers for _, buyers in segments)),
        "segments": [
            {"code": f"S{place}", "name": f"Segment {place}", "lift": 1.0, **outcome(*each)}
            for place, each in enumerate(segments)
        ],
        "gini": {"segments": estimate, "recency": estimate},
        "gini_beyond_recency": {"segments": estimate},
        "best_fifth": {"segments": shares, "recency": shares},
        "new_customers": {"customers": new, "revenue": "70.0000"},
    }
    shown = outcome_section(ReportedValidation.model_validate(stated), small_cells)
    assert shown is not None
    return shown


def texts(row: list[Shown] | tuple[Shown, ...]) -> list[str]:
    return [each if isinstance(each, str) else getattr(each, "text", "") for each in row]


def rows(shown: OutcomeSection) -> list[list[str]]:
    """The figures of the segments, without the interval, and of the whole."""
    assert shown.segments is not None
    return [texts([*row[1:4], *row[5:]]) for row in (*shown.segments.rows, shown.segments.total)]


def test_a_segment_has_its_figures() -> None:
    shown = section((100, 20), (50, 10))
    assert rows(shown) == [
        ["100", "20", "20.00%", "1.00", "200.00", "2.00"],
        ["50", "10", "20.00%", "1.00", "100.00", "2.00"],
        ["150", "30", "20.00%", "1.00", "300.00", "2.00"],
    ]
    assert shown.about.text == (
        "Customers were scored as of 2018-05-31, by what they had bought by then, and followed for 90 days. It does."
    )
    assert texts(tuple(shown.notes)) == [
        "40 customers first bought after the cut, for 70.00 in all. They are in no segment at the cut.",
        "A window.",
    ]


def test_few_who_bought_again_are_hidden_with_all_that_gives_them_away() -> None:
    # Four of the first bought again. Who knows that 34 did in all could subtract, so the second is hidden too.
    shown = section((100, 4), (50, 10), (50, 20))
    assert rows(shown)[:2] == [["100", "< 5", "", "", "", ""], ["50", "hidden", "", "", "", ""]]
    assert rows(shown)[2][:2] == ["50", "20"]
    assert shown.chart is not None
    [values] = [values for values in shown.chart["datasets"].values() if "rate" in values[0]]
    assert [(value["rate"], value["low"], value["shown"]) for value in values] == [
        (None, None, "< 5"),
        (None, None, "hidden"),
        (0.4, 0.1, "40.00%"),
    ]


def test_few_who_did_not_buy_again_are_hidden_too() -> None:
    # Of ten customers seven bought again: three did not. Of the others, the third has the fewest who did not.
    assert [row[1] for row in rows(section((10, 7), (100, 50), (100, 60)))] == ["hidden", "50", "hidden", "117"]


def test_a_segment_in_which_nobody_bought_again_is_shown() -> None:
    assert [row[1] for row in rows(section((100, 0), (100, 30), (100, 30)))] == ["0", "30", "30", "60"]


def test_a_segment_of_few_customers_shows_not_even_their_number() -> None:
    shown = rows(section((3, 1), (100, 20), (100, 40)))
    assert [row[:2] for row in shown] == [["< 5", "< 5"], ["hidden", "hidden"], ["100", "40"], ["203", "61"]]


def test_the_best_fifth_is_hidden_where_few_of_it_bought_again() -> None:
    shown, hidden = section((100, 20)), section((100, 20), fifth=0.2)
    assert shown.rankings is not None
    assert hidden.rankings is not None
    assert texts(tuple(shown.rankings.rows[0])) == [
        *("the order of the segments", "0.20", "0.00 to 0.40", "0.20", "0.00 to 0.40", "40.0%", "50.0%"),
    ]
    # A fifth of the twenty are four people.
    assert texts(tuple(hidden.rankings.rows[0]))[-2:] == ["hidden", "hidden"]
    assert [len(row) for row in shown.rankings.rows] == [7, 7, 7]


def test_a_whole_of_few_repeat_buyers_tells_nothing_of_them() -> None:
    shown = section((100, 3), (100, 1))
    assert [row[1] for row in rows(shown)] == ["< 5", "< 5", "hidden"]
    assert (shown.rankings, shown.chart) == (None, None)


def test_few_new_customers_are_not_stated() -> None:
    assert texts(tuple(section((100, 20), new=4).notes)) == ["A window."]


def test_fewer_customers_than_are_shown_have_no_table() -> None:
    shown = section((3, 1))
    assert (shown.about.text, shown.segments, shown.chart) == (
        "There were < 5 customers at the cut.",
        None,
        None,
    )


def test_a_validation_of_nothing_says_why() -> None:
    stated = {"days": 90, "cut": "2018-05-31", "customers": 0, "verdict": "Not validated: nobody."}
    shown = outcome_section(ReportedValidation.model_validate(stated), FIVE)
    assert shown is not None
    assert (shown.about.text, shown.segments) == ("Not validated: nobody.", None)
    assert outcome_section(None, FIVE) is None


def test_one_as_the_smallest_cell_shows_all() -> None:
    assert [row[1] for row in rows(section((100, 1), (3, 1), small_cells=SmallCells(1)))] == ["1", "1", "2"]
