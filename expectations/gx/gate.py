"""The gate: Great Expectations evaluates the contract of each table, and writes Data Docs.

A contract becomes a suite. The suite is evaluated with BOOLEAN_ONLY, which costs a few Spark jobs per table, however
many expectations there are. Failed expectations are then evaluated again, up to a limit, for examples. (With SUMMARY
throughout, each expectation costs a Spark job. With COMPLETE, the keys of all failing rows come to the driver.)
"""

import shutil
from collections.abc import Mapping
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
from pyspark.sql import functions as F

from expectations.contracts.contract import Contract
from expectations.gx.data_docs import site
from expectations.gx.results import NotEvaluatedError, RuleResult
from expectations.rules import Rule, Unique
from expectations.validation import computed, duplicate_keys
from expectations.validation import rows as row_validation

RULE = "rule"
"""The key in ``meta`` for the label of the rule that an expectation was built from."""

NUMBER = "number"
"""The key in ``meta`` for the place of an expectation in its suite: results may come in another order."""

MAX_DETAILED = 20
"""Failed expectations of a table that are evaluated again for examples: each costs Spark jobs of its own."""

MAX_EXAMPLES = 20

NO_DUPLICATES: Mapping[str, DataFrame] = MappingProxyType({})

SEVERITIES = {
    "stop": FailureSeverity.CRITICAL,
    "quarantine": FailureSeverity.CRITICAL,
    "blank": FailureSeverity.WARNING,
    "warn": FailureSeverity.WARNING,
}


def build_suite(contract: Contract) -> gx.ExpectationSuite:
    """The contract as a suite of Great Expectations; the ``meta`` of each expectation names its rule."""
    suite_expectations = [
        (rule, expectation) for rule in contract.rules for expectation in rule.gx_expectations(contract.cells)
    ]
    expectations = [
        ExpectationConfiguration(
            type=expectation.type,
            kwargs=dict(expectation.arguments),
            meta={RULE: rule.label, NUMBER: number, "severity": rule.severity},
            # The library's templates show it unescaped, so that a pattern or a value could be markup.
            description=escape(f"{rule.label}, {rule.severity}: expected {rule.expectation}", quote=False),
            severity=SEVERITIES[rule.severity],
        ).to_domain_obj()
        for number, (rule, expectation) in enumerate(suite_expectations)
    ]
    return gx.ExpectationSuite(contract.table, expectations=expectations)


def gate_columns(
    *, rows: DataFrame, contract: Contract, duplicates: Mapping[str, DataFrame] = NO_DUPLICATES
) -> DataFrame:
    """Select the columns that the suite of a contract reads.

    Grain in: `validate_rows` for a raw table, the table itself for a computed one. Grain out: the same rows.

    Raw columns that are not text also get a typed column (`Cells.value_column`). Rules without a native expectation get
    a column named after them: null if the row passes, else the offending value.

    Args:
        rows: the table.
        contract: the contract of the table.
        duplicates: for a computed table, `duplicate_keys` by the label of their rule; no entry if there are none.
    """
    cells = contract.cells
    values = [F.col(f"`{cells.value_column(column)}`") for column in cells.parsed_columns]
    rules = [rule for rule in contract.row_rules if rule.has_result_column]
    if cells.are_text:
        results = [row_validation.failing_value(rule).alias(rule.label) for rule in rules]
        return rows.select(*cells.types, *values, *results)
    results = [computed.failing_value(rule, cells).alias(rule.label) for rule in rules if not isinstance(rule, Unique)]
    selected = rows.select(*cells.types, *results)
    for unique in contract.uniques:
        selected = duplicate_keys.with_duplicate_key(
            rows=selected, unique=unique, contract=contract, duplicates=duplicates.get(unique.label)
        )
    return selected


class Gate:
    """A project of Great Expectations in a folder of its own."""

    def __init__(self, folder: Path, *, run_id: str) -> None:
        """Create the project.

        Args:
            folder: an empty folder for suites and results (``gx``) and for pages (``data_docs``).
            run_id: the name under which the results are stored.
        """
        self._folder = folder
        self._context = gx.get_context(mode="file", project_root_dir=folder)
        self._context.enable_analytics(enable=False)
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self._context.variables.data_docs_sites = {"data_docs": site("../data_docs")}
        # The caller persists the frames.
        self._source = self._context.data_sources.add_spark("spark", persist=False)
        self._run = RunIdentifier(run_name=run_id, run_time=datetime.now(UTC))

    def validate(
        self, *, rows: DataFrame, contract: Contract, duplicates: Mapping[str, DataFrame] = NO_DUPLICATES
    ) -> dict[str, RuleResult]:
        """Evaluate a contract over a table, and store the result for the pages.

        Args:
            rows: as for `gate_columns`.
            contract: the contract of the table.
            duplicates: as for `gate_columns`.

        Returns:
            The result of each rule that has an expectation, by label.

        Raises:
            NotEvaluatedError: An expectation could not be evaluated, which says nothing about the data.
        """
        suite = self._context.suites.add(build_suite(contract))
        asset = self._source.add_dataframe_asset(contract.table)
        definition = asset.add_batch_definition_whole_dataframe("whole")
        columns = gate_columns(rows=rows, contract=contract, duplicates=duplicates)
        batch = definition.get_batch({"dataframe": columns})
        result = batch.validate(suite, result_format="BOOLEAN_ONLY")
        _raise_if_not_evaluated(result)
        _add_details(result, batch)
        self._store(result, batch)
        evaluated = [rule for rule in contract.rules if rule.gx_expectations(contract.cells)]
        return {rule.label: _rule_result(rule, result) for rule in evaluated}

    def build_data_docs(self) -> None:
        """Write the pages of all stored results."""
        self._context.build_data_docs()
        # Fonts and animations of the library's own pages: four megabytes a run.
        shutil.rmtree(self._folder / "data_docs" / "static", ignore_errors=True)

    def _store(self, result: ExpectationSuiteValidationResult, batch: Batch) -> None:
        """Store a result as a validation definition would, so that the pages show its details."""
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
    """Evaluate the first failed expectations again, and put their counts and examples into the result."""
    failed = [position for position, each in enumerate(result.results) if not each.success][:MAX_DETAILED]
    if not failed:
        return
    expectations = [_configuration(result.results[position]).to_domain_obj() for position in failed]
    for expectation in expectations:
        expectation.id = None  # an expectation with an id can be in one suite only
    summary: ResultFormatUnion = {"result_format": "SUMMARY", "partial_unexpected_count": MAX_EXAMPLES}
    detailed = batch.validate(gx.ExpectationSuite(result.suite_name, expectations=expectations), result_format=summary)
    by_number = {_configuration(each).meta[NUMBER]: each for each in detailed.results}
    for position in failed:
        result.results[position] = by_number[_configuration(result.results[position]).meta[NUMBER]]


def _raise_if_not_evaluated(result: ExpectationSuiteValidationResult) -> None:
    """The library reports an expectation that it could not evaluate as failed. It is not a failure of the data."""
    for each in result.results:
        if each.exception_info and each.exception_info.get("raised_exception", True):
            raise NotEvaluatedError(f"{_configuration(each).meta[RULE]}: {each.exception_info}")


def _configuration(result: ExpectationValidationResult) -> ExpectationConfiguration:
    """The expectation of a result. The library's type allows none, but results of a suite always have one."""
    if result.expectation_config is None:
        raise TypeError("a result of Great Expectations without its expectation")
    return result.expectation_config


def _rule_result(rule: Rule, result: ExpectationSuiteValidationResult) -> RuleResult:
    results = [each for each in result.results if _configuration(each).meta[RULE] == rule.label]
    if not results:
        raise NotEvaluatedError(f"{rule.label}: no result")
    values = [value for each in results for value in each.result.get("partial_unexpected_list", [])]
    examples = [str(value) for value in values if value is not None]
    return RuleResult(passed=all(each.success for each in results), examples=tuple(examples[:MAX_EXAMPLES]))
