"""Reasons: bands, distances to the next better one, and the sentences about them. Worked out by hand."""

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from tests.frames import frame, money
from transforms.rfm.reasons import reason_columns, scores_of_reason, sentences
from transforms.rfm.scores import SCORED, Bands

CUSTOMERS = "days_since_last_purchase int, purchase_count bigint, total_value decimal(18,4)"

BANDS = {
    "r": Bands(SCORED["r"], (Decimal(10), Decimal(30), Decimal(1200)), (5, 4, 2, 1)),
    "f": Bands(SCORED["f"], tuple(map(Decimal, (1, 2, 3, 4))), (1, 2, 3, 4, 5)),
    "m": Bands(SCORED["m"], (money("0"), money("20.5")), (1, 3, 5)),
}
ONE_BAND = {letter: Bands(measure, (), (3,)) for letter, measure in SCORED.items()}

# The score of each value of a small grid.
DAYS = {0: 5, 10: 5, 11: 4, 30: 4, 31: 2, 1200: 2, 1201: 1}
PURCHASES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 17: 5}
MONEY = {money("-3.25"): 1, money("0"): 1, money("0.0001"): 3, money("20.5"): 3, money("20.5001"): 5}


def reasons(spark: SparkSession, *customers: tuple[int, int, Decimal], bands: dict[str, Bands] = BANDS) -> list[Row]:
    scores = [each.score().alias(each.measure.score) for each in bands.values()]
    reasons = frame(spark, CUSTOMERS, *customers).select("*", *scores).select("*", *reason_columns(bands))
    return reasons.drop(*(each.measure.score for each in bands.values())).collect()


@pytest.fixture(scope="module")
def grid(spark: SparkSession) -> list[Row]:
    """A customer for each combination of values, with the reasons."""
    return reasons(spark, *product(DAYS, PURCHASES, MONEY))


def of(grid: list[Row], days: int, purchases: int, amount: str) -> dict[str, Any]:
    [row] = [row for row in grid if tuple(row[:3]) == (days, purchases, money(amount))]
    return row.asDict()


def test_a_middle_band_has_both_ends_and_the_distance_to_the_next(grid: list[Row]) -> None:
    assert of(grid, 31, 3, "0.0001") == {
        "days_since_last_purchase": 31,
        "purchase_count": 3,
        "total_value": money("0.0001"),
        # One day nearer, it would be 30 days, which is in the better band.
        "r_band": "31 to 1200",
        "r_to_next": 1,
        # A fourth purchase is above 3.
        "f_band": "3",
        "f_to_next": 1,
        # More than this must be spent, to be above 20.50.
        "m_band": "above 0.00, up to 20.50",
        "m_to_next": money("20.4999"),
    }


def test_the_best_band_is_open_and_has_no_next(grid: list[Row]) -> None:
    best = of(grid, 10, 5, "20.5001")
    assert (best["r_band"], best["r_to_next"]) == ("up to 10", None)
    assert (best["f_band"], best["f_to_next"]) == ("5 or more", None)
    assert (best["m_band"], best["m_to_next"]) == ("above 20.50", None)


def test_the_worst_band_is_open_on_its_side(grid: list[Row]) -> None:
    worst = of(grid, 1201, 1, "-3.25")
    assert (worst["r_band"], worst["r_to_next"]) == ("1201 or more", 1)
    assert (worst["f_band"], worst["f_to_next"]) == ("up to 1", 1)
    assert (worst["m_band"], worst["m_to_next"]) == ("up to 0.00", money("3.25"))


def test_at_a_cut_point_of_money_nothing_is_missing_but_any_amount(grid: list[Row]) -> None:
    assert of(grid, 0, 1, "20.5")["m_to_next"] == money("0")
    assert of(grid, 0, 1, "0")["m_to_next"] == money("0")


def test_to_next_is_what_brings_the_next_better_score(grid: list[Row]) -> None:
    for row in grid:
        days, purchases, amount = row[:3]
        if row["r_to_next"] is not None:
            nearer = days - row["r_to_next"]
            assert DAYS[nearer] == min(score for score in DAYS.values() if score > DAYS[days])
            # A day less is not enough.
            assert BANDS["r"].position(nearer + 1) == BANDS["r"].position(days)
        if row["f_to_next"] is not None:
            assert PURCHASES[purchases + row["f_to_next"]] == PURCHASES[purchases] + 1
        if row["m_to_next"] is not None:
            more = amount + row["m_to_next"]
            assert MONEY[more] == MONEY[amount]
            assert MONEY[more + money("0.0001")] == MONEY[amount] + 2


def test_a_single_band_has_neither_ends_nor_a_next(spark: SparkSession) -> None:
    [row] = reasons(spark, (5, 2, money("7")), bands=ONE_BAND)
    assert list(row[3:]) == ["any", None] * 3
    assert sentences(row.asDict(), ONE_BAND) == [
        "R 3: last purchase 5 days ago; all customers score the same",
        "F 3: 2 purchases; all customers score the same",
        "M 3: 7.00 spent; all customers score the same",
    ]


def test_the_band_of_a_reason_gives_the_score_back(grid: list[Row]) -> None:
    assert len(grid) == 210
    for row in grid:
        days, purchases, amount = row[:3]
        expected = {"r": DAYS[days], "f": PURCHASES[purchases], "m": MONEY[amount]}
        assert scores_of_reason(row.asDict(), BANDS) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"r_band": "12 to 30"},
            "the card has no band '12 to 30' of days_since_last_purchase .found: up to 10, 11 to 30",
        ),
        ({"f_band": None}, "the card has no band None of purchase_count"),
        ({"m_band": "up to 20.50"}, "the card has no band 'up to 20.50' of total_value"),
    ],
)
def test_a_band_that_the_card_lacks_is_an_error(grid: list[Row], change: dict[str, Any], message: str) -> None:
    reason = of(grid, 11, 2, "20.5")
    assert scores_of_reason(reason, BANDS) == {"r": 4, "f": 2, "m": 3}
    with pytest.raises(ValueError, match=message):
        scores_of_reason({**reason, **change}, BANDS)


def customer(**columns: Any) -> dict[str, Any]:
    """A customer in the best band of each measure, but for these columns."""
    best = {"days_since_last_purchase": 2, "purchase_count": 5, "total_value": money("99")}
    return {**best, "r_to_next": None, "f_to_next": None, "m_to_next": None, **columns}


def test_the_best_bands_say_so() -> None:
    assert sentences(customer(), BANDS) == [
        "R 5: last purchase 2 days ago; that is the best band",
        "F 5: 5 purchases; that is the best band",
        "M 5: 99.00 spent; that is the best band",
    ]


@pytest.mark.parametrize(
    ("days", "to_next", "sentence"),
    [
        (0, None, "R 5: last purchase 0 days ago; that is the best band"),
        (1, None, "R 5: last purchase 1 day ago; that is the best band"),
        (11, 1, "R 4: last purchase 11 days ago; up to 10 days makes it 5"),
        # There are four bands, and none scores 3.
        (31, 1, "R 2: last purchase 31 days ago; up to 30 days makes it 4"),
        (1450, 250, "R 1: last purchase 1,450 days ago; up to 1,200 days makes it 2"),
    ],
)
def test_recency_is_said_in_days(days: int, to_next: int | None, sentence: str) -> None:
    assert sentences(customer(days_since_last_purchase=days, r_to_next=to_next), BANDS)[0] == sentence


def test_a_band_of_one_day_is_said_in_the_singular() -> None:
    bands = {"r": Bands(SCORED["r"], (Decimal(1), Decimal(9)), (5, 3, 1))}
    assert sentences(customer(days_since_last_purchase=3, r_to_next=2), bands) == [
        "R 3: last purchase 3 days ago; up to 1 day makes it 5"
    ]


@pytest.mark.parametrize(
    ("purchases", "to_next", "sentence"),
    [
        (1, 1, "F 1: 1 purchase; one more makes it 2"),
        (4, 1, "F 4: 4 purchases; one more makes it 5"),
        (1234, None, "F 5: 1,234 purchases; that is the best band"),
    ],
)
def test_frequency_is_said_in_purchases(purchases: int, to_next: int | None, sentence: str) -> None:
    assert sentences(customer(purchase_count=purchases, f_to_next=to_next), BANDS)[1] == sentence


@pytest.mark.parametrize(
    ("purchases", "to_next", "sentence"),
    [
        (1, 3, "F 1: 1 purchase; 3 more makes it 3"),
        (4, 1997, "F 3: 4 purchases; 1,997 more makes it 5"),
    ],
)
def test_fewer_bands_skip_scores(purchases: int, to_next: int, sentence: str) -> None:
    bands = {"f": Bands(SCORED["f"], (Decimal(3), Decimal(2000)), (1, 3, 5))}
    assert sentences(customer(purchase_count=purchases, f_to_next=to_next), bands) == [sentence]


@pytest.mark.parametrize(
    ("amount", "to_next", "sentence"),
    [
        ("-3.25", "3.25", "M 1: -3.25 spent; more than 3.25 more makes it 3"),
        ("7", "13.5", "M 3: 7.00 spent; more than 13.50 more makes it 5"),
        ("0.0001", "20.4999", "M 3: 0.0001 spent; more than 20.4999 more makes it 5"),
        ("20.5", "0", "M 3: 20.50 spent; any more makes it 5"),
        ("1234567.8", None, "M 5: 1,234,567.80 spent; that is the best band"),
        ("1234567.895", None, "M 5: 1,234,567.8950 spent; that is the best band"),
    ],
)
def test_money_is_said_to_the_cent_or_with_four_decimals(amount: str, to_next: str | None, sentence: str) -> None:
    missing = None if to_next is None else money(to_next)
    assert sentences(customer(total_value=money(amount), m_to_next=missing), BANDS)[2] == sentence


def test_a_row_of_spark_has_the_sentences_of_its_reasons(grid: list[Row]) -> None:
    assert sentences(of(grid, 1200, 1, "20.5"), BANDS) == [
        "R 2: last purchase 1,200 days ago; up to 30 days makes it 4",
        "F 1: 1 purchase; one more makes it 2",
        "M 3: 20.50 spent; any more makes it 5",
    ]
