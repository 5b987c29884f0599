"""Tables that go through the gate as those of a run do: observed on the write, evaluated after it."""

from collections.abc import Mapping

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
    failing: DataFrame | None = None,
) -> dict[str, RuleResult]:
    """The gate's results of a table; ``failing`` are rows for examples, if not all."""
    written = gate_columns(rows=rows, contract=contract)
    plan = gate.plan(contract, columns=written)
    observation = Observation()
    metrics = [metric.alias(name) for name, metric in plan.metrics.items()]
    written.observe(observation, *metrics).write.format("noop").mode("overwrite").save()
    return gate.validate(
        plan,
        observed={} if duplicates else observation.get,
        rows=lambda: gate_columns(rows=rows, contract=contract, duplicates=duplicates),
        failing=None if failing is None else lambda: gate_columns(rows=failing, contract=contract),
    )
