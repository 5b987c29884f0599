"""The counts of Spark and Great Expectations agree on every rule: for rows that pass, rows that fail, and null."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import CONTRACTS
from expectations.gx.gate import Gate
from expectations.gx.results import RuleResult
from expectations.validation import computed
from expectations.validation import rows as row_validation
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from tests.expectations.gx.gated import validate
from tests.expectations.gx.ledger_failures import LEDGERS
from tests.expectations.gx.rule_failures import CASES, MARKS, C, Case, P, Q
from tests.frames import frame
from tests.raw_files import key


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that shows examples of every failed rule."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("expectations.gx.gate.MAX_DETAILED", 100)
        yield Gate(tmp_path_factory.mktemp("gate"), run_id="agreement")


def rows_of(spark: SparkSession, case: Case, *changes: Mapping[str, Any]) -> DataFrame:
    """Good rows with changes, each with a different number."""
    contract, schema = case.contract, case.contract.schema
    if isinstance(contract, FileContract):
        texts = [StructField(name, StringType()) for name in (*contract.source_columns, *MARKS)]
        schema = StructType([*texts, StructField("forms", ArrayType(StringType()))])
    rows = []
    for position, changed in enumerate(changes, start=1):
        number = key(str(position)) if "id" in case.number else position
        row = {"source_file": "1.csv", case.number: str(number) if contract.cells.are_text else number, **case.good}
        rows.append(tuple({**row, **changed}.get(name) for name in schema.fieldNames()))
    return frame(spark, schema, *rows)


def failed_rules(
    spark: SparkSession, gate: Gate, case: Case, name: str, rows: DataFrame
) -> tuple[dict[str, int], dict[str, RuleResult]]:
    """The failed rules as Spark counts them (rows; keys; 1 for a table rule), and as the gate reports them."""
    contract = replace(case.contract, table=f"{case.contract.table}_{case.number}_{name}")
    table_rules = {rule.label: rule.reason(contract.cells).isNotNull().cast("int") for rule in contract.table_rules}
    duplicates: dict[str, DataFrame] = {}
    if isinstance(contract, FileContract):
        rows = row_validation.validate_rows(raw=rows, contract=contract, references=references(spark))
        for unique in contract.uniques:
            keys = duplicate_keys(rows=rows, unique=unique, contract=contract)
            rows = reject_duplicate_keys(validated=rows, unique=unique, contract=contract, duplicates=keys)
        counts, rows = row_validation.failure_counts(contract), rows.coalesce(1).localCheckpoint()
    else:
        counts = computed.failure_counts(contract)
        duplicates = {
            unique.label: duplicate_keys(rows=rows, unique=unique, contract=contract) for unique in contract.uniques
        }
    failures = (
        rows.agg(*[count.alias(label) for label, count in {**counts, **table_rules}.items()]).collect()[0].asDict()
    )
    failures |= {label: keys.count() for label, keys in duplicates.items()}
    with_copies = {label: keys for label, keys in duplicates.items() if failures[label]}
    results = validate(gate, rows, contract, duplicates=with_copies)
    counted = {label: number for label, number in failures.items() if number and contract.rule(label) is not None}
    return counted, {label: result for label, result in results.items() if not result.passed}


def references(spark: SparkSession) -> dict[str, row_validation.Reference]:
    """Accepted and quarantined rows of the tables that others refer to."""
    customers = [frame(spark, "customer_id string", (each,)) for each in (C, Q)]
    orders = [frame(spark, "order_id string", *[(each,) for each in ids]) for ids in ((P, "o1"), (Q,))]
    return {"customers": row_validation.Reference(*customers), "orders": row_validation.Reference(*orders)}


@pytest.mark.long
@pytest.mark.parametrize("table", [*CONTRACTS, *LEDGERS])
def test_the_counts_and_great_expectations_agree_on_each_rule(spark: SparkSession, gate: Gate, table: str) -> None:
    case = {**CASES, **LEDGERS}[table]
    labels = {rule.label for rule in case.contract.rules if rule.gx_expectations(case.contract.cells)}
    assert labels == {failure.label for failure in case.failures} | set(case.no_rows)

    assert failed_rules(spark, gate, case, "good", rows_of(spark, case, {}, {})) == ({}, {})

    copies = [failure.changes for failure in case.failures if failure.label.startswith("unique")]
    failing_rows = rows_of(spark, case, *[failure.changes for failure in case.failures], *copies)
    counted, reported = failed_rules(spark, gate, case, "failures", failing_rows)
    expected = Counter(label for failure in case.failures for label in (failure.label, *failure.also))
    assert counted == {**expected, **dict.fromkeys(case.failures_together, 1)}
    assert reported.keys() == counted.keys()
    with_example = [failure for failure in case.failures if failure.example is not None]
    examples = Counter(label for failure in with_example for label in (failure.label, *failure.also))
    assert {label: len(set(reported[label].examples)) for label in expected} == {
        label: examples[label] for label in expected
    }
    assert [failure for failure in with_example if failure.example not in reported[failure.label].examples] == []

    empty = dict.fromkeys(case.contract.cells.types)
    counted, reported = failed_rules(spark, gate, case, "nulls", rows_of(spark, case, empty, empty))
    assert counted.keys() == {*case.nulls, *(label for label in labels if label.startswith("not_null"))}
    assert reported.keys() == counted.keys()

    counted, reported = failed_rules(spark, gate, case, "no_rows", rows_of(spark, case))
    assert counted.keys() == reported.keys() == set(case.no_rows)
