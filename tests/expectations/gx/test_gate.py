"""The gate: what it costs, and what it evaluates in detail."""

import pytest
from pyspark.sql import Observation, SparkSession
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from expectations.contracts.contract import Contract
from expectations.contracts.olist import CONTRACTS
from expectations.gx.columns import gate_columns
from expectations.gx.gate import MAX_DETAILED, MAX_EXAMPLES, Gate, build_suite
from expectations.rules import Between, Matches, MeanBetween, NotAfter, NotNull, NullShareAtMost
from tests.expectations.gx.gated import validate
from tests.frames import frame


def wide(columns: int) -> Contract:
    """A contract with five expectations per column, of five kinds."""
    numbers = [StructField(f"n{position}", IntegerType()) for position in range(columns)]
    texts = [StructField(f"t{position}", StringType()) for position in range(columns)]
    rules = [
        rule
        for number, text in zip(numbers, texts, strict=True)
        for rule in (
            NotNull(number.name, severity="stop"),
            Matches(text.name, "^x", null_passes=True, severity="warn"),
            Between(number.name, low=0, high=9, null_passes=True, severity="stop"),
            NotAfter(number.name, "n0", null_passes=True, severity="stop"),
            MeanBetween(number.name, low=0) if number.name < "n4" else NullShareAtMost(number.name, 0.5),
        )
    ]
    return Contract(f"wide_{columns}", StructType([*numbers, *texts]), tuple(rules))


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(tmp_path_factory.mktemp("gate"), run_id="2018-10-17")


@pytest.mark.parametrize("contract", [wide(1), wide(8)])
def test_a_table_that_passes_costs_no_spark_job_however_many_rules_it_has(
    spark: SparkSession, gate: Gate, contract: Contract
) -> None:
    context, columns = spark.sparkContext, len(contract.schema) // 2
    rows = frame(spark, contract.schema, *[(*[1] * columns, *["x"] * columns)] * 3)
    written, observation = gate_columns(rows=rows, contract=contract), Observation()
    context.setJobGroup("plan", "plan")
    plan = gate.plan(contract, columns=written)
    context.setJobGroup("write", "write")
    written.observe(observation, *[metric.alias(name) for name, metric in plan.metrics.items()]).collect()
    observed = observation.get
    context.setJobGroup("evaluate", "evaluate")
    results = gate.validate(plan, observed=observed, rows=lambda: written)
    context.setJobGroup("afterwards", "afterwards")
    assert len(plan.expectations) == 5 * columns
    assert results.keys() == {rule.label for rule in contract.rules}
    assert all(result.passed for result in results.values())
    jobs = {group: len(context.statusTracker().getJobIdsForGroup(group)) for group in ("plan", "evaluate")}
    assert jobs == {"plan": 0, "evaluate": 0}


def test_a_limited_number_of_failed_expectations_is_evaluated_again_for_a_limited_number_of_examples(
    spark: SparkSession, gate: Gate
) -> None:
    names = [f"c{position}" for position in range(MAX_DETAILED + 5)]
    schema = StructType([StructField(name, StringType()) for name in names])
    bad = [tuple(f"{name} {row}" for name in names) for row in range(MAX_EXAMPLES + 5)]
    contract = Contract("failing", schema, tuple(Matches(name, "^good") for name in names))
    results = validate(gate, frame(spark, schema, *bad), contract)

    assert not any(result.passed for result in results.values())
    examples = {label: result.examples for label, result in results.items() if result.examples}
    assert {label: len(values) for label, values in examples.items()} == {
        f"matches({name})": MAX_EXAMPLES for name in names[:MAX_DETAILED]
    }
    # Each rule has its own examples, whatever the order of the results.
    assert all(f"matches({example.split()[0]})" == label for label, values in examples.items() for example in values)


@pytest.mark.parametrize("table", CONTRACTS)
def test_a_suite_has_every_expectation_of_its_contract(table: str) -> None:
    contract = CONTRACTS[table]
    expected = [each.type for rule in contract.rules for each in rule.gx_expectations(contract.cells)]
    assert [each.expectation_type for each in build_suite(contract).expectations] == expected
