"""Measures, bounds and normalised figures, computed by hand."""

from datetime import date

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.inputs.segment_maps import load_maps
from tests.frames import assert_same_rows, at, frame, money
from transforms import schemas
from transforms.rfm.dimensions import Bounds
from transforms.rfm.measures import (
    apply_card,
    customer_measures,
    customers_without_purchases,
    fitted_bounds,
    is_outside_range,
    measured_customers,
    people_totals,
    purchases_of_people,
)
from transforms.rfm.score_card import DEFAULT_PERCENTS, ScoreCard, Scoring
from transforms.rfm.scores import SCORED, Bands

AS_OF = date(2018, 1, 20)  # a Saturday


@pytest.fixture(scope="module")
def bought(spark: SparkSession) -> DataFrame:
    return frame(
        spark,
        schemas.PURCHASES,
        # The last purchase is on a Sunday, in the week of as_of.
        ("ann", at("2018-01-14 00:00:00"), money("10")),
        ("ann", at("2017-01-01 10:00:00"), money("0.01")),
        ("ann", at("2017-01-01 10:00:01"), money("0")),
        # A Saturday, one Sunday before as_of.
        ("bob", at("2018-01-13 23:59:59"), money("100")),
    )


def card(recency: tuple[float, float], frequency: tuple[float, float], monetary: tuple[float, float]) -> ScoreCard:
    bounds = {"recency": Bounds(*recency), "frequency": Bounds(*frequency), "monetary": Bounds(*monetary)}
    bands = {letter: Bands(measure, (), (3,)) for letter, measure in SCORED.items()}
    scoring = Scoring(bands, DEFAULT_PERCENTS, load_maps(None).over_frequency)
    return ScoreCard(name="test", bounds=bounds, as_of=AS_OF, scoring=scoring)


def test_a_customer_is_measured_by_last_purchase_number_of_purchases_and_their_mean(
    spark: SparkSession, bought: DataFrame
) -> None:
    end = at("2018-01-20 23:59:59")
    assert_same_rows(
        customer_measures(purchases=bought, as_of=AS_OF),
        frame(
            spark,
            schemas.MEASURES,
            # 10.01 / 3 = 3.33666..., rounded half up. From 2017-01-01 to 2018-01-20: 365 + 19 days.
            (
                *("ann", end, at("2017-01-01 10:00:00"), at("2018-01-14 00:00:00"), 6, 0, 384),
                *(3, money("3.3367"), money("10.01")),
            ),
            (
                *("bob", end, at("2018-01-13 23:59:59"), at("2018-01-13 23:59:59"), 7, 1, 7),
                *(1, money("100"), money("100")),
            ),
        ),
    )


def test_bounds_are_the_extremes_over_customers_and_monetary_is_not_rounded(
    spark: SparkSession, bought: DataFrame
) -> None:
    # cas gave something back and dan did nothing, so neither has a figure to be an extreme.
    customers = spark.createDataFrame(
        [(name,) for name in ("ann", "ann", "bob", "cas", "dan")], "customer_unique_id string"
    )
    returned = frame(spark, schemas.PURCHASES, ("cas", at("2017-05-01 10:00:00"), money("-5000")))
    everything = purchases_of_people(purchases=bought.unionByName(returned), customers=customers)
    measured = measured_customers(purchases=everything, as_of=AS_OF)
    totals = {**people_totals(), **fitted_bounds()}
    extremes = measured.agg(*[total.alias(name) for name, total in totals.items()]).first()
    assert extremes is not None
    assert sorted(map(tuple, customers_without_purchases(measured=measured).collect())) == [("cas", 1), ("dan", 0)]
    assert extremes.asDict() == {
        "people": 4,
        "buyers": 2,
        "people_with_returns_alone": 1,
        "customer_ids": 5,
        "other_customer_ids": 2,
        "customers": 2,
        "recency_min": 0.0,
        "recency_max": 1.0,
        "frequency_min": 1.0,
        "frequency_max": 3.0,
        "monetary_min": 10.01 / 3,
        "monetary_max": 100.0,
    }


def test_low_maps_to_0_high_to_5_and_a_value_between_to_its_share(
    bought: DataFrame,
) -> None:
    measures = customer_measures(purchases=bought, as_of=AS_OF)
    rows = apply_card(measures=measures, card=card((0, 4), (1, 5), (0, 200))).collect()
    figures = {row["customer_unique_id"]: (row["recency"], row["frequency"], row["monetary"]) for row in rows}
    assert figures["bob"] == (1.25, 0.0, 2.5)
    assert figures["ann"] == (0.0, 2.5, pytest.approx(10.01 / 3 / 200 * 5, abs=1e-12))


def test_a_dimension_with_equal_bounds_is_0_for_everyone(bought: DataFrame) -> None:
    measures = customer_measures(purchases=bought, as_of=AS_OF)
    rows = apply_card(measures=measures, card=card((1, 1), (1, 3), (0, 100))).collect()
    assert [row["recency"] for row in rows] == [0.0, 0.0]


def test_figures_outside_the_range_of_a_card_are_kept_and_marked(bought: DataFrame) -> None:
    measures = customer_measures(purchases=bought, as_of=AS_OF)
    scored = apply_card(measures=measures, card=card((0, 1), (1, 3), (0, 50)))
    rows = scored.select("customer_unique_id", "monetary", is_outside_range().alias("outside")).collect()
    figures = {row["customer_unique_id"]: (row["monetary"], row["outside"]) for row in rows}
    assert figures["bob"] == (10.0, True)
    assert figures["ann"][1] is False


@pytest.mark.parametrize(
    ("narrowed", "outside"),
    [
        ({}, set()),
        ({"recency": (0, 0.9)}, {"bob"}),
        ({"recency": (0.1, 4)}, {"ann"}),
        ({"frequency": (1, 2.9)}, {"ann"}),
        ({"frequency": (1.1, 3)}, {"bob"}),
        ({"monetary": (0, 99)}, {"bob"}),
        ({"monetary": (3.4, 200)}, {"ann"}),
    ],
)
def test_one_figure_just_outside_the_range_of_a_card_is_enough(
    bought: DataFrame, narrowed: dict[str, tuple[float, float]], outside: set[str]
) -> None:
    bounds: dict[str, tuple[float, float]] = {"recency": (0, 4), "frequency": (1, 3), "monetary": (0, 200)}
    measures = customer_measures(purchases=bought, as_of=AS_OF)
    rows = apply_card(measures=measures, card=card(**(bounds | narrowed))).where(is_outside_range()).collect()
    assert {row["customer_unique_id"] for row in rows} == outside
