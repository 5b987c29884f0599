"""Bands: what is in which, how they are fitted, and what JSON may say of them. Computed by hand."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from tests.frames import frame, money
from transforms import schemas
from transforms.rfm.dimensions import ScoreCardError
from transforms.rfm.scores import SCORED, Bands, Degeneracy, fitted_bands

DAYS = Bands(SCORED["r"], tuple(map(Decimal, (10, 20, 30, 40))), (5, 4, 3, 2, 1))
PURCHASES = Bands(SCORED["f"], tuple(map(Decimal, (1, 2, 3, 4))), (1, 2, 3, 4, 5))
MONEY = Bands(SCORED["m"], (money("-5"), money("10"), money("20.5")), (1, 2, 4, 5))

SCORES: dict[str, dict[Any, int]] = {
    # The fewer days, the better: a cut point belongs to the band below it, which is the better one.
    "r": {0: 5, 9: 5, 10: 5, 11: 4, 20: 4, 21: 3, 30: 3, 31: 2, 40: 2, 41: 1, 4_000: 1},
    "f": {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 5, 7: 5, 17: 5, 30: 5, 99: 5, 9_000_000_000: 5},
    "m": {
        money("-500"): 1,
        money("-5.0001"): 1,
        money("-5"): 1,
        money("-4.9999"): 2,
        money("0"): 2,
        money("10"): 2,
        money("10.0001"): 4,
        money("20.5"): 4,
        money("20.5001"): 5,
        money("21"): 5,
        money("99999999999999.9999"): 5,
    },
}
"""By measure and value, the score that the bands above give."""


def unasked() -> tuple[int, int, float]:
    """The commonest value of a measure with five bands."""
    pytest.fail("five bands need no commonest value")


def fitted(letter: str, percentiles: list[int], *, highest: int) -> Bands:
    """Bands in which two values are told apart, 7 is the commonest, and three customers of four have it."""
    return fitted_bands(SCORED[letter], percentiles, highest=highest, commonest=lambda: (2, 7, 0.75))


@pytest.fixture(scope="module")
def customers(spark: SparkSession) -> DataFrame:
    """A customer for each value of `SCORES`."""
    columns = [schemas.MEASURES[SCORED[letter].column] for letter in SCORES]
    return frame(spark, StructType(columns), *zip(*SCORES.values(), strict=True))


@pytest.mark.parametrize("bands", [DAYS, PURCHASES, MONEY], ids=["days", "purchases", "money"])
def test_a_value_that_equals_a_cut_point_is_in_the_band_below(bands: Bands) -> None:
    expected = SCORES[bands.measure.letter]
    assert {value: bands.scores[bands.position(value)] for value in expected} == expected


def test_the_columns_score_rows_as_the_bands_score_values(customers: DataFrame) -> None:
    all_bands = (DAYS, PURCHASES, MONEY)
    columns = [bands.score().alias(bands.measure.score) for bands in all_bands]
    rows = customers.select("*", *columns).collect()
    for bands in all_bands:
        scores = {row[bands.measure.column]: row[bands.measure.score] for row in rows}
        assert scores == SCORES[bands.measure.letter]
    assert [field.dataType for field in customers.select(*columns).schema] == [
        schemas.RFM[bands.measure.score].dataType for bands in all_bands
    ]


def test_a_measure_with_one_band_scores_3_for_everyone(customers: DataFrame) -> None:
    rows = customers.select(Bands(SCORED["r"], (), (3,)).score().alias("score")).distinct().collect()
    assert [row["score"] for row in rows] == [3]


def test_a_measure_is_a_whole_number_in_units_of_its_last_decimal(customers: DataFrame) -> None:
    rows = customers.select("*", *[SCORED[letter].whole().alias(letter) for letter in SCORES]).collect()
    by_money = {row["total_value"]: row["m"] for row in rows}
    assert by_money[money("-4.9999")] == -49_999
    assert by_money[money("99999999999999.9999")] == 999_999_999_999_999_999
    assert all(row["r"] == row["days_since_last_purchase"] and row["f"] == row["purchase_count"] for row in rows)
    assert [SCORED["m"].from_whole(whole) for whole in by_money.values()] == list(by_money)


def test_edges_are_the_cut_points_around_a_band() -> None:
    assert [MONEY.edges(position) for position in range(4)] == [
        (None, money("-5")),
        (money("-5"), money("10")),
        (money("10"), money("20.5")),
        (money("20.5"), None),
    ]


@pytest.mark.parametrize(
    ("letter", "percentiles", "highest", "expected"),
    [
        ("r", [10, 20, 30, 40], 41, DAYS),
        ("f", [1, 2, 3, 4], 5, PURCHASES),
        # Money comes in units of its last decimal.
        (
            "m",
            [-1, 0, 100_000, 100_001],
            100_002,
            Bands(SCORED["m"], tuple(map(money, ("-0.0001", "0", "10", "10.0001"))), (1, 2, 3, 4, 5)),
        ),
    ],
)
def test_four_percentiles_below_the_highest_value_make_five_bands(
    letter: str, percentiles: list[int], highest: int, expected: Bands
) -> None:
    assert fitted_bands(SCORED[letter], percentiles, highest=highest, commonest=unasked) == expected


@pytest.mark.parametrize(
    ("percentiles", "highest", "cut_points", "scores"),
    [
        # A percentile that occurs twice is one cut point.
        ([10, 10, 20, 30], 31, (10, 20, 30), (1, 2, 4, 5)),
        ([10, 10, 20, 20], 31, (10, 20), (1, 3, 5)),
        ([10, 10, 10, 10], 31, (10,), (1, 5)),
        # A cut point at the highest value would have nobody above it.
        ([10, 20, 30, 31], 31, (10, 20, 30), (1, 2, 4, 5)),
        ([10, 31, 31, 31], 31, (10,), (1, 5)),
        ([31, 31, 31, 31], 31, (), (3,)),
    ],
)
def test_percentiles_that_coincide_leave_fewer_bands_with_spread_scores(
    percentiles: list[int], highest: int, cut_points: tuple[int, ...], scores: tuple[int, ...]
) -> None:
    for letter, in_order in (("r", scores[::-1]), ("f", scores)):
        assert fitted(letter, percentiles, highest=highest) == Bands(
            SCORED[letter],
            tuple(map(Decimal, cut_points)),
            in_order,
            Degeneracy(2, Decimal(7), 0.75, len(scores), "fewer_bands"),
        )


def test_fewer_bands_of_money_say_the_commonest_amount() -> None:
    bands = fitted_bands(SCORED["m"], [70_000] * 4, highest=90_000, commonest=lambda: (3, 70_000, 0.9))
    assert bands.cut_points == (money("7"),)
    assert bands.scores == (1, 5)
    assert bands.degeneracy == Degeneracy(3, money("7"), 0.9, 2, "fewer_bands")


@pytest.mark.parametrize(
    ("percentiles", "highest", "bands"),
    [
        ([1, 1, 1, 1], 17, 2),
        ([1, 1, 2, 4], 9, 4),
        ([1, 1, 1, 1], 1, 1),
        # Nobody has a score of 5.
        ([1, 2, 3, 4], 4, 4),
    ],
)
def test_purchases_are_scored_by_their_number_where_the_highest_percentile_is_4_or_less(
    percentiles: list[int], highest: int, bands: int
) -> None:
    assert fitted("f", percentiles, highest=highest) == Bands(
        SCORED["f"], PURCHASES.cut_points, PURCHASES.scores, Degeneracy(2, Decimal(7), 0.75, bands, "counts")
    )


def test_purchases_are_not_scored_by_their_number_where_a_percentile_is_above_4() -> None:
    bands = fitted("f", [1, 1, 2, 5], highest=9)
    assert (bands.cut_points, bands.scores) == ((Decimal(1), Decimal(2), Decimal(5)), (1, 2, 4, 5))
    assert bands.degeneracy is not None
    assert bands.degeneracy.fallback == "fewer_bands"


@pytest.mark.parametrize("letter", ["r", "m"])
def test_only_purchases_are_scored_by_their_number(letter: str) -> None:
    degeneracy = fitted(letter, [1, 1, 2, 3], highest=9).degeneracy
    assert degeneracy is not None
    assert degeneracy.fallback == "fewer_bands"


def test_one_customer_has_the_middle_score_and_the_score_of_the_number_of_purchases() -> None:
    scores = {}
    for letter, value in {"r": 12, "f": 2, "m": 999}.items():
        bands = fitted_bands(SCORED[letter], [value] * 4, highest=value, commonest=lambda value=value: (1, value, 1.0))
        scores[letter] = bands.scores[bands.position(SCORED[letter].from_whole(value))]
        assert bands.degeneracy is not None
        assert (bands.degeneracy.distinct_values, bands.degeneracy.commonest_share, bands.degeneracy.bands) == (1, 1, 1)
    assert scores == {"r": 3, "f": 2, "m": 3}


def test_json_states_measure_unit_and_cut_points_with_money_as_text() -> None:
    bands = fitted_bands(SCORED["m"], [70_000, 70_000, 75_000, 80_001], highest=90_000, commonest=lambda: (9, 5, 0.5))
    assert bands.as_json() == {
        "measure": "total_value",
        "unit": "currency",
        "cut_points": ["7.0000", "7.5000", "8.0001"],
        "scores": [1, 2, 4, 5],
        "degenerate": {
            "distinct_values": 9,
            "commonest_value": "0.0005",
            "commonest_share": 0.5,
            "bands": 4,
            "fallback": "fewer_bands",
        },
    }
    assert DAYS.as_json() == {
        "measure": "days_since_last_purchase",
        "unit": "days",
        "cut_points": [10, 20, 30, 40],
        "scores": [5, 4, 3, 2, 1],
    }


@pytest.mark.parametrize(
    "bands",
    [
        DAYS,
        PURCHASES,
        MONEY,
        fitted("r", [1, 1, 2, 3], highest=3),
        fitted("f", [1, 1, 1, 1], highest=17),
        fitted("m", [-(10**17), 1, 1, 10**17 + 1], highest=10**17 + 2),
        fitted("m", [5, 5, 5, 5], highest=5),
    ],
    ids=["days", "purchases", "money", "fewer bands", "counts", "much money", "one band"],
)
def test_bands_are_restored_from_their_json(bands: Bands) -> None:
    restored = Bands.from_json(json.loads(json.dumps(bands.as_json())), letter=bands.measure.letter)
    assert restored == bands
    assert json.dumps(restored.as_json()) == json.dumps(bands.as_json())


def test_money_may_be_a_number_in_json() -> None:
    content = {"cut_points": [0, 0.1, 7, "20.5"], "scores": [1, 2, 3, 4, 5]}
    assert Bands.from_json(content, letter="m").cut_points == tuple(map(money, ("0", "0.1", "7", "20.5")))


GOOD: dict[str, Any] = {"cut_points": [1, 2], "scores": [1, 3, 5]}
DEGENERATE: dict[str, Any] = {
    "distinct_values": 3,
    "commonest_value": 1,
    "commonest_share": 0.5,
    "bands": 3,
    "fallback": "fewer_bands",
}
FIELDS = ("expected distinct_values, commonest_value, commonest_share, bands, and a fallback of: counts, fewer_bands",)
WHOLE, FEW = (f"expected a whole number of at most {digits} digits" for digits in (14, 9))
AMOUNT = "expected an amount of at most 14 digits before the point and 4 after it"


@pytest.mark.parametrize(
    ("letter", "content", "found", "expected"),
    [
        ("f", None, '"f" of "scores" is None', 'expected an object with "cut_points"'),
        ("r", [1, 2], '"r" of "scores" is [1, 2]', 'expected an object with "cut_points"'),
        ("f", {"scores": [3]}, '"cut_points" of "f" is None', "expected a list of numbers"),
        ("m", {**GOOD, "cut_points": "1"}, '"cut_points" of "m" is \'1\'', "expected a list of numbers"),
        ("f", {"cut_points": []}, '"scores" of "f" is None', "expected a list of whole numbers"),
        ("f", {**GOOD, "scores": {"1": 1}}, '"scores" of "f" is {\'1\': 1}', "expected a list of whole numbers"),
        ("f", {**GOOD, "scores": [1, 2.0, 3]}, '"scores" of "f" is [1, 2.0, 3]', "expected a list of whole numbers"),
        ("f", {**GOOD, "scores": [True, 2, 3]}, '"scores" of "f" is [True, 2, 3]', "expected a list of whole numbers"),
        ("f", {**GOOD, "cut_points": [1, "many"]}, "a value of \"f\" is 'many'", WHOLE),
        ("f", {**GOOD, "cut_points": [1, 1.5]}, 'a value of "f" is 1.5', WHOLE),
        ("f", {**GOOD, "cut_points": [True, 2]}, 'a value of "f" is True', WHOLE),
        ("r", {**GOOD, "cut_points": [[], 2]}, 'a value of "r" is []', FEW),
        ("r", {**GOOD, "cut_points": [2, 3_000_000_000]}, 'a value of "r" is 3000000000', FEW),
        (
            "r",
            {**GOOD, "measure": "total_value"},
            '"measure" of "r" is \'total_value\'',
            'expected "days_since_last_purchase"',
        ),
        ("r", {**GOOD, "cut_points": ["NaN", 2]}, "a value of \"r\" is 'NaN'", FEW),
        ("m", {**GOOD, "cut_points": [float("nan"), 2]}, 'a value of "m" is nan', AMOUNT),
        ("m", {**GOOD, "cut_points": [0, "Infinity"]}, "a value of \"m\" is 'Infinity'", AMOUNT),
        ("m", {**GOOD, "cut_points": [0, "0.00001"]}, "a value of \"m\" is '0.00001'", AMOUNT),
        ("m", {**GOOD, "cut_points": [0, 10**14]}, 'a value of "m" is 100000000000000', AMOUNT),
        ("m", {**GOOD, "cut_points": [0, "1e999999999"]}, "a value of \"m\" is '1e999999999'", AMOUNT),
        ("f", {**GOOD, "cut_points": [2, 1]}, '"cut_points" of "f" are [2, 1]', "expected ascending values"),
        ("m", {**GOOD, "cut_points": [1, "1.0"]}, '"cut_points" of "m" are ', "expected ascending values"),
        ("f", {**GOOD, "scores": [5, 3, 1]}, '"scores" of "f" are [5, 3, 1]', "expected ascending numbers from 1 to 5"),
        ("r", GOOD, '"scores" of "r" are [1, 3, 5]', "expected descending numbers from 1 to 5"),
        ("f", {**GOOD, "scores": [1, 1, 5]}, '"scores" of "f" are [1, 1, 5]', "expected ascending numbers from 1 to 5"),
        ("f", {**GOOD, "scores": [0, 1, 5]}, '"scores" of "f" are [0, 1, 5]', "expected ascending numbers from 1 to 5"),
        ("m", {**GOOD, "scores": [1, 3, 6]}, '"scores" of "m" are [1, 3, 6]', "expected ascending numbers from 1 to 5"),
        ("f", {**GOOD, "scores": [1, 5]}, '"f" has 2 cut points and 2 scores', "expected one score more"),
        ("f", {"cut_points": [], "scores": []}, '"f" has 0 cut points and 0 scores', "expected one score more"),
        ("f", {**GOOD, "degenerate": []}, '"degenerate" of "f" is []', *FIELDS),
        ("f", {**GOOD, "degenerate": {}}, '"degenerate" of "f" is {}', *FIELDS),
        ("f", {**GOOD, "degenerate": {**DEGENERATE, "fallback": "ntile"}}, '"degenerate" of "f" is {', *FIELDS),
        ("f", {**GOOD, "degenerate": {**DEGENERATE, "bands": 2.0}}, '"degenerate" of "f" is {', *FIELDS),
        ("f", {**GOOD, "degenerate": {**DEGENERATE, "distinct_values": "3"}}, '"degenerate" of "f" is {', *FIELDS),
        ("f", {**GOOD, "degenerate": {**DEGENERATE, "commonest_share": None}}, '"degenerate" of "f" is {', *FIELDS),
        ("f", {**GOOD, "degenerate": {**DEGENERATE, "commonest_value": "x"}}, "a value of \"f\" is 'x'", WHOLE),
    ],
)
def test_malformed_bands_are_an_error_that_names_what_was_found_and_expected(
    letter: str, content: Any, found: str, expected: str
) -> None:
    with pytest.raises(ScoreCardError) as error:
        Bands.from_json(content, letter=letter)
    assert str(error.value).startswith(found)
    assert f"({expected})" in str(error.value)
