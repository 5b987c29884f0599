"""Customers and centroids: who is nearest to which, whether each has exactly one, and what a cluster adds up to."""

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType

from transforms import schemas
from transforms.rfm.dimensions import DIMENSIONS, dimensions
from transforms.rfm.feature_scale import FeatureScale
from transforms.schemas import columns_of

Centroid = tuple[float, float, float]
"""Recency, frequency and monetary, in the features' scale."""

HIGHEST_LABEL = 10_000
"""A cluster's number above this is taken for damage: the sums by cluster are collected, so their number is bounded."""

ASSIGNMENT_LINES = StructType(
    [
        *(StructField(field.name, StringType()) for field in schemas.KMEANS_ASSIGNMENTS),
        StructField("rest", StringType()),
    ]
)
"""A line of an engine's output as text; ``rest`` is there for a line that has too many fields."""

CHECKED_ASSIGNMENTS = StructType(
    [
        *schemas.MEASURES.fields,
        *schemas.KMEANS_FEATURES.fields[1:],
        StructField("cluster", IntegerType()),
        StructField("stated_distance", DoubleType()),
    ]
)
"""What `checked_assignments` gives."""

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "without a line",
        "extra": "not in rfm",
        "twice": "with more than one line",
        "no_number": "with a line that has no cluster, distance or features that are numbers",
        "other_features": "with features that are not this run's",
    }
)
"""What can be wrong with a customer's assignment, and in words."""

SAME_FEATURE = 1e-5
"""How far a feature in a line may be from ours, in units of the scale: single precision, written and read again."""

NEARLY = 1.0001
"""By what factor a squared distance may be above the least and still be the least: SageMaker's is single precision."""


def squared_distance(centroid: Centroid) -> Column:
    """The squared Euclidean distance of a row's features to a centroid, in double precision."""
    squares = [(F.col(name).cast("double") - F.lit(at)) ** 2 for name, at in zip(DIMENSIONS, centroid, strict=True)]
    return squares[0] + squares[1] + squares[2]


def assignments(*, features: DataFrame, centroids: Mapping[int, Centroid]) -> DataFrame:
    """Assign each customer to the nearest centroid; of several that are equally near, to the one of the lowest number.

    Grain in and out: one row per customer_unique_id; `schemas.KMEANS_FEATURES` in, `schemas.KMEANS_ASSIGNMENTS` out.
    ``distance`` is the Euclidean distance, in units of the features.
    """
    candidates = [F.struct(squared_distance(at).alias("squared"), F.lit(label)) for label, at in centroids.items()]
    return (
        features.withColumn("nearest", F.array_min(F.array(*candidates)))
        .withColumn("cluster", F.col("nearest.col2"))
        .withColumn("distance", F.sqrt("nearest.squared"))
        .select(*columns_of(schemas.KMEANS_ASSIGNMENTS))
    )


def checked_assignments(*, rfm: DataFrame, lines: DataFrame, scale: FeatureScale) -> DataFrame:
    """Put each customer beside what an engine said of it, and say what is wrong with that.

    Grain in: one row per customer_unique_id, `schemas.MEASURES`; one row per line, `ASSIGNMENT_LINES`. Grain out: one
    row per customer_unique_id of either; `CHECKED_ASSIGNMENTS`, and ``fault``, one of `FAULTS` or null.

    Args:
        rfm: the customers.
        lines: what was said of them.
        scale: of their features, which have to be those of the lines: those of another run say nothing of this one.
    """
    distance = F.col("distance").try_cast("double")
    # SageMaker writes a cluster's number as 3.0.
    number = F.col("cluster").try_cast("double")
    is_label = (number == F.floor(number)) & number.between(0, HIGHEST_LABEL)
    are_numbers = [F.col(name).try_cast("float").between(F.lit(-3.0e38), F.lit(3.0e38)) for name in DIMENSIONS]
    is_distance = distance.between(0.0, F.lit(1.7e308))
    is_whole = is_label & is_distance & are_numbers[0] & are_numbers[1] & are_numbers[2] & F.col("rest").isNull()
    typed = lines.select(
        "customer_unique_id",
        *[F.col(name).try_cast("float").alias(name) for name in DIMENSIONS],
        F.when(F.coalesce(is_whole, F.lit(False)), number.cast("int")).alias("cluster"),
        distance.alias("stated_distance"),
    )
    # One of several lines, always the same; that there are several is a fault, whichever is taken.
    said = F.struct(*DIMENSIONS, "cluster", "stated_distance")
    by_customer = typed.groupBy("customer_unique_id").agg(F.min(said).alias("said"), F.count(F.lit(1)).alias("lines"))
    joined = rfm.select(*columns_of(schemas.MEASURES), F.lit(True).alias("is_customer")).join(
        by_customer, on="customer_unique_id", how="full"
    )
    fault = (
        F.when(F.col("lines").isNull(), F.lit("missing"))
        .when(F.col("is_customer").isNull(), F.lit("extra"))
        .when(F.col("lines") > 1, F.lit("twice"))
        .when(F.col("said.cluster").isNull(), F.lit("no_number"))
        .when(_is_another(scale), F.lit("other_features"))
    )
    return joined.select(
        *[F.col(name) for name in schemas.MEASURES.fieldNames()],
        *[F.col(f"said.{name}").alias(name) for name in (*DIMENSIONS, "cluster", "stated_distance")],
        fault.alias("fault"),
    )


def _is_another(scale: FeatureScale) -> Column:
    """Whether what was said is of other features than the customer's measures have in this scale."""
    ours = {name: scale.column(name, measure) for name, measure in dimensions().items()}
    far = [
        F.abs(F.col(f"said.{name}").cast("double") - feature) > SAME_FEATURE * F.greatest(F.lit(1.0), F.abs(feature))
        for name, feature in ours.items()
    ]
    return far[0] | far[1] | far[2]


def fault_counts() -> dict[str, Column]:
    """Aggregates over `checked_assignments`: how many customers have each of `FAULTS`."""
    return {fault: F.count_if(F.col("fault") == fault) for fault in FAULTS}


def cluster_means(*, checked: DataFrame) -> DataFrame:
    """Find the mean features of each cluster: its centroid, where no model says it.

    Grain in: one row per customer_unique_id. Grain out: one row per ``cluster``, and its means by dimension.
    """
    means = [F.avg(F.col(name).cast("double")).alias(name) for name in DIMENSIONS]
    return checked.groupBy("cluster").agg(*means)


def cluster_sums(*, checked: DataFrame, centroids: Mapping[int, Centroid]) -> DataFrame:
    """Add up each cluster: its customers, their money, and where they are on average.

    Grain in: one row per customer_unique_id, no faults. Grain out: one row per ``cluster``: ``customers``; ``revenue``,
    exact; the mean of each dimension in its unit (weeks, purchases, currency per purchase); ``squares``, the sum of
    squared distances to the centroid, whose sum over all clusters is the inertia; ``not_nearest``, how many of its
    customers another centroid is nearer to; ``off_distance`` and ``off_square``, how far the engine's own distances are
    at most from ours and from its square, as a part of it where that is above 1.
    """
    means = [F.avg(measure).alias(name) for name, measure in dimensions().items()]
    stated, squared = F.col("stated_distance"), F.col("squared")
    least = F.array_min(F.array(*[squared_distance(at) for at in centroids.values()]))
    return (
        checked.withColumn("squared", own_squared_distance(centroids))
        .groupBy("cluster")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.sum("total_value").cast(schemas.MONEY).alias("revenue"),
            F.sum("squared").alias("squares"),
            F.count_if(squared > least * NEARLY + SAME_FEATURE).alias("not_nearest"),
            F.max(_off(stated, F.sqrt(squared))).alias("off_distance"),
            F.max(_off(stated, squared)).alias("off_square"),
            *means,
        )
    )


def _off(stated: Column, ours: Column) -> Column:
    return F.abs(stated - ours) / F.greatest(F.lit(1.0), ours)


def own_squared_distance(centroids: Mapping[int, Centroid]) -> Column:
    """The squared distance of a customer's features to the centroid of its own cluster."""
    return _by_label({label: squared_distance(at) for label, at in centroids.items()})


def customer_segments(
    *, checked: DataFrame, centroids: Mapping[int, Centroid], ids: Mapping[int, int], names: Mapping[int, str]
) -> DataFrame:
    """Give each customer its cluster by the number that lasts, and its name.

    Grain in and out: one row per customer_unique_id; `schemas.CUSTOMER_SEGMENTS` out. ``distance`` is worked out here
    for every engine, so that it means the same: Euclidean, from the features to the centroid.

    Args:
        checked: `checked_assignments` without faults, whose ``cluster`` is the engine's own number.
        centroids: by that number.
        ids: the number that lasts, by the engine's own.
        names: by the number that lasts.
    """
    return (
        checked.withColumn("distance", F.sqrt(own_squared_distance(centroids)))
        .withColumn("cluster", _looked_up(ids, F.col("cluster")))
        .withColumn("cluster_name", _looked_up(names, F.col("cluster")))
        .select(*columns_of(schemas.CUSTOMER_SEGMENTS))
    )


def _looked_up(values: Mapping[int, int] | Mapping[int, str], key: Column) -> Column:
    pairs = [F.lit(part) for part in chain.from_iterable(values.items())]
    return F.create_map(*pairs)[key]


def _by_label(columns: Mapping[int, Column]) -> Column:
    choice: Column | None = None
    for label, column in columns.items():
        is_it = F.col("cluster") == label
        choice = F.when(is_it, column) if choice is None else choice.when(is_it, column)
    if choice is None:
        raise ValueError("no centroids")
    return choice


def sample_of(*, features: DataFrame, size: int) -> DataFrame:
    """At most ``size`` customers, always the same ones: those whose ids have the lowest hashes.

    Grain in and out: one row per customer_unique_id.
    """
    return features.orderBy(F.xxhash64("customer_unique_id"), "customer_unique_id").limit(size)
