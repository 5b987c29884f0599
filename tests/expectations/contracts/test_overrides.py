"""A user's own rules: what a file can say, what it then means, and the line that is named when it means nothing."""

from datetime import date
from typing import Any

import pytest

from expectations.contracts.contract import Contract
from expectations.contracts.olist import CONTRACTS
from expectations.contracts.overrides import ADDABLE, OverridesError, with_overrides
from expectations.rules import (
    Between,
    InSet,
    Matches,
    MeanBetween,
    NotAfter,
    NotNull,
    NullShareAtMost,
    RefersTo,
    RowCountBetween,
    Rule,
    Unique,
)


def read(text: str) -> dict[str, Contract]:
    return with_overrides(contracts=CONTRACTS, text=text, name="mine.yml")


def changed(table: str, label: str, values: str) -> dict[str, Any]:
    """What one line under `change` makes of a rule: the fields that are others now."""
    ours, theirs = CONTRACTS[table], read(f"{table}:\n  change:\n    {label}: {values}\n")[table]
    assert [rule.label for rule in theirs.rules] == [rule.label for rule in ours.rules]
    [(before, after)] = [pair for pair in zip(ours.rules, theirs.rules, strict=True) if pair[0] != pair[1]]
    assert after.label == label
    assert type(after) is type(before)
    return {name: value for name, value in vars(after).items() if value != getattr(before, name)}


@pytest.mark.parametrize(
    ("table", "label", "values", "expected"),
    [
        ("payments", "in_set(payment_type)", "{severity: stop}", {"severity": "stop"}),
        ("payments", "unique(order_id, payment_sequential)", "{severity: stop}", {"severity": "stop"}),
        ("payments", "refers_to(order_id)", "{severity: stop}", {"severity": "stop"}),
        ("payments", "row_count_between", "{severity: warn}", {"severity": "warn"}),
        ("customers", "is_text", "{severity: warn}", {"severity": "warn"}),
        ("orders", "parses_as(order_approved_at)", "{severity: warn}", {"severity": "warn"}),
        ("orders", "parses_as(order_purchase_timestamp)", "{severity: stop}", {"severity": "stop"}),
        ("rfm", "between(recency)", "{severity: warn}", {"severity": "warn"}),
        ("payments", "between(payment_value)", "{high: 50000}", {"high": 50000}),
        ("payments", "between(payment_value)", "{low: 0.01, high: null}", {"low": 0.01, "high": None}),
        ("payments", "row_count_between", "{low: 10, high: 20}", {"low": 10, "high": 20}),
        ("rfm", "between(purchase_count)", "{high: 40}", {"high": 40}),
        ("orders", "between(order_purchase_timestamp)", "{low: 2020-02-29}", {"low": date(2020, 2, 29)}),
        ("orders", "between(order_purchase_timestamp)", "{high: 2021-12-31}", {"high": date(2021, 12, 31)}),
        ("customers", "in_set(customer_state)", "{values: [BY, NO]}", {"values": ("BY", "NO")}),
        ("customers", "matches(customer_id)", "{pattern: '^[A-Z]{2}-[0-9]+$'}", {"pattern": "^[A-Z]{2}-[0-9]+$"}),
        ("customers", "matches(customer_zip_code_prefix)", "{null_passes: true}", {"null_passes": True}),
        (
            "payments",
            "in_set(payment_type)",
            "{values: [pix], severity: quarantine, null_passes: true}",
            {"values": ("pix",), "severity": "quarantine", "null_passes": True},
        ),
    ],
)
def test_a_rule_is_changed_in_what_is_said_and_in_nothing_else(
    table: str, label: str, values: str, expected: dict[str, Any]
) -> None:
    assert changed(table, label, values) == expected


def test_groups_are_named_as_java_does_it() -> None:
    pattern = r"^(?<region>\d)\d{4}$"
    assert changed("customers", "matches(customer_zip_code_prefix)", f"{{pattern: '{pattern}'}}") == {
        "pattern": pattern
    }


def test_what_is_written_once_may_be_used_twice() -> None:
    text = (
        "payments:\n"
        "  change:\n"
        "    between(payment_value): &grave {severity: stop}\n"
        "    between(payment_installments): {<<: *grave, high: 24}\n"
        "    in_set(payment_type): *grave\n"
    )
    payments = read(text)["payments"]
    assert payments.rule("between(payment_value)") == Between(
        "payment_value", low=0, high=1_000_000, null_passes=True, severity="stop"
    )
    assert payments.rule("between(payment_installments)") == Between(
        "payment_installments", low=0, high=24, severity="stop"
    )
    kinds_of_payment = payments.rule("in_set(payment_type)")
    assert kinds_of_payment is not None
    assert kinds_of_payment.severity == "stop"


ADDED: dict[str, tuple[str, str, Rule]] = {
    "not_null": ("payments", "column: payment_type, severity: warn", NotNull("payment_type", severity="warn")),
    "matches": (
        "customers",
        "column: customer_city, pattern: '^[a-z ]+$', null_passes: true",
        Matches("customer_city", "^[a-z ]+$", null_passes=True),
    ),
    "in_set": ("customers", "column: customer_city, values: [lima, quito]", InSet("customer_city", ("lima", "quito"))),
    "between": (
        "orders",
        "column: order_approved_at, low: 2016-01-01, high: 2019-12-31, severity: stop",
        Between("order_approved_at", low=date(2016, 1, 1), high=date(2019, 12, 31), severity="stop"),
    ),
    "not_after": (
        "orders",
        "column: order_purchase_timestamp, other: order_approved_at, null_passes: true",
        NotAfter("order_purchase_timestamp", "order_approved_at", null_passes=True),
    ),
    "unique": ("customers", "key: [customer_unique_id]", Unique(("customer_unique_id",))),
    "refers_to": (
        "payments",
        "column: payment_type, table: customers, key: customer_id",
        RefersTo("payment_type", table="customers", key="customer_id"),
    ),
    "row_count_between": ("transactions", "low: 1, high: 9, severity: warn", RowCountBetween(1, 9, severity="warn")),
    "null_share_at_most": (
        "orders",
        "column: order_approved_at, share: 0.25",
        NullShareAtMost("order_approved_at", 0.25, severity="stop"),
    ),
    "mean_between": ("rfm", "column: total_value, high: 500", MeanBetween("total_value", high=500, severity="stop")),
}
"""For each kind that can be added: to which table, what is written, and what it is."""


@pytest.mark.parametrize("kind", ADDABLE)
def test_a_rule_of_each_kind_can_be_added_and_comes_after_those_that_are_there(kind: str) -> None:
    table, written, rule = ADDED[kind]
    theirs = read(f"{table}:\n  add:\n    - {{kind: {kind}, {written}}}\n")
    assert theirs[table].rules == (*CONTRACTS[table].rules, rule)


def test_what_holds_for_every_file_as_it_is_cannot_be_added() -> None:
    assert set(ADDED) == set(ADDABLE)
    for kind in ("has_all_fields", "is_text", "parses_as"):
        with pytest.raises(OverridesError, match=f"^mine.yml, line 3: kind is '{kind}' "):
            read(f"orders:\n  add:\n    - {{kind: {kind}}}\n")


def test_a_file_may_change_and_add_in_several_tables_and_leaves_the_others_and_ours_alone() -> None:
    before = {table: (contract, contract.rules) for table, contract in CONTRACTS.items()}
    theirs = read(
        "payments:\n"
        "  add:\n"
        "    - {kind: not_null, column: payment_type}\n"
        "    - {kind: mean_between, column: payment_value, low: 1}\n"
        "  change:\n"
        "    between(payment_value): {high: 5}\n"
        "    between(payment_sequential): {high: 30}\n"
        "rfm:\n"
        "  change:\n"
        "    between(recency): {severity: warn}\n"
    )
    assert {table: (contract, contract.rules) for table, contract in CONTRACTS.items()} == before
    assert list(theirs) == list(CONTRACTS)
    assert [table for table in theirs if theirs[table] is not CONTRACTS[table]] == ["payments", "rfm"]
    payments = theirs["payments"]
    assert payments.rule("between(payment_value)") == Between("payment_value", low=0, high=5, null_passes=True)
    assert payments.rule("between(payment_sequential)") == Between(
        "payment_sequential", low=1, high=30, null_passes=True
    )
    assert [rule.label for rule in payments.rules[-2:]] == ["not_null(payment_type)", "mean_between(payment_value)"]
