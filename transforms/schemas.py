"""The tables of the project: columns, types and keys.

A transform ends in ``select(*columns_of(SCHEMA))``, so that it returns exactly these columns and types. All columns are
declared nullable, as Parquet readers report them. The contracts of `expectations` state which may not be null.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    DataType,
    DateType,
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
"""Money in the currency of the source. Sums are exact."""

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
        StructField("as_of", TimestampType()),
        StructField("first_purchase_time", TimestampType()),
        StructField("last_purchase_time", TimestampType()),
        StructField("days_since_last_purchase", IntegerType()),
        StructField("recency_weeks", IntegerType()),
        StructField("tenure_days", IntegerType()),
        StructField("purchase_count", LongType()),
        StructField("average_purchase_value", MONEY),
        StructField("total_value", MONEY),
    ]
)
"""The first half of `RFM`: the measures of a customer, before a card is applied."""

RFM = StructType(
    [
        *MEASURES.fields,
        StructField("recency", DoubleType()),
        StructField("frequency", DoubleType()),
        StructField("monetary", DoubleType()),
        StructField("r_score", IntegerType()),
        StructField("f_score", IntegerType()),
        StructField("m_score", IntegerType()),
        StructField("rfm_score", StringType()),
        StructField("segment_code", StringType()),
        StructField("segment", StringType()),
        StructField("r_band", StringType()),
        StructField("r_to_next", IntegerType()),
        StructField("f_band", StringType()),
        StructField("f_to_next", LongType()),
        StructField("m_band", StringType()),
        StructField("m_to_next", MONEY),
    ]
)
"""The measures of a customer; what a card makes of them: normalised figures, scores and segment; and the reasons."""

ADDED_AFTER_0_1: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "rfm": frozenset(RFM.fieldNames())
        - {"customer_unique_id", "last_purchase_time", "recency_weeks", "purchase_count", "average_purchase_value"}
        - {"total_value", "recency", "frequency", "monetary"}
    }
)
"""The columns that the files of release 0.1 lack."""

MAY_BE_NULL = (
    *("r_to_next", "f_to_next", "m_to_next"),
    *("previous_segment_code", "previous_segment"),
    *("from_segment_code", "from_segment", "to_segment_code", "to_segment"),
    *("code_after_past_data", "code_after_new_purchases", "code_after_time", "code_after_cut_points"),
)
"""The columns of computed tables that may be null. Nothing is missing to the best customers. A customer may always have
been in one segment. One who is new, or vanished, has no segment on one side."""

KMEANS_FEATURES = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("recency", FloatType()),
        StructField("frequency", FloatType()),
        StructField("monetary", FloatType()),
    ]
)
"""The features that are clustered, in the feature scale of the card; single precision, as SageMaker computes."""

KMEANS_ASSIGNMENTS = StructType(
    [
        *KMEANS_FEATURES.fields,
        StructField("cluster", IntegerType()),
        StructField("distance", DoubleType()),
    ]
)
"""The output of an engine for a customer: the label of the cluster, and the distance to its centroid."""

CUSTOMER_SEGMENTS = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("cluster", IntegerType()),
        StructField("distance", DoubleType()),
        StructField("cluster_name", StringType()),
    ]
)

SEGMENT_HISTORY = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("segment_code", StringType()),
        StructField("segment", StringType()),
        StructField("previous_segment_code", StringType()),
        StructField("previous_segment", StringType()),
        StructField("segment_since", DateType()),
        StructField("runs_in_segment", IntegerType()),
    ]
)
"""How long each customer has been in their segment, and in which one before; carried from run to run."""

SEGMENT_CHANGES = StructType(
    [
        StructField("customer_unique_id", StringType()),
        StructField("from_as_of", DateType()),
        StructField("from_segment_code", StringType()),
        StructField("from_segment", StringType()),
        StructField("to_segment_code", StringType()),
        StructField("to_segment", StringType()),
        StructField("cause", StringType()),
        StructField("code_after_past_data", StringType()),
        StructField("code_after_new_purchases", StringType()),
        StructField("code_after_time", StringType()),
        StructField("code_after_cut_points", StringType()),
    ]
)
"""Who changed their segment since the run before, who is new and who vanished; with the way there (`changes`)."""

AUDIENCES = StructType(
    [
        StructField("audience_id", StringType()),
        StructField("campaign", StringType()),
        StructField("run_id", StringType()),
        StructField("as_of", DateType()),
        StructField("customer_unique_id", StringType()),
        StructField("segment_code", StringType()),
        StructField("change", StringType()),
        StructField("previous_segment_code", StringType()),
        StructField("arm", StringType()),
    ]
)
"""The members of exported audiences, of which a warehouse holds any number. The run does not write them."""

REASON = StructType(
    [
        StructField("rule", StringType()),
        StructField("column", StringType()),
        StructField("value", StringType()),
        StructField("message", StringType()),
    ]
)
"""Why a row failed: the rule, the column, the text that was found, and what was expected."""

REASONS = ArrayType(REASON)

TABLES: Mapping[str, StructType] = MappingProxyType(
    {
        "customers": CUSTOMERS,
        "orders": ORDERS,
        "payments": PAYMENTS,
        "transactions": TRANSACTIONS,
        "purchases": PURCHASES,
        "rfm": RFM,
        "segment_history": SEGMENT_HISTORY,
        "segment_changes": SEGMENT_CHANGES,
        "customer_segments": CUSTOMER_SEGMENTS,
    }
)
"""The tables of a run for readers, in the order in which they are computed."""

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customers": ("customer_id",),
        "orders": ("order_id",),
        "payments": ("order_id", "payment_sequential"),
        "transactions": ("order_id", "payment_sequential"),
        "purchases": ("customer_unique_id", "order_purchase_time"),
        "rfm": ("customer_unique_id",),
        "segment_history": ("customer_unique_id",),
        "segment_changes": ("customer_unique_id",),
        "customer_segments": ("customer_unique_id",),
    }
)
"""The true key of each table.

The workshop declares ``orders_1(customer_id)`` and ``payments_1(order_id)``. The second is not a key, since an order
may have up to 29 payments. Redshift does not check declared keys, but its planner trusts them."""

MAX_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "customer_id": 64,
        "customer_unique_id": 64,
        "order_id": 64,
        "zip_code": 16,
        "customer_city": 256,
        "state": 16,
        "order_status": 32,
        "payment_type": 32,
        "cluster_name": 256,
        "rfm_score": 3,
        "segment_code": 32,
        "segment": 128,
        "previous_segment_code": 32,
        "previous_segment": 128,
        "from_segment_code": 32,
        "from_segment": 128,
        "to_segment_code": 32,
        "to_segment": 128,
        "cause": 32,
        "code_after_past_data": 32,
        "code_after_new_purchases": 32,
        "code_after_time": 32,
        "code_after_cut_points": 32,
        "r_band": 64,
        "f_band": 64,
        "m_band": 64,
    }
)
"""The length of each text column of `TABLES`, in bytes of UTF-8: that of the column in Redshift, and of the rule.

Redshift's planner reserves memory by this length, so it is close to the data. Olist's ids have 32 bytes; a bank's may
have more. A longer text in a file is quarantined, since it would fail the load of all rows.
"""

FIRST_TIME, LAST_TIME = date(1900, 1, 1), date(2262, 4, 10)
"""The days that every reader of a timestamp agrees on, inclusive.

The files hold timestamps as INT96, the form that Redshift's COPY is known to read. Readers such as pandas make
nanoseconds of it, which end at 2262-04-11 and begin in 1677: 9999-12-31 comes out as 1816. Before 1900, writers differ
on the calendar.
"""

MONEY_COLUMNS: Mapping[str, str] = MappingProxyType(
    {"payments": "payment_value", "transactions": "payment_value", "purchases": "value", "rfm": "total_value"}
)
"""The column whose sum is the money of a table; no entry for a table without money."""


def columns_of(schema: StructType) -> list[Column]:
    """The columns of a schema in its order, cast to its types.

    In ANSI mode a value that does not fit raises an error, for example a sum of more than 14 integer digits.
    """
    return [F.col(field.name).cast(name_of(field.dataType)).alias(field.name) for field in schema.fields]


def name_of(data_type: DataType) -> str:
    """A type as SQL names it, for a cast. Given an object, PySpark asks Java five times where a name takes one call."""
    return data_type.simpleString()
