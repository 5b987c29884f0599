"""The workshop's tables as views over ours, so that its SQL runs as it is written there."""

from collections.abc import Mapping
from types import MappingProxyType

from jobs.warehouse.identifiers import listed, qualified
from transforms.schemas import CUSTOMERS, ORDERS, PAYMENTS, PURCHASES

VIEWS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "customers_1": ("customers", tuple(CUSTOMERS.fieldNames())),
        "orders_1": ("orders", tuple(ORDERS.fieldNames())),
        "payments_1": ("payments", tuple(PAYMENTS.fieldNames())),
        "transactions_1": ("transactions", ("order_id", "customer_unique_id", "order_purchase_time", "payment_value")),
        "rfm_input_1": ("purchases", tuple(PURCHASES.fieldNames())),
        "rfm_input_2": ("rfm", ("customer_unique_id", "recency", "frequency", "monetary")),
    }
)
"""By the workshop's name: our table, and the columns that the workshop's has, in its order."""


def create_view(view: str, *, schema: str, tables_schema: str) -> str:
    """The statement that makes or renews one of the views.

    Args:
        view: the workshop's name.
        schema: where the view is.
        tables_schema: where our tables are.
    """
    table, columns = VIEWS[view]
    return (
        f"create or replace view {qualified(schema, view)} as\n"
        f"select {listed(list(columns))}\nfrom {qualified(tables_schema, table)}"
    )
