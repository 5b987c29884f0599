"""Contracts of computed tables, adapted to a run."""

from expectations.contracts.computed import CUSTOMER_SEGMENTS, RFM, with_another_card, with_row_count
from expectations.rules import RowCountBetween


def test_a_counted_table_has_exactly_as_many_rows() -> None:
    contract = with_row_count(CUSTOMER_SEGMENTS, rows=7, of="customers in rfm")
    assert contract.rules == (*CUSTOMER_SEGMENTS.rules, RowCountBetween(low=7, high=7, of="customers in rfm"))


def test_with_a_card_fitted_elsewhere_only_the_ranges_of_the_dimensions_warn() -> None:
    severities = {rule.label: rule.severity for rule in with_another_card(RFM).rules}
    ranges = ["between(recency)", "between(frequency)", "between(monetary)"]
    always = ["share_of_one_at_most(purchase_count)", "excluded_at_most(orders without payments)"]
    assert [label for label, severity in severities.items() if severity == "warn"] == [*ranges, *always]
    assert set(severities.values()) == {"stop", "warn"}
    assert list(severities) == [rule.label for rule in RFM.rules]
