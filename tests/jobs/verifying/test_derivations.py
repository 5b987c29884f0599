"""What the SQL of a verification makes of single values, worked by hand."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from jobs.verifying.cards import Card, cells_of
from jobs.verifying.fitted import bands_of
from jobs.verifying.measures import following, sundays
from jobs.verifying.olist import cause_of_order, first_day
from jobs.verifying.totals import amount_of_ledger

CARD = Card(
    {
        "scores": {
            "r": {"cut_points": [7, 8, 30], "scores": [5, 4, 2, 1]},
            "f": {"cut_points": [1, 2, 3, 4], "scores": [1, 2, 3, 4, 5]},
            "m": {"cut_points": ["10.0000", "1234.5678"], "scores": [1, 3, 5]},
        },
        "segment_map": {
            "name": "two",
            "segments": [
                {"name": "It's {best}", "code": "A", "advice": "-", "cells": [{"r": "4-5"}, 111]},
                {
                    "name": "Others",
                    "code": "B",
                    "advice": "-",
                    "cells": [{"r": "2-3"}, {"r": 1, "f": "2-5"}, *[f"11{m}" for m in range(2, 6)]],
                },
            ],
        },
    }
)


def value(sql: str) -> Any:
    with duckdb.connect() as connection:
        [(result,)] = connection.execute(f"select {sql}").fetchall()
    return result


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2018-06-30", "2018-06-30", 0),  # a Saturday
        ("2018-06-30", "2018-07-01", 1),  # to Sunday
        ("2018-07-01", "2018-07-07", 0),  # Sunday to Saturday
        ("2018-07-01", "2018-07-08", 1),  # Sunday to Sunday
        ("2018-07-07", "2018-07-15", 2),
        ("2018-03-04", "2018-06-30", 16),
        ("2018-02-02", "2018-06-30", 21),
    ],
)
def test_weeks_are_the_sundays_crossed(start: str, end: str, expected: int) -> None:
    assert value(sundays(f"date '{start}'", f"date '{end}'")) == expected


@pytest.mark.parametrize(
    ("total", "count", "average"),
    [
        ("0.0001", 2, "0.0001"),  # half of it is rounded up
        ("-0.0001", 2, "-0.0001"),  # and down below 0
        ("0.0001", 3, "0.0000"),
        ("10.0000", 3, "3.3333"),
        ("20.0000", 3, "6.6667"),
        ("99999999999999.9999", 1, "99999999999999.9999"),
        ("-99999999999999.9999", 2, "-50000000000000.0000"),
    ],
)
def test_the_average_is_rounded_half_up(total: str, count: int, average: str) -> None:
    sql, _ = following("2018-06-30")["average_purchase_value"]
    row = f"from (select cast('{total}' as decimal(18, 4)) as total_value, {count}::bigint as purchase_count)"
    assert value(f"{sql} {row}") == Decimal(average)


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        ("3.0000", "0.3333", "0.9999"),
        ("0.5000", "0.0001", "0.0001"),
        ("-0.5000", "0.0001", "-0.0001"),
        ("1.5", "2.5", "3.75"),
    ],
)
def test_an_amount_of_two_factors_is_rounded_half_up_once(quantity: str, price: str, amount: str) -> None:
    sql = amount_of_ledger(["quantity", "unit_price"])
    row = f"from (select {quantity}::decimal(18,4) as quantity, {price}::decimal(18,4) as unit_price)"
    assert value(f"{sql} {row}") == Decimal(amount)


@pytest.mark.parametrize(
    ("days", "score", "words", "to_next"),
    [
        (0, 5, "up to 7", None),
        (7, 5, "up to 7", None),
        (8, 4, "8", 1),
        (30, 2, "9 to 30", 22),
        (31, 1, "31 or more", 1),
    ],
)
def test_a_cut_point_of_days_belongs_to_the_better_band(days: int, score: int, words: str, to_next: int) -> None:
    measure = str(days)
    assert (value(CARD.score("r", measure)), value(CARD.words("r", measure))) == (score, words)
    assert value(CARD.to_next("r", measure)) == to_next


@pytest.mark.parametrize(
    ("money", "score", "words", "to_next"),
    [
        ("-5.0000", 1, "up to 10.00", "15.0000"),
        ("10.0000", 1, "up to 10.00", "0.0000"),
        ("10.0001", 3, "above 10.00, up to 1,234.5678", "1224.5677"),
        ("1234.5679", 5, "above 1,234.5678", None),
    ],
)
def test_a_cut_point_of_money_belongs_to_the_worse_band(
    money: str, score: int, words: str, to_next: str | None
) -> None:
    measure = f"cast('{money}' as decimal(18, 4))"
    assert (value(CARD.score("m", measure)), value(CARD.words("m", measure))) == (score, words)
    assert value(CARD.to_next("m", measure)) == (None if to_next is None else Decimal(to_next))


@pytest.mark.parametrize(("count", "score", "to_next"), [(1, 1, 1), (4, 4, 1), (5, 5, None), (99, 5, None)])
def test_purchases_are_counted_to_the_next_score(count: int, score: int, to_next: int | None) -> None:
    assert (value(CARD.score("f", str(count))), value(CARD.to_next("f", str(count)))) == (score, to_next)


def test_one_band_has_any_value() -> None:
    card = Card({"scores": {"m": {"cut_points": [], "scores": [3]}}})
    assert [value(sql("m", "cast(5 as decimal(18, 4))")) for sql in (card.score, card.words, card.to_next)] == [
        3,
        "any",
        None,
    ]


def test_a_segment_is_that_of_the_cell_and_nobodys_without_a_purchase() -> None:
    codes = [
        value(CARD.code({"r": str(r), "f": str(f), "m": f"cast({m} as decimal(18, 4))"}))
        for r, f, m in ((8, 1, 1), (31, 1, 1), (31, 1, 50), (31, 2, 1), (9, 0, 1))
    ]
    assert codes == ["A", "A", "B", "B", None]
    assert value(CARD.of_cell(1, {"r": "5", "f": "1", "m": "1"})) == "It's {best}"


def test_cells_are_scores_or_ranges() -> None:
    assert cells_of(545) == cells_of("545") == {(5, 4, 5)}
    assert cells_of({"r": "4-5", "f": 1, "m": "2"}) == {(4, 1, 2), (5, 1, 2)}


@pytest.mark.parametrize(
    ("letter", "percentiles", "highest", "expected"),
    [
        ("m", [1, 2, 3, 4], 9, ([1, 2, 3, 4], 5, None)),
        ("m", [1, 1, 3, 9], 9, ([1, 3], 3, "fewer_bands")),
        ("f", [1, 1, 1, 2], 9, ([1, 2, 3, 4], 3, "counts")),
        ("f", [1, 1, 1, 5], 9, ([1, 5], 3, "fewer_bands")),
        ("r", [7, 7, 7, 7], 7, ([], 1, "fewer_bands")),
    ],
)
def test_percentiles_that_coincide_are_one_cut_point(
    letter: str, percentiles: list[int], highest: int, expected: tuple[list[int], int, str | None]
) -> None:
    assert bands_of(letter, [Decimal(each) for each in percentiles], Decimal(highest)) == expected


def test_a_window_begins_on_the_day_after_that_of_so_many_months_ago() -> None:
    assert str(value(first_day("2018-10-17", 12) or "")) == "2017-10-18"
    assert str(value(first_day("2018-03-31", 1) or "")) == "2018-03-01"
    assert first_day("2018-10-17", None) is None


@pytest.mark.parametrize(
    ("status", "time", "cause"),
    [
        ("delivered", "2018-10-17 23:59:59", None),
        ("delivered", "2018-10-18 00:00:00", "purchased_after_as_of"),
        ("delivered", "2018-09-17 23:59:59", "purchased_before_window"),
        ("delivered", "2018-09-18 00:00:00", None),
        ("canceled", "2018-10-18 00:00:00", "order_status_not_counted"),
        (None, "2018-10-17 00:00:00", "order_status_not_counted"),
    ],
)
def test_the_first_cause_of_an_exclusion_counts(status: str | None, time: str, cause: str | None) -> None:
    sql = cause_of_order("2018-10-17", {"order_statuses": ["delivered", "it's sent"], "window_months": 1})
    stated = "null" if status is None else f"'{status}'"
    order = f"from (select {stated} as order_status, timestamp '{time}' as order_purchase_time)"
    assert value(f"{sql} {order}") == cause
