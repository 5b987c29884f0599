"""Rows that fail the rules of every contract, written by hand.

Each rule of each contract has a row that fails it and no other rule, or names what else it fails.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from expectations.contracts.computed import with_row_count
from expectations.contracts.contract import Contract
from expectations.contracts.olist import CONTRACTS
from expectations.rules import InSet, MeanBetween, NotAfter, NullShareAtMost, Rule
from tests.frames import at, money
from tests.raw_files import key

ANN, C, P, Q, X = map(key, ("ann", "customer", "order", "quarantined", "x"))
BYTES = "\ufffd"
MARKS = ("source_file", "malformed_row", "undecoded_row", "ill_quoted_row")


class Failure(NamedTuple):
    """A row that fails a rule: how it differs from a good row, and the example that Great Expectations shows.

    A row that fails because it has no value has no example.
    """

    label: str
    changes: Mapping[str, Any]
    example: str | None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A contract, rows that fail its rules, and the labels of rules that fail otherwise.

    Attributes:
        contract: the contract, with rules added so that each kind of rule is tried.
        number: the column that makes each row different.
        good: a row that passes all rules, but for ``number``.
        failures: the failing rows. A failure of a key fails it by being there twice.
        nulls: the rules that two rows without any value fail, besides all ``not_null``.
        no_rows: the rules that a table without rows fails.
        failures_together: the rules about the table that the failing rows fail together.
    """

    contract: Contract
    number: str
    good: Mapping[str, Any]
    failures: Sequence[Failure]
    nulls: Collection[str]
    no_rows: Collection[str] = ("row_count_between",)
    failures_together: Collection[str] = ()


def added(contract: Contract, *rules: Rule) -> Contract:
    """The contract with more rules."""
    return replace(contract, rules=(*contract.rules, *rules))


def without_value(*columns: str) -> list[Failure]:
    return [Failure(f"not_null({column})", {column: None}, None) for column in columns]


def unparsable(*columns: str) -> list[Failure]:
    return [Failure(f"parses_as({column})", {column: "x"}, "x") for column in columns]


OF_ROWS = [
    Failure("has_all_fields", {"malformed_row": "1,2"}, "1,2"),
    Failure("is_text", {"undecoded_row": BYTES}, BYTES),
    Failure("is_well_quoted", {"ill_quoted_row": '"a"b"'}, '"a"b"'),
]


def too_long(column: str, limit: int, *also: str) -> Failure:
    """A text of one byte too many, of which each letter but the first has two."""
    text = "x" + "\u00e9" * (limit // 2)
    return Failure(f"max_bytes({column})", {column: text}, f"{text[:40]}... ({limit + 1} bytes)", also)


def with_nul(column: str, text: str, row: str, *also: str) -> Failure:
    return Failure("has_no_nul", {column: f"{text}\0"}, row, also)


ZIP, STATE = "customer_zip_code_prefix", "customer_state"
CUSTOMERS = Case(
    added(CONTRACTS["customers"], InSet("customer_city", ("mau\u00e1",), null_passes=True)),
    "customer_id",
    {"customer_unique_id": ANN, ZIP: "09790", "customer_city": "mau\u00e1", STATE: "SP"},
    [
        *OF_ROWS,
        with_nul("customer_city", "mau\u00e1", f"{key('4')},{ANN},09790,mau\u00e1\u2400,SP", "in_set(customer_city)"),
        too_long("customer_id", 64, "matches(customer_id)"),
        too_long("customer_unique_id", 64, "matches(customer_unique_id)"),
        too_long(ZIP, 16, f"matches({ZIP})"),
        too_long("customer_city", 256, "in_set(customer_city)"),
        too_long(STATE, 16, f"in_set({STATE})"),
        *without_value("customer_id", "customer_unique_id"),
        Failure("matches(customer_id)", {"customer_id": X[1:]}, X[1:]),
        Failure("matches(customer_unique_id)", {"customer_unique_id": X.upper()}, X.upper()),
        Failure(f"matches({ZIP})", {ZIP: "9790"}, "9790"),
        Failure(f"in_set({STATE})", {STATE: "sp"}, "sp"),
        Failure("in_set(customer_city)", {"customer_city": "maua"}, "maua"),
        Failure("unique(customer_id)", {"customer_id": X}, X),
    ],
    nulls=(f"matches({ZIP})", f"in_set({STATE})"),
)

BOUGHT, APPROVED, DELIVERED = "order_purchase_timestamp", "order_approved_at", "order_delivered_customer_date"
CARRIER, ESTIMATE = "order_delivered_carrier_date", "order_estimated_delivery_date"
TIMES = (BOUGHT, APPROVED, CARRIER, DELIVERED, ESTIMATE)
SHARE = f"null_share_at_most({CARRIER})"
OLD, EVE, NEW_YEAR, LATE = (f"{day} 23:59:59" for day in ("2015-12-31", "2017-12-31", "2018-01-01", "2018-01-02"))
BEYOND, BEFORE = "2262-04-11 00:00:00", "1899-12-31 23:59:59"
ORDERS = Case(
    added(CONTRACTS["orders"], NotAfter(CARRIER, ESTIMATE), NullShareAtMost(CARRIER, 0.1)),
    "order_id",
    {"customer_id": C, "order_status": "delivered", **dict.fromkeys(TIMES, NEW_YEAR)},
    [
        *OF_ROWS,
        with_nul(
            "order_status", "sent", f"{key('4')},{C},sent\u2400,{','.join([NEW_YEAR] * 5)}", "in_set(order_status)"
        ),
        too_long("order_id", 64, "matches(order_id)"),
        too_long("customer_id", 64, "refers_to(customer_id)"),
        too_long("order_status", 32, "in_set(order_status)"),
        *without_value("order_id", "customer_id", BOUGHT),
        *unparsable(*TIMES),
        Failure("matches(order_id)", {"order_id": "o1"}, "o1"),
        Failure("in_set(order_status)", {"order_status": "lost"}, "lost"),
        Failure(f"between({BOUGHT})", {BOUGHT: OLD}, OLD),
        Failure(f"between({BOUGHT})", {BOUGHT: BEYOND, DELIVERED: None}, BEYOND),
        *[Failure(f"between({time})", {time: BEYOND}, BEYOND) for time in (APPROVED, DELIVERED, ESTIMATE)],
        Failure(f"between({CARRIER})", {CARRIER: BEFORE}, BEFORE),
        Failure(f"not_after({BOUGHT}, {DELIVERED})", {DELIVERED: EVE}, f"{NEW_YEAR}, {EVE}"),
        Failure(f"not_after({CARRIER}, {ESTIMATE})", {CARRIER: LATE}, f"{LATE}, {NEW_YEAR}"),
        Failure("refers_to(customer_id)", {"customer_id": X}, X),
        Failure("refers_to(customer_id)", {"customer_id": Q}, Q),
        Failure("unique(order_id)", {"order_id": X}, X),
    ],
    nulls=("in_set(order_status)", f"not_after({CARRIER}, {ESTIMATE})", SHARE),
    no_rows=("row_count_between", SHARE),
)

NO_TYPE = ("in_set(payment_type)",)
PAYMENT_KEY = "unique(order_id, payment_sequential)"
PAYMENTS = Case(
    added(CONTRACTS["payments"], MeanBetween("payment_value", low=0.1, high=10)),
    "payment_sequential",
    {"order_id": P, "payment_type": "boleto", "payment_installments": "1", "payment_value": "0.10"},
    [
        *OF_ROWS,
        Failure("has_no_nul", {"payment_type": "\0", "payment_sequential": "9"}, f"{P},9,\u2400,1,0.10", NO_TYPE),
        too_long("order_id", 64, "matches(order_id)", "refers_to(order_id)"),
        too_long("payment_type", 32, "in_set(payment_type)"),
        *without_value("order_id", "payment_sequential", "payment_value"),
        *unparsable("payment_sequential", "payment_installments", "payment_value"),
        Failure("matches(order_id)", {"order_id": "o1"}, "o1"),
        Failure("between(payment_sequential)", {"payment_sequential": "0"}, "0"),
        Failure("in_set(payment_type)", {"payment_type": "pix"}, "pix"),
        Failure("between(payment_installments)", {"payment_installments": "-1"}, "-1"),
        Failure("between(payment_value)", {"payment_value": "1000000.0001"}, "1000000.0001"),
        Failure("between(payment_value)", {"payment_value": "-0.01"}, "-0.0100"),
        Failure("refers_to(order_id)", {"order_id": X}, X),
        Failure("refers_to(order_id)", {"order_id": Q}, Q),
        Failure(PAYMENT_KEY, {"payment_sequential": "88"}, f"{P}, 88"),
    ],
    nulls=("in_set(payment_type)", "between(payment_installments)", "mean_between(payment_value)"),
    no_rows=("row_count_between", "mean_between(payment_value)"),
    failures_together=("mean_between(payment_value)",),
)

T, ONE = at(NEW_YEAR), money("1")
TRANSACTION = {"order_id": P, "customer_unique_id": C, "order_purchase_time": T, "payment_value": ONE}
TRANSACTIONS = Case(
    CONTRACTS["transactions"],
    "payment_sequential",
    TRANSACTION,
    [*without_value("payment_sequential", *TRANSACTION), Failure(PAYMENT_KEY, {"payment_sequential": 88}, f"{P}, 88")],
    nulls=(PAYMENT_KEY,),
    no_rows=(),
)
PURCHASE, PURCHASE_KEY = {"order_purchase_time": T, "value": ONE}, "unique(customer_unique_id, order_purchase_time)"
PURCHASES = Case(
    CONTRACTS["purchases"],
    "customer_unique_id",
    PURCHASE,
    [
        *without_value("customer_unique_id", *PURCHASE),
        Failure(PURCHASE_KEY, {"customer_unique_id": C}, f"{C}, {NEW_YEAR}"),
    ],
    nulls=(PURCHASE_KEY,),
    no_rows=(),
)
CUSTOMER = {"last_purchase_time": T, "total_value": ONE, "average_purchase_value": ONE}
BOUNDED = {"recency_weeks": 0, "purchase_count": 1, "recency": 0.0, "frequency": 5.0, "monetary": 2.5}
OUTSIDE = {"recency_weeks": -1, "purchase_count": 0, "recency": -0.1, "frequency": 5.1, "monetary": float("nan")}
SCORED: dict[str, Any] = {
    "as_of": T,
    "first_purchase_time": T,
    "days_since_last_purchase": 0,
    "tenure_days": 0,
    "r_score": 5,
    "f_score": 1,
    "m_score": 3,
    "rfm_score": "513",
    "segment_code": "RM02",
    "segment": "Recent",
    "r_band": "up to 1",
    "f_band": "up to 1",
    "m_band": "any",
}
HAS_VALUES, ORDERED = "has_values(scores and segment)", "not_after(first_purchase_time, last_purchase_time)"
COUNTED, MEAN = "row_count_between(customers in purchases)", "mean_between(monetary)"
RFM = Case(
    with_row_count(added(CONTRACTS["rfm"], MeanBetween("monetary", low=0)), rows=2, of="customers in purchases"),
    "customer_unique_id",
    {**CUSTOMER, **BOUNDED, **SCORED},
    [
        *without_value("customer_unique_id", *CUSTOMER),
        Failure(HAS_VALUES, {"segment": None, "r_band": None}, "segment, r_band"),
        Failure(ORDERED, {"first_purchase_time": at("2018-01-02 10:00:00")}, f"2018-01-02 10:00:00, {NEW_YEAR}"),
        *[failure._replace(also=(f"between({column})",)) for column in BOUNDED for failure in without_value(column)],
        *[Failure(f"between({column})", {column: value}, str(value)) for column, value in OUTSIDE.items()],
        Failure("unique(customer_unique_id)", {"customer_unique_id": X}, X),
    ],
    nulls=(*(f"between({column})" for column in BOUNDED), "unique(customer_unique_id)", MEAN, HAS_VALUES, ORDERED),
    no_rows=(COUNTED, MEAN),
    failures_together=(COUNTED, MEAN),
)
DAY = date(2018, 1, 1)
IN_SEGMENT = {"segment_code": "RM02", "segment": "Recent", "segment_since": DAY}
LACKS_SEGMENT = "has_values(segment)"
SEGMENT_HISTORY = Case(
    CONTRACTS["segment_history"],
    "customer_unique_id",
    {**IN_SEGMENT, "runs_in_segment": 1},
    [
        *without_value("customer_unique_id"),
        Failure(LACKS_SEGMENT, {"segment": None, "segment_since": None}, "segment, segment_since"),
        *[failure._replace(also=("between(runs_in_segment)",)) for failure in without_value("runs_in_segment")],
        Failure("between(runs_in_segment)", {"runs_in_segment": 0}, "0"),
        Failure("unique(customer_unique_id)", {"customer_unique_id": X}, X),
    ],
    nulls=(LACKS_SEGMENT, "between(runs_in_segment)", "unique(customer_unique_id)"),
    no_rows=(),
)
LACKS_CAUSE = "has_values(day and cause)"
SEGMENT_CHANGES = Case(
    CONTRACTS["segment_changes"],
    "customer_unique_id",
    {"from_as_of": DAY, "cause": "time"},
    [
        *without_value("customer_unique_id"),
        Failure(LACKS_CAUSE, {"cause": None}, "cause"),
        Failure("unique(customer_unique_id)", {"customer_unique_id": X}, X),
    ],
    nulls=(LACKS_CAUSE, "unique(customer_unique_id)"),
    no_rows=(),
)
AS_MANY = "row_count_between(customers in rfm)"
SEGMENTS = Case(
    with_row_count(CONTRACTS["customer_segments"], rows=2, of="customers in rfm"),
    "customer_unique_id",
    {"cluster": 0, "distance": 0.0, "cluster_name": "big spenders"},
    [
        *without_value("customer_unique_id", "cluster_name"),
        *[
            failure._replace(also=(f"between({column})",))
            for column in ("cluster", "distance")
            for failure in without_value(column)
        ],
        Failure("between(cluster)", {"cluster": -1}, "-1"),
        Failure("between(distance)", {"distance": -0.5}, "-0.5"),
        Failure("unique(customer_unique_id)", {"customer_unique_id": X}, X),
    ],
    nulls=("between(cluster)", "between(distance)", "unique(customer_unique_id)"),
    no_rows=(AS_MANY,),
    failures_together=(AS_MANY,),
)
CASES = {
    case.contract.table: case
    for case in (
        *(CUSTOMERS, ORDERS, PAYMENTS, TRANSACTIONS, PURCHASES, RFM),
        *(SEGMENT_HISTORY, SEGMENT_CHANGES, SEGMENTS),
    )
}
