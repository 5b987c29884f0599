"""The rules of computed tables, whose rows are typed: how often each is broken, and by what."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.contracts.contract import Contract
from expectations.rules import Cells, RowRule, Unique


def failure_counts(contract: Contract) -> dict[str, Column]:
    """Aggregates over the table: how many rows broke each row rule, by its label.

    Not those of keys, for which see `keys`.
    """
    return {
        rule.label: F.count_if(rule.reason(contract.cells).isNotNull())
        for rule in contract.row_rules
        if not isinstance(rule, Unique)
    }


def failing_value(rule: RowRule, cells: Cells) -> Column:
    """What a row has that breaks a rule; empty for nothing, null where it keeps the rule."""
    reason = rule.reason(cells)
    return F.when(reason.isNotNull(), F.coalesce(reason["value"], F.lit("")))
