"""Payments of Olist joined to their order and to the person who paid: the workshop's ``transactions_1``.

And what does not become a transaction: payments, orders and people, each by the cause.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms import schemas
from transforms.schemas import columns_of
from transforms.sources.counted import PURCHASED_AFTER_AS_OF, PURCHASED_BEFORE_WINDOW, Counted, cause_of_day

ORDER_STATUS_NOT_COUNTED = "order_status_not_counted"
EXCLUSION_CAUSES = (ORDER_STATUS_NOT_COUNTED, PURCHASED_AFTER_AS_OF, PURCHASED_BEFORE_WINDOW)
"""Why an accepted payment is excluded from the transactions. If several causes apply, the first is recorded."""

WITHOUT_PAYMENTS = "without_payments"
"""Why an order that would count has no transaction."""

COUNTED_ORDERS = "orders_counted"
"""Orders of which a transaction comes."""

RETURNS_ALONE = "returns_alone"
WITHOUT_ORDERS = "without_orders"
CAUSES_OF_PEOPLE = (RETURNS_ALONE, WITHOUT_PAYMENTS, *EXCLUSION_CAUSES, WITHOUT_ORDERS)
"""Why a person of the customers table has no row in rfm. Of several causes the first is recorded."""


def attributed_payments(
    *,
    orders: DataFrame,
    customers: DataFrame,
    payments: DataFrame,
    counted: Counted,
) -> DataFrame:
    """Give each payment the time of its order, its person, and the cause of its exclusion.

    Grain in: one row per order; per customer_id; per (order_id, payment_sequential). Grain out: one row per payment;
    and one per order without payments; the columns of `schemas.TRANSACTIONS`, and ``exclusion_cause``, null for a
    payment that counts. Excluded payments and orders without payments stay in, so that they can be counted in the same
    pass.

    In validated tables each payment has its order, and each order its customer; rows of other tables may be lost here.

    Args:
        orders: `schemas.ORDERS`.
        customers: `schemas.CUSTOMERS`. A ``customer_id`` belongs to one order; the person is ``customer_unique_id``.
        payments: `schemas.PAYMENTS`.
        counted: which orders count.
    """
    orders_of_people = orders.select("order_id", "customer_id", "order_status", "order_purchase_time").join(
        customers.select("customer_id", "customer_unique_id"), on="customer_id", how="inner"
    )
    return (
        payments.select("order_id", "payment_sequential", "payment_value")
        .join(orders_of_people, on="order_id", how="right")
        .select(
            *columns_of(schemas.TRANSACTIONS),
            exclusion_cause(counted).alias("exclusion_cause"),
        )
    )


def first_purchase_day(*, orders: DataFrame) -> DataFrame:
    """The day of the first order, whether it counts or not: one row, ``day``, null where there are no orders."""
    return orders.select(F.to_date(F.min("order_purchase_time")).alias("day"))


def exclusion_cause(counted: Counted) -> Column:
    """The cause for which a payment is excluded, one of `EXCLUSION_CAUSES`; null if it counts."""
    cause = cause_of_day(F.to_date("order_purchase_time"), counted)
    if counted.order_statuses is None:
        return cause
    has_other_status = ~F.coalesce(F.col("order_status").isin(*counted.order_statuses), F.lit(False))
    return F.when(has_other_status, F.lit(ORDER_STATUS_NOT_COUNTED)).otherwise(cause)


def transactions(*, attributed: DataFrame) -> DataFrame:
    """Select the payments that count.

    Grain in: `attributed_payments`. Grain out: one row per (order_id, payment_sequential), `schemas.TRANSACTIONS`.
    """
    counts = F.col("exclusion_cause").isNull() & ~_is_unpaid()
    return attributed.where(counts).select(*columns_of(schemas.TRANSACTIONS))


def _is_unpaid() -> Column:
    """Whether a row of `attributed_payments` is an order without payments."""
    return F.col("payment_sequential").isNull()


def exclusion_totals() -> dict[str, Column]:
    """Aggregates over `attributed_payments`: for each of `EXCLUSION_CAUSES`, a struct of ``rows`` and ``money``."""
    totals = {}
    for cause in EXCLUSION_CAUSES:
        is_excluded = (F.col("exclusion_cause") == cause) & ~_is_unpaid()
        money = F.sum(F.when(is_excluded, F.col("payment_value")))
        totals[cause] = F.struct(F.count_if(is_excluded).alias("rows"), money.alias("money"))
    return totals


def order_totals() -> dict[str, Column]:
    """Aggregates over `attributed_payments`: the orders that count (`COUNTED_ORDERS`), and the others, by cause.

    An order is counted where its payment has the sequential number 1, or where it has no payment. So the totals fall
    short of all orders by those whose payments have other numbers only; for them see `excluded_orders`.
    """
    cause = F.col("exclusion_cause")
    is_first, counts = F.coalesce(F.col("payment_sequential"), F.lit(1)) == 1, cause.isNull()
    return {
        COUNTED_ORDERS: F.count_if(is_first & counts & ~_is_unpaid()),
        WITHOUT_PAYMENTS: F.count_if(is_first & counts & _is_unpaid()),
        **{f"orders_{name}": F.count_if(is_first & (cause == name)) for name in EXCLUSION_CAUSES},
    }


def excluded_orders(counted: Counted) -> dict[str, Column]:
    """Aggregates over `schemas.ORDERS`: for each of `EXCLUSION_CAUSES`, the orders that it excludes, paid or not."""
    cause = exclusion_cause(counted)
    return {f"orders_{name}": F.count_if(cause == name) for name in EXCLUSION_CAUSES}


def customer_ids_of(*, people: DataFrame, customers: DataFrame) -> DataFrame:
    """Find the customer_ids of some people.

    Grain in: one row per customer_unique_id; `schemas.CUSTOMERS`. Grain out: one row per customer_id of these people.
    """
    return customers.select("customer_id", "customer_unique_id").join(
        people.select("customer_unique_id"), on="customer_unique_id", how="inner"
    )


def causes_of_people(
    *,
    others: DataFrame,
    customer_ids: DataFrame,
    orders: DataFrame,
    counted: Counted,
) -> DataFrame:
    """Say of each person who bought nothing why.

    Grain in: one row per person who bought nothing; `customer_ids_of` them; `schemas.ORDERS`. Grain out: one row per
    person: ``customer_unique_id``, and ``cause``, one of `CAUSES_OF_PEOPLE`.

    Args:
        others: people who bought nothing: ``customer_unique_id``, and ``returns``, the number of returns.
        customer_ids: their customer_ids.
        orders: the orders of all people.
        counted: which orders count.
    """
    # An order that is not excluded would make its person a buyer, or leave a return, if it were paid.
    excluded = exclusion_cause(counted)
    by_order = orders.select("customer_id", F.coalesce(excluded, F.lit(WITHOUT_PAYMENTS)).alias("cause")).join(
        customer_ids, on="customer_id", how="inner"
    )
    # The last of the causes for a person without orders, and the first for one with returns, whatever the orders.
    without_order = F.when(F.col("returns") > 0, F.lit(RETURNS_ALONE)).otherwise(F.lit(WITHOUT_ORDERS))
    every_cause = by_order.select("customer_unique_id", "cause").unionByName(
        others.select("customer_unique_id", without_order.alias("cause"))
    )
    order_of_causes = F.array(*[F.lit(cause) for cause in CAUSES_OF_PEOPLE])
    place = F.array_position(order_of_causes, F.col("cause"))
    return (
        every_cause.groupBy("customer_unique_id")
        .agg(F.min(place).alias("place"))
        .select("customer_unique_id", F.get(order_of_causes, F.col("place").cast("int") - 1).alias("cause"))
    )
