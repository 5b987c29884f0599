"""Assignments: the nearest centroid, the faults of an engine's lines, and sums per cluster."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from scipy.spatial.distance import cdist

from tests.frames import assert_same_rows, frame, measured
from transforms import schemas
from transforms.clusters.assignments import (
    ASSIGNED_CUSTOMERS,
    ASSIGNMENT_LINES,
    FAULTS,
    assigned_customers,
    checked_assignments,
    cluster_means,
    cluster_sums,
    customer_segments,
    customers_by_cluster,
    fault_counts,
    sample_of,
    with_nearest,
)
from transforms.rfm.dimensions import DIMENSIONS, Bounds
from transforms.rfm.feature_scale import FeatureScale

CENTROIDS = {0: (0.0, 0.0, 0.0), 1: (3.0, 4.0, 0.0)}


def points(spark: SparkSession, *rows: tuple[str, float, float, float]) -> DataFrame:
    return frame(spark, schemas.KMEANS_FEATURES, *rows)


def test_a_customer_goes_to_the_nearest_centroid_with_the_distance_to_it(spark: SparkSession) -> None:
    nearest = with_nearest(features=points(spark, ("a", 0.0, 0.0, 2.0), ("b", 3.0, 5.0, 0.0)), centroids=CENTROIDS)
    assert sorted(map(tuple, nearest.collect())) == [("a", 0.0, 0.0, 2.0, 0, 2.0), ("b", 3.0, 5.0, 0.0, 1, 1.0)]


def test_of_two_equally_near_centroids_the_lower_label_wins(spark: SparkSession) -> None:
    between = points(spark, ("a", 1.5, 2.0, 0.0))
    for centroids in (CENTROIDS, {7: CENTROIDS[1], 3: CENTROIDS[0]}):
        assert with_nearest(features=between, centroids=centroids).collect()[0]["cluster"] == min(centroids)


def test_every_nearest_centroid_is_that_of_numpy(spark: SparkSession) -> None:
    random = np.random.default_rng(5)
    rows, centres = random.random((500, 3)).astype("float32"), random.random((7, 3)).astype("float32")
    features = points(spark, *((f"{n:03}", *map(float, row)) for n, row in enumerate(rows)))
    nearest = with_nearest(
        features=features, centroids={n: tuple(map(float, centre)) for n, centre in enumerate(centres)}
    ).orderBy("customer_unique_id")
    distances = cdist(rows.astype(float), centres.astype(float))
    collected = nearest.collect()
    assert [row["cluster"] for row in collected] == distances.argmin(axis=1).tolist()
    assert [row["stated_distance"] for row in collected] == pytest.approx(distances.min(axis=1))


def scale(recency: float, frequency: float, monetary: float) -> FeatureScale:
    """A minmax scale from 0 to these values."""
    highest = dict(zip(DIMENSIONS, (recency, frequency, monetary), strict=True))
    return FeatureScale("minmax", {name: Bounds(0.0, high) for name, high in highest.items()})


ALL_ARE_ZERO = FeatureScale("minmax", {name: Bounds(0.0, 0.0) for name in DIMENSIONS})
"""Low and high are equal, so every feature is 0."""


def customers(spark: SparkSession, *names: str) -> DataFrame:
    rows = [measured(name, weeks=4, purchases=2, total="10") for name in names]
    return frame(spark, schemas.MEASURES, *rows)


def test_a_customer_of_rfm_is_assigned_by_its_features_in_single_precision(spark: SparkSession) -> None:
    # 4 weeks of 3, 2 purchases of 40 and 5 per purchase of 25, each times 5. 20 / 3 is no number of single precision.
    recency = float(np.float32(20 / 3))
    measures = measured("a", weeks=4, purchases=2, total="10")
    expected = frame(spark, ASSIGNED_CUSTOMERS, (*measures, recency, 0.25, 1.0, 8, float(np.hypot(recency - 5, 0.25))))
    actual = assigned_customers(
        rfm=customers(spark, "a"), scale=scale(3, 40, 25), centroids={2: (0.0, 0.0, 0.0), 8: (5.0, 0.0, 1.0)}
    )
    assert_same_rows(actual, expected)


def test_assignment_moves_no_row_and_joins_none(spark: SparkSession, tmp_path: Path) -> None:
    # So no customer can be assigned twice, or to nothing.
    customers(spark, "a", "b").write.parquet(str(tmp_path / "rfm"))
    rfm = spark.read.schema(schemas.MEASURES).parquet(str(tmp_path / "rfm"))
    actual = assigned_customers(rfm=rfm, scale=scale(40, 40, 25), centroids=CENTROIDS)
    plan: str = actual._jdf.queryExecution().executedPlan().toString()
    assert "Project" in plan
    assert not re.search(r"Exchange|Join|Aggregate|\bFilter\b|Generate|Expand|Union", plan)


def lines(spark: SparkSession, *texts: str) -> DataFrame:
    width = len(ASSIGNMENT_LINES)
    rows = [tuple((text.split(",") + [None] * width)[:width]) for text in texts]
    return frame(spark, ASSIGNMENT_LINES, *rows)


def faults(spark: SparkSession, names: str, *texts: str) -> dict[str, int]:
    checked = checked_assignments(rfm=customers(spark, *names), lines=lines(spark, *texts), scale=ALL_ARE_ZERO)
    counts = checked.agg(*[count.alias(name) for name, count in fault_counts().items()]).collect()[0].asDict()
    return {name: count for name, count in counts.items() if count}


def test_one_line_for_each_customer_has_no_fault(spark: SparkSession) -> None:
    # 4 weeks of 40, 2 purchases of 40, 5 per purchase of 25, each times 5. The last feature is off by single precision.
    written = lines(spark, "a,0.5,0.25,1.0,1.0,0.75", "b,0.5,2.5E-1,1.0000001,0,2.5E-3")
    checked = checked_assignments(rfm=customers(spark, "a", "b"), lines=written, scale=scale(40, 40, 25))
    expected = frame(
        spark,
        ASSIGNED_CUSTOMERS,
        (*measured("a", weeks=4, purchases=2, total="10"), 0.5, 0.25, 1.0, 1, 0.75),
        (*measured("b", weeks=4, purchases=2, total="10"), 0.5, 0.25, 1.0000001, 0, 0.0025),
    )
    assert_same_rows(checked.where("fault is null").drop("fault"), expected)


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        (["a,0,0,0,0,0"], {"missing": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0,0", "c,0,0,0,0,0"], {"extra": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0,0", "b,0,0,0,1,0"], {"duplicate": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0,0", "b,0,0,0,0,0"], {"duplicate": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,,0"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0.5,0"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,-1,0"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,1e9,0"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0,NaN"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0,-0.1"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,Infinity,0,0,0"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0"], {"not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0,0,0,0"], {"not_numeric": 1}),
        (["a,0,0,0,x,0", "c,0,0,0,0,0"], {"missing": 1, "extra": 1, "not_numeric": 1}),
        (["a,0,0,0,0,0", "b,0,0,0.001,0,0"], {"other_features": 1}),
        (["a,0.5,0,0,0,0", "b,0,0,-1,x,0"], {"other_features": 1, "not_numeric": 1}),
    ],
)
def test_each_fault_is_counted_by_its_kind(spark: SparkSession, texts: list[str], counts: dict[str, int]) -> None:
    assert faults(spark, "ab", *texts) == counts
    assert set(counts) <= set(FAULTS)


def assigned(spark: SparkSession) -> DataFrame:
    """a and b in cluster 0 at distances 1 and 2, c in cluster 1 at 3."""
    rows: list[tuple[Any, ...]] = [
        (*measured("a", weeks=2, purchases=1, total="10.01"), 0.0, 0.0, 1.0, 0, 1.0),
        (*measured("b", weeks=4, purchases=3, total="30.02"), 0.0, 2.0, 0.0, 0, 2.0),
        (*measured("c", weeks=9, purchases=2, total="100"), 3.0, 4.0, 3.0, 1, 9.0),
    ]
    return frame(spark, ASSIGNED_CUSTOMERS, *rows)


def test_clusters_add_up_their_customers_money_and_squares(spark: SparkSession) -> None:
    rows = {row["cluster"]: row for row in cluster_sums(assigned=assigned(spark), centroids=CENTROIDS).collect()}
    assert (rows[0]["customers"], rows[0]["revenue"], rows[0]["squares"]) == (2, Decimal("40.0300"), 5.0)
    assert (rows[0]["recency"], rows[0]["frequency"]) == (3.0, 2.0)
    # The mean over customers of the money per purchase: 10.01 and 30.02 / 3.
    assert rows[0]["monetary"] == pytest.approx((10.01 + 30.02 / 3) / 2)
    assert (rows[1]["customers"], rows[1]["revenue"], rows[1]["squares"]) == (1, Decimal("100.0000"), 9.0)
    # The engine states 1 and 2, which are distances, and 9, which is a square.
    assert (rows[0]["off_distance"], rows[1]["off_distance"], rows[1]["off_square"]) == (0.0, 2.0, 0.0)
    assert (rows[0]["not_nearest"], rows[1]["not_nearest"]) == (0, 0)


def test_customers_nearer_to_another_centroid_are_counted(spark: SparkSession) -> None:
    swapped = {0: CENTROIDS[1], 1: CENTROIDS[0]}
    rows = {row["cluster"]: row for row in cluster_sums(assigned=assigned(spark), centroids=swapped).collect()}
    assert (rows[0]["not_nearest"], rows[1]["not_nearest"]) == (2, 1)


def test_the_means_of_a_cluster_are_those_of_its_features(spark: SparkSession) -> None:
    rows = {row["cluster"]: row for row in cluster_means(assigned=assigned(spark)).collect()}
    assert (rows[0]["recency"], rows[0]["frequency"], rows[0]["monetary"]) == (0.0, 1.0, 0.5)


def test_segments_have_stable_cluster_ids_and_our_own_distance(spark: SparkSession) -> None:
    segments = customer_segments(
        assigned=assigned(spark), centroids=CENTROIDS, ids={0: 4, 1: 0}, names={0: "big spenders", 4: "buyers"}
    )
    expected = [("a", 4, 1.0, "buyers"), ("b", 4, 2.0, "buyers"), ("c", 0, 3.0, "big spenders")]
    assert_same_rows(segments, frame(spark, schemas.CUSTOMER_SEGMENTS, *expected))
    counts = [count.alias(name) for name, count in customers_by_cluster([0, 4, 7]).items()]
    assert segments.agg(*counts).collect()[0].asDict() == {"cluster 0": 1, "cluster 4": 2, "cluster 7": 0}


def test_a_sample_is_bounded_and_does_not_depend_on_partitioning(spark: SparkSession) -> None:
    features = points(spark, *((f"c{n}", float(n), 0.0, 0.0) for n in range(60)))
    drawn = [sample_of(features=features.repartition(n), size=10).collect() for n in (1, 3, 5)]
    assert len(drawn[0]) == 10
    assert drawn[0] == drawn[1] == drawn[2]
