"""KMeans by Spark ML, such that neither cores nor the partitioning of the input move a customer."""

import math
from collections.abc import Sequence

import numpy as np
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame

from transforms.clusters.assignments import Centroid
from transforms.clusters.model import SEED
from transforms.rfm.dimensions import DIMENSIONS

ROWS_PER_PARTITION = 250_000
TOLERANCE = 1e-4
ROUNDS = 100


def train(*, features: DataFrame, customers: int, k: int) -> dict[int, Centroid]:
    """Find the centroids of k clusters, by number.

    k-means|| draws its first candidates partition by partition, from the rows in their order. So the rows are put into
    partitions by their customer, as many as there are customers for, and into order there: the same customers give the
    same draw, wherever they came from. What is left are sums of floating numbers in another order; the centroids are
    rounded to single precision, which is what SageMaker keeps too.

    Fewer clusters come out where there are fewer distinct customers than k.

    Args:
        features: `schemas.KMEANS_FEATURES`.
        customers: how many rows that is.
        k: how many clusters are wanted, at least 2.
    """
    canonical = (
        features.repartition(max(1, math.ceil(customers / ROWS_PER_PARTITION)), "customer_unique_id")
        .sortWithinPartitions("customer_unique_id")
        .drop("customer_unique_id")
    )
    points = VectorAssembler(inputCols=list(DIMENSIONS), outputCol="features").transform(canonical).select("features")
    # Row by row: the solver that works by blocks fails where fewer than k candidates are found, as for a few customers.
    # Spark ML keeps its input in memory, about 90 bytes a customer, and on disk where memory is full.
    training = KMeans(k=k, seed=SEED, maxIter=ROUNDS, tol=TOLERANCE, initMode="k-means||", solver="row")
    found = training.fit(points).clusterCenters()
    # Those that have become equal stand once.
    return dict(enumerate(dict.fromkeys(single_precision(centre) for centre in found)))


def single_precision(centre: np.ndarray | Sequence[float]) -> Centroid:
    """A centroid as SageMaker keeps it."""
    recency, frequency, monetary = (float(np.float32(value)) for value in centre)
    return recency, frequency, monetary
