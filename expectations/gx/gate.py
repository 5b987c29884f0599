"""The gate: Great Expectations evaluates each table's contract, and writes Data Docs of what it found.

Suites are built from the contracts. They are evaluated with BOOLEAN_ONLY, which costs a table the same few Spark jobs
whatever the number of expectations; then those that failed are evaluated once more, some of them, for examples. (With
SUMMARY throughout, each expectation is a Spark job; with COMPLETE, the keys of all failing rows come to the driver.)
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from types import MappingProxyType

import great_expectations as gx
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.core.result_format import ResultFormatUnion
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity
from pyspark.sql import DataFrame

from expectations.contracts.contract import Contract
from expectations.gx.data_docs import site
from expectations.gx.results import NotEvaluatedError
from expectations.rules import Rule, Unique
from expectations.validation import computed, duplicate_keys
from expectations.validation import rows as row_validation

RULE = "rule"
"""Where an expectation keeps the label of the rule that it was built from."""

NUMBER = "number"
"""Where it keeps its place in the suite: results may come in another order."""

MOST_DETAILED = 20
"""How many failed expectations of a table are evaluated again for examples: each costs Spark jobs of its own."""

MOST_EXAMPLES = 20

SEVERITIES = {
    "stop": FailureSeverity.CRITICAL,
    "quarantine": FailureSeverity.CRITICAL,
    "warn": FailureSeverity.WARNING,
}


@dataclass(frozen=True)
class RuleResult:
    """What Great Expectations says of a rule.

    Attributes:
        passed: whether all its expectations were met.
        examples: some of the values that were not, where they were asked for.
    """

    passed: bool
    examples: tuple[str, ...] = ()


def build_suite(contract: Contract) -> gx.ExpectationSuite:
    """The contract as a suite of Great Expectations; each expectation names its rule in ``meta``."""
    all_expected = [(rule, expected) for rule in contract.rules for expected in rule.expected(contract.cells)]
    expectations = [
        ExpectationConfiguration(
            type=expected.type,
            kwargs=dict(expected.arguments),
            meta={RULE: rule.label, NUMBER: number, "severity": rule.severity},
            # Shown as it is by the library's templates, so that a pattern or a value could be markup.
            description=escape(f"{rule.label}, {rule.severity}: expected {rule.expectation}", quote=False),
            severity=SEVERITIES[rule.severity],
        ).to_domain_obj()
        for number, (rule, expected) in enumerate(all_expected)
    ]
    return gx.ExpectationSuite(contract.table, expectations=expectations)


def gate_columns(
    *, rows: DataFrame, contract: Contract, twice: Mapping[str, DataFrame] = MappingProxyType({})
) -> DataFrame:
    """The columns that the suite speaks of.

    Grain in: `validate_rows` for a raw table, the table itself for a computed one. Grain out: the same rows; the
    columns as they are; those of a raw table that are no text as values, too; and for each rule of which Great
    Expectations has no like a column of the rule's name, null where it is kept and else what was found.

    Args:
        rows: the table.
        contract: the table's.
        twice: for a computed table, the keys that more than one row has, by the label of their rule; no entry for
            a rule that is kept.
    """
    cells = contract.cells
    values = [
        cells.value(column).alias(cells.name_of_value(column))
        for column in cells.types
        if cells.name_of_value(column) != column
    ]
    shown = [rule for rule in contract.row_rules if rule.has_result_column]
    if cells.are_text:
        return rows.select(
            *cells.types, *values, *[row_validation.failing_value(rule).alias(rule.label) for rule in shown]
        )
    verdicts = [computed.failing_value(rule, cells).alias(rule.label) for rule in shown if not isinstance(rule, Unique)]
    seen = rows.select(*cells.types, *verdicts)
    for unique in contract.uniques:
        found = twice.get(unique.label)
        seen = duplicate_keys.with_duplicate_key(rows=seen, unique=unique, contract=contract, twice=found)
    return seen


class Gate:
    """Great Expectations, in a folder of its own."""

    def __init__(self, folder: Path, *, run_id: str) -> None:
        """Make the project.

        Args:
            folder: where suites, results (``gx``) and pages (``data_docs``) go; exists, and is empty.
            run_id: what the results are filed under.
        """
        self._folder = folder
        self._context = gx.get_context(mode="file", project_root_dir=folder)
        self._context.enable_analytics(enable=False)
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self._context.variables.data_docs_sites = {"data_docs": site("../data_docs")}
        # The frames are kept by whoever wants them kept.
        self._source = self._context.data_sources.add_spark("spark", persist=False)
        self._run = RunIdentifier(run_name=run_id, run_time=datetime.now(UTC))

    def examine(
        self, *, rows: DataFrame, contract: Contract, twice: Mapping[str, DataFrame] = MappingProxyType({})
    ) -> dict[str, RuleResult]:
        """Evaluate a contract over a table, and keep the result for the pages.

        Args:
            rows: as for `gate_columns`, as are the others.
            contract: the table's.
            twice: keys that more than one row has.

        Returns:
            For each rule's label, the verdict.

        Raises:
            NotEvaluatedError: An expectation could not be evaluated, which is no verdict on the data.
        """
        suite = self._context.suites.add(build_suite(contract))
        asset = self._source.add_dataframe_asset(contract.table)
        whole = asset.add_batch_definition_whole_dataframe("whole")
        batch = whole.get_batch({"dataframe": gate_columns(rows=rows, contract=contract, twice=twice)})
        result = batch.validate(suite, result_format="BOOLEAN_ONLY")
        _see_that_all_were_evaluated(result)
        _add_details(result, batch)
        self._keep(result, batch)
        return {rule.label: _verdict(rule, result) for rule in contract.rules}

    def build_data_docs(self) -> None:
        """Write the pages."""
        self._context.build_data_docs()
        # Fonts and animations of the library's own pages, four megabytes a run.
        shutil.rmtree(self._folder / "data_docs" / "static", ignore_errors=True)

    def _keep(self, result: ExpectationSuiteValidationResult, batch: Batch) -> None:
        """File a result as a validation definition would, so that the pages show it with its details."""
        result.meta["run_id"] = self._run
        result.meta["validation_time"] = self._run.run_time
        suite = ExpectationSuiteIdentifier(name=result.suite_name)
        self._context.validation_results_store.store_validation_results(
            suite_validation_result=result,
            suite_validation_result_identifier=ValidationResultIdentifier(
                expectation_suite_identifier=suite, run_id=self._run, batch_identifier=batch.id
            ),
            expectation_suite_identifier=suite,
        )


def _add_details(result: ExpectationSuiteValidationResult, batch: Batch) -> None:
    """Evaluate what failed once more, the first few of it, and put the counts and examples into the result."""
    failed = [position for position, each in enumerate(result.results) if not each.success][:MOST_DETAILED]
    if not failed:
        return
    again = [_configuration(result.results[position]).to_domain_obj() for position in failed]
    for expectation in again:
        expectation.id = None  # an expectation with an id is one suite's alone
    summary: ResultFormatUnion = {"result_format": "SUMMARY", "partial_unexpected_count": MOST_EXAMPLES}
    detailed = batch.validate(gx.ExpectationSuite(result.suite_name, expectations=again), result_format=summary)
    by_number = {_configuration(each).meta[NUMBER]: each for each in detailed.results}
    for position in failed:
        result.results[position] = by_number[_configuration(result.results[position]).meta[NUMBER]]


def _see_that_all_were_evaluated(result: ExpectationSuiteValidationResult) -> None:
    """The library takes an expectation that it could not evaluate for one that failed."""
    for each in result.results:
        if each.exception_info and each.exception_info.get("raised_exception", True):
            raise NotEvaluatedError(f"{_configuration(each).meta[RULE]}: {each.exception_info}")


def _configuration(result: ExpectationValidationResult) -> ExpectationConfiguration:
    """The expectation of which this is the result, which the library may leave out and never does here."""
    if result.expectation_config is None:
        raise TypeError("a result of Great Expectations without its expectation")
    return result.expectation_config


def _verdict(rule: Rule, result: ExpectationSuiteValidationResult) -> RuleResult:
    own = [each for each in result.results if _configuration(each).meta[RULE] == rule.label]
    if not own:
        raise NotEvaluatedError(f"{rule.label}: no result")
    found = [example for each in own for example in each.result.get("partial_unexpected_list", [])]
    examples = [str(example) for example in found if example is not None]
    return RuleResult(passed=all(each.success for each in own), examples=tuple(examples[:MOST_EXAMPLES]))
