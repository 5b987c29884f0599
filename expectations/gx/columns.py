"""The columns that the gate reads, without the library: importing Great Expectations takes seconds."""

from collections.abc import Mapping
from types import MappingProxyType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import Contract
from expectations.rules import Unique
from expectations.validation import computed, duplicate_keys
from expectations.validation import rows as row_validation

NO_DUPLICATES: Mapping[str, DataFrame] = MappingProxyType({})


def result_columns(contract: Contract) -> list[Column]:
    """For each rule without a native expectation, a column named after it: null if the row passes.

    Otherwise it has the offending value. Expressions over `validate_rows` for a raw table, and over the table itself
    for a computed one. There, keys are searched for once the table is written, so that their columns are null.
    """
    rules = [rule for rule in contract.row_rules if rule.has_result_column]
    if contract.cells.are_text:
        return [row_validation.failing_value(rule).alias(rule.label) for rule in rules]
    no_value = F.lit(None).cast("string")
    return [
        (no_value if isinstance(rule, Unique) else computed.failing_value(rule, contract.cells)).alias(rule.label)
        for rule in rules
    ]


def gate_columns(
    *, rows: DataFrame, contract: Contract, duplicates: Mapping[str, DataFrame] = NO_DUPLICATES
) -> DataFrame:
    """Select the columns that the suite of a contract reads: those of the table, and `result_columns`.

    Grain in: `validate_rows` for a raw table, the table itself for a computed one. Grain out: the same rows.

    Raw columns that are not text also have a typed column (`Cells.value_column`).

    Args:
        rows: the table.
        contract: the contract of the table.
        duplicates: for a computed table, `duplicate_keys` by the label of their rule; no entry if there are none.
    """
    cells = contract.cells
    values = [F.col(f"`{cells.value_column(column)}`") for column in cells.parsed_columns]
    selected = rows.select(*cells.types, *values, *result_columns(contract))
    for unique in contract.uniques:
        if unique.label in duplicates:
            selected = duplicate_keys.with_duplicate_key(
                rows=selected.drop(unique.label),
                unique=unique,
                contract=contract,
                duplicates=duplicates[unique.label],
            )
    return selected
