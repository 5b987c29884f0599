"""How often each customer bought again, under the names that models of repeat purchases take."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, IntegerType, LongType, StringType, StructField, StructType

from transforms.rfm.measures import is_return
from transforms.schemas import columns_of

REPEAT_PURCHASES = StructType(
    [
        StructField("customer_id", StringType()),
        StructField("frequency", LongType()),
        StructField("recency", IntegerType()),
        StructField("T", IntegerType()),
        StructField("monetary_value", DoubleType()),
    ]
)
"""What models of repeat purchases take, under the names of pymc-marketing. The run does not write it."""


def repeat_purchases(*, purchases: DataFrame, as_of: date) -> DataFrame:
    """Summarise the days on which each customer bought, as BG/NBD, Pareto/NBD and Gamma-Gamma models take them.

    Grain in: one row per (customer_unique_id, order_purchase_time), `schemas.PURCHASES`, none later than ``as_of``.
    Grain out: one row per customer with a purchase, `REPEAT_PURCHASES`.

    The columns have the names and meanings of pymc-marketing's ``rfm_summary`` and of lifetimes'
    ``summary_data_from_transaction_data``, in days. Purchases of one day count once.

    - ``customer_id``: the customer_unique_id.
    - ``frequency``: days with a purchase, less the first.
    - ``recency``: days from the first of them to the last. In rfm, recency is something else: it ends at ``as_of``.
    - ``T``: days from the first of them to ``as_of``.
    - ``monetary_value``: the money after the first day, by repeat day; 0 for a customer without any. It is added
      exactly, and is a double in the end, since models take no decimals.

    A return, whose value is below 0, is treated as in `customer_measures`: it makes no day a day with a purchase, and
    reduces the money. One of before the first purchase does not count. So a ``monetary_value`` may be 0 or less, which
    Gamma-Gamma does not take. The two packages would take a return for a purchase.

    A run with a window of months knows the first purchase within the window alone. Its ``frequency`` and ``T`` are
    then those of a customer who came later.
    """
    day = F.to_date("order_purchase_time")
    bought_on = F.when(~is_return(), day)
    is_repeat = F.col("day") > F.col("first_day")
    frequency, money = F.col("frequency"), F.col("money")
    return (
        purchases.withColumn("day", day)
        .withColumn("first_day", F.min(bought_on).over(Window.partitionBy("customer_unique_id")))
        .where(F.col("day") >= F.col("first_day"))
        .groupBy("customer_unique_id", "first_day")
        .agg(
            F.count_distinct(F.when(is_repeat, bought_on)).alias("frequency"),
            F.max(bought_on).alias("last_day"),
            F.sum(F.when(is_repeat, F.col("value"))).alias("money"),
        )
        .withColumn("customer_id", F.col("customer_unique_id"))
        .withColumn("recency", F.datediff("last_day", "first_day"))
        .withColumn("T", F.datediff(F.lit(as_of), F.col("first_day")))
        .withColumn("monetary_value", F.when(frequency > 0, money.cast("double") / frequency).otherwise(0.0))
        .select(*columns_of(REPEAT_PURCHASES))
    )
