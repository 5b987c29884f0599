"""What a run says of its data: every rule's verdict, the budget, Data Docs, and whether the run may go on."""

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
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Row

from expectations.contracts.contract import Contract
from expectations.gx.results import NotEvaluatedError, RuleResult
from expectations.rules import Rule, TableRule
from jobs.errors import DataError, OutsideSystemError
from jobs.quality.active_rules import ActiveRules

if TYPE_CHECKING:
    from expectations.gx.gate import Gate

QUALITY = "quality.json"
SHARES = "quality_shares.json"
FOLDER = "quality"
DATA_DOCS = f"{FOLDER}/data_docs/index.html"


@dataclass(frozen=True)
class Counted:
    """What the split, or the write of a computed table, counted of it.

    Attributes:
        rows: all rows, accepted or not.
        quarantined: rows that were set aside.
        followers: those of them with which nothing was wrong but that a row they refer to was set aside.
        broken: rows that broke a rule, by its label; no entry for a rule that was not counted.
        reasons: why a rule about the whole table is broken, by its label; null for one that is kept.
    """

    rows: int
    quarantined: int = 0
    followers: int = 0
    broken: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, Row | None] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of the rows that was set aside for what is wrong with them."""
        return (self.quarantined - self.followers) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class TableQuality:
    """What was found of one table."""

    contract: Contract
    counted: Counted
    verdicts: Mapping[str, RuleResult]
    gate_seconds: float

    def broken(self) -> list[Rule]:
        """The rules that were broken."""
        return [rule for rule in self.contract.rules if not self.is_kept(rule)]

    def is_kept(self, rule: Rule) -> bool:
        """What the gate says of a rule; where it was not asked, what was counted."""
        verdict = self.verdicts.get(rule.label)
        return verdict.passed if verdict else not self.counted.reasons.get(rule.label)

    def rule_as_json(self, rule: Rule) -> dict[str, Any]:
        """A rule's entry in ``quality.json``."""
        entry: dict[str, Any] = {"rule": rule.label, "severity": rule.severity, "expected": rule.expectation}
        entry["kept"] = self.is_kept(rule)
        if isinstance(rule, TableRule):
            reason = self.counted.reasons.get(rule.label)
            return entry | ({"found": reason["value"]} if reason else {})
        verdict = self.verdicts[rule.label]
        entry["rows_broken"] = self.counted.broken.get(rule.label)
        return entry | ({"examples": list(verdict.examples)} if verdict.examples else {})

    def figures(self) -> dict[str, Any]:
        """The table's figures."""
        counted = self.counted
        return {
            "rows": counted.rows,
            "quarantined": counted.quarantined,
            "of_these_followers": counted.followers,
            "share_quarantined": round(counted.share, 6),
            "gate_seconds": round(self.gate_seconds, 2),
        }

    def disagreements(self) -> list[str]:
        """The rules of which the counts and Great Expectations say different things."""
        counted: dict[str, Any] = {**self.counted.broken, **self.counted.reasons}
        asked = counted.keys() & self.verdicts.keys()
        return sorted(label for label in asked if bool(counted[label]) == self.verdicts[label].passed)


class Quality:
    """The quality of a run's tables, gathered table by table."""

    def __init__(
        self, run_id: str, rules: ActiveRules, max_quarantined: float, folder: Path, make_gate: "Callable[[], Gate]"
    ) -> None:
        self.run_id = run_id
        self.rules = rules
        self.folder = folder
        self.tables: list[TableQuality] = []
        self._max_quarantined = max_quarantined
        self._make_gate = make_gate

    @cached_property
    def _gate(self) -> "Gate":
        return self._make_gate()

    def examine(
        self,
        *,
        contract: Contract,
        rows: DataFrame,
        counted: Counted,
        twice: Mapping[str, DataFrame] = MappingProxyType({}),
        seen: Contract | None = None,
    ) -> None:
        """Let Great Expectations look at a table, and set what it says beside what was counted.

        Args:
            contract: the table's.
            rows: the judged rows of a raw table, the rows of a computed one.
            counted: what was counted of it.
            twice: for a computed table, its keys that more than one row has, by the label of their rule.
            seen: the part of the contract that the rows at hand can answer (default: all of it). For the rest, what
                was counted is the verdict.

        Raises:
            DataError: The two disagree on a rule. Both are made from one contract, so one of them is wrong.
            OutsideSystemError: Great Expectations failed to evaluate a rule.
        """
        started = time.monotonic()
        try:
            verdicts = self._gate.validate(rows=rows, contract=seen or contract, duplicates=twice)
        except NotEvaluatedError as error:
            raise OutsideSystemError(f"{contract.table}: Great Expectations could not evaluate {error}") from None
        found = TableQuality(contract, counted, verdicts, time.monotonic() - started)
        self.tables.append(found)
        if found.disagreements():
            raise DataError(
                f"{contract.table}: the count of rows and Great Expectations disagree on "
                f"{', '.join(found.disagreements())}, expected one verdict. Report it with this run's folder"
            )

    def why_stopped(self) -> list[str]:
        """Why the run must not go on; nothing when it may."""
        return [reason for table in self.tables for reason in self._why_stopped(table)]

    def as_json(self) -> dict[str, Any]:
        """What the manifest says: figures, and the rules that were broken."""
        return {
            "rules": self.rules.as_json(),
            "stopped_by": self.why_stopped(),
            "max_quarantined": self._max_quarantined,
            "tables": {
                table.contract.table: {
                    **table.figures(),
                    "rules": len(table.contract.rules),
                    "broken": {rule.label: table.counted.broken.get(rule.label) for rule in table.broken()},
                }
                for table in self.tables
            },
        }

    def write(self) -> str:
        """Write the pages, and return the content of ``quality.json``: every rule of every table."""
        self._gate.build_data_docs()
        tables = {
            table.contract.table: {**table.figures(), "rules": list(map(table.rule_as_json, table.contract.rules))}
            for table in self.tables
        }
        content = {"run_id": self.run_id, **self.as_json(), "data_docs": DATA_DOCS, "tables": tables}
        return json.dumps(content, indent=2, default=str) + "\n"

    def shares(self) -> str:
        """The content of ``quality_shares.json``: each table's share of rows set aside, for whoever keeps a watch."""
        tables = {
            table.contract.table: {"share_quarantined": table.figures()["share_quarantined"]} for table in self.tables
        }
        return json.dumps({"run_id": self.run_id, "tables": tables}, indent=2) + "\n"

    def _why_stopped(self, table: TableQuality) -> Iterator[str]:
        name, counted = table.contract.table, table.counted
        for rule in table.broken():
            if rule.severity == "stop":
                yield f"{name}: {rule.label} is broken{how_often(table, rule)}, expected {rule.expectation}"
        if counted.share > self._max_quarantined:
            most = max(counted.broken, key=lambda label: counted.broken[label])
            followers = f", and {counted.followers:,} for another's sake" if counted.followers else ""
            yield (
                f"{name}: {counted.quarantined - counted.followers:,} of {counted.rows:,} rows quarantined "
                f"({counted.share:.2%}{followers}; most broke {most}: {counted.broken[most]:,}), "
                f"expected at most {self._max_quarantined:.2%} (--max-quarantined)"
            )


@contextmanager
def quality_of(run_id: str, rules: ActiveRules, *, max_quarantined: float) -> Iterator[Quality]:
    """The quality of a run, with a temporary folder for Great Expectations.

    Importing that library takes seconds, in which Spark starts and reads; so a thread does it.
    """
    # Its warnings are about itself; what it finds is told by the results.
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="quality-") as name, ThreadPoolExecutor(max_workers=1) as thread:
        module, folder = thread.submit(import_module, "expectations.gx.gate"), Path(name) / FOLDER
        folder.mkdir()  # and not the temporary folder itself, which nobody else may enter
        yield Quality(run_id, rules, max_quarantined, folder, lambda: module.result().Gate(folder, run_id=run_id))


def how_often(table: TableQuality, rule: Rule) -> str:
    """How often a rule was broken, or what was found instead, as words to follow "is broken"."""
    rows, reason = table.counted.broken.get(rule.label), table.counted.reasons.get(rule.label)
    if reason:
        return f" (found {reason['value']})"
    return f" by {rows:,} {'row' if rows == 1 else 'rows'}" if rows else ""
