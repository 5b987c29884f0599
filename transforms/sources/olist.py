"""Payments of Olist joined to their order and to the person who paid: the workshop's ``transactions_1``."""

from collections.abc import Collection
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms import schemas
from transforms.schemas import columns_of

ORDER_STATUS_NOT_COUNTED = "order_status_not_counted"
PURCHASED_AFTER_AS_OF = "purchased_after_as_of"
EXCLUSION_CAUSES = (ORDER_STATUS_NOT_COUNTED, PURCHASED_AFTER_AS_OF)
"""Why an accepted payment is excluded from the transactions. If both causes apply, the first is recorded."""


def attributed_payments(
    *,
    orders: DataFrame,
    customers: DataFrame,
    payments: DataFrame,
    as_of: date,
    order_statuses: Collection[str] | None = None,
) -> DataFrame:
    """Give each payment the time of its order, its person, and the cause of its exclusion.

    Grain in: one row per order; per customer_id; per (order_id, payment_sequential). Grain out: one row per payment;
    the columns of `schemas.TRANSACTIONS`, and ``exclusion_cause``, null for a payment that counts. Excluded payments
    stay in, so that their money can be summed in the same pass.

    The joins are inner. In validated tables each payment has its order, and each order its customer; rows of other
    tables may be lost here.

    Args:
        orders: `schemas.ORDERS`.
        customers: `schemas.CUSTOMERS`. A ``customer_id`` belongs to one order; the person is ``customer_unique_id``.
        payments: `schemas.PAYMENTS`.
        as_of: the last day that counts, inclusive; wall-clock as in the source.
        order_statuses: the statuses that count; None counts all, as the workshop does.
    """
    orders_of_people = orders.select("order_id", "customer_id", "order_status", "order_purchase_time").join(
        customers.select("customer_id", "customer_unique_id"), on="customer_id", how="inner"
    )
    return (
        payments.select("order_id", "payment_sequential", "payment_value")
        .join(orders_of_people, on="order_id", how="inner")
        .select(
            *columns_of(schemas.TRANSACTIONS),
            exclusion_cause(as_of=as_of, order_statuses=order_statuses).alias("exclusion_cause"),
        )
    )


def exclusion_cause(*, as_of: date, order_statuses: Collection[str] | None) -> Column:
    """The cause for which a payment is excluded, one of `EXCLUSION_CAUSES`; null if it counts."""
    is_late = F.to_date("order_purchase_time") > F.lit(as_of)
    cause = F.when(is_late, F.lit(PURCHASED_AFTER_AS_OF))
    if order_statuses is None:
        return cause
    has_other_status = ~F.coalesce(F.col("order_status").isin(*order_statuses), F.lit(False))
    return F.when(has_other_status, F.lit(ORDER_STATUS_NOT_COUNTED)).otherwise(cause)


def transactions(*, attributed: DataFrame) -> DataFrame:
    """Select the payments that count.

    Grain in: `attributed_payments`. Grain out: one row per (order_id, payment_sequential), `schemas.TRANSACTIONS`.
    """
    return attributed.where(F.col("exclusion_cause").isNull()).select(*columns_of(schemas.TRANSACTIONS))


def exclusion_totals() -> dict[str, Column]:
    """Aggregates over `attributed_payments`: for each of `EXCLUSION_CAUSES`, a struct of ``rows`` and ``money``."""
    totals = {}
    for cause in EXCLUSION_CAUSES:
        is_excluded = F.col("exclusion_cause") == cause
        money = F.sum(F.when(is_excluded, F.col("payment_value")))
        totals[cause] = F.struct(F.count_if(is_excluded).alias("rows"), money.alias("money"))
    return totals
