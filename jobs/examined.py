"""Computed tables: written, counted, and seen by the gate."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame

from expectations.contracts.contract import Contract
from expectations.validation.computed import counts
from expectations.validation.duplicate_keys import found_twice
from jobs.quality.report import Counted
from jobs.runs.run import Run


def write_examined(
    this: Run,
    frame: DataFrame,
    *,
    contract: Contract,
    also: Mapping[str, Column] | None = None,
) -> tuple[DataFrame, Mapping[str, Any]]:
    """Write a computed table, counting its rules on the way, and let the gate see what was written."""
    rules = {**counts(contract), **contract.table_reasons}
    written, figures = this.write(
        contract.table, frame, schema=contract.schema, money=contract.money, also={**rules, **(also or {})}
    )
    keys = {unique.label: found_twice(rows=written, unique=unique, contract=contract) for unique in contract.uniques}
    twice = {label: frame for label, frame in keys.items() if frame.count()}
    counted = Counted(
        rows=this.account.totals[contract.table].rows,
        broken={label: figures[label] for label in counts(contract)},
        reasons={label: figures[label] for label in contract.table_reasons},
    )
    this.quality.examine(contract=contract, rows=written, counted=counted, twice=twice)
    return written, figures
