"""The workshop's SQL for transactions, purchases and RFM without its faults, for Spark and for DuckDB.

It has the meaning and the columns of `jobs.features`, so results can be compared. It adds the payments of one purchase,
counts weeks before the as-of date, and takes the bounds from the data. It omits the workshop's ``order by``: the order
of rows is not part of the result, and sorting costs time.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal

Dialect = Literal["spark", "duckdb"]

CHECKED_TABLES = ("customers", "orders", "payments")

MEASURES = {
    "recency": "cast(recency_weeks as double)",
    "frequency": "cast(purchase_count as double)",
    "monetary": "cast(total_value as double) / purchase_count",
}

# DuckDB casts a timestamp with time zone with a calendar library, which is 30 times slower than this.
# In UTC, the day is the same.
LAST_DAY: Mapping[Dialect, str] = {
    "spark": "cast(max(order_purchase_time) as date)",
    "duckdb": "cast(make_timestamp(epoch_us(max(order_purchase_time))) as date)",
}
DAYS_SINCE_A_SUNDAY: Mapping[Dialect, str] = {
    "spark": "datediff({day}, date '1970-01-04')",
    "duckdb": "date_diff('day', date '1970-01-04', {day})",
}

PURCHASES = """
    select customer_unique_id, order_purchase_time, cast(sum(payment_value) as decimal(18, 4)) as value
    from transactions
    group by customer_unique_id, order_purchase_time
"""

BOUNDS = "select " + ", ".join(
    f"{extreme}({value}) as {name}_{extreme}" for name, value in MEASURES.items() for extreme in ("min", "max")
)
BOUNDS += " from measures"


def transactions(as_of: date) -> str:
    """Query over the checked tables. Grain: one row per payment of an order on or before ``as_of``."""
    return f"""
        select o.order_id, p.payment_sequential, c.customer_unique_id, o.order_purchase_time, p.payment_value
        from orders o
        join customers c on o.customer_id = c.customer_id
        join payments p on o.order_id = p.order_id
        where o.order_purchase_time < timestamp '{as_of + timedelta(days=1)} 00:00:00'
    """


def measures(as_of: date, dialect: Dialect) -> str:
    """Query over ``purchases``. Grain: one row per customer."""
    return f"""
        select
            customer_unique_id,
            max(order_purchase_time) as last_purchase_time,
            cast({_week(f"date '{as_of}'", dialect)} - {_week(LAST_DAY[dialect], dialect)} as int) as recency_weeks,
            count(*) as purchase_count,
            cast(sum(value) / count(*) as decimal(18, 4)) as average_purchase_value,
            cast(sum(value) as decimal(18, 4)) as total_value
        from purchases
        group by customer_unique_id
    """


def rfm(bounds: Mapping[str, Any]) -> str:
    """Query over ``measures``, with the results of `BOUNDS` as literals, as in the workshop."""
    normalised = ", ".join(
        f"{_normalised(value, low=bounds[f'{name}_min'], high=bounds[f'{name}_max'])} as {name}"
        for name, value in MEASURES.items()
    )
    return f"select *, {normalised} from measures"


def _week(day: str, dialect: Dialect) -> str:
    return f"floor({DAYS_SINCE_A_SUNDAY[dialect].format(day=day)} / 7)"


def _normalised(value: str, *, low: float, high: float) -> str:
    # repr has all digits, so the smallest value becomes exactly 0 and the largest exactly 5.
    bounds = {"low": f"cast({low!r} as double)", "high": f"cast({high!r} as double)"}
    return "coalesce(({value} - {low}) / nullif({high} - {low}, 0) * 5, 0)".format(value=value, **bounds)
