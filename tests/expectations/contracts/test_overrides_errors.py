"""A user's own rules that mean nothing: the file and the line are named, what was found, and what was expected."""

import pytest

from expectations.contracts.olist import CONTRACTS
from expectations.contracts.overrides import OverridesError, with_overrides

HOLDS = "severity is warn, expected quarantine or stop"
COMPUTED = "severity is quarantine, expected stop or warn: rfm is computed"
KINDS = "(expected one of: not_null, matches, in_set, between, not_after, unique, refers_to, row_count_between, "
COLUMNS = "(found: order_id, payment_sequential, payment_type, payment_installments, payment_value)"

FILES_THAT_MEAN_NOTHING: list[tuple[str, int, str]] = [
    ("payments:\n  change: [1\nrfm: 2\n", 3, "no YAML: expected ',' or ']'"),
    ("payments:\n\tchange: 1\n", 2, "no YAML: found character '\\t'"),
    ("payments:\n  change: *lost\n", 2, "no YAML: found undefined alias 'lost'"),
    ("payments: 1\n---\nrfm: 2\n", 2, "no YAML: but found another document"),
    ("rfm: 1\n# so\nrfm: 2\n", 3, 'no YAML: found duplicate key "rfm"'),
    (
        "rfm:\n  change:\n    between(recency): {low: 1}\n    between(recency): {low: 2}\n",
        4,
        'no YAML: found duplicate key "between(recency)"',
    ),
    ("", 1, "found nothing, expected tables"),
    ("# to do\n", 1, "found nothing, expected tables"),
    ("- payments\n", 1, "found ['payments'], expected tables"),
    ("payments\n", 1, "found 'payments', expected tables"),
    ("\npayments:\n", 2, "found nothing, expected change and add"),
    ("payments:\n  [change]\n", 1, "found ['change'], expected change and add"),
    ("# mine\nrefunds: 1\n", 2, "no table 'refunds' (expected one of: customers, orders, payments, "),
    ("rfm:\n  drop: 1\n", 2, "found 'drop', expected change or add"),
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
CHANGES_THAT_MEAN_NOTHING: list[tuple[str, str, str]] = [
    ("payments", "between(value): {high: 1}", "no rule 'between(value)' (found: has_all_fields, is_text, not_null("),
    ("payments", "between(payment_value): {}", "expected what to change"),
    ("payments", "between(payment_value): 7", "found 7, expected what to change"),
    ("payments", "between(payment_value): {top: 1}", "no 'top' to change (expected: severity, null_passes, low, high)"),
    ("payments", "between(payment_value): {column: order_id}", "between(payment_value) has no 'column' to change"),
    ("payments", "has_all_fields: {over: [order_id]}", "has_all_fields has no 'over' to change (expected: severity)"),
    ("payments", "row_count_between: {of: orders}", "row_count_between has no 'of' to change"),
    ("payments", "parses_as(payment_value): {type: int}", "parses_as(payment_value) has no 'type' to change"),
    ("payments", "between(payment_value): {low: 5, high: 2}", "low 5 is above high 2, so that nothing could pass"),
    ("payments", "between(payment_value): {low: null, high: null}", "neither low nor high is given"),
    ("payments", "between(payment_value): {low: 2016-01-01}", "low 2016-01-01 and high 1000000 are not of one kind"),
    ("payments", "between(payment_value): {low: null, high: 2016-01-01}", "bound 2016-01-01, expected a number"),
    ("payments", "between(payment_value): {high: true}", "between(payment_value): "),
    ("payments", "between(payment_value): {high: .nan}", "between(payment_value): "),
    ("orders", "between(order_purchase_timestamp): {low: 2016}", "bound 2016, expected a day"),
    ("payments", "row_count_between: {low: 1.5}", "row_count_between: low is 1.5"),
    ("payments", "between(payment_value): {severity: fatal}", "between(payment_value): severity is 'fatal'"),
    ("payments", "in_set(payment_type): {values: pix}", "in_set(payment_type): values is 'pix'"),
    ("payments", "in_set(payment_type): {values: [pix, 3]}", "in_set(payment_type): values is ['pix', 3]"),
    ("payments", "in_set(payment_type): {values: []}", "values is empty, so that nothing could pass"),
    ("payments", "in_set(payment_type): {null_passes: maybe}", "in_set(payment_type): null_passes is 'maybe'"),
    ("customers", "matches(customer_id): {pattern: '[a-f'}", "pattern is no regular expression (unterminated"),
    ("customers", "matches(customer_id): {pattern: 7}", "matches(customer_id): pattern is 7"),
    ("customers", "matches(customer_id): {pattern: '(?P<a>x)'}", "pattern has (?P, which Python alone knows"),
    ("payments", "unique(order_id, payment_sequential): {severity: warn}", HOLDS),
    ("payments", "refers_to(order_id): {severity: warn}", HOLDS),
    ("payments", "not_null(payment_value): {severity: warn}", HOLDS),
    ("orders", "parses_as(order_purchase_timestamp): {severity: warn}", HOLDS),
    ("orders", "has_all_fields: {severity: warn}", HOLDS),
    ("rfm", "between(recency): {severity: quarantine}", COMPUTED),
    ("payments", "row_count_between: {severity: quarantine}", "severity is quarantine, expected stop or warn: there"),
]
RULES_THAT_MEAN_NOTHING: list[tuple[str, str, str]] = [
    ("payments", "kind: median_between, column: payment_value", f"kind is 'median_between' {KINDS}"),
    ("payments", "column: payment_value", f"kind is None {KINDS}"),
    ("payments", "kind: [not_null], column: payment_type", f"kind is ['not_null'] {KINDS}"),
    ("payments", "kind: not_null", "not_null: column: Field required"),
    ("payments", "kind: not_null, column: [payment_type]", "not_null: column is ['payment_type']"),
    ("payments", "kind: not_null, column: amount", f"no column amount in payments {COLUMNS}"),
    ("payments", "kind: unique, key: [order_id, amount]", f"no column amount in payments {COLUMNS}"),
    ("payments", "kind: unique, key: []", "unique"),
    ("payments", "kind: not_null, column: order_id", "has a rule not_null(order_id) already: change that one"),
    (
        "customers",
        "kind: between, column: customer_city, low: 1",
        "customer_city is text, expected a column of numbers",
    ),
    ("customers", "kind: mean_between, column: customer_city, low: 1", "customer_city is string, expected a number"),
    ("payments", "kind: mean_between, column: payment_value", "neither low nor high is given"),
    ("payments", "kind: mean_between, column: payment_value, low: 9, high: 3", "low 9 is above high 3"),
    ("payments", "kind: null_share_at_most, column: payment_type, share: 7", "share is 7.0, expected 0 to 1"),
    (
        "payments",
        "kind: null_share_at_most, column: payment_type, share: 0.5, severity: quarantine",
        "severity is quarantine, expected stop or warn: there is no row to set aside",
    ),
    ("orders", "kind: not_after, column: order_approved_at, other: customer_id", "is timestamp and customer_id string"),
    ("customers", "kind: unique, key: [customer_unique_id], severity: warn", HOLDS),
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
    ("rfm", "kind: row_count_between, of: customers in purchases, low: 1", "row_count_between has no 'of'"),
]
ERRORS = [
    *FILES_THAT_MEAN_NOTHING,
    *((f"{table}:\n  change:\n    {line}\n", 3, says) for table, line, says in CHANGES_THAT_MEAN_NOTHING),
    *((f"{table}:\n  add:\n    - {{{line}}}\n", 3, says) for table, line, says in RULES_THAT_MEAN_NOTHING),
]


@pytest.mark.parametrize(("text", "line", "says"), ERRORS, ids=[says for _, _, says in ERRORS])
def test_what_means_nothing_is_told_with_the_file_the_line_and_what_was_expected(
    text: str, line: int, says: str
) -> None:
    with pytest.raises(OverridesError) as error:
        with_overrides(contracts=CONTRACTS, text=text, name="mine.yml")
    assert str(error.value).startswith(f"mine.yml, line {line}: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)
