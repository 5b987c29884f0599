"""The workshop's SQL for transactions, purchases and RFM, with its faults mended, for Spark and for DuckDB.

The same meaning as `jobs.features`, so that results can be compared: payments of one purchase are added, weeks are
counted back from a given day, bounds come from the data. All columns that the project writes are made. The workshop's
``order by`` is left out, since the order of rows is no part of a result and sorting costs.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal

Dialect = Literal["spark", "duckdb"]

CHECKED_TABLES = ("customers", "orders", "payments")

MEASURED = {
    "recency": "cast(recency_weeks as double)",
    "frequency": "cast(purchase_count as double)",
    "monetary": "cast(total_value as double) / purchase_count",
}

# Casting DuckDB's timestamp with time zone goes through a calendar library, 30 times slower than this; in UTC the
# day is the same.
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
    f"{extreme}({value}) as {name}_{extreme}" for name, value in MEASURED.items() for extreme in ("min", "max")
)
BOUNDS += " from measures"


def transactions(as_of: date) -> str:
    """Query over the checked tables. Grain: one row per payment of an order of ``as_of`` or before."""
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
    """Query over ``measures``, with the figures that `BOUNDS` gave put in as the workshop has them put in."""
    normalised = ", ".join(
        f"{_normalised(value, low=bounds[f'{name}_min'], high=bounds[f'{name}_max'])} as {name}"
        for name, value in MEASURED.items()
    )
    return f"select *, {normalised} from measures"


def _week(day: str, dialect: Dialect) -> str:
    return f"floor({DAYS_SINCE_A_SUNDAY[dialect].format(day=day)} / 7)"


def _normalised(value: str, *, low: float, high: float) -> str:
    # repr gives all digits, so that the smallest value becomes 0 and the largest 5, exactly.
    bounds = {"low": f"cast({low!r} as double)", "high": f"cast({high!r} as double)"}
    return "coalesce(({value} - {low}) / nullif({high} - {low}, 0) * 5, 0)".format(value=value, **bounds)
