"""The columns of the figures that the report of a run leaves for a dashboard."""

from collections.abc import Mapping
from types import MappingProxyType

from pyspark.sql.types import (
    BooleanType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from transforms.schemas import MONEY

SEGMENT_FIGURES = StructType(
    [
        StructField("as_of", DateType()),
        StructField("segment_code", StringType()),
        StructField("segment", StringType()),
        StructField("customers", LongType()),
        StructField("share_of_customers", DoubleType()),
        StructField("revenue", MONEY),
        StructField("share_of_revenue", DoubleType()),
        StructField("value_per_purchase", MONEY),
        StructField("days_since_last_purchase", DoubleType()),
        StructField("customers_change", LongType()),
        StructField("is_hidden", BooleanType()),
    ]
)

GRID_FIGURES = StructType(
    [
        StructField("as_of", DateType()),
        StructField("recency_score", IntegerType()),
        StructField("recency", StringType()),
        StructField("other_measure", StringType()),
        StructField("other_score", IntegerType()),
        StructField("other", StringType()),
        StructField("segments", StringType()),
        StructField("customers", LongType()),
        StructField("value_per_customer", MONEY),
        StructField("is_hidden", BooleanType()),
    ]
)

TREND_FIGURES = StructType(
    [
        StructField("as_of", DateType()),
        StructField("segment", StringType()),
        StructField("share_of_customers", DoubleType()),
        StructField("is_hidden", BooleanType()),
    ]
)

CLUSTER_FIGURES = StructType(
    [
        StructField("as_of", DateType()),
        StructField("cluster", IntegerType()),
        StructField("cluster_name", StringType()),
        StructField("customers", LongType()),
        StructField("share_of_customers", DoubleType()),
        StructField("revenue", MONEY),
        StructField("recency", DoubleType()),
        StructField("frequency", DoubleType()),
        StructField("monetary", DoubleType()),
        StructField("is_hidden", BooleanType()),
    ]
)

QUALITY_FIGURES = StructType(
    [
        StructField("as_of", DateType()),
        StructField("table_name", StringType()),
        StructField("rows_read", LongType()),
        StructField("rows_accepted", LongType()),
        StructField("rows_quarantined", LongType()),
        StructField("rows_cascaded", LongType()),
        StructField("share_quarantined", DoubleType()),
    ]
)

RULE_FIGURES = StructType(
    [
        StructField("as_of", DateType()),
        StructField("table_name", StringType()),
        StructField("rule", StringType()),
        StructField("failed_rows", LongType()),
    ]
)

MONEY_FIGURES = StructType(
    [
        StructField("as_of", DateType()),
        StructField("stage_number", IntegerType()),
        StructField("stage", StringType()),
        StructField("money", MONEY),
        StructField("lost", MONEY),
        StructField("cause", StringType()),
    ]
)

FIGURES: Mapping[str, StructType] = MappingProxyType(
    {
        "segment_figures": SEGMENT_FIGURES,
        "grid_figures": GRID_FIGURES,
        "trend_figures": TREND_FIGURES,
        "cluster_figures": CLUSTER_FIGURES,
        "quality_figures": QUALITY_FIGURES,
        "rule_figures": RULE_FIGURES,
        "money_figures": MONEY_FIGURES,
    }
)
"""The figures of the report of a run, for a dashboard: they are few rows, and hide what the page hides."""
