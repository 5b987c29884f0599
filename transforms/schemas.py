"""The tables of the project: columns, types and keys, written once.

A transform ends in ``select(*columns_of(SCHEMA))``, so that what it returns is what is written here.
Columns are declared nullable, as Parquet readers report them; which may not be null is said by `KEYS`
and by the data contracts.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

MONEY = DecimalType(18, 4)
"""Money in the currency of the source: added exactly, never as a floating number."""

CUSTOMERS = StructType(
    [
        StructField("customer_id", StringType()),
        StructField("customer_unique_id", StringType()),
        StructField("zip_code", StringType()),
        StructField("customer_city", StringType()),
        StructField("state", StringType()),
    ]
)

ORDERS = StructType(
    [
        StructField("order_id", StringType()),
        StructField("customer_id", StringType()),
        StructField("order_status", StringType()),
        StructField("order_purchase_time", TimestampType()),
        StructField("order_approved_at", TimestampType()),
        StructField("order_delivered_carrier_date", TimestampType()),
        StructField("order_delivered_customer_date", TimestampType()),
        StructField("order_estimated_delivery_date", TimestampType()),
    ]
)

PAYMENTS = StructType(
    [
        StructField("order_id", StringType()),
        StructField("payment_sequential", IntegerType()),
        StructField("payment_type", StringType()),
        StructField("payment_installments", IntegerType()),
        StructField("payment_value", MONEY),
    ]
)

TRANSACTIONS = StructType(
    [
        StructField("order_id", StringType()),
        StructField("payment_sequential", IntegerType()),
        StructField("customer_unique_id", StringType()),
        StructField("order_purchase_time", TimestampType()),
        StructField("payment_value", MONEY),
    ]
)

PURCHASES = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("order_purchase_time", TimestampType()),
        StructField("value", MONEY),
    ]
)

MEASURES = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("last_purchase_time", TimestampType()),
        StructField("recency_weeks", IntegerType()),
        StructField("purchase_count", LongType()),
        StructField("average_purchase_value", MONEY),
        StructField("total_value", MONEY),
    ]
)
"""The measured half of `RFM`: what was counted of a customer, before any card is applied."""

RFM = StructType(
    [
        *MEASURES.fields,
        StructField("recency", DoubleType()),
        StructField("frequency", DoubleType()),
        StructField("monetary", DoubleType()),
    ]
)

KMEANS_FEATURES = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("recency", FloatType()),
        StructField("frequency", FloatType()),
        StructField("monetary", FloatType()),
    ]
)
"""What is clustered, in the feature scale of the card; single precision, as SageMaker computes."""

KMEANS_ASSIGNMENTS = StructType(
    [
        *KMEANS_FEATURES.fields,
        StructField("cluster", IntegerType()),
        StructField("distance", DoubleType()),
    ]
)
"""What an engine says of a customer: its own number of the cluster, and how far from the centroid."""

CUSTOMER_SEGMENTS = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("cluster", IntegerType()),
        StructField("distance", DoubleType()),
        StructField("cluster_name", StringType()),
    ]
)

REASON = StructType(
    [
        StructField("rule", StringType()),
        StructField("column", StringType()),
        StructField("value", StringType()),
        StructField("message", StringType()),
    ]
)
"""Why a row was rejected: the rule it broke, where, the text found there, and what was expected."""

REASONS = ArrayType(REASON)

TABLES: Mapping[str, StructType] = MappingProxyType(
    {
        "customers": CUSTOMERS,
        "orders": ORDERS,
        "payments": PAYMENTS,
        "transactions": TRANSACTIONS,
        "purchases": PURCHASES,
        "rfm": RFM,
        "customer_segments": CUSTOMER_SEGMENTS,
    }
)
"""The tables that a run is read by, in the order in which they are made."""

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customers": ("customer_id",),
        "orders": ("order_id",),
        "payments": ("order_id", "payment_sequential"),
        "transactions": ("order_id", "payment_sequential"),
        "purchases": ("customer_unique_id", "order_purchase_time"),
        "rfm": ("customer_unique_id",),
        "customer_segments": ("customer_unique_id",),
    }
)
"""The true key of each table. The workshop declares ``orders_1(customer_id)`` and ``payments_1(order_id)``; the
second is none (an order may be paid in up to 29 parts), and Redshift's planner trusts what it is told."""

MONEY_COLUMNS: Mapping[str, str] = MappingProxyType(
    {"payments": "payment_value", "transactions": "payment_value", "purchases": "value", "rfm": "total_value"}
)
"""The column whose sum is a table's money, as the manifest's totals have it; no entry where a table has none."""


def columns_of(schema: StructType) -> list[Column]:
    """The columns of ``schema``, in its order, cast to its types.

    Under ANSI mode a value that does not fit (a sum over 14 integer digits, say) raises and is never cut.
    """
    return [F.col(field.name).cast(field.dataType).alias(field.name) for field in schema.fields]
