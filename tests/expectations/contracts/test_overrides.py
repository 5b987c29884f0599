"""Overrides: what a file can change and add, and the line that an error names."""

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
    MaxBytes,
    MeanBetween,
    NotAfter,
    NotNull,
    NullShareAtMost,
    RefersTo,
    RowCountBetween,
    Rule,
    ShareOfOneAtMost,
    Unique,
)


def read(text: str) -> dict[str, Contract]:
    return with_overrides(contracts=CONTRACTS, text=text, name="mine.yml")


def changed(table: str, label: str, values: str) -> dict[str, Any]:
    """The fields of a rule that one line under `change` changes."""
    original, overridden = CONTRACTS[table], read(f"{table}:\n  change:\n    {label}: {values}\n")[table]
    assert [rule.label for rule in overridden.rules] == [rule.label for rule in original.rules]
    [(before, after)] = [pair for pair in zip(original.rules, overridden.rules, strict=True) if pair[0] != pair[1]]
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
        ("customers", "max_bytes(customer_state)", "{severity: warn}", {"severity": "warn"}),
        ("customers", "max_bytes(customer_state)", "{limit: 2}", {"limit": 2}),
        ("orders", "between(order_approved_at)", "{low: 1900-01-01, high: 2262-04-09}", {"high": date(2262, 4, 9)}),
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
def test_a_change_sets_the_fields_that_it_names_and_no_others(
    table: str, label: str, values: str, expected: dict[str, Any]
) -> None:
    assert changed(table, label, values) == expected


def test_a_pattern_names_groups_as_java_does() -> None:
    pattern = r"^(?<region>\d)\d{4}$"
    assert changed("customers", "matches(customer_zip_code_prefix)", f"{{pattern: '{pattern}'}}") == {
        "pattern": pattern
    }


def test_an_anchor_of_yaml_can_be_used_again() -> None:
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
    "max_bytes": (
        "customer_segments",
        "column: cluster_name, limit: 40, severity: warn",
        MaxBytes("cluster_name", 40, severity="warn"),
    ),
    "between": (
        "transactions",
        "column: order_purchase_time, low: 2016-01-01, high: 2019-12-31, severity: stop",
        Between("order_purchase_time", low=date(2016, 1, 1), high=date(2019, 12, 31), severity="stop"),
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
    "share_of_one_at_most": (
        "rfm",
        "column: total_value, share: 0.2, least_sum: 5000, severity: warn",
        ShareOfOneAtMost("total_value", share=0.2, least_sum=5000, severity="warn"),
    ),
}
"""For each kind that can be added: the table, the fields as YAML, and the rule."""


@pytest.mark.parametrize("kind", ADDABLE)
def test_a_rule_of_each_kind_can_be_added_after_the_rules_of_the_contract(kind: str) -> None:
    table, fields, rule = ADDED[kind]
    contracts = read(f"{table}:\n  add:\n    - {{kind: {kind}, {fields}}}\n")
    assert contracts[table].rules == (*CONTRACTS[table].rules, rule)


def test_a_rule_of_every_file_cannot_be_added() -> None:
    assert set(ADDED) == set(ADDABLE)
    for kind in ("has_all_fields", "is_text", "is_well_quoted", "has_no_nul", "excluded_at_most", "parses_as"):
        with pytest.raises(OverridesError, match=f"^mine.yml, line 3: kind is '{kind}' "):
            read(f"orders:\n  add:\n    - {{kind: {kind}}}\n")


def test_overrides_of_several_tables_leave_the_other_tables_and_the_original_contracts_alone() -> None:
    before = {table: (contract, contract.rules) for table, contract in CONTRACTS.items()}
    overridden = read(
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
    assert list(overridden) == list(CONTRACTS)
    assert [table for table in overridden if overridden[table] is not CONTRACTS[table]] == ["payments", "rfm"]
    payments = overridden["payments"]
    assert payments.rule("between(payment_value)") == Between("payment_value", low=0, high=5, null_passes=True)
    assert payments.rule("between(payment_sequential)") == Between(
        "payment_sequential", low=1, high=30, null_passes=True
    )
    assert [rule.label for rule in payments.rules[-2:]] == ["not_null(payment_type)", "mean_between(payment_value)"]


STRUCTURAL = "severity is warn, expected quarantine or stop"
BLANK = "severity is blank, expected quarantine, stop or warn: only a rule about one optional cell can be"
COMPUTED = "severity is quarantine, expected stop or warn: rfm is computed"
KINDS = "(expected one of: not_null, matches, in_set, max_bytes, between, not_after, unique, "
COLUMNS = "(found: order_id, payment_sequential, payment_type, payment_installments, payment_value)"

INVALID_FILES: list[tuple[str, int, str]] = [
    ("payments:\n  change: [1\nrfm: 2\n", 3, "invalid YAML: expected ',' or ']'"),
    ("payments:\n\tchange: 1\n", 2, "invalid YAML: found character '\\t'"),
    ("payments:\n  change: *lost\n", 2, "invalid YAML: found undefined alias 'lost'"),
    ("payments: 1\n---\nrfm: 2\n", 2, "invalid YAML: but found another document"),
    ("rfm: 1\n# so\nrfm: 2\n", 3, 'invalid YAML: found duplicate key "rfm"'),
    (
        "rfm:\n  change:\n    between(recency): {low: 1}\n    between(recency): {low: 2}\n",
        4,
        'invalid YAML: found duplicate key "between(recency)"',
    ),
    ("", 1, "found nothing, expected tables"),
    ("# to do\n", 1, "found nothing, expected tables"),
    ("- payments\n", 1, "found ['payments'], expected tables"),
    ("payments\n", 1, "found 'payments', expected tables"),
    ("\npayments:\n", 2, "found nothing, expected change, add and columns"),
    ("payments:\n  [change]\n", 1, "found ['change'], expected change, add and columns"),
    ("# mine\nrefunds: 1\n", 2, "unknown table 'refunds' (expected one of: customers, orders, payments, "),
    ("rfm:\n  drop: 1\n", 2, "found 'drop', expected change, add or columns"),
    ("rfm:\n  change:\n", 2, "found nothing, expected rules by their labels"),
    ("rfm:\n  change: [all]\n", 2, "found ['all'], expected rules by their labels"),
    ("rfm:\n  add: {kind: not_null}\n", 2, "expected a list of rules"),
    ("rfm:\n  add:\n    - not_null\n", 3, "found 'not_null', expected a rule with its kind"),
    (
        "payments:\n  change:\n    between(payment_value):\n      low: 1\n      high: lots\n",
        5,
        "between(payment_value): high is 'lots'",
    ),
    (
        "payments:\n  add:\n    - kind: not_null\n      column: payment_type\n      low: 1\n",
        5,
        "not_null has no 'low' (expected: severity, column)",
    ),
    (
        "payments:\n  add:\n    - {kind: not_null, column: payment_type}\n    - {kind: not_null, column: amount}\n",
        4,
        f"payments: not_null(amount): no column amount in payments {COLUMNS}",
    ),
]
INVALID_CHANGES: list[tuple[str, str, str]] = [
    ("payments", "between(payment_value): {severity: blank}", BLANK),
    ("payments", "parses_as(payment_sequential): {severity: blank}", BLANK),
    ("orders", "not_after(order_purchase_timestamp, order_delivered_customer_date): {severity: blank}", BLANK),
    ("orders", "refers_to(customer_id): {severity: blank}", BLANK),
    ("payments", "row_count_between: {severity: blank}", "severity is blank, expected stop or warn"),
    ("rfm", "between(recency): {severity: blank}", "severity is blank, expected stop or warn: rfm is computed"),
    ("rfm", "excluded_at_most(orders without payments): {measured: 0}", "has no 'measured' to change"),
    (
        "payments",
        "between(value): {high: 1}",
        "no rule 'between(value)' (found: has_all_fields, is_text, is_well_quoted, ",
    ),
    ("payments", "between(payment_value): {}", "expected fields to change"),
    ("payments", "between(payment_value): 7", "found 7, expected fields to change"),
    ("payments", "between(payment_value): {top: 1}", "no 'top' to change (expected: severity, null_passes, low, high)"),
    ("payments", "between(payment_value): {column: order_id}", "between(payment_value) has no 'column' to change"),
    ("payments", "has_all_fields: {over: [order_id]}", "has_all_fields has no 'over' to change (expected: severity)"),
    ("payments", "row_count_between: {of: orders}", "row_count_between has no 'of' to change"),
    ("payments", "parses_as(payment_value): {type: int}", "parses_as(payment_value) has no 'type' to change"),
    ("payments", "between(payment_value): {low: 5, high: 2}", "low 5 is above high 2, so that nothing could pass"),
    ("payments", "between(payment_value): {low: null, high: null}", "neither low nor high is set"),
    ("payments", "between(payment_value): {low: 2016-01-01}", "low 2016-01-01 and high 1000000 differ in type"),
    ("payments", "between(payment_value): {low: null, high: 2016-01-01}", "bound 2016-01-01, expected a number"),
    ("payments", "between(payment_value): {high: true}", "high is True, expected no boolean"),
    ("payments", "between(payment_value): {high: .nan}", "between(payment_value): "),
    ("orders", "between(order_purchase_timestamp): {low: 2016}", "low 2016 and high 2262-04-10 differ in type"),
    (
        "orders",
        "between(order_purchase_timestamp): {high: 9999-12-31}",
        "bound 9999-12-31, expected a day from 1900-01-",
    ),
    ("orders", "between(order_approved_at): {low: 0001-01-01}", "bound 0001-01-01, expected a day from 1900-01-01 to"),
    ("orders", "between(order_approved_at): {high: null}", "high is not set, expected a day from 1900-01-01 to 2262-"),
    ("payments", "between(payment_value): {high: 1e300}", "bound of 301 digits, expected a number within"),
    ("payments", f"between(payment_value): {{high: {'9' * 40}}}", "bound of 40 digits, expected a number within"),
    ("payments", f"row_count_between: {{high: {'9' * 40}}}", "bound of 40 digits, expected a number within"),
    ("customers", "max_bytes(customer_state): {limit: 17}", "limit is 17, expected at most 16: the length of the col"),
    ("customers", "max_bytes(customer_state): {limit: 0}", "limit is below 1, so that nothing could pass"),
    ("payments", "row_count_between: {low: 1.5}", "row_count_between: low is 1.5"),
    ("payments", "between(payment_value): {severity: fatal}", "between(payment_value): severity is 'fatal'"),
    ("payments", "in_set(payment_type): {values: pix}", "in_set(payment_type): values is 'pix'"),
    ("payments", "in_set(payment_type): {values: [pix, 3]}", "in_set(payment_type): values is ['pix', 3]"),
    ("payments", "in_set(payment_type): {values: []}", "values is empty, so that nothing could pass"),
    ("payments", "in_set(payment_type): {null_passes: maybe}", "in_set(payment_type): null_passes is 'maybe'"),
    ("customers", "matches(customer_id): {pattern: '[a-f'}", "pattern is not a regular expression (unterminated"),
    ("customers", "matches(customer_id): {pattern: 7}", "matches(customer_id): pattern is 7"),
    ("customers", "matches(customer_id): {pattern: '(?P<a>x)'}", "pattern has (?P, which only Python knows"),
    ("payments", "unique(order_id, payment_sequential): {severity: warn}", STRUCTURAL),
    ("payments", "refers_to(order_id): {severity: warn}", STRUCTURAL),
    ("payments", "not_null(payment_value): {severity: warn}", STRUCTURAL),
    ("orders", "parses_as(order_purchase_timestamp): {severity: warn}", STRUCTURAL),
    ("orders", "has_all_fields: {severity: warn}", STRUCTURAL),
    ("rfm", "between(recency): {severity: quarantine}", COMPUTED),
    ("payments", "row_count_between: {severity: quarantine}", "severity is quarantine, expected stop or warn: there"),
]
INVALID_COLUMNS: list[tuple[str, str, str]] = [
    ("orders", "order_status: {format: yyyy}", "order_status: format is not one of year, month, day and time"),
    ("orders", "order_status: {format: M/d/yyyy}", "format, expected only for a column of times: order_status is"),
    ("orders", "order_approved_at: {format: MM/dd}", "expected such as M/d/yyyy H:mm"),
    ("orders", "order_approved_at: {pad_zeros_to: 5}", "pad_zeros_to, expected only for a column of text"),
    ("customers", "customer_zip_code_prefix: {pad_zeros_to: 0}", "pad_zeros_to is 0, expected 1 to 64"),
    ("customers", "customer_zip_code_prefix: {pad_zeros_to: true}", "pad_zeros_to is True, expected no boolean"),
    ("customers", "customer_zip_code_prefix: {pad: 5}", "pad: Unexpected keyword argument (expected: format,"),
    ("customers", "customer_id: {may_be_missing: true}", "may_be_missing, expected only for a column that RFM does"),
    ("customers", "zip: {pad_zeros_to: 5}", "no column zip in customers (found: customer_id, "),
    ("customers", "customer_city: 5", "found 5, expected how the column is written"),
    ("rfm", "recency: {may_be_missing: true}", "columns: rfm is computed, expected a table that comes from a file"),
]
INVALID_RULES: list[tuple[str, str, str]] = [
    ("payments", "kind: median_between, column: payment_value", f"kind is 'median_between' {KINDS}"),
    ("payments", "column: payment_value", f"kind is None {KINDS}"),
    ("payments", "kind: [not_null], column: payment_type", f"kind is ['not_null'] {KINDS}"),
    ("payments", "kind: not_null", "not_null: column: Field required"),
    ("payments", "kind: not_null, column: [payment_type]", "not_null: column is ['payment_type']"),
    ("payments", "kind: not_null, column: amount", f"no column amount in payments {COLUMNS}"),
    ("payments", "kind: unique, key: [order_id, amount]", f"no column amount in payments {COLUMNS}"),
    ("payments", "kind: unique, key: []", "unique"),
    (
        "payments",
        "kind: not_null, column: order_id",
        "payments already has a rule not_null(order_id): put",
    ),
    (
        "customers",
        "kind: between, column: customer_city, low: 1",
        "customer_city is text, expected a column of numbers",
    ),
    ("customers", "kind: mean_between, column: customer_city, low: 1", "customer_city is string, expected a number"),
    ("payments", "kind: mean_between, column: payment_value", "neither low nor high is set"),
    ("payments", "kind: mean_between, column: payment_value, low: 9, high: 3", "low 9 is above high 3"),
    ("payments", "kind: null_share_at_most, column: payment_type, share: 7", "share is 7.0, expected 0 to 1"),
    (
        "payments",
        "kind: null_share_at_most, column: payment_type, share: 0.5, severity: quarantine",
        "severity is quarantine, expected stop or warn: there is no row to quarantine",
    ),
    (
        "orders",
        "kind: not_after, column: order_approved_at, other: customer_id",
        "and customer_id is string, expected",
    ),
    ("customers", "kind: unique, key: [customer_unique_id], severity: warn", STRUCTURAL),
    (
        "customers",
        "kind: refers_to, column: customer_id, table: orders, key: customer_id",
        "no key 'customer_id' of a table 'orders' that is checked before customers",
    ),
    (
        "orders",
        "kind: refers_to, column: order_id, table: orders, key: order_id",
        "no key 'order_id' of a table 'orders' that is checked before orders",
    ),
    (
        "payments",
        "kind: refers_to, column: payment_type, table: customers, key: customer_city",
        "no key 'customer_city' of a table 'customers' that is checked before payments",
    ),
    ("rfm", "kind: between, column: total_value, low: 0", COMPUTED),
    (
        "rfm",
        "kind: between, column: last_purchase_time, high: 9999-12-31, severity: warn",
        "bound 9999-12-31, expected",
    ),
    (
        "rfm",
        "kind: max_bytes, column: total_value, limit: 4, severity: stop",
        "total_value is decimal(18,4), expected a",
    ),
    ("rfm", "kind: row_count_between, of: customers in purchases, low: 1", "row_count_between has no 'of'"),
]
ERRORS = [
    *INVALID_FILES,
    *((f"{table}:\n  change:\n    {line}\n", 3, message) for table, line, message in INVALID_CHANGES),
    *((f"{table}:\n  add:\n    - {{{line}}}\n", 3, message) for table, line, message in INVALID_RULES),
    *((f"{table}:\n  columns:\n    {line}\n", 3, message) for table, line, message in INVALID_COLUMNS),
]


@pytest.mark.parametrize(("text", "line", "message"), ERRORS, ids=[message for _, _, message in ERRORS])
def test_an_error_is_one_line_that_names_the_file_the_line_and_what_was_expected(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(OverridesError) as error:
        with_overrides(contracts=CONTRACTS, text=text, name="mine.yml")
    assert str(error.value).startswith(f"mine.yml, line {line}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
