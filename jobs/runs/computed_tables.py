"""Computed tables: their rules are counted and their keys compared while they are written."""

from collections.abc import Callable, Mapping
from functools import partial

from pyspark.sql import Column, DataFrame

from expectations.contracts.contract import Contract
from expectations.gx.columns import gate_columns
from expectations.validation.computed import failure_counts
from expectations.validation.duplicate_keys import duplicates_in_computed
from jobs.errors import DataError
from jobs.quality.report import GatedRows, RowCounts
from jobs.runs.metrics import Written
from jobs.runs.run import Run


def write_computed(
    run: Run,
    contract: Contract,
    frame: DataFrame,
    *,
    keys: Callable[[], int],
    metrics: Mapping[str, Column] | None = None,
) -> Written:
    """Write a computed table, count the rows that fail its rules on the way, and have the gate evaluate it.

    Args:
        run: the run.
        contract: the contract of the table.
        frame: what is written. Its plan makes the key unique; see `duplicates_in_computed`.
        keys: gives the number of keys, counted where the plan makes them unique. It is asked after the write.
        metrics: further aggregates over ``frame``, by name.

    Raises:
        DataError: Rows were lost, or doubled with no key doubled; or the counts and Great Expectations disagree.
        OutsideSystemError: Great Expectations failed to evaluate a rule.
    """
    rule_counts, table_reasons = failure_counts(contract), contract.table_reasons
    columns = gate_columns(rows=frame, contract=contract)
    plan = run.quality.plan(contract, columns)
    observed = {**rule_counts, **table_reasons, **plan.metrics, **(metrics or {})}
    written = run.write(contract, columns, metrics=observed)
    rows, expected = written.total.rows, keys()
    duplicates = duplicates_in_computed(rows=written.frame, contract=contract, surplus=rows - expected)
    if rows != expected and contract.key_label not in duplicates:
        raise DataError(
            f"{contract.table}: found {rows:,} rows, expected {expected:,}, one per key. Rows were lost or doubled "
            "on the way: report it with this run's folder"
        )
    counts = RowCounts(
        rows=rows,
        failed={contract.key_label: rows - expected, **{label: written.metrics[label] for label in rule_counts}},
        reasons={label: written.metrics[label] for label in table_reasons},
    )
    # The columns of keys were null when the table was written, which is right if there are no duplicates.
    gated = partial(gate_columns, rows=written.frame, contract=contract, duplicates=duplicates)
    run.add_quality(contract, counts, GatedRows(plan, {} if duplicates else written.metrics, gated))
    return written
