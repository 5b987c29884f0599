"""The gate: Great Expectations evaluates the contract of each table, and writes Data Docs.

A contract becomes a suite. The aggregates that the library needs to say whether each expectation is met (BOOLEAN_ONLY)
are observed by the tasks that write the table, so that they cost no Spark job. Failed expectations are then evaluated
again, up to a limit, for examples. (With SUMMARY throughout, each expectation costs a Spark job. With COMPLETE, the
keys of all failing rows come to the driver.)
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.constants import DATAFRAME_REPLACEMENT_STR
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.exceptions.exceptions import MetricResolutionError
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.validator.metric_configuration import MetricConfigurationID
from great_expectations.validator.validation_statistics import ValidationStatistics, calc_validation_statistics
from pyspark.sql import Column, DataFrame

from expectations.contracts.contract import Contract
from expectations.gx.data_docs import site
from expectations.gx.front_page import FrontPage
from expectations.gx.metrics import AggregateRecorder, Engine, ExamplesEngine, SuiteMetrics
from expectations.gx.results import NotEvaluatedError, RuleResult
from expectations.rules import Rule

RULE = "rule"
"""The key in ``meta`` for the label of the rule that an expectation was built from."""

NUMBER = "number"
"""The key in ``meta`` for the place of an expectation in its suite: results may come in another order."""

MAX_DETAILED = 20
"""Failed expectations of a table that are evaluated again for examples: each costs Spark jobs of its own."""

MAX_EXAMPLES = 20

VERDICT = "BOOLEAN_ONLY"

WITH_EXAMPLES: Mapping[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": MAX_EXAMPLES}

SOURCE = "spark"
"""The data source that results and pages name."""

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


@dataclass(frozen=True)
class GatePlan:
    """What Great Expectations needs to know of a table, found out before the table is written.

    Attributes:
        contract: what is evaluated.
        metrics: the library's own aggregates over all rows, by names that columns can have, for the tasks that write
            the table to observe.
    """

    contract: Contract
    metrics: Mapping[str, Column]
    expectations: Sequence[Expectation]
    names: Mapping[str, MetricConfigurationID]
    needed: SuiteMetrics

    def metrics_about(self, columns: Iterable[str]) -> dict[str, Column]:
        """Those of the metrics that are about one of these columns."""
        names = {*columns}
        domains = {name: self.needed.needed[metric].metric_domain_kwargs for name, metric in self.names.items()}
        return {name: self.metrics[name] for name, domain in domains.items() if domain.get("column") in names}

    @property
    def batch_id(self) -> str:
        """The name that the library has for the rows of the table."""
        return _batch_id(self.contract)


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
        self._run = RunIdentifier(run_name=run_id, run_time=datetime.now(UTC))

    def plan(self, contract: Contract, *, columns: DataFrame) -> GatePlan:
        """Build the suite of a contract, and the aggregates by which the library evaluates it. Costs no Spark job.

        Args:
            contract: the contract of the table.
            columns: a frame that has the columns of `gate_columns`. It is never executed.
        """
        suite = self._context.suites.add(build_suite(contract))
        batch_id = _batch_id(contract)
        expectations = [_of_batch(each, batch_id) for each in _by_column(suite.expectations)]
        recorder, needed = AggregateRecorder(columns, batch_id), SuiteMetrics()
        needed.need(expectations, recorder, VERDICT)
        needed.record(recorder)
        names = {f"gate_{number}": metric for number, metric in enumerate(recorder.aggregates)}
        metrics = {name: recorder.aggregates[metric] for name, metric in names.items()}
        return GatePlan(contract, metrics, expectations, names, needed)

    def validate(
        self,
        plan: GatePlan,
        *,
        observed: Mapping[str, Any],
        rows: Callable[[], DataFrame],
        failing: Callable[[], DataFrame] | None = None,
    ) -> dict[str, RuleResult]:
        """Evaluate the suite of a plan over a table, and store the result for the pages.

        Costs no Spark job where all metrics of the plan were observed and every rule passes.

        Args:
            plan: the table's.
            observed: the values of ``plan.metrics``. What is not among them is computed over ``rows``.
            rows: gives all rows of the table, with the columns of `gate_columns`.
            failing: gives rows with the same columns for examples, among them all that fail a rule (default: all rows).

        Returns:
            The result of each rule that has an expectation, by label.

        Raises:
            NotEvaluatedError: An expectation could not be evaluated, which says nothing about the data.
        """
        whole = cache(lambda: Engine(rows(), plan.batch_id))
        metrics = plan.needed.with_values(
            {metric: observed[name] for name, metric in plan.names.items() if name in observed}
        )
        results = _evaluate(plan.expectations, metrics, whole, VERDICT)
        statistics = calc_validation_statistics(results)
        failed = [position for position, each in enumerate(results) if not each.success][:MAX_DETAILED]
        examples = cache(lambda: ExamplesEngine((failing or rows)(), plan.batch_id, of_all_rows=whole))
        for position in failed:
            # Python has no time of the year 0, for one. That rule is shown as failed, without examples.
            with suppress(NotEvaluatedError):
                results[position] = _with_examples(plan.expectations[position], metrics.sharing_values(), examples)
        self._store(plan, results, statistics)
        evaluated = [rule for rule in plan.contract.rules if rule.gx_expectations(plan.contract.cells)]
        return {rule.label: _rule_result(rule, results) for rule in evaluated}

    def build_data_docs(self, front_page: FrontPage) -> None:
        """Write the pages of all stored results, and on the first of them what failed."""
        self._context.build_data_docs()
        with suppress(FileNotFoundError):  # the caller tells which page is missing
            front_page.write_into(self._folder / "data_docs" / "index.html")
        # Fonts and animations of the library's own pages: four megabytes a run.
        shutil.rmtree(self._folder / "data_docs" / "static", ignore_errors=True)

    def _store(
        self, plan: GatePlan, results: list[ExpectationValidationResult], statistics: ValidationStatistics
    ) -> None:
        """Store a result as a validation definition would, so that the pages show its details."""
        suite = ExpectationSuiteIdentifier(name=plan.contract.table)
        self._context.validation_results_store.store_validation_results(
            suite_validation_result=ExpectationSuiteValidationResult(
                success=statistics.success,
                results=results,
                suite_name=plan.contract.table,
                statistics={
                    "evaluated_expectations": statistics.evaluated_expectations,
                    "successful_expectations": statistics.successful_expectations,
                    "unsuccessful_expectations": statistics.unsuccessful_expectations,
                    "success_percent": statistics.success_percent,
                },
                meta=self._meta(plan),
                batch_id=plan.batch_id,
            ),
            suite_validation_result_identifier=ValidationResultIdentifier(
                expectation_suite_identifier=suite, run_id=self._run, batch_identifier=plan.batch_id
            ),
            expectation_suite_identifier=suite,
        )

    def _meta(self, plan: GatePlan) -> dict[str, Any]:
        """What the library says of a frame that it validated."""
        return {
            "great_expectations_version": gx.__version__,
            "batch_spec": {"batch_data": "SparkDataFrame"},
            "batch_markers": {"ge_load_time": datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")},
            "active_batch_definition": {
                "datasource_name": SOURCE,
                "data_connector_name": "fluent",
                "data_asset_name": plan.contract.table,
                "batch_identifiers": {"dataframe": DATAFRAME_REPLACEMENT_STR},
            },
            "run_id": self._run,
            "validation_time": self._run.run_time,
        }


def _batch_id(contract: Contract) -> str:
    return f"{SOURCE}-{contract.table}"


def _by_column(expectations: Iterable[Expectation]) -> list[Expectation]:
    """The expectations in the order in which the library evaluates them: those of one column together."""
    columns: dict[str | None, list[Expectation]] = {}
    for each in expectations:
        columns.setdefault(_column_of(each), []).append(each)
    return [each for of_column in columns.values() for each in of_column]


def _of_batch(expectation: Expectation, batch_id: str) -> Expectation:
    """The expectation of a suite, about the rows of a batch."""
    configuration = expectation.configuration
    configuration.kwargs["batch_id"] = batch_id
    return configuration.to_domain_obj()


def _evaluate(
    expectations: Sequence[Expectation], metrics: SuiteMetrics, engine: Callable[[], Engine], result_format: Any
) -> list[ExpectationValidationResult]:
    """Evaluate expectations with metrics. Those that are not known yet are computed by the engine.

    Raises:
        NotEvaluatedError: A metric could not be computed. The library would report the expectation as failed, but that
            is not a failure of the data.
    """
    try:
        metrics.resolve(engine)
    except MetricResolutionError as error:
        columns = {metric.metric_domain_kwargs.get("column") for metric in error.failed_metrics}
        rules = [_rule_of(each) for each in expectations if _column_of(each) in columns]
        raise NotEvaluatedError(f"{', '.join(dict.fromkeys(rules))}: {error}") from error
    results = []
    for each in expectations:
        settings = {"result_format": result_format}
        try:
            results.append(each.metrics_validate(metrics=metrics.values, runtime_configuration=settings))
        except Exception as error:
            raise NotEvaluatedError(f"{_rule_of(each)}: {error}") from error
    return results


def _with_examples(
    expectation: Expectation, metrics: SuiteMetrics, engine: Callable[[], Engine]
) -> ExpectationValidationResult:
    """Evaluate one expectation again, for counts and examples.

    Raises:
        NotEvaluatedError: A metric could not be computed.
    """
    metrics.need([expectation], engine(), WITH_EXAMPLES)
    [result] = _evaluate([expectation], metrics, engine, WITH_EXAMPLES)
    return result


def _column_of(expectation: Expectation) -> str | None:
    return getattr(expectation, "column", None)


def _rule_of(expectation: Expectation) -> str:
    """The label of the rule that an expectation was built from."""
    return str((expectation.meta or {})[RULE])


def _configuration(result: ExpectationValidationResult) -> ExpectationConfiguration:
    """The expectation of a result. The library's type allows none, but results of a suite always have one."""
    if result.expectation_config is None:
        raise TypeError("a result of Great Expectations without its expectation")
    return result.expectation_config


def _rule_result(rule: Rule, suite_results: Sequence[ExpectationValidationResult]) -> RuleResult:
    results = [each for each in suite_results if _configuration(each).meta[RULE] == rule.label]
    if not results:
        raise NotEvaluatedError(f"{rule.label}: no result")
    values = [value for each in results for value in each.result.get("partial_unexpected_list", [])]
    examples = [str(value) for value in values if value is not None]
    return RuleResult(passed=all(each.success for each in results), examples=tuple(examples[:MAX_EXAMPLES]))
