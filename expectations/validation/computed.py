"""The rules of computed tables, whose rows are typed: how often each rule fails, and on which value."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from expectations.contracts.contract import Contract
from expectations.rules import Cells, RowRule, Unique


def failure_counts(contract: Contract) -> dict[str, Column]:
    """Aggregates over the table: for the label of each row rule, the number of rows that fail it.

    Rules of keys are left to `duplicate_keys`.
    """
    return {
        rule.label: F.count_if(rule.fails(contract.cells))
        for rule in contract.row_rules
        if not isinstance(rule, Unique)
    }


def failing_value(rule: RowRule, cells: Cells) -> Column:
    """The value on which a row fails a rule: empty if there is no value, null if the row passes."""
    return F.when(rule.fails(cells), F.coalesce(rule.shown(cells).cast("string"), F.lit("")))
