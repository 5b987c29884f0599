"""Training by Spark ML: the same customers give the same clusters, wherever they come from."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy.cluster.vq import kmeans2

from jobs.clusters.training import train
from tests.frames import frame
from transforms import schemas
from transforms.clusters.assignments import Centroid, with_nearest

PROJECT = Path(__file__).parent.parent.parent.parent
ROWS = 3_000


def cloud(spark: SparkSession) -> DataFrame:
    """Customers without clear groups, where a little is enough to send one to another cluster."""
    number = F.col("id")
    spread = [F.pmod(F.xxhash64(number, F.lit(seed)), F.lit(10_000)) / 2_000 for seed in range(3)]
    names = zip(("recency", "frequency", "monetary"), spread, strict=True)
    columns = [value.cast("float").alias(name) for name, value in names]
    return spark.range(ROWS).select(F.concat(F.lit("c"), number).alias("customer_unique_id"), *columns)


@pytest.fixture(scope="module")
def centroids(spark: SparkSession) -> dict[int, Centroid]:
    """The centroids of the cloud."""
    return train(features=cloud(spark), customers=ROWS, k=5)


def assigned(spark: SparkSession, centroids: dict[int, Centroid]) -> tuple[dict[str, int], float]:
    """The cluster of each customer of the cloud, and the sum of the squared distances."""
    rows = with_nearest(features=cloud(spark), centroids=centroids).collect()
    return {row["customer_unique_id"]: row["cluster"] for row in rows}, sum(row["stated_distance"] ** 2 for row in rows)


def test_neither_order_nor_partitioning_moves_a_customer(spark: SparkSession, centroids: dict[int, Centroid]) -> None:
    customers = cloud(spark)
    labels, inertia = assigned(spark, centroids)
    assert len(labels) == ROWS
    for other_way in (customers.repartition(7), customers.orderBy(F.desc("customer_unique_id")).coalesce(1)):
        other_labels, other_inertia = assigned(spark, train(features=other_way, customers=ROWS, k=5))
        moved = sum(other_labels[customer] != cluster for customer, cluster in labels.items())
        assert moved <= ROWS / 1000
        assert other_inertia == pytest.approx(inertia, rel=1e-6)


def test_the_clusters_are_about_as_tight_as_another_library_makes_them(
    spark: SparkSession, centroids: dict[int, Centroid]
) -> None:
    _, ours = assigned(spark, centroids)
    points = np.array(cloud(spark).drop("customer_unique_id").collect(), dtype=float)
    theirs = []
    for seed in range(10):
        centres, labels = kmeans2(points, 5, iter=100, minit="++", rng=np.random.default_rng(seed))
        theirs.append(((points - centres[labels]) ** 2).sum())
    assert ours <= np.median(theirs) * 1.02


@pytest.mark.parametrize(
    ("rows", "clusters"),
    [
        ([("a", 1.0, 2.0, 3.0)], 1),
        ([(f"c{n}", 1.0, 1.0, 1.0) for n in range(30)], 1),
        ([(f"c{n}", float(n % 3), 1.0, 1.0) for n in range(30)], 3),
    ],
)
def test_fewer_different_customers_than_clusters_make_as_many_as_there_are(
    spark: SparkSession, rows: list[tuple[str, float, float, float]], clusters: int
) -> None:
    actual = train(features=frame(spark, schemas.KMEANS_FEATURES, *rows), customers=len(rows), k=5)
    assert sorted(actual.values()) == sorted({row[1:] for row in rows})
    assert len(actual) == clusters


def test_centroids_are_single_precision_as_sagemaker_keeps_them(centroids: dict[int, Centroid]) -> None:
    assert all(value == float(np.float32(value)) for centroid in centroids.values() for value in centroid)


CORES = """
import json, sys
from jobs.spark import session
session.LAPTOP |= {"spark.master": sys.argv[1], "spark.sql.shuffle.partitions": sys.argv[2]}
session.LAPTOP["spark.driver.memory"] = "1g"
from jobs.clusters.training import train
from tests.jobs.clusters.test_training import ROWS, cloud
with session.spark_session("cores") as spark:
    print(json.dumps(list(train(features=cloud(spark), customers=ROWS, k=5).items())))
"""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_cores_move_no_customer() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", CORES, master, partitions],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
            timeout=280,
        ).stdout
        for master, partitions in (("local[1]", "2"), ("local[4]", "9"))
    ]
    one, four = (json.loads(text.splitlines()[-1]) for text in printed)
    assert one == four
