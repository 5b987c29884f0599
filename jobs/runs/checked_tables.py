"""Checked tables: every raw row validated once, then written to its table or to the table's quarantine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.gx.columns import gate_columns, result_columns
from expectations.validation.failing_keys import FailingKeys, failing_keys, failing_rules
from expectations.validation.records import FORMS, possible_forms
from expectations.validation.rows import (
    Reference,
    accepted,
    fails_any,
    quarantined,
    raw_columns,
    validate_rows,
)
from jobs.quality.report import GatedRows
from jobs.runs.failing_rows import (
    Stage,
    counts_of,
    quarantine_of,
    staging,
    validated_with_references,
    without_duplicates,
    write_blanked,
)
from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run
from transforms.schemas import name_of

if TYPE_CHECKING:
    from expectations.gx.gate import GatePlan

FAILING = "rows_that_fail"


@dataclass(frozen=True)
class CheckedTable:
    """A raw table after the check, as it was written.

    Attributes:
        accepted: the table.
        quarantined: its quarantine.
    """

    accepted: Written
    quarantined: Written

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
        """No entry of their own: the accounts and the quality report tell of them."""
        return {}


@dataclass(frozen=True)
class RawRows:
    """The rows of a raw table.

    Attributes:
        rows: the rows to validate, as `validate_rows` takes them.
        reread: gives the rows as they are to be validated instead, once they were read; None if they will do.
    """

    rows: DataFrame
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

    The files are read once. Each row that passes the rules about itself goes into the table, and keys are searched
    there. If any row fails a rule, the files are read once more, for the rows that do.

    Grain in: one row per record, as text. Grain out: one row per accepted record, and one per quarantined record.

    Args:
        run: the run.
        raw: the rows of the table.
        contract: the table's.
        references: the tables that it refers to, by name.
        reconcile: checks the totals of both halves, before the gate compares its results.

    Raises:
        DataError: A reconciliation check fails, or the counts and Great Expectations disagree.
        OutsideSystemError: Great Expectations failed to evaluate a rule.
    """
    first = _write_passing(run, raw.rows, contract)
    other_rows = raw.reread()
    if other_rows is not None:
        first = _write_passing(run, other_rows, contract, instead_of=first)
    stage = staging(run, contract)
    keys = _failing_keys(first, references, stage)
    table, failing = first.table, None
    if first.counts[FAILING] or keys.by_rule:
        failing = _failing_rows(first, keys, references, stage)
        table = _without(run, keys, first.table, failing) if keys.by_rule else table
    rejected = None if failing is None else quarantined(validated=failing, contract=contract)
    quarantine = _write_quarantine(run, contract, rejected)
    checked = CheckedTable(table, quarantine)
    reconcile(checked)
    counts = counts_of(
        failing,
        contract=contract,
        rows=first.counts["rows"],
        quarantined=quarantine.total.rows,
        reasons={label: first.counts[label] for label in contract.table_reasons},
    )
    forms = {form: first.counts[form] for form in possible_forms(contract) if first.counts[form]}
    counts = replace(counts, forms=dict(sorted(forms.items())))
    if failing is not None and counts.blanked:
        write_blanked(run, contract, failing)
    run.add_quality(contract, counts, _gated(first, failing))
    return checked


def _write_quarantine(run: Run, contract: FileContract, rejected: DataFrame | None) -> Written:
    quarantine = quarantine_of(contract)
    if rejected is None:
        # By a plan of its own: that of the rows takes long to plan, though nothing of it would run.
        row = F.lit(None).cast(name_of(quarantine.schema)).alias("row")
        rejected = run.session.range(0).select(row).select("row.*").limit(0)
    return run.write(quarantine, rejected)


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


def _write_passing(
    run: Run, rows: DataFrame, contract: FileContract, *, instead_of: _FirstPass | None = None
) -> _FirstPass:
    validated = validate_rows(raw=rows, contract=contract)
    with_results = validated.select("*", *result_columns(contract))
    plan = instead_of.plan if instead_of else run.quality.plan(contract, with_results)
    metrics = {
        **contract.table_reasons,
        **plan.metrics,
        FAILING: F.count_if(fails_any()),
        **{form: F.count_if(F.array_contains(FORMS, form)) for form in possible_forms(contract)},
    }
    counted, counts = with_metrics(with_results, f"validated {contract.table}", metrics=metrics)
    passing = accepted(validated=counted, contract=contract)
    table = run.write(contract, passing, replaces=instead_of is not None)
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
    aggregates = [F.count(F.lit(1)), *[value.alias(name) for name, value in about_others.items()]]
    values = columns.agg(*aggregates).collect()[0].asDict()
    return GatedRows(plan, {**first.counts, **values}, rows, lambda: columns)


def _failing_keys(first: _FirstPass, references: Mapping[str, Reference], stage: Stage) -> FailingKeys:
    table, contract = first.table.frame, first.contract
    rules = failing_rules(table=table, contract=contract, references=references)
    labels = set() if rules is None else {row["label"] for row in rules.collect()}
    keys = failing_keys(table=table, contract=contract, references=references, labels=labels)
    return FailingKeys(contract, {rule: stage(of_rule) for rule, of_rule in keys.by_rule.items()})


def _failing_rows(first: _FirstPass, keys: FailingKeys, references: Mapping[str, Reference], stage: Stage) -> DataFrame:
    """Read the files again, for the rows that fail a rule or have a failing key, and validate these by all rules.

    Grain out: `validate_rows`, staged.
    """
    contract = first.contract
    marked, has_failing_key = keys.marked(first.validated)
    rows = marked.where(fails_any() | has_failing_key)
    if contract.references:
        raw = rows.select(*raw_columns(contract))
        failing = validated_with_references(raw, contract=contract, references=references, stage=stage)
    else:
        failing = stage(rows.select(*first.validated.columns))
    # Where no key of the table is a duplicate, none of these rows has one.
    return without_duplicates(failing, keys.uniques, contract=contract, stage=stage)


def _without(run: Run, keys: FailingKeys, table: Written, failing: DataFrame) -> Written:
    """Write the table anew, without the rows whose keys fail. It cannot be written while it is read."""
    contract = keys.contract
    taken = keys.rows_taken(accepted(validated=failing, contract=contract))
    staged = run.stage(contract.table, keys.rows_without(table.frame).unionByName(taken), schema=contract.schema)
    return run.write(contract, staged, replaces=True)


def how_to_continue(run: Run) -> tuple[str, str]:
    """What to do with a run that has checked tables alone, in lines for its summary."""
    options = run.options
    return (
        "current.json was not moved: this run has checked tables alone. Continue with",
        f"  python -m jobs.features --as-of {options.as_of} --output {options.output} --checked-run {run.run_id}",
    )
