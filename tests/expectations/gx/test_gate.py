"""The gate: what it costs, and what it evaluates in detail."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from expectations.contracts.contract import Contract
from expectations.contracts.olist import CONTRACTS
from expectations.gx.gate import MAX_DETAILED, MAX_EXAMPLES, Gate, build_suite
from expectations.rules import Between, Matches, MeanBetween, NotAfter, NotNull, NullShareAtMost
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


def test_forty_expectations_cost_as_many_spark_jobs_as_five(spark: SparkSession, gate: Gate) -> None:
    jobs = {}
    context = spark.sparkContext
    for contract in (wide(1), wide(8)):
        columns = len(contract.schema) // 2
        rows = frame(spark, contract.schema, *[(*[1] * columns, *["x"] * columns)] * 3).localCheckpoint()
        context.setJobGroup(contract.table, contract.table)
        results = gate.validate(rows=rows, contract=contract)
        assert all(result.passed for result in results.values())
        jobs[len(build_suite(contract).expectations)] = len(context.statusTracker().getJobIdsForGroup(contract.table))
    assert list(jobs) == [5, 40]
    assert jobs[5] == jobs[40] > 0


def test_a_limited_number_of_failed_expectations_is_evaluated_again_for_a_limited_number_of_examples(
    spark: SparkSession, gate: Gate
) -> None:
    names = [f"c{position}" for position in range(MAX_DETAILED + 5)]
    schema = StructType([StructField(name, StringType()) for name in names])
    bad = [tuple(f"{name} {row}" for name in names) for row in range(MAX_EXAMPLES + 5)]
    contract = Contract("failing", schema, tuple(Matches(name, "^good") for name in names))
    results = gate.validate(rows=frame(spark, schema, *bad), contract=contract)

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
