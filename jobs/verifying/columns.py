"""The columns of the tables as docs/data-dictionary.md states them, and the key of each table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Kind = Literal["id", "text", "int", "money", "float", "time", "date"]

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(("customer_id", "customer_unique_id", "order_id"), "id"),
        **dict.fromkeys(("order_status", "rfm_score", "segment_code", "segment", "cluster_name"), "text"),
        **dict.fromkeys(("previous_segment_code", "previous_segment", "from_segment_code", "from_segment"), "text"),
        **dict.fromkeys(("to_segment_code", "to_segment", "cause", "code_after_past_data"), "text"),
        **dict.fromkeys(("code_after_new_purchases", "code_after_time", "code_after_cut_points"), "text"),
        **dict.fromkeys(("payment_sequential", "days_since_last_purchase", "recency_weeks", "tenure_days"), "int"),
        **dict.fromkeys(("purchase_count", "cluster", "runs_in_segment"), "int"),
        **dict.fromkeys(("payment_value", "value", "average_purchase_value", "total_value"), "money"),
        **dict.fromkeys(("order_purchase_time", "as_of", "first_purchase_time", "last_purchase_time"), "time"),
        **dict.fromkeys(("segment_since", "from_as_of"), "date"),
        "distance": "float",
    }
)
"""What a column holds."""

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customers": ("customer_id",),
        "orders": ("order_id",),
        "payments": ("order_id", "payment_sequential"),
        "transactions": ("order_id", "payment_sequential"),
        "purchases": ("customer_unique_id", "order_purchase_time"),
        "rfm": ("customer_unique_id",),
        "customer_segments": ("customer_unique_id",),
        "segment_history": ("customer_unique_id",),
        "segment_changes": ("customer_unique_id",),
    }
)
"""The key of each table. A ledger has one only where its mapping names the id of a transaction."""

MONEY: Mapping[str, str] = MappingProxyType(
    {"payments": "payment_value", "transactions": "payment_value", "purchases": "value", "rfm": "total_value"}
)
"""The column whose sum is the money of a table."""

QUICK: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customers": ("customer_id", "customer_unique_id"),
        "orders": ("order_id", "customer_id", "order_status", "order_purchase_time"),
        "payments": ("order_id", "payment_sequential", "payment_value"),
        "transactions": (
            "order_id",
            "payment_sequential",
            "customer_unique_id",
            "order_purchase_time",
            "payment_value",
        ),
        "purchases": ("customer_unique_id", "order_purchase_time", "value"),
        "rfm": (
            *("customer_unique_id", "first_purchase_time", "last_purchase_time", "days_since_last_purchase"),
            *("recency_weeks", "purchase_count", "total_value", "segment_code", "segment"),
        ),
        "customer_segments": ("customer_unique_id", "cluster", "distance", "cluster_name"),
        "segment_history": (
            *("customer_unique_id", "segment_code", "segment", "previous_segment_code", "previous_segment"),
            *("segment_since", "runs_in_segment"),
        ),
        "segment_changes": (
            *("customer_unique_id", "from_as_of", "from_segment_code", "from_segment", "to_segment_code"),
            *("to_segment", "cause", "code_after_past_data", "code_after_new_purchases", "code_after_time"),
            "code_after_cut_points",
        ),
    }
)
"""The columns of each table that a derivation needs; the others are in no rule that the documents state."""

TYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "id": "varchar",
        "text": "varchar",
        "int": "bigint",
        "money": "decimal(18, 4)",
        "float": "double",
        "time": "timestamp",
        "date": "date",
    }
)
"""The type in which values of a kind are compared."""


def quick_column(name: str) -> str:
    """A column for a quick comparison: an id as a number, 64 bits of its hash, and others in the type of their kind."""
    kind = KINDS[name]
    if kind == "id":
        return f"case when {name} is not null then hash({name}) end as {name}"
    return f"cast({name} as {TYPES[kind]}) as {name}"


def hashed(name: str) -> str:
    """A column as it goes into the sum of hashes by which two tables are compared."""
    kind = KINDS[name]
    if kind == "id":
        return name
    if kind == "float":
        # Two engines may differ in the last bit; the row-by-row comparison has a tolerance.
        return f"round({name}, 9) + 0.0"
    return f"cast({name} as {TYPES[kind]})"


def differs(name: str, *, actual: str, derived: str) -> str:
    """Whether two values of a column differ; figures in double precision by more than one billionth.

    Args:
        name: of the column.
        actual: the value in the run, as SQL.
        derived: the value that was derived.
    """
    if KINDS[name] == "float":
        return differs_much(actual, derived)
    return f"{actual} is distinct from {derived}"


def differs_much(actual: str, derived: str) -> str:
    """Whether two figures in double precision differ by more than one billionth, or one of them is missing."""
    return f"coalesce(abs({actual} - ({derived})) > 1e-9 * greatest(1, abs({derived})), true)"
