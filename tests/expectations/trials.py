"""Rows to try the rules of every contract on, written by hand.

Each rule of each contract has a row that breaks it and no other (or what else it breaks is said).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from expectations.contracts.computed import with_row_count
from expectations.contracts.contract import Contract
from expectations.contracts.olist import CONTRACTS
from expectations.rules import Between, InSet, MeanBetween, NotAfter, NullShareAtMost, Rule
from tests.frames import at, money
from tests.raw_files import key

ANN, C, P, Q, X = map(key, ("ann", "customer", "order", "quarantined", "x"))
BYTES, MARKS = "\ufffd", ("source_file", "malformed_row")


class Bad(NamedTuple):
    """A row that breaks a rule: how it differs from a good one, and what Great Expectations is to show of it.

    Of a row that breaks a rule because nothing stands there, nothing is shown.
    """

    label: str
    changes: Mapping[str, Any]
    shown: str | None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A contract, rows to try it on, and the labels of the rules that they break.

    Two rows in which nothing stands break ``nulls`` besides all rules that something does; no rows at all ``no_rows``,
    and the bad rows together ``bad_together``. A rule of keys is broken by a row that is there twice.
    """

    contract: Contract
    number: str  # the column that makes each row another
    good: Mapping[str, Any]
    bad: Sequence[Bad]
    nulls: Collection[str]
    no_rows: Collection[str] = ("row_count_between",)
    bad_together: Collection[str] = ()


def added(contract: Contract, *rules: Rule) -> Contract:
    """The contract with rules that no contract has of itself."""
    return replace(contract, rules=(*contract.rules, *rules))


def nothing(*columns: str) -> list[Bad]:
    return [Bad(f"not_null({column})", {column: None}, None) for column in columns]


def no_value(*columns: str) -> list[Bad]:
    return [Bad(f"parses_as({column})", {column: "x"}, "x") for column in columns]


MALFORMED = Bad("has_all_fields", {"malformed_row": "1,2"}, "1,2")
ZIP, STATE = "customer_zip_code_prefix", "customer_state"
CUSTOMERS = Trial(
    added(CONTRACTS["customers"], InSet("customer_city", ("mau\u00e1", BYTES), null_passes=True)),
    "customer_id",
    {"customer_unique_id": ANN, ZIP: "09790", "customer_city": "mau\u00e1", STATE: "SP"},
    [
        MALFORMED,
        Bad("is_text", {"customer_id": C, "customer_city": BYTES}, f"{C},{ANN},09790,{BYTES},SP"),
        *nothing("customer_id", "customer_unique_id"),
        Bad("matches(customer_id)", {"customer_id": X[1:]}, X[1:]),
        Bad("matches(customer_unique_id)", {"customer_unique_id": X.upper()}, X.upper()),
        Bad(f"matches({ZIP})", {ZIP: "9790"}, "9790"),
        Bad(f"in_set({STATE})", {STATE: "sp"}, "sp"),
        Bad("in_set(customer_city)", {"customer_city": "maua"}, "maua"),
        Bad("unique(customer_id)", {"customer_id": X}, X),
    ],
    nulls=(f"matches({ZIP})", f"in_set({STATE})"),
)

BOUGHT, APPROVED, DELIVERED = "order_purchase_timestamp", "order_approved_at", "order_delivered_customer_date"
CARRIER, ESTIMATE = "order_delivered_carrier_date", "order_estimated_delivery_date"
TIMES, ORDER_ID = (BOUGHT, APPROVED, CARRIER, DELIVERED, ESTIMATE), ("matches(order_id)",)
SHARE = f"null_share_at_most({CARRIER})"
APPROVED_THAT_DAY = Between(APPROVED, low=date(2018, 1, 1), high=date(2018, 1, 1))
OLD, EVE, NEW_YEAR, LATE = (f"{day} 23:59:59" for day in ("2015-12-31", "2017-12-31", "2018-01-01", "2018-01-02"))
ORDERS = Trial(
    added(CONTRACTS["orders"], APPROVED_THAT_DAY, NotAfter(CARRIER, ESTIMATE), NullShareAtMost(CARRIER, 0.1)),
    "order_id",
    {"customer_id": C, "order_status": "delivered", **dict.fromkeys(TIMES, NEW_YEAR)},
    [
        MALFORMED,
        Bad("is_text", {"order_id": BYTES}, ",".join([BYTES, C, "delivered", *[NEW_YEAR] * 5]), ORDER_ID),
        *nothing("order_id", "customer_id", BOUGHT),
        *no_value(*TIMES),
        Bad("matches(order_id)", {"order_id": "o1"}, "o1"),
        Bad("in_set(order_status)", {"order_status": "lost"}, "lost"),
        Bad(f"between({BOUGHT})", {BOUGHT: OLD}, OLD),
        Bad(f"between({APPROVED})", {APPROVED: "2018-01-02 00:00:00"}, "2018-01-02 00:00:00"),
        Bad(f"not_after({BOUGHT}, {DELIVERED})", {DELIVERED: EVE}, f"{NEW_YEAR}, {EVE}"),
        Bad(f"not_after({CARRIER}, {ESTIMATE})", {CARRIER: LATE}, f"{LATE}, {NEW_YEAR}"),
        Bad("refers_to(customer_id)", {"customer_id": X}, X),
        Bad("refers_to(customer_id)", {"customer_id": Q}, Q),
        Bad("unique(order_id)", {"order_id": X}, X),
    ],
    nulls=("in_set(order_status)", f"between({APPROVED})", f"not_after({CARRIER}, {ESTIMATE})", SHARE),
    no_rows=("row_count_between", SHARE),
)

PAYMENT_KEY = "unique(order_id, payment_sequential)"
PAYMENTS = Trial(
    added(CONTRACTS["payments"], MeanBetween("payment_value", low=0.1, high=10)),
    "payment_sequential",
    {"order_id": P, "payment_type": "boleto", "payment_installments": "1", "payment_value": "0.10"},
    [
        MALFORMED,
        Bad("is_text", {"order_id": BYTES, "payment_sequential": "9"}, f"{BYTES},9,boleto,1,0.10", ORDER_ID),
        *nothing("order_id", "payment_sequential", "payment_value"),
        *no_value("payment_sequential", "payment_installments", "payment_value"),
        Bad("matches(order_id)", {"order_id": "o1"}, "o1"),
        Bad("between(payment_sequential)", {"payment_sequential": "0"}, "0"),
        Bad("in_set(payment_type)", {"payment_type": "pix"}, "pix"),
        Bad("between(payment_installments)", {"payment_installments": "-1"}, "-1"),
        Bad("between(payment_value)", {"payment_value": "1000000.0001"}, "1000000.0001"),
        Bad("between(payment_value)", {"payment_value": "-0.01"}, "-0.0100"),
        Bad("refers_to(order_id)", {"order_id": X}, X),
        Bad("refers_to(order_id)", {"order_id": Q}, Q),
        Bad(PAYMENT_KEY, {"payment_sequential": "88"}, f"{P}, 88"),
    ],
    nulls=("in_set(payment_type)", "between(payment_installments)", "mean_between(payment_value)"),
    no_rows=("row_count_between", "mean_between(payment_value)"),
    bad_together=("mean_between(payment_value)",),
)

T, ONE = at(NEW_YEAR), money("1")
TRANSACTION = {"order_id": P, "customer_unique_id": C, "order_purchase_time": T, "payment_value": ONE}
TRANSACTIONS = Trial(
    CONTRACTS["transactions"],
    "payment_sequential",
    TRANSACTION,
    [*nothing("payment_sequential", *TRANSACTION), Bad(PAYMENT_KEY, {"payment_sequential": 88}, f"{P}, 88")],
    nulls=(PAYMENT_KEY,),
    no_rows=(),
)
PURCHASE, PURCHASE_KEY = {"order_purchase_time": T, "value": ONE}, "unique(customer_unique_id, order_purchase_time)"
PURCHASES = Trial(
    CONTRACTS["purchases"],
    "customer_unique_id",
    PURCHASE,
    [*nothing("customer_unique_id", *PURCHASE), Bad(PURCHASE_KEY, {"customer_unique_id": C}, f"{C}, {NEW_YEAR}")],
    nulls=(PURCHASE_KEY,),
    no_rows=(),
)
CUSTOMER = {"last_purchase_time": T, "total_value": ONE, "average_purchase_value": ONE}
BOUNDED = {"recency_weeks": 0, "purchase_count": 1, "recency": 0.0, "frequency": 5.0, "monetary": 2.5}
OUTSIDE = {"recency_weeks": -1, "purchase_count": 0, "recency": -0.1, "frequency": 5.1, "monetary": float("nan")}
COUNTED, MEAN = "row_count_between(customers in purchases)", "mean_between(monetary)"
RFM = Trial(
    with_row_count(added(CONTRACTS["rfm"], MeanBetween("monetary", low=0)), rows=2, of="customers in purchases"),
    "customer_unique_id",
    {**CUSTOMER, **BOUNDED},
    [
        *nothing("customer_unique_id", *CUSTOMER),
        *[bad._replace(also=(f"between({column})",)) for column in BOUNDED for bad in nothing(column)],
        *[Bad(f"between({column})", {column: value}, str(value)) for column, value in OUTSIDE.items()],
        Bad("unique(customer_unique_id)", {"customer_unique_id": X}, X),
    ],
    nulls=(*(f"between({column})" for column in BOUNDED), "unique(customer_unique_id)", MEAN),
    no_rows=(COUNTED, MEAN),
    bad_together=(COUNTED, MEAN),
)
AS_MANY = "row_count_between(customers in rfm)"
SEGMENTS = Trial(
    with_row_count(CONTRACTS["customer_segments"], rows=2, of="customers in rfm"),
    "customer_unique_id",
    {"cluster": 0, "distance": 0.0, "cluster_name": "big spenders"},
    [
        *nothing("customer_unique_id", "cluster_name"),
        *[bad._replace(also=(f"between({column})",)) for column in ("cluster", "distance") for bad in nothing(column)],
        Bad("between(cluster)", {"cluster": -1}, "-1"),
        Bad("between(distance)", {"distance": -0.5}, "-0.5"),
        Bad("unique(customer_unique_id)", {"customer_unique_id": X}, X),
    ],
    nulls=("between(cluster)", "between(distance)", "unique(customer_unique_id)"),
    no_rows=(AS_MANY,),
    bad_together=(AS_MANY,),
)
TRIALS = {
    trial.contract.table: trial for trial in (CUSTOMERS, ORDERS, PAYMENTS, TRANSACTIONS, PURCHASES, RFM, SEGMENTS)
}
