"""The metrics of a suite: the aggregates that Great Expectations builds, and their values once they are known.

The library computes the aggregates of a suite by queries of its own. Here it hands them out instead, for the tasks that
write the table to compute. Their values are put back, and the library evaluates its expectations with them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from great_expectations.exceptions.exceptions import MetricResolutionError
from great_expectations.execution_engine.execution_engine import MetricComputationConfiguration
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import Expectation
from great_expectations.util import convert_to_json_serializable
from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID
from great_expectations.validator.validation_graph import ValidationGraph
from pyspark.sql import Column, DataFrame

SUBSETS = ("row_condition", "filter_conditions")
"""The keys of a domain that has not all rows."""

NOT_OBSERVED = object()
"""The value of an aggregate before the table is written. No computation with it succeeds."""


class Engine(SparkDFExecutionEngine):
    """The library's engine over a frame."""

    def __init__(self, frame: DataFrame, batch_id: str) -> None:
        super().__init__(persist=False, spark=frame.sparkSession)
        self.load_batch_data(batch_id, frame)


class AggregateRecorder(Engine):
    """An engine that runs no query, and keeps the aggregates over all rows.

    Attributes:
        aggregates: by the id of their metric.
    """

    def __init__(self, frame: DataFrame, batch_id: str) -> None:
        super().__init__(frame, batch_id)
        self.aggregates: dict[MetricConfigurationID, Column] = {}

    def resolve_metric_bundle(
        self, metric_fn_bundle: Iterable[MetricComputationConfiguration]
    ) -> dict[MetricConfigurationID, Any]:
        """Keep the aggregates, and return no value."""
        for each in metric_fn_bundle:
            domain = each.compute_domain_kwargs or {}
            if not any(domain.get(key) for key in SUBSETS):
                self.aggregates[each.metric_configuration.id] = each.metric_fn
        return {}


class ExamplesEngine(Engine):
    """An engine over failing rows, for examples. Aggregates need all rows, and so another engine."""

    def __init__(self, frame: DataFrame, batch_id: str, *, of_all_rows: Callable[[], Engine]) -> None:
        super().__init__(frame, batch_id)
        self._of_all_rows = of_all_rows

    def resolve_metric_bundle(
        self, metric_fn_bundle: Iterable[MetricComputationConfiguration]
    ) -> dict[MetricConfigurationID, Any]:
        """Have the aggregates computed over all rows."""
        bundle = list(metric_fn_bundle)
        return self._of_all_rows().resolve_metric_bundle(bundle) if bundle else {}


@dataclass
class SuiteMetrics:
    """The metrics that expectations need, and what these are computed from.

    Attributes:
        needed: by id.
        values: of those that are known.
    """

    needed: dict[MetricConfigurationID, MetricConfiguration] = field(default_factory=dict)
    values: dict[MetricConfigurationID, Any] = field(default_factory=dict)

    def need(self, expectations: Iterable[Expectation], engine: Engine, result_format: Any) -> None:
        """Add the metrics of expectations."""
        graph, settings = ValidationGraph(engine), {"result_format": result_format}
        for expectation in expectations:
            dependencies = expectation.get_validation_dependencies(engine, settings)
            for metric in dependencies.get_metric_configurations():
                graph.build_metric_dependency_graph(metric, settings)
        for edge in graph.edges:
            for metric in (edge.left, edge.right):
                if metric is not None:
                    self.needed.setdefault(metric.id, metric)

    def record(self, recorder: AggregateRecorder) -> None:
        """Have the aggregates built, and all else that does not need their values."""
        tried: set[MetricConfigurationID] = set()
        while ready := [
            metric for metric in self._ready(self.values.keys() | recorder.aggregates.keys()) if metric.id not in tried
        ]:
            values = {**dict.fromkeys(recorder.aggregates, NOT_OBSERVED), **self.values}
            for metric in ready:
                with suppress(MetricResolutionError):
                    self.values |= recorder.resolve_metrics([metric], values)
            tried |= {metric.id for metric in ready}

    def with_values(self, values: Mapping[MetricConfigurationID, Any]) -> "SuiteMetrics":
        """The same metrics with the values of aggregates, as Spark returns them."""
        as_json = {metric: convert_to_json_serializable(value) for metric, value in values.items()}
        return SuiteMetrics(dict(self.needed), {**self.values, **as_json})

    def sharing_values(self) -> "SuiteMetrics":
        """The same metrics, to which others may be added, with the values in common."""
        return SuiteMetrics(dict(self.needed), self.values)

    def resolve(self, engine: Callable[[], Engine]) -> None:
        """Have an engine compute what is missing.

        Raises:
            MetricResolutionError: A metric could not be computed.
        """
        while ready := self._ready(self.values.keys()):
            self.values |= engine().resolve_metrics(ready, self.values)

    def _ready(self, ids: Collection[MetricConfigurationID]) -> list[MetricConfiguration]:
        """The metrics that are not known, but all that they are computed from."""
        return [
            metric
            for metric in self.needed.values()
            if metric.id not in ids and all(each.id in ids for each in metric.metric_dependencies.values())
        ]
