"""The contracts of Olist's three files, and the list of all contracts.

Identifiers, states, statuses, payment types and limits are Olist's. A user's file can change them (`overrides`).
"""

from datetime import date
from types import MappingProxyType

from expectations.contracts.computed import all_contracts
from expectations.contracts.contract import FileContract, file_contract
from expectations.rules import (
    Between,
    InSet,
    Matches,
    NotAfter,
    RefersTo,
)
from transforms import schemas

ORDER_STATUSES = (
    "approved",
    "canceled",
    "created",
    "delivered",
    "invoiced",
    "processing",
    "shipped",
    "unavailable",
)

STATES = (
    *("AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA"),
    *("PB", "PE", "PI", "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO"),
)
"""The 26 states of Brazil and its federal district."""

PAYMENT_TYPES = ("boleto", "credit_card", "debit_card", "not_defined", "voucher")

IDENTIFIER = r"^[0-9a-f]{32}$"
"""Olist's identifiers are MD5 sums in hexadecimal."""

FIRST_DAY = date(2016, 1, 1)
"""The oldest purchase of the data set is of September 2016."""

HIGHEST_PAYMENT = 1_000_000
"""In the currency of the source. The largest payment of the data set is 13,664.08."""


CUSTOMERS = file_contract(
    FileContract(
        table="customers",
        file="olist_customers_dataset",
        schema=schemas.CUSTOMERS,
        source_names=MappingProxyType({"zip_code": "customer_zip_code_prefix", "state": "customer_state"}),
        free_text=("customer_city",),
        rules=(
            Matches("customer_id", IDENTIFIER, null_passes=True),
            Matches("customer_unique_id", IDENTIFIER, null_passes=True),
            Matches("customer_zip_code_prefix", r"^\d{5}$"),
            InSet("customer_state", STATES),
        ),
    ),
    required=("customer_id", "customer_unique_id"),
)

OTHER_TIMES = (
    "order_approved_at",
    "order_delivered_carrier_date",
    "order_delivered_customer_date",
    "order_estimated_delivery_date",
)

ORDERS = file_contract(
    FileContract(
        table="orders",
        file="olist_orders_dataset",
        schema=schemas.ORDERS,
        source_names=MappingProxyType({"order_purchase_time": "order_purchase_timestamp"}),
        rules=(
            Matches("order_id", IDENTIFIER, null_passes=True),
            InSet("order_status", ORDER_STATUSES),
            Between("order_purchase_timestamp", low=FIRST_DAY, high=schemas.LAST_TIME, null_passes=True),
            *(
                Between(column, low=schemas.FIRST_TIME, high=schemas.LAST_TIME, null_passes=True)
                for column in OTHER_TIMES
            ),
            NotAfter("order_purchase_timestamp", "order_delivered_customer_date", null_passes=True, severity="warn"),
            RefersTo("customer_id", table="customers", key="customer_id"),
        ),
    ),
    required=("order_id", "customer_id", "order_purchase_timestamp"),
)

PAYMENTS = file_contract(
    FileContract(
        table="payments",
        file="olist_order_payments_dataset",
        schema=schemas.PAYMENTS,
        numbered="payment_sequential",
        rules=(
            Matches("order_id", IDENTIFIER, null_passes=True),
            Between("payment_sequential", low=1, null_passes=True),
            InSet("payment_type", PAYMENT_TYPES, severity="warn"),
            Between("payment_installments", low=0),
            Between("payment_value", low=0, high=HIGHEST_PAYMENT, null_passes=True),
            RefersTo("order_id", table="orders", key="order_id"),
        ),
    ),
    required=("order_id", "payment_sequential", "payment_value"),
)

FILE_CONTRACTS = (CUSTOMERS, ORDERS, PAYMENTS)
"""In the order in which they are validated: a table comes after the tables that it refers to."""

CONTRACTS = all_contracts(FILE_CONTRACTS)
"""All contracts of a run over Olist's files."""
