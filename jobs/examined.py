"""Computed tables: written, counted, and seen by the gate."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame

from expectations.contracts.contract import Contract
from expectations.validation.computed import failure_counts
from expectations.validation.duplicate_keys import duplicate_keys
from jobs.quality.report import Counted
from jobs.runs.run import Run


def write_validated(
    this: Run,
    frame: DataFrame,
    *,
    contract: Contract,
    also: Mapping[str, Column] | None = None,
) -> tuple[DataFrame, Mapping[str, Any]]:
    """Write a computed table, counting its rules on the way, and let the gate see what was written."""
    rules = {**failure_counts(contract), **contract.table_reasons}
    written, figures = this.write(
        contract.table, frame, schema=contract.schema, money=contract.money, also={**rules, **(also or {})}
    )
    keys = {unique.label: duplicate_keys(rows=written, unique=unique, contract=contract) for unique in contract.uniques}
    twice = {label: frame for label, frame in keys.items() if frame.count()}
    counted = Counted(
        rows=this.account.totals[contract.table].rows,
        broken={label: figures[label] for label in failure_counts(contract)},
        reasons={label: figures[label] for label in contract.table_reasons},
    )
    this.quality.examine(contract=contract, rows=written, counted=counted, twice=twice)
    return written, figures
