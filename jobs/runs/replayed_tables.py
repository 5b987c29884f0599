"""Checked tables of a replay: rows that are validated again, written with rows of the run that is replayed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.gx.columns import gate_columns
from expectations.validation.replay import Replay
from expectations.validation.rows import Reference, accepted, quarantined
from jobs.quality.report import GatedRows
from jobs.runs.checked_tables import CheckedTable
from jobs.runs.failing_rows import (
    counts_of,
    forms_in,
    quarantine_of,
    raw_money,
    staging,
    validated_with_references,
    without_duplicates,
    write_blanked,
)
from jobs.runs.metrics import total_of, with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import Total


@dataclass(frozen=True)
class ReplayedParts:
    """What became of the rows that a replay validated again, and what it left alone.

    Attributes:
        revalidated: rows that were validated again.
        newly_accepted: those that pass now.
        rejected_again: those that still fail.
        unresolved: quarantined rows that were carried over.
    """

    revalidated: Total
    newly_accepted: Total
    rejected_again: Total
    unresolved: Total


def check_replayed(
    run: Run,
    replayed: Replay,
    *,
    contract: FileContract,
    references: Mapping[str, Reference],
    reconcile: Callable[[CheckedTable, ReplayedParts], None],
) -> CheckedTable:
    """`check_table` of the rows of a replay.

    Grain in: see `Replay`. Grain out: one row per accepted record, and one per quarantined record, of both runs.

    Args:
        run: the run.
        replayed: the rows to validate again, and those that stay as they are.
        contract: the table's.
        references: the tables that it refers to, by name.
        reconcile: checks the totals of both halves and of their parts, before the gate compares its results.

    Raises:
        DataError: A reconciliation check fails, or the counts and Great Expectations disagree.
        OutsideSystemError: Great Expectations failed to evaluate a rule.
    """
    stage = staging(run, contract)
    validated = validated_with_references(replayed.revalidated, contract=contract, references=references, stage=stage)
    validated = without_duplicates(validated, contract.uniques, contract=contract, stage=stage)
    checked, parts = _write(run, contract, validated, replayed)
    reconcile(checked, parts)
    counts = counts_of(
        validated,
        contract=contract,
        rows=checked.accepted.total.rows + checked.quarantined.total.rows,
        quarantined=checked.quarantined.total.rows,
        reasons=_table_reasons(checked, contract=contract),
    )
    counts = replace(counts, forms=forms_in(validated))
    if counts.blanked:
        write_blanked(run, contract, validated)
    # The validated rows are not the whole table, so the counts answer for the rules about it.
    columns = gate_columns(rows=validated, contract=contract)
    plan = run.quality.plan(replace(contract, rules=contract.row_rules), columns)
    run.add_quality(contract, counts, GatedRows(plan, {}, lambda: columns))
    return checked


def _write(
    run: Run, contract: FileContract, validated: DataFrame, replayed: Replay
) -> tuple[CheckedTable, ReplayedParts]:
    name, money = contract.table, raw_money(contract)
    counted, revalidated = with_metrics(validated, f"validated {name}", money=money)
    passing = accepted(validated=counted, contract=contract)
    passing, newly_accepted = with_metrics(passing, f"newly accepted {name}", money=contract.money)
    table = run.write(contract, replayed.reused.unionByName(passing))
    failing = quarantined(validated=validated, contract=contract)
    failing, rejected_again = with_metrics(failing, f"rejected again {name}", money=money)
    unresolved, left = with_metrics(replayed.unresolved, f"unresolved {name}", money=money)
    quarantine = run.write(quarantine_of(contract), failing.unionByName(unresolved))
    parts = ReplayedParts(
        *[total_of(observed.get, contract.money) for observed in (revalidated, newly_accepted, rejected_again, left)]
    )
    return CheckedTable(table, quarantine), parts


def _table_reasons(checked: CheckedTable, *, contract: FileContract) -> dict[str, Any]:
    """Why the table and its quarantine together fail a rule about all rows, as an ingest of all rows would find it."""
    as_text = [F.col(name).cast("string").alias(contract.source_name(name)) for name in contract.schema.fieldNames()]
    quarantine = checked.quarantined.frame.select(*contract.source_columns)
    every_row = checked.accepted.frame.select(*as_text).unionByName(quarantine)
    reasons = contract.table_reasons
    values = every_row.agg(*[reason.alias(label) for label, reason in reasons.items()]).collect()[0]
    return {label: values[label] for label in reasons}
