"""The quality report of a run: the result of every rule, the quarantine budget, and Data Docs."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Row
from pyspark.sql.types import TimestampType

from expectations.contracts.contract import Contract
from expectations.gx.front_page import CheckedTable, FailedRule, FrontPage
from expectations.gx.results import NotEvaluatedError, RuleResult
from expectations.rules import Matches, ParsesAs, Rule, TableRule
from jobs.errors import DataError, OutsideSystemError
from jobs.quality.active_rules import ActiveRules
from jobs.storage.temporary import temporary_folder

if TYPE_CHECKING:
    from expectations.gx.gate import Gate, GatePlan

QUALITY = "quality.json"
SHARES = "quality_shares.json"
FOLDER = "quality"
DATA_DOCS = f"{FOLDER}/data_docs/index.html"

BY_COST = ("stop", "quarantine", "blank", "warn")
"""The severities of rules, from that whose failure costs most."""

ANOTHER_FORM = ". If the file writes them in another form, say so under columns in --rules (docs/data-quality.md)"


@dataclass(frozen=True)
class RowCounts:
    """Counts of a table's rows, made by the tasks that wrote it.

    Attributes:
        rows: all rows, accepted or not.
        quarantined: rows that were quarantined.
        cascaded: quarantined rows that fail no rule but that they refer to a quarantined row.
        failed: rows that fail a rule, by its label; no entry for a rule that was not counted.
        reasons: why the table fails a rule about all its rows, by the rule's label; null where it passes.
        forms: cells that stood in another form than the rules read, by ``column: form``.
        blanked: accepted rows that lost a cell.
    """

    rows: int
    quarantined: int = 0
    cascaded: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, Row | None] = field(default_factory=dict)
    forms: Mapping[str, int] = field(default_factory=dict)
    blanked: int = 0

    @property
    def share(self) -> float:
        """The share of rows that are quarantined for a fault of their own."""
        return (self.quarantined - self.cascaded) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class TableQuality:
    """The counts of a table, and the results of the gate.

    Attributes:
        contract: the table's.
        counts: made by the tasks that wrote it.
        results: of Great Expectations, by the label of the rule; none for a rule that it did not evaluate.
        gate_seconds: how long Great Expectations took, before the table was written and after.
    """

    contract: Contract
    counts: RowCounts
    results: Mapping[str, RuleResult]
    gate_seconds: float

    @property
    def failed_rules(self) -> list[Rule]:
        """The rules that failed."""
        return [rule for rule in self.contract.rules if not self.passed(rule)]

    def passed(self, rule: Rule) -> bool:
        """The gate's result of a rule; the count's where the gate did not evaluate it."""
        result = self.results.get(rule.label)
        if result is not None:
            return result.passed
        return not (self.counts.failed.get(rule.label) or self.counts.reasons.get(rule.label))

    def disagreements(self) -> list[str]:
        """Labels of the rules on which the counts and Great Expectations disagree."""
        counts: dict[str, Any] = {**self.counts.failed, **self.counts.reasons}
        evaluated = counts.keys() & self.results.keys()
        return sorted(label for label in evaluated if bool(counts[label]) == self.results[label].passed)

    def how_often(self, rule: Rule) -> str:
        """How many rows fail a rule, or the value that the whole table has, as words to follow "fails"."""
        rows, reason = self.counts.failed.get(rule.label), self.counts.reasons.get(rule.label)
        if reason:
            return f" (found {reason['value']})"
        return f" for {rows:,} {'row' if rows == 1 else 'rows'}" if rows else ""

    def figures(self) -> dict[str, Any]:
        """The table's figures, for the manifest and ``quality.json``."""
        return {
            "rows": self.counts.rows,
            "quarantined": self.counts.quarantined,
            "cascaded": self.counts.cascaded,
            "share_quarantined": round(self.counts.share, 6),
            "gate_seconds": round(self.gate_seconds, 2),
            **({"other_forms": dict(self.counts.forms)} if self.counts.forms else {}),
            **({"rows_blanked": self.counts.blanked} if self.counts.blanked else {}),
        }

    def rule_as_json(self, rule: Rule) -> dict[str, Any]:
        """A rule's entry in ``quality.json``."""
        entry: dict[str, Any] = {"rule": rule.label, "severity": rule.severity, "expected": rule.expectation}
        entry["passed"] = self.passed(rule)
        if isinstance(rule, TableRule):
            reason = self.counts.reasons.get(rule.label)
            return entry | ({"found": reason["value"]} if reason else {})
        entry["rows_failed"] = self.counts.failed.get(rule.label)
        result = self.results.get(rule.label)
        return entry | ({"examples": list(result.examples)} if result and result.examples else {})


@dataclass(frozen=True)
class GatedRows:
    """What Great Expectations gets of a table that is written; see `Gate.validate`.

    Attributes:
        plan: made before.
        observed: the values of the plan's metrics, among others.
        rows: gives all rows.
        failing: gives rows for examples, if not all.
    """

    plan: "GatePlan"
    observed: Mapping[str, Any]
    rows: Callable[[], DataFrame]
    failing: Callable[[], DataFrame] | None = None


class QualityReport:
    """The quality of a run's tables, added table by table."""

    def __init__(
        self, run_id: str, rules: ActiveRules, max_quarantined: float, folder: Path, make_gate: "Callable[[], Gate]"
    ) -> None:
        self.run_id = run_id
        self.rules = rules
        self.folder = folder
        self.tables: list[TableQuality] = []
        self._max_quarantined = max_quarantined
        self._make_gate = make_gate
        self._plan_seconds: dict[str, float] = {}

    @cached_property
    def _gate(self) -> "Gate":
        return self._make_gate()

    def plan(self, contract: Contract, columns: DataFrame) -> "GatePlan":
        """What Great Expectations needs to know of a table that is not written yet; see `Gate.plan`."""
        started = time.monotonic()
        plan = self._gate.plan(contract, columns=columns)
        self._plan_seconds[contract.table] = time.monotonic() - started
        return plan

    def add_table(self, contract: Contract, counts: RowCounts, gated: GatedRows) -> TableQuality:
        """Have Great Expectations evaluate a table, and compare its results with the counts.

        Args:
            contract: the table's. The counts give the results of the rules that are not planned.
            counts: made by the tasks that wrote it.
            gated: what Great Expectations gets.

        Raises:
            DataError: The two disagree on a rule. Both are made from one contract, so one of them is wrong.
            OutsideSystemError: Great Expectations failed to evaluate a rule.
        """
        started = time.monotonic()
        try:
            results = self._gate.validate(gated.plan, observed=gated.observed, rows=gated.rows, failing=gated.failing)
        except NotEvaluatedError as error:
            raise OutsideSystemError(f"{contract.table}: Great Expectations could not evaluate {error}") from None
        seconds = self._plan_seconds.get(contract.table, 0.0) + time.monotonic() - started
        table = TableQuality(contract, counts, results, seconds)
        self.tables.append(table)
        if table.disagreements():
            raise DataError(
                f"{contract.table}: the count of rows and Great Expectations disagree on "
                f"{', '.join(table.disagreements())}, expected one result. Report it with this run's folder"
            )
        return table

    def stop_reasons(self) -> list[str]:
        """Why the run must stop; nothing when it may go on."""
        return [reason for table in self.tables for reason in self._stop_reasons(table)]

    def warnings(self) -> list[tuple[TableQuality, Rule]]:
        """Each failed rule, with its table."""
        return [(table, rule) for table in self.tables for rule in table.failed_rules]

    def summary(self) -> list[str]:
        """The failed rules, the cells that stood in another form, and the rows that lost a cell, as lines."""
        failed = [
            f"{table.contract.table}: {rule.label} ({rule.severity}) fails{table.how_often(rule)}"
            for table, rule in self.warnings()
        ]
        forms = [
            f"{table.contract.table}.{form} ({cells:,} cells)"
            for table in self.tables
            for form, cells in table.counts.forms.items()
        ]
        blanked = [
            f"{table.contract.table}: {table.counts.blanked:,} rows were accepted without a cell, kept in blanked"
            for table in self.tables
            if table.counts.blanked
        ]
        return [*failed, *forms, *blanked]

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry: figures, and the rules that failed."""
        return {
            "rules": self.rules.as_json(),
            "stopped_by": self.stop_reasons(),
            "max_quarantined": self._max_quarantined,
            "tables": {
                table.contract.table: {
                    **table.figures(),
                    "rules": len(table.contract.rules),
                    "failed": {rule.label: table.counts.failed.get(rule.label) for rule in table.failed_rules},
                }
                for table in self.tables
            },
        }

    def write(self) -> str:
        """Write Data Docs, and return the content of ``quality.json``: every rule of every table."""
        self._build_data_docs()
        tables = {
            table.contract.table: {**table.figures(), "rules": list(map(table.rule_as_json, table.contract.rules))}
            for table in self.tables
        }
        content = {"run_id": self.run_id, **self.as_json(), "data_docs": DATA_DOCS, "tables": tables}
        return json.dumps(content, indent=2, default=str) + "\n"

    def _build_data_docs(self) -> None:
        """Write Data Docs. The library catches most errors of its pages, and then a page is missing."""
        self._gate.build_data_docs(self._front_page())
        if not (self.folder.parent / DATA_DOCS).is_file():
            raise OutsideSystemError(
                f"Great Expectations did not write {DATA_DOCS}. Check that {self.folder.parent} is on a disk with room"
            )

    def _front_page(self) -> FrontPage:
        """What failed and how often: first what stops a run, then what costs rows, then warnings."""
        tables = [
            CheckedTable(each.contract.table, each.counts.rows, each.counts.quarantined, len(each.contract.rules))
            for each in self.tables
        ]
        failed = [
            FailedRule(
                table=table.contract.table,
                rule=rule.label,
                severity=rule.severity,
                expected=rule.expectation,
                found=table.how_often(rule).strip(" ()").removeprefix("for "),
            )
            for table, rule in sorted(self.warnings(), key=lambda each: BY_COST.index(each[1].severity))
        ]
        return FrontPage(self.run_id, self.stop_reasons(), tables, failed)

    def shares(self) -> str:
        """The content of ``quality_shares.json``: each table's quarantined share, for an alarm to watch."""
        tables = {
            table.contract.table: {"share_quarantined": table.figures()["share_quarantined"]} for table in self.tables
        }
        return json.dumps({"run_id": self.run_id, "tables": tables}, indent=2) + "\n"

    def _stop_reasons(self, table: TableQuality) -> Iterator[str]:
        name, counts = table.contract.table, table.counts
        for rule in table.failed_rules:
            if rule.severity == "stop":
                yield f"{name}: {rule.label} fails{table.how_often(rule)}, expected {rule.expectation}"
        if counts.share > self._max_quarantined:
            worst = max(counts.failed, key=lambda label: counts.failed[label])
            hint = ANOTHER_FORM if _can_have_another_form(table.contract.rule(worst)) else ""
            cascaded = f", and {counts.cascaded:,} cascaded" if counts.cascaded else ""
            yield (
                f"{name}: {counts.quarantined - counts.cascaded:,} of {counts.rows:,} rows quarantined "
                f"({counts.share:.2%}{cascaded}; most fail {worst}: {counts.failed[worst]:,}), "
                f"expected at most {self._max_quarantined:.2%} (--max-quarantined){hint}"
            )


def _can_have_another_form(rule: Rule | None) -> bool:
    """Whether the user can declare a form in which the values of a rule pass."""
    return isinstance(rule, Matches) or (isinstance(rule, ParsesAs) and isinstance(rule.type, TimestampType))


def load_gate() -> "type[Gate]":
    """The class of the gate. Importing Great Expectations with it takes seconds."""
    gate: type[Gate] = import_module("expectations.gx.gate").Gate
    return gate


@contextmanager
def quality_report(run_id: str, rules: ActiveRules, *, max_quarantined: float) -> Iterator[QualityReport]:
    """A report for a run, with a temporary folder for Great Expectations.

    A thread loads the gate while Spark starts and reads.
    """
    # Its lines are about itself, with tracebacks; the results tell what it found.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    with temporary_folder("quality") as place, ThreadPoolExecutor(max_workers=1) as thread:
        gate, folder = thread.submit(load_gate), place / FOLDER
        folder.mkdir()  # below the temporary folder, which nobody else may enter
        yield QualityReport(run_id, rules, max_quarantined, folder, lambda: gate.result()(folder, run_id=run_id))
