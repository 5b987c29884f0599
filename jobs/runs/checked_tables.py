"""Checked tables: every raw row validated once, then written to its table or to the table's quarantine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from expectations.contracts.contract import FileContract
from expectations.gx.columns import gate_columns
from expectations.rules.cells import parsed
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from expectations.validation.rows import (
    CASCADED,
    OTHER_FORMS,
    ROWS_BLANKED,
    Reference,
    accepted,
    blanked_rows,
    failure_counts,
    form_counts,
    is_remarkable,
    quarantined,
    validate_rows,
)
from jobs.quality.report import GatedRows, RowCounts
from jobs.runs.metrics import Written, total_of, with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import Total
from transforms.schemas import MONEY


@dataclass(frozen=True)
class Quarantine:
    """The table of a raw table's rejected rows, as a contract for writing."""

    table: str
    schema: StructType
    money: Column | None


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


@dataclass(frozen=True)
class CheckedTable:
    """A raw table after the check, as it was written.

    Attributes:
        accepted: the table.
        quarantined: its quarantine.
        parts: in a replay, what they consist of.
    """

    accepted: Written
    quarantined: Written
    parts: ReplayedParts | None = None

    @property
    def reference(self) -> Reference:
        """The table as those see it that refer to it."""
        return Reference(self.accepted.frame, self.quarantined.frame if self.quarantined.total.rows else None)


@dataclass(frozen=True)
class CheckedTables:
    """The checked tables of a run, whichever run checked them.

    Attributes:
        tables: by name.
        rules: hashes of the rule sets under which they were checked, where other rules are active now.
    """

    tables: Mapping[str, Written]
    rules: Mapping[str, Any] = field(default_factory=dict)

    def configuration(self) -> Mapping[str, Any]:
        """The settings that their rows depend on, beside the active rules."""
        return self.rules

    def manifest_entries(self) -> Mapping[str, Any]:
        """No entry of their own: the ledger and the quality report tell of them."""
        return {}


@dataclass(frozen=True)
class Halves:
    """Rows of a table, and rows of its quarantine."""

    accepted: DataFrame
    quarantined: DataFrame


@dataclass(frozen=True)
class RawRows:
    """The rows of a raw table.

    Attributes:
        rows: the rows to validate, as `validate_rows` takes them.
        carried_over: rows of an earlier run that are written with them as they are; None outside a replay.
        reread: gives the rows as they are to be validated instead, once they were read; None if they will do.
    """

    rows: DataFrame
    carried_over: Halves | None = None
    reread: Callable[[], DataFrame | None] = lambda: None


def check_table(
    run: Run,
    raw: RawRows,
    *,
    contract: FileContract,
    references: Mapping[str, Reference],
    reconcile: Callable[[CheckedTable], None],
) -> CheckedTable:
    """Validate the rows of a raw table, write both halves, reconcile them, and have the gate evaluate its contract.

    Grain in: one row per record, as text. Grain out: one row per accepted record, and one per quarantined record, each
    together with the rows that are carried over.

    Args:
        run: the run.
        raw: the rows of the table.
        contract: the table's.
        references: the tables that it refers to, by name.
        reconcile: checks the totals of both halves, before the gate reads the rows.

    Raises:
        DataError: A reconciliation check fails, or the counts and Great Expectations disagree.
        OutsideSystemError: Great Expectations failed to evaluate a rule.
    """
    carried_over = raw.carried_over
    is_replay = carried_over is not None
    table_rules = {} if is_replay else contract.table_reasons
    # Read by the two writes and by the gate: the file is parsed and each row validated once.
    with _persisted_with_keys(raw, contract=contract, references=references) as (validated, has_remarkable):
        counted, counts = with_metrics(
            validated,
            f"validated {contract.table}",
            money=raw_money(contract) if is_replay else None,
            metrics=table_rules,
        )
        # Mostly no row fails a rule, and then none has to be read to find those that do.
        remarkable, failures = with_metrics(
            validated.where(is_remarkable()) if has_remarkable else validated.limit(0),
            f"failed rules of {contract.table}",
            metrics=failure_counts(contract),
        )
        halves = Halves(
            accepted=accepted(validated=counted, contract=contract),
            quarantined=quarantined(validated=remarkable, contract=contract),
        )
        if carried_over is None:
            checked = _write(run, contract, halves)
            rows_of_table = counts.get["rows"]
            reasons = {label: counts.get[label] for label in table_rules}
        else:
            checked = _write_replayed(run, contract, halves, counts=counts, carried_over=carried_over)
            rows_of_table = checked.accepted.total.rows + checked.quarantined.total.rows
            reasons = _table_reasons(checked, contract=contract)
        reconcile(checked)
        if failures.get[ROWS_BLANKED]:
            _write_blanked(run, contract, validated)
        forms = form_counts(validated=validated).collect() if failures.get[OTHER_FORMS] else []
        row_counts = RowCounts(
            rows=rows_of_table,
            quarantined=checked.quarantined.total.rows,
            cascaded=failures.get[CASCADED],
            failed={rule.label: failures.get[rule.label] for rule in contract.row_rules},
            reasons=reasons,
            forms={row["form"]: row["cells"] for row in sorted(forms)},
            blanked=failures.get[ROWS_BLANKED],
        )
        # In a replay the validated rows are not the whole table, so the counts answer for the rules about it.
        evaluated = replace(contract, rules=contract.row_rules) if is_replay else contract
        columns = gate_columns(rows=validated, contract=contract)
        plan = run.quality.plan(evaluated, columns)
        run.add_quality(contract, row_counts, GatedRows(plan, {}, lambda: columns))
    return checked


def _write(run: Run, contract: FileContract, halves: Halves) -> CheckedTable:
    table = run.write(contract, halves.accepted)
    return CheckedTable(table, run.write(quarantine_of(contract), halves.quarantined))


def _write_blanked(run: Run, contract: FileContract, validated: DataFrame) -> None:
    """Keep the text of the cells that accepted rows lost, with the reasons."""
    blanked = Quarantine(contract.blanked, contract.blanked_schema, None)
    run.write(blanked, blanked_rows(validated=validated, contract=contract))


def _write_replayed(
    run: Run,
    contract: FileContract,
    halves: Halves,
    *,
    counts: Observation,
    carried_over: Halves,
) -> CheckedTable:
    name, money = contract.table, raw_money(contract)
    new, new_metrics = with_metrics(halves.accepted, f"newly accepted {name}", money=contract.money)
    table = run.write(contract, carried_over.accepted.unionByName(new))
    rejected, rejected_metrics = with_metrics(halves.quarantined, f"rejected again {name}", money=money)
    unresolved, unresolved_metrics = with_metrics(carried_over.quarantined, f"unresolved {name}", money=money)
    quarantine = run.write(quarantine_of(contract), rejected.unionByName(unresolved))
    parts = ReplayedParts(
        *[
            total_of(metrics.get, contract.money)
            for metrics in (counts, new_metrics, rejected_metrics, unresolved_metrics)
        ]
    )
    return CheckedTable(table, quarantine, parts)


def how_to_continue(run: Run) -> tuple[str, str]:
    """What to do with a run that has checked tables alone, in lines for its summary."""
    options = run.options
    return (
        "current.json was not moved: this run has checked tables alone. Continue with",
        f"  python -m jobs.features --as-of {options.as_of} --output {options.output} --checked-run {run.run_id}",
    )


def quarantine_of(contract: FileContract) -> Quarantine:
    """The quarantine of a raw table."""
    return Quarantine(contract.quarantine, contract.quarantine_schema, raw_money(contract))


def raw_money(contract: FileContract) -> Column | None:
    """The money of a raw row, as far as its text is a number."""
    if contract.money is None:
        return None
    return parsed(F.col(contract.source_name(contract.money)), MONEY)


@contextmanager
def _persisted_with_keys(
    raw: RawRows, *, contract: FileContract, references: Mapping[str, Reference]
) -> Iterator[tuple[DataFrame, bool]]:
    """Validated rows, also for their keys, persisted for the several readers; and whether any `is_remarkable`.

    Rows that are lost with a machine are computed again from the same files, with the same result: it depends on a
    row's text alone.
    """
    persisted = [_validated(raw.rows, contract=contract, references=references)]
    try:
        has_remarkable = _fill(persisted[-1])
        other_rows = raw.reread()
        if other_rows is not None:
            persisted.pop().unpersist()
            persisted.append(_validated(other_rows, contract=contract, references=references))
            has_remarkable = _fill(persisted[-1])
        for unique in contract.uniques:
            duplicates = duplicate_keys(rows=persisted[-1], unique=unique, contract=contract)
            if duplicates.count():
                rejected = reject_duplicate_keys(
                    validated=persisted[-1], unique=unique, contract=contract, duplicates=duplicates
                )
                persisted.append(rejected.persist(StorageLevel.MEMORY_AND_DISK))
                has_remarkable = True
        yield persisted[-1], has_remarkable
    finally:
        for frame in persisted:
            frame.unpersist()


def _validated(rows: DataFrame, *, contract: FileContract, references: Mapping[str, Reference]) -> DataFrame:
    validated = validate_rows(raw=rows, contract=contract, references=references)
    return validated.persist(StorageLevel.MEMORY_AND_DISK)


def _fill(validated: DataFrame) -> bool:
    """Persist all rows, here and now, and say whether any is remarkable.

    A later query may turn out to need no row, and would then observe none.
    """
    return validated.where(is_remarkable()).count() > 0


def _table_reasons(checked: CheckedTable, *, contract: FileContract) -> dict[str, Any]:
    """Why the table and its quarantine together fail a rule about all rows, as an ingest of all rows would find it."""
    as_text = [F.col(name).cast("string").alias(contract.source_name(name)) for name in contract.schema.fieldNames()]
    quarantine = checked.quarantined.frame.select(*contract.source_columns)
    every_row = checked.accepted.frame.select(*as_text).unionByName(quarantine)
    reasons = contract.table_reasons
    values = every_row.agg(*[reason.alias(label) for label, reason in reasons.items()]).collect()[0]
    return {label: values[label] for label in reasons}
