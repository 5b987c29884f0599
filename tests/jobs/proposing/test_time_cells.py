"""In which form a column has its times, and whether its sample tells day and month apart."""

from collections import Counter
from datetime import date

import pytest

from expectations.rules.cell_forms import TIME_FORMAT
from jobs.proposing.time_cells import TimeForm, is_clock, time_form_of

ISO = [
    ["2018-10-17"],
    ["2018-10-17 17:30"],
    ["2018-10-17 17:30:18"],
    ["2018-10-17T17:30:18.123456"],
    ["2018-10-17", "2018-10-17 17:30:18"],
]

OTHER_FORMATS = [
    ("dd.MM.yyyy", ["17.10.2018", "03.10.2018"]),
    ("d.M.yyyy", ["17.10.2018", "3.10.2018"]),
    ("d.M.yyyy", ["17.10.2018", "13.11.2018"]),
    ("dd.MM.yy", ["17.10.18", "03.10.18"]),
    ("dd/MM/yyyy HH:mm", ["17/10/2018 17:30", "03/10/2018 09:05"]),
    ("MM/dd/yyyy HH:mm:ss", ["10/17/2018 17:30:18", "10/03/2018 09:05:00"]),
    ("M/d/yyyy h:mm a", ["10/17/2018 5:30 PM", "10/3/2018 9:05 AM"]),
    ("M/d/yyyy h:mma", ["10/17/2018 5:30pm", "10/3/2018 9:05am"]),
    ("dd-MM-yyyy", ["17-10-2018", "03-10-2018"]),
    ("dd-MMM-yyyy", ["17-Oct-2018", "03-NOV-2018"]),
    ("d MMM yyyy", ["17 Oct 2018", "3 Nov 2018"]),
    ("yyyy/MM/dd", ["2018/10/17", "2018/10/03"]),
    ("yyyy-M-d", ["2018-10-17", "2018-10-3", "2018-9-3"]),
    ("dd.MM.yyyy'T'HH:mm", ["17.10.2018T17:30", "03.10.2018T09:30"]),
    ("dd.MM.yyyy, HH:mm", ["17.10.2018, 17:30", "03.10.2018, 09:30"]),
    ("dd.MM.yyyy HH:mm:ss.SSS", ["17.10.2018 17:30:18.123", "03.10.2018 09:30:00.000"]),
    ("yyyyMMdd", ["20181017", "20181003"]),
    ("yyyyMMddHHmmss", ["20181017173018"]),
]

NO_TIMES = [
    ["12.50", "3.40"],
    ["17:30", "18:30"],
    ["32.13.2018"],
    ["2018-13-17"],
    ["99999999", "20181017"],
    ["1.2.3", "4.5.6"],
    ["17 10 2018"],
    ["17-Okt-2018"],
    ["17.10.2018", "x", "y"],
    ["10/17/2018 25:30"],
    ["1539797418"],
    [],
]


def form_of(cells: list[str]) -> TimeForm | None:
    return time_form_of(Counter(cells))


@pytest.mark.parametrize("cells", ISO, ids=" and ".join)
def test_iso_needs_no_format(cells: list[str]) -> None:
    form = form_of(cells)
    assert form
    assert (form.format, form.zone, form.other_cells) == (None, "none", 0)


@pytest.mark.parametrize(("expected", "cells"), OTHER_FORMATS, ids=[name for name, _ in OTHER_FORMATS])
def test_another_form_has_a_format_in_sparks_letters(expected: str, cells: list[str]) -> None:
    form = form_of(cells)
    assert form
    assert (form.format, form.other_format) == (expected, None)
    assert TIME_FORMAT.fullmatch(expected)


@pytest.mark.parametrize("cells", NO_TIMES, ids=lambda cells: " and ".join(cells) or "nothing")
def test_what_is_no_time_has_no_form(cells: list[str]) -> None:
    assert form_of(cells) is None


@pytest.mark.parametrize(
    ("cell", "zone"),
    [
        ("2018-10-17T17:30:18Z", "UTC"),
        ("2018-10-17 17:30:18 UTC", "UTC"),
        ("2018-10-17 17:30:18+00", "UTC"),
        ("2018-10-17T17:30:18+02:00", "offsets"),
        ("2018-10-17T17:30:18-0300", "offsets"),
    ],
)
def test_an_offset_says_the_zone(cell: str, zone: str) -> None:
    form = form_of([cell])
    assert form
    assert form.zone == zone


@pytest.mark.parametrize(
    ("cells", "expected", "other"),
    [
        # Read as days of one month they are five days apart, the other way round four months.
        (["01/10/2018", "05/10/2018"], "dd/MM/yyyy", "MM/dd/yyyy"),
        (["10/01/2018", "10/05/2018"], "MM/dd/yyyy", "dd/MM/yyyy"),
        (["02/03/2018"], "dd/MM/yyyy", "MM/dd/yyyy"),
        (["02/03/2018 05:00 PM"], "MM/dd/yyyy hh:mm a", "dd/MM/yyyy hh:mm a"),
        (["02.03.2018"], "dd.MM.yyyy", "MM.dd.yyyy"),
    ],
)
def test_days_and_months_up_to_twelve_leave_a_doubt(cells: list[str], expected: str, other: str) -> None:
    form = form_of(cells)
    assert form
    assert (form.format, form.other_format) == (expected, other)


def test_a_few_cells_in_another_form_are_counted() -> None:
    form = form_of([*["17.10.2018"] * 19, "unknown"])
    assert form
    assert form.other_cells == 1


@pytest.mark.parametrize(
    ("cells", "cell", "day"),
    [
        (["2018-10-17"], "2018-10-17 10:00:00", date(2018, 10, 17)),
        (["20181017"], "20181017", date(2018, 10, 17)),
        (["10/17/18"], "10/17/18", date(2018, 10, 17)),
        (["17-Oct-2018"], "17-Oct-2018", date(2018, 10, 17)),
        (["2018-10-17"], "unknown", None),
    ],
)
def test_the_day_of_a_cell(cells: list[str], cell: str, day: date | None) -> None:
    form = form_of(cells)
    assert form
    assert form.day_of(cell) == day


def test_a_time_of_day_is_none_of_a_date() -> None:
    assert [cell for cell in ("17:30", "5:30:18 PM", "2018-10-17 17:30", "12.50") if is_clock(cell)] == [
        "17:30",
        "5:30:18 PM",
    ]
