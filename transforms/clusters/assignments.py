"""Customers and their clusters: the nearest centroid, the check of an engine's lines, and sums per cluster."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType

from transforms import schemas
from transforms.rfm.dimensions import DIMENSIONS, dimensions
from transforms.rfm.feature_scale import FeatureScale, scaled_dimensions
from transforms.schemas import columns_of

Centroid = tuple[float, float, float]
"""Recency, frequency and monetary value, in the scale of the features."""

HIGHEST_LABEL = 10_000
"""The highest label of an engine that is accepted. Sums per cluster are collected, so their number must be bounded."""

ASSIGNMENT_LINES = StructType(
    [
        *(StructField(field.name, StringType()) for field in schemas.KMEANS_ASSIGNMENTS),
        StructField("rest", StringType()),
    ]
)
"""A line of an engine's output as text; ``rest`` is set if a line has too many fields."""

ASSIGNED_CUSTOMERS = StructType(
    [
        *schemas.MEASURES.fields,
        *schemas.KMEANS_FEATURES.fields[1:],
        StructField("cluster", IntegerType()),
        StructField("stated_distance", DoubleType()),
    ]
)
"""A customer beside its assignment: measures, features, the engine's label, and the distance that the engine states."""

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "without a line",
        "extra": "not in rfm",
        "duplicate": "with more than one line",
        "not_numeric": "with a line that has no cluster, distance or features that are numbers",
        "other_features": "with features that are not this run's",
    }
)
"""What can be wrong with the assignment of a customer, in words that follow "customers"."""

FEATURE_TOLERANCE = 1e-5
"""How far a feature in a line may differ from ours, relative to it: single precision, written and read again."""

DISTANCE_TOLERANCE = 1.0001
"""The factor by which a squared distance may exceed the least one: SageMaker computes in single precision."""


def single_precision(centre: np.ndarray | Sequence[float]) -> Centroid:
    """A centroid as SageMaker keeps it."""
    recency, frequency, monetary = (float(np.float32(value)) for value in centre)
    return recency, frequency, monetary


def squared_distance(centroid: Centroid) -> Column:
    """The squared Euclidean distance of a row's features to a centroid, in double precision."""
    squares = [(F.col(name).cast("double") - F.lit(at)) ** 2 for name, at in zip(DIMENSIONS, centroid, strict=True)]
    return squares[0] + squares[1] + squares[2]


def assigned_customers(*, rfm: DataFrame, scale: FeatureScale, centroids: Mapping[int, Centroid]) -> DataFrame:
    """Assign each customer of rfm to the nearest centroid.

    Grain in and out: one row per customer_unique_id; `schemas.MEASURES` (or `schemas.RFM`) in, `ASSIGNED_CUSTOMERS`
    out. A projection: it neither moves rows nor joins them, so each customer has one assignment.
    """
    customers = rfm.select(*schemas.MEASURES.fieldNames(), *scaled_dimensions(scale))
    return with_nearest(features=customers, centroids=centroids).select(*columns_of(ASSIGNED_CUSTOMERS))


def with_nearest(*, features: DataFrame, centroids: Mapping[int, Centroid]) -> DataFrame:
    """Add the nearest centroid's label as ``cluster``. Of equally near ones, the lowest label wins.

    Grain in and out: one row per customer_unique_id, with the columns of `schemas.KMEANS_FEATURES`. The second column
    added, ``stated_distance``, is Euclidean, in units of the features.
    """
    labels = sorted(centroids)
    position = F.array_position("squared", F.col("least"))
    return (
        features.withColumn("squared", F.array(*[squared_distance(centroids[label]) for label in labels]))
        .withColumn("least", F.array_min("squared"))
        .withColumn("cluster", F.element_at(F.array(*map(F.lit, labels)), position.cast("int")))
        .withColumn("stated_distance", F.sqrt("least"))
        .drop("squared", "least")
    )


def checked_assignments(*, rfm: DataFrame, lines: DataFrame, scale: FeatureScale) -> DataFrame:
    """Join each customer to the line that an engine wrote, and name the fault if there is one.

    Grain in: one row per customer_unique_id, `schemas.MEASURES`; one row per line, `ASSIGNMENT_LINES`. Grain out: one
    row per customer_unique_id of either; `ASSIGNED_CUSTOMERS`, and ``fault``, one of `FAULTS` or null.

    Args:
        rfm: the customers.
        lines: the engine's output.
        scale: the scale of the features. Lines with other features were written for other customers or another scale.
    """
    distance = F.col("distance").try_cast("double")
    # SageMaker writes a label as 3.0.
    number = F.col("cluster").try_cast("double")
    is_label = (number == F.floor(number)) & number.between(0, HIGHEST_LABEL)
    are_numbers = [F.col(name).try_cast("float").between(F.lit(-3.0e38), F.lit(3.0e38)) for name in DIMENSIONS]
    is_distance = distance.between(0.0, F.lit(1.7e308))
    is_valid = is_label & is_distance & are_numbers[0] & are_numbers[1] & are_numbers[2] & F.col("rest").isNull()
    typed = lines.select(
        "customer_unique_id",
        *[F.col(name).try_cast("float").alias(name) for name in DIMENSIONS],
        F.when(F.coalesce(is_valid, F.lit(False)), number.cast("int")).alias("cluster"),
        distance.alias("stated_distance"),
    )
    # The least of several lines, so that the choice is always the same. More than one line is a fault anyway.
    line = F.min(F.struct(*DIMENSIONS, "cluster", "stated_distance"))
    by_customer = typed.groupBy("customer_unique_id").agg(line.alias("line"), F.count(F.lit(1)).alias("lines"))
    joined = rfm.select(*columns_of(schemas.MEASURES), F.lit(True).alias("is_customer")).join(
        by_customer, on="customer_unique_id", how="full"
    )
    fault = (
        F.when(F.col("lines").isNull(), F.lit("missing"))
        .when(F.col("is_customer").isNull(), F.lit("extra"))
        .when(F.col("lines") > 1, F.lit("duplicate"))
        .when(F.col("line.cluster").isNull(), F.lit("not_numeric"))
        .when(_has_other_features(scale), F.lit("other_features"))
    )
    return joined.select(
        *[F.col(name) for name in schemas.MEASURES.fieldNames()],
        *[F.col(f"line.{name}").alias(name) for name in (*DIMENSIONS, "cluster", "stated_distance")],
        fault.alias("fault"),
    )


def _has_other_features(scale: FeatureScale) -> Column:
    """Whether the features of a line differ from those that the customer's measures have in the scale."""
    features = {name: scale.column(name, measure) for name, measure in dimensions().items()}
    differs = [
        F.abs(F.col(f"line.{name}").cast("double") - feature)
        > FEATURE_TOLERANCE * F.greatest(F.lit(1.0), F.abs(feature))
        for name, feature in features.items()
    ]
    return differs[0] | differs[1] | differs[2]


def fault_counts() -> dict[str, Column]:
    """Aggregates over `checked_assignments`: for each of `FAULTS`, the number of customers."""
    return {fault: F.count_if(F.col("fault") == fault) for fault in FAULTS}


def cluster_means(*, assigned: DataFrame) -> DataFrame:
    """Compute the mean features of each cluster, to use as centroids where no model has them.

    Grain in: one row per customer_unique_id. Grain out: one row per ``cluster``, with the mean of each dimension.
    """
    means = [F.avg(F.col(name).cast("double")).alias(name) for name in DIMENSIONS]
    return assigned.groupBy("cluster").agg(*means)


def cluster_sums(*, assigned: DataFrame, centroids: Mapping[int, Centroid]) -> DataFrame:
    """Add up the customers, the money and the distances of each cluster.

    Grain in: one row per customer_unique_id, no faults. Grain out: one row per ``cluster``, with

    - ``customers``, and ``revenue``, which is exact;
    - the mean of each dimension in its unit: weeks, purchases, currency per purchase;
    - ``squares``, the sum of squared distances to the centroid; over all clusters it is the inertia;
    - ``not_nearest``, the number of customers that are nearer to another centroid;
    - ``off_distance`` and ``off_square``, the largest difference of an engine's distance from ours and from our square:
      relative where ours is above 1.
    """
    means = [F.avg(measure).alias(name) for name, measure in dimensions().items()]
    stated, squared = F.col("stated_distance"), F.col("squared")
    least = F.array_min(F.array(*[squared_distance(at) for at in centroids.values()]))
    return (
        assigned.withColumn("squared", _own_squared_distance(centroids))
        .groupBy("cluster")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.sum("total_value").cast(schemas.MONEY).alias("revenue"),
            F.sum("squared").alias("squares"),
            F.count_if(squared > least * DISTANCE_TOLERANCE + FEATURE_TOLERANCE).alias("not_nearest"),
            F.max(_difference(stated, F.sqrt(squared))).alias("off_distance"),
            F.max(_difference(stated, squared)).alias("off_square"),
            *means,
        )
    )


def _difference(stated: Column, computed: Column) -> Column:
    return F.abs(stated - computed) / F.greatest(F.lit(1.0), computed)


def _own_squared_distance(centroids: Mapping[int, Centroid]) -> Column:
    """The squared distance of a customer's features to the centroid of its own cluster."""
    return _by_cluster({label: squared_distance(at) for label, at in centroids.items()})


def customer_segments(
    *, assigned: DataFrame, centroids: Mapping[int, Centroid], ids: Mapping[int, int], names: Mapping[int, str]
) -> DataFrame:
    """Give each customer its stable cluster id and the name of the cluster.

    Grain in and out: one row per customer_unique_id; `schemas.CUSTOMER_SEGMENTS` out. ``distance`` is computed here for
    every engine, so that it always means the same: Euclidean, from the features to the centroid.

    Args:
        assigned: `assigned_customers`, or `checked_assignments` without faults; ``cluster`` is the label of the engine.
        centroids: by label.
        ids: the stable cluster id, by label.
        names: by stable cluster id.
    """
    return (
        assigned.withColumn("distance", F.sqrt(_own_squared_distance(centroids)))
        .withColumn("cluster", _mapped(ids, F.col("cluster")))
        .withColumn("cluster_name", _mapped(names, F.col("cluster")))
        .select(*columns_of(schemas.CUSTOMER_SEGMENTS))
    )


def customers_by_cluster(ids: Iterable[int]) -> dict[str, Column]:
    """Aggregates over `customer_segments`: for each stable cluster id, as ``cluster 0``, the number of customers."""
    return {f"cluster {number}": F.count_if(F.col("cluster") == number) for number in ids}


def _mapped(values: Mapping[int, int] | Mapping[int, str], key: Column) -> Column:
    pairs = [F.lit(part) for part in chain.from_iterable(values.items())]
    return F.create_map(*pairs)[key]


def _by_cluster(columns: Mapping[int, Column]) -> Column:
    """The column of the row's own cluster."""
    choice: Column | None = None
    for label, column in columns.items():
        is_own = F.col("cluster") == label
        choice = F.when(is_own, column) if choice is None else choice.when(is_own, column)
    if choice is None:
        raise ValueError("no centroids, expected at least one")
    return choice


def sample_of(*, features: DataFrame, size: int) -> DataFrame:
    """Draw at most ``size`` customers: those whose ids have the lowest hashes, so always the same ones.

    Grain in and out: one row per customer_unique_id.
    """
    return features.orderBy(F.xxhash64("customer_unique_id"), "customer_unique_id").limit(size)
