"""Checked tables: every raw row validated once, then written to its table or to the table's quarantine."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from expectations.contracts.contract import FileContract
from expectations.gx.columns import gate_columns, result_columns
from expectations.rules.cells import parsed
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from expectations.validation.failing_keys import FailingKeys, failing_keys, failing_rules, keys_referred_to
from expectations.validation.records import FORMS
from expectations.validation.rows import (
    CASCADED,
    ROWS_BLANKED,
    Reference,
    accepted,
    blanked_rows,
    failure_counts,
    fails_any,
    form_counts,
    quarantined,
    raw_columns,
    validate_rows,
)
from jobs.quality.report import GatedRows, RowCounts
from jobs.runs.metrics import Written, total_of, with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import Total
from transforms.schemas import MONEY

if TYPE_CHECKING:
    from expectations.gx.gate import GatePlan


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
        reread: gives the rows as they are to be validated instead, once they were read; None if they will do.
    """

    rows: DataFrame
    reread: Callable[[], DataFrame | None] = lambda: None


Reconcile = Callable[[CheckedTable], None]
"""Checks the totals of both halves, before the gate compares its results."""


def check_table(
    run: Run, raw: RawRows, *, contract: FileContract, references: Mapping[str, Reference], reconcile: Reconcile
) -> CheckedTable:
    """Validate the rows of a raw table, write both halves, reconcile them, and have the gate evaluate its contract.

    The files are read once. Each row that passes the rules about itself goes into the table, and the keys are looked at
    there. If any row fails a rule, the files are read once more, for the rows that do.

    Grain in: one row per record, as text. Grain out: one row per accepted record, and one per quarantined record.

    Args:
        run: the run.
        raw: the rows of the table.
        contract: the table's.
        references: the tables that it refers to, by name.
        reconcile: checks the totals.

    Raises:
        DataError: A reconciliation check fails, or the counts and Great Expectations disagree.
        OutsideSystemError: Great Expectations failed to evaluate a rule.
    """
    first = _write_passing(run, raw.rows, contract)
    other_rows = raw.reread()
    if other_rows is not None:
        first = _write_passing(run, other_rows, contract, replaces=True)
    with ExitStack() as stack:
        persist = partial(_persisted, stack)
        keys = _failing_keys(first.table.frame, contract, references, persist)
        failing = None
        table = first.table
        if first.counts[FAILING] or keys.by_rule:
            failing = _validated_by_all_rules(_failing_rows(run, first, keys), contract, references, persist)
        if failing is not None and keys.by_rule:
            table = _rewritten(run, contract, keys, table=first.table.frame, failing=failing)
        rejected = failing if failing is not None else first.validated.limit(0)
        quarantine = run.write(quarantine_of(contract), quarantined(validated=rejected, contract=contract))
        checked = CheckedTable(table, quarantine)
        reconcile(checked)
        failures = _failures(run, contract, failing)
        forms = form_counts(rows=first.validated).collect() if first.counts[OTHER_FORMS] else []
        row_counts = RowCounts(
            rows=first.counts["rows"],
            quarantined=quarantine.total.rows,
            cascaded=failures[CASCADED],
            failed={rule.label: failures[rule.label] for rule in contract.row_rules},
            reasons={label: first.counts[label] for label in contract.table_reasons},
            forms={row["form"]: row["cells"] for row in sorted(forms)},
            blanked=failures[ROWS_BLANKED],
        )
        run.add_quality(contract, row_counts, _gated(first, failing))
    return checked


def check_replayed(
    run: Run,
    rows: DataFrame,
    *,
    carried_over: Halves,
    contract: FileContract,
    references: Mapping[str, Reference],
    reconcile: Reconcile,
) -> CheckedTable:
    """`check_table` of the rows of a replay, which are written together with rows of the replayed run.

    Args:
        run: the run.
        rows: the rows to validate again.
        carried_over: rows of the replayed run that stay as they are.
        contract: the table's.
        references: the tables that it refers to, by name.
        reconcile: checks the totals.

    Raises:
        DataError: A reconciliation check fails, or the counts and Great Expectations disagree.
        OutsideSystemError: Great Expectations failed to evaluate a rule.
    """
    with ExitStack() as stack:
        persist = partial(_persisted, stack)
        validated = _validated_by_all_rules(persist(rows), contract, references, persist)
        checked = _write_replayed(run, contract, validated, carried_over)
        reconcile(checked)
        failures = _failures(run, contract, validated)
        forms = form_counts(rows=validated).collect()
        row_counts = RowCounts(
            rows=checked.accepted.total.rows + checked.quarantined.total.rows,
            quarantined=checked.quarantined.total.rows,
            cascaded=failures[CASCADED],
            failed={rule.label: failures[rule.label] for rule in contract.row_rules},
            reasons=_table_reasons(checked, contract=contract),
            forms={row["form"]: row["cells"] for row in sorted(forms)},
            blanked=failures[ROWS_BLANKED],
        )
        # The validated rows are not the whole table, so the counts answer for the rules about it.
        columns = gate_columns(rows=validated, contract=contract)
        plan = run.quality.plan(replace(contract, rules=contract.row_rules), columns)
        run.add_quality(contract, row_counts, GatedRows(plan, {}, lambda: columns))
    return checked


FAILING = "rows_that_fail"
OTHER_FORMS = "rows_in_other_forms"


@dataclass(frozen=True)
class _FirstPass:
    """A table after its files were read once.

    Attributes:
        contract: the table's.
        validated: its rows, validated by the rules about a row alone. A query over them reads the files again.
        table: those that pass.
        plan: what Great Expectations asks of all rows.
        counts: what was observed of all rows on the way, for that plan too.
    """

    contract: FileContract
    validated: DataFrame
    table: Written
    plan: "GatePlan"
    counts: Mapping[str, Any]


def _write_passing(run: Run, rows: DataFrame, contract: FileContract, *, replaces: bool = False) -> _FirstPass:
    validated = validate_rows(raw=rows, contract=contract)
    plan = run.quality.plan(contract, gate_columns(rows=validated, contract=contract))
    metrics = {
        **contract.table_reasons,
        **plan.metrics,
        FAILING: F.count_if(fails_any()),
        OTHER_FORMS: F.count_if(F.col(FORMS).isNotNull()),
    }
    with_results = validated.select("*", *result_columns(contract))
    counted, counts = with_metrics(with_results, f"validated {contract.table}", metrics=metrics)
    table = run.write(contract, accepted(validated=counted, contract=contract), replaces=replaces)
    return _FirstPass(contract, validated, table, plan, counts.get)


def _gated(first: _FirstPass, failing: DataFrame | None) -> GatedRows:
    """What Great Expectations gets of the table.

    Rules about other rows had not been evaluated on the way. So the aggregates about them are computed over the rows
    that fail a rule: any other row passes.
    """
    contract, plan = first.contract, first.plan

    def rows() -> DataFrame:
        return gate_columns(rows=first.validated, contract=contract)

    if failing is None:
        return GatedRows(plan, first.counts, rows)
    columns = gate_columns(rows=failing, contract=contract)
    about_others = plan.metrics_about(rule.label for rule in (*contract.references, *contract.uniques))
    values = columns.agg(*[value.alias(name) for name, value in about_others.items()]).collect()[0].asDict()
    return GatedRows(plan, {**first.counts, **values}, rows, lambda: columns)


Persist = Callable[[DataFrame], DataFrame]


def _persisted(stack: ExitStack, frame: DataFrame) -> DataFrame:
    """Persist a frame that is read several times, here and now, until the table is checked.

    Rows that are lost with a machine are computed again from the same files, with the same result: it depends on a
    row's text alone.
    """
    persisted = frame.persist(StorageLevel.MEMORY_AND_DISK)
    stack.callback(persisted.unpersist)
    # A query that needs no column fills the cache, and Spark then knows how few rows there are.
    persisted.count()
    return persisted


def _failing_keys(
    table: DataFrame, contract: FileContract, references: Mapping[str, Reference], persist: Persist
) -> FailingKeys:
    found = failing_rules(table=table, contract=contract, references=references).collect()
    keys = failing_keys(
        table=table, contract=contract, references=references, labels={row["label"] for row in found}
    )
    return FailingKeys(contract, {rule: persist(of_rule) for rule, of_rule in keys.by_rule.items()})


def _failing_rows(run: Run, first: _FirstPass, keys: FailingKeys) -> DataFrame:
    """Read the files again, for the rows that fail a rule or have a failing key.

    They are staged and not persisted: what is persisted is computed again once a table is written that it came from.
    """
    contract = keys.contract
    marked, has_failing_key = keys.marked(first.validated)
    rows = marked.where(fails_any() | has_failing_key).select(*raw_columns(contract))
    return run.stage(f"failing/{contract.table}", rows, schema=rows.schema)


def _validated_by_all_rules(
    rows: DataFrame, contract: FileContract, references: Mapping[str, Reference], persist: Persist
) -> DataFrame:
    """Raw rows, persisted, validated by the rules about other rows too. They hold all rows of each key that fails."""
    referred_to = {
        rule.table: keys_referred_to(rows=rows, rule=rule, reference=references[rule.table])
        for rule in contract.references
    }
    validated = persist(validate_rows(raw=rows, contract=contract, references=referred_to))
    for unique in contract.uniques:
        duplicates = duplicate_keys(rows=validated, unique=unique, contract=contract)
        if duplicates.count():
            validated = persist(
                reject_duplicate_keys(validated=validated, unique=unique, contract=contract, duplicates=duplicates)
            )
    return validated


def _rewritten(
    run: Run, contract: FileContract, keys: FailingKeys, *, table: DataFrame, failing: DataFrame
) -> Written:
    """Write the table anew, without the rows whose keys fail. It cannot be written while it is read."""
    taken = keys.rows_taken(accepted(validated=failing, contract=contract))
    staged = run.stage(contract.table, keys.rows_without(table).unionByName(taken), schema=contract.schema)
    return run.write(contract, staged, replaces=True)


def _failures(run: Run, contract: FileContract, failing: DataFrame | None) -> Mapping[str, int]:
    """How many rows fail each rule. The text of cells that accepted rows lost is kept, with the reasons."""
    counts = failure_counts(contract)
    if failing is None:
        return dict.fromkeys(counts, 0)
    failures = failing.agg(*[count.alias(label) for label, count in counts.items()]).collect()[0].asDict()
    if failures[ROWS_BLANKED]:
        blanked = Quarantine(contract.blanked, contract.blanked_schema, None)
        run.write(blanked, blanked_rows(validated=failing, contract=contract))
    return failures


def _write_replayed(run: Run, contract: FileContract, validated: DataFrame, carried_over: Halves) -> CheckedTable:
    name, money = contract.table, raw_money(contract)
    counted, metrics = with_metrics(validated, f"validated {name}", money=money)
    new = accepted(validated=counted, contract=contract)
    new, new_metrics = with_metrics(new, f"newly accepted {name}", money=contract.money)
    table = run.write(contract, carried_over.accepted.unionByName(new))
    again = quarantined(validated=validated, contract=contract)
    rejected, rejected_metrics = with_metrics(again, f"rejected again {name}", money=money)
    unresolved, unresolved_metrics = with_metrics(carried_over.quarantined, f"unresolved {name}", money=money)
    quarantine = run.write(quarantine_of(contract), rejected.unionByName(unresolved))
    parts = ReplayedParts(
        *[
            total_of(observed.get, contract.money)
            for observed in (metrics, new_metrics, rejected_metrics, unresolved_metrics)
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


def _table_reasons(checked: CheckedTable, *, contract: FileContract) -> dict[str, Any]:
    """Why the table and its quarantine together fail a rule about all rows, as an ingest of all rows would find it."""
    as_text = [F.col(name).cast("string").alias(contract.source_name(name)) for name in contract.schema.fieldNames()]
    quarantine = checked.quarantined.frame.select(*contract.source_columns)
    every_row = checked.accepted.frame.select(*as_text).unionByName(quarantine)
    reasons = contract.table_reasons
    values = every_row.agg(*[reason.alias(label) for label, reason in reasons.items()]).collect()[0]
    return {label: values[label] for label in reasons}
