"""KMeans by Spark ML. Neither the number of cores nor the partitioning of the input moves a customer."""

import math

from pyspark import StorageLevel
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame

from transforms.clusters.assignments import Centroid, single_precision
from transforms.clusters.model import SEED
from transforms.rfm.dimensions import DIMENSIONS

ROWS_PER_PARTITION = 250_000
TOLERANCE = 1e-4
ROUNDS = 100


def train(*, features: DataFrame, customers: int, k: int) -> dict[int, Centroid]:
    """Find the centroids of k clusters, by the engine's label.

    k-means|| draws its first candidates partition by partition, from the rows in their order. So the rows are
    partitioned and sorted by customer, into a number of partitions that depends on the number of customers alone. The
    same customers then give the same draw, wherever they came from. Sums of floating-point numbers may still be added
    in another order. So centroids are rounded to single precision, which is what SageMaker keeps too.

    There are fewer clusters than k if there are fewer distinct customers.

    Args:
        features: `schemas.KMEANS_FEATURES`.
        customers: number of rows.
        k: number of clusters, at least 2.
    """
    partitions = math.ceil(customers / ROWS_PER_PARTITION)
    # For one partition, no row has to be exchanged.
    placed = features.repartition(partitions, "customer_unique_id") if partitions > 1 else features.coalesce(1)
    canonical = placed.sortWithinPartitions("customer_unique_id").drop("customer_unique_id")
    # Spark ML computes its input twice, for the vectors and for their norms. The sort is then done once.
    canonical = canonical.persist(StorageLevel.MEMORY_AND_DISK)
    points = VectorAssembler(inputCols=list(DIMENSIONS), outputCol="features").transform(canonical).select("features")
    # The solver "block" fails if fewer than k candidates are drawn, as from a few customers.
    # Spark ML keeps its vectors in memory, about 90 bytes a customer, and on disk if memory is full.
    training = KMeans(k=k, seed=SEED, maxIter=ROUNDS, tol=TOLERANCE, initMode="k-means||", solver="row")
    try:
        centres = training.fit(points).clusterCenters()
    finally:
        canonical.unpersist()
    # Centroids that have become equal count once.
    return dict(enumerate(dict.fromkeys(single_precision(centre) for centre in centres)))
