"""Feature scales: computed by hand, restored from JSON, and rejected if invalid."""

import json
import math
from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tests.frames import frame, measured
from transforms import schemas
from transforms.rfm.dimensions import DIMENSIONS, Bounds, ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, features, grid_of, percentiles
from transforms.rfm.score_card import ScoreCard

BOUNDS = {"recency": Bounds(0, 10), "frequency": Bounds(1, 5), "monetary": Bounds(0, 100)}


def measures(spark: SparkSession, *customers: tuple[int, int, str]) -> DataFrame:
    """Customers with these weeks, purchases, and total money."""
    rows = [
        measured(f"c{number:03}", weeks=weeks, purchases=count, total=total)
        for number, (weeks, count, total) in enumerate(customers)
    ]
    return frame(spark, schemas.MEASURES, *rows)


def scaled(frame: DataFrame) -> list[tuple[float, float, float]]:
    rows = frame.orderBy("customer_unique_id").collect()
    return [(row["recency"], row["frequency"], row["monetary"]) for row in rows]


def test_minmax_is_the_workshops_formula(spark: SparkSession) -> None:
    customers = measures(spark, (0, 1, "0"), (10, 5, "500"), (4, 2, "100"))
    result = features(rfm=customers, scale=FeatureScale("minmax", BOUNDS))
    assert result.schema == schemas.KMEANS_FEATURES
    assert scaled(result) == [(0.0, 0.0, 0.0), (5.0, 5.0, 5.0), (2.0, 1.25, 2.5)]


def test_log_is_minmax_of_logarithms(spark: SparkSession) -> None:
    bounds = {"recency": Bounds(0, 7), "frequency": Bounds(1, 7), "monetary": Bounds(0, 63)}
    # log2 of 1 + x: 3 weeks are 2 of 0..3; 3 purchases are 2 of 1..3; 7 per purchase is 3 of 0..6.
    result = features(rfm=measures(spark, (3, 3, "21")), scale=FeatureScale("log", bounds))
    assert scaled(result)[0] == pytest.approx((10 / 3, 2.5, 2.5))


def ranked(customers: DataFrame) -> FeatureScale:
    grid = {
        name: grid_of(percentiles(measures=customers, dimension=name).collect()[0][0])
        for name in ("recency", "frequency", "monetary")
    }
    return FeatureScale("rank", BOUNDS, grid)


def test_a_rank_is_the_share_below_and_equal_values_are_equal(spark: SparkSession) -> None:
    # 101 customers: 0..100 weeks; 97 bought once, three bought twice, one 17 times; 99.999 is 100.00 in cents.
    customers = measures(
        spark,
        *(
            (week, count, "99.9990" if week == 50 else f"{100 * count}")
            for week, count in enumerate([1] * 97 + [2] * 3 + [17])
        ),
    )
    rows = scaled(features(rfm=customers, scale=ranked(customers)))
    assert [row[0] for row in rows] == pytest.approx([week / 20 for week in range(101)])
    # One purchase has percentiles 0 to 96, with the middle 48. Two have 97 to 99; 17 have the last one.
    assert [row[1] for row in rows[:97]] == pytest.approx([0.48 * 5] * 97)
    assert [row[1] for row in rows[97:100]] == pytest.approx([0.98 * 5] * 3)
    assert rows[100][1] == pytest.approx(5.0)
    # In cents all spend the same per purchase, so all have the middle rank.
    assert {row[2] for row in rows} == {2.5}


def test_a_rank_does_not_depend_on_partitioning(spark: SparkSession) -> None:
    customers = measures(spark, *((week % 13, 1 + week % 3, f"{week * 7 % 31}.5") for week in range(200)))
    results = [percentiles(measures=customers.repartition(n), dimension="monetary").collect()[0][0] for n in (1, 2, 7)]
    assert results[0] == results[1] == results[2]


def test_a_value_outside_the_grid_has_the_nearest_rank(spark: SparkSession) -> None:
    grid = {"recency": ((2.0, 0.1), (4.0, 0.3)), "frequency": ((1.0, 0.5),), "monetary": ((10.0, 0.0), (20.0, 1.0))}
    scale = FeatureScale("rank", BOUNDS, grid)
    result = features(rfm=measures(spark, (0, 1, "5"), (3, 9, "135"), (9, 1, "25")), scale=scale)
    assert scaled(result) == [
        pytest.approx((0.5, 2.5, 0.0)),
        pytest.approx((1.0, 2.5, 2.5)),
        pytest.approx((1.5, 2.5, 5.0)),
    ]


@pytest.mark.parametrize("kind", ["minmax", "log", "rank"])
def test_a_single_value_is_scaled_as_a_column_is(spark: SparkSession, kind: Any) -> None:
    grid = {name: tuple((float(i * i), i / 40) for i in range(41)) for name in BOUNDS} if kind == "rank" else {}
    scale = FeatureScale(kind, BOUNDS, grid)
    values = [0.0, 0.5, 1.0, 3.14, 3.14159, 25.0, 99.99, 1000.0, 5000.0]
    column = frame(spark, "x double", *[(value,) for value in values])
    for name in BOUNDS:
        scaled_column = [row[0] for row in column.select(scale.column(name, F.col("x"))).collect()]
        assert scaled_column == pytest.approx([scale.value(name, value) for value in values], rel=1e-12)


@pytest.mark.parametrize("kind", ["minmax", "log", "rank"])
def test_a_scale_is_restored_with_its_card_bit_by_bit(kind: Any) -> None:
    grid = dict.fromkeys(BOUNDS, ((1 / 3, 0.1), (2 / 3, 1.0))) if kind == "rank" else {}
    card = ScoreCard("mine", BOUNDS, date(2018, 10, 17), feature_scale=FeatureScale(kind, BOUNDS, grid))
    assert ScoreCard.from_json(card.to_json()) == card
    assert FeatureScale.from_json(json.loads(json.dumps(card.clustered_by.as_json()))) == card.feature_scale


def test_a_card_without_a_scale_is_minmax() -> None:
    card = ScoreCard("old", BOUNDS, date(2018, 10, 17))
    assert "feature_scale" not in card.to_json()
    assert ScoreCard.from_json(card.to_json()).clustered_by == FeatureScale("minmax", BOUNDS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"kind": "cubic"}, "'cubic'"),
        ("log", "'log'"),
        ({"kind": "rank"}, "grids for"),
        ({"kind": "rank", "grid": []}, "grids for"),
        ({"kind": "rank", "grid": "x"}, "expected an object"),
        ({"kind": "rank", "grid": {"recency": [[2, 0.1], [1, 0.2]]}}, "values ascending"),
        ({"kind": "rank", "grid": {"recency": [[math.inf, 0.1]]}}, r"expected a list of \[value, rank\]"),
    ],
)
def test_an_invalid_scale_is_an_error(content: Any, message: str) -> None:
    with pytest.raises(ScoreCardError, match=message):
        FeatureScale.from_json(content, bounds=BOUNDS)


def test_bounds_without_a_logarithm_are_an_error() -> None:
    with pytest.raises(ScoreCardError, match=r"expected -0.99 or more"):
        FeatureScale("log", {**BOUNDS, "recency": Bounds(-1, 4)})


def test_single_precision_is_restored_from_csv(spark: SparkSession, tmp_path: Any) -> None:
    values = [1 / 3, 1e-7, 4.9999995, 0.1, 5.0, 3.4e-20, 12345.678]
    written = frame(spark, schemas.KMEANS_FEATURES, *[(f"c{n}", v, v, v) for n, v in enumerate(values)])
    written.write.csv(str(tmp_path / "shards"))
    read = spark.read.schema(schemas.KMEANS_FEATURES).csv(str(tmp_path / "shards"))
    assert sorted(map(str, read.collect())) == sorted(map(str, written.collect()))


def test_below_minus_one_the_logarithm_is_that_of_the_lowest_value(spark: SparkSession) -> None:
    scale = FeatureScale("log", {name: Bounds(0.0, 9.0) for name in DIMENSIONS})
    lowest = math.log(0.01) / math.log(10) * 5
    assert scale.value("monetary", -250.0) == pytest.approx(lowest)
    row = spark.range(1).select(scale.column("monetary", F.lit(-250.0)).alias("feature")).collect()[0]
    assert row["feature"] == pytest.approx(lowest)
