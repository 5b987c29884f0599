"""Tables that go through the gate as those of a run do: observed on the write, evaluated after it."""

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame, Observation

from expectations.contracts.contract import Contract
from expectations.gx.columns import NO_DUPLICATES, gate_columns
from expectations.gx.gate import Gate
from expectations.gx.results import RuleResult


def validate(
    gate: Gate,
    rows: DataFrame,
    contract: Contract,
    *,
    duplicates: Mapping[str, DataFrame] = NO_DUPLICATES,
    failing: Callable[[DataFrame], DataFrame] = lambda columns: columns,
) -> dict[str, RuleResult]:
    """The gate's results of a table, whose failing rows alone may be given for examples."""
    written = gate_columns(rows=rows, contract=contract)
    plan = gate.plan(contract, columns=written)
    observation = Observation()
    metrics = [metric.alias(name) for name, metric in plan.metrics.items()]
    written.observe(observation, *metrics).write.format("noop").mode("overwrite").save()
    columns = gate_columns(rows=rows, contract=contract, duplicates=duplicates)
    return gate.validate(
        plan,
        observed={} if duplicates else observation.get,
        rows=lambda: columns,
        failing=lambda: failing(columns),
    )
