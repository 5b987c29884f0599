"""Payments merged into purchases: the workshop's ``rfm_input_1``."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms import schemas
from transforms.schemas import columns_of


def purchases(*, transactions: DataFrame) -> DataFrame:
    """Merge the payments that a customer made at one moment into one purchase, adding them.

    Grain in: one row per payment. Grain out: one row per (customer_unique_id, order_purchase_time),
    `schemas.PURCHASES`.
    """
    return (
        transactions.groupBy("customer_unique_id", "order_purchase_time")
        .agg(F.sum("payment_value").alias("value"))
        .select(*columns_of(schemas.PURCHASES))
    )


def purchases_of_one_payment(*, transactions: DataFrame) -> DataFrame:
    """Keep one payment of each purchase and drop the others, as the workshop's ``any_value`` does.

    Grain in: one row per payment. Grain out: one row per (customer_unique_id, order_purchase_time),
    `schemas.PURCHASES`.

    For comparison with figures made the workshop's way; on Olist it loses 264,061 BRL of 16,008,872.12. Redshift's
    ``ANY_VALUE`` may pick any row and another one tomorrow. Here it is the payment of the lowest order_id, then of
    the lowest payment_sequential, so that a second run gives the same rows.
    """
    first_payment = F.min(F.struct("order_id", "payment_sequential", "payment_value"))
    return (
        transactions.groupBy("customer_unique_id", "order_purchase_time")
        .agg(first_payment.alias("first_payment"))
        .select("customer_unique_id", "order_purchase_time", F.col("first_payment.payment_value").alias("value"))
        .select(*columns_of(schemas.PURCHASES))
    )
