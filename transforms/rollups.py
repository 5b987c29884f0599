"""Many rows in a few figures, by calendar."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

SKETCH_ERROR = 0.01
"""Of the count of distinct customers. Where they are few the count is exact, but for hashes that coincide."""


def purchases_by_month(*, purchases: DataFrame) -> DataFrame:
    """Count the purchases of each month, and add up their money.

    Grain in: one row per purchase, `schemas.PURCHASES`. Grain out: one row per month that has one. ``month`` is its
    first day; ``purchases`` leaves out values below 0, which are returns; ``money`` is the sum, with returns
    subtracted. ``customers`` are counted by a sketch (HyperLogLog), so that no row is moved. Where they are few, which
    is what the report asks, it tells how many.
    """
    return purchases.groupBy(F.trunc("order_purchase_time", "month").alias("month")).agg(
        F.count_if(F.col("value") >= 0).alias("purchases"),
        F.sum("value").alias("money"),
        F.approx_count_distinct("customer_unique_id", SKETCH_ERROR).alias("customers"),
    )
