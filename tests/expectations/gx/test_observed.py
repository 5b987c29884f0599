"""Results from observed aggregates are those of the library's own engine, to the last figure."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import great_expectations as gx
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.contracts.contract import Contract, FileContract
from expectations.contracts.olist import CONTRACTS
from expectations.gx.columns import NO_DUPLICATES, gate_columns
from expectations.gx.gate import MAX_EXAMPLES, NUMBER, Gate, build_suite
from expectations.gx.results import NotEvaluatedError
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from expectations.validation.rows import FAILED, validate_rows
from tests.expectations.gx.gated import validate
from tests.expectations.gx.rule_failures import CASES
from tests.expectations.gx.test_agreement import references, rows_of

OF_ONE_RUN = {"id", "batch_markers", "run_id", "validation_time"}
"""What differs from run to run."""


@pytest.fixture(autouse=True)
def all_in_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every failed expectation is evaluated in detail."""
    monkeypatch.setattr("expectations.gx.gate.MAX_DETAILED", 100)


def failing_rows(spark: SparkSession, table: str) -> tuple[DataFrame, Mapping[str, DataFrame]]:
    """Two good rows and rows that fail each rule of a table, and duplicate keys of a computed one."""
    case = CASES[table]
    contract = case.contract
    copies = [failure.changes for failure in case.failures if failure.label.startswith("unique")]
    rows = rows_of(spark, case, {}, {}, *[failure.changes for failure in case.failures], *copies)
    if isinstance(contract, FileContract):
        rows = validate_rows(raw=rows, contract=contract, references=references(spark))
    keys = {rule.label: duplicate_keys(rows=rows, unique=rule, contract=contract) for rule in contract.uniques}
    if not isinstance(contract, FileContract):
        return rows.coalesce(1).localCheckpoint(), keys
    for rule in contract.uniques:
        rows = reject_duplicate_keys(validated=rows, unique=rule, contract=contract, duplicates=keys[rule.label])
    return rows.coalesce(1).localCheckpoint(), NO_DUPLICATES


def result_of_the_library(contract: Contract, columns: DataFrame) -> dict[str, Any]:
    """The result of a suite that the library evaluates alone, with its own engine; failures in detail."""
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(build_suite(contract))
    asset = context.data_sources.add_spark("spark", persist=False).add_dataframe_asset(contract.table)
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": columns})
    result = batch.validate(suite, result_format="BOOLEAN_ONLY")
    failed = [each.expectation_config.to_domain_obj() for each in result.results if not each.success]
    for each in failed:
        each.id = None  # an expectation with an id can be in one suite only
    in_detail = gx.ExpectationSuite(contract.table, expectations=failed)
    summary = {"result_format": "SUMMARY", "partial_unexpected_count": MAX_EXAMPLES}
    detailed = {number(each): each for each in batch.validate(in_detail, result_format=summary).results}
    result.results = [detailed.get(number(each), each) for each in result.results]
    content: dict[str, Any] = result.to_json_dict()
    return content


def number(result: Any) -> int:
    position: int = result.expectation_config.meta[NUMBER]
    return position


def stored_result(folder: Path, table: str) -> dict[str, Any]:
    [file] = (folder / "gx" / "uncommitted" / "validations" / table).rglob("*.json")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def comparable(content: Any) -> Any:
    """A result without what differs from run to run."""
    if isinstance(content, dict):
        return {key: comparable(value) for key, value in content.items() if key not in OF_ONE_RUN}
    return [comparable(each) for each in content] if isinstance(content, list) else content


def kinds_in_detail(result: Mapping[str, Any]) -> set[str]:
    return {each["expectation_config"]["meta"]["rule"].split("(")[0] for each in result["results"] if each["result"]}


@pytest.mark.parametrize("table", ["payments", "orders", "rfm"])
@pytest.mark.long
def test_a_result_is_that_of_the_library_with_its_own_engine(spark: SparkSession, tmp_path: Path, table: str) -> None:
    contract = CASES[table].contract
    rows, duplicates = failing_rows(spark, table)
    # Of a raw table the gate gets the failing rows alone, with which it cannot count.
    failing = rows.where(F.col(FAILED).isNotNull()) if contract.cells.are_text else None
    validate(Gate(tmp_path, run_id="1"), rows, contract, duplicates=duplicates, failing=failing)
    stored = stored_result(tmp_path, table)
    columns = gate_columns(rows=rows, contract=contract, duplicates=duplicates)
    assert comparable(stored) == comparable(result_of_the_library(contract, columns))
    assert kinds_in_detail(stored) >= {rule.label.split("(")[0] for rule in contract.row_rules}


def test_a_result_without_failures_is_that_of_the_library(spark: SparkSession, tmp_path: Path) -> None:
    contract = CONTRACTS["purchases"]
    rows = rows_of(spark, CASES["purchases"], {}, {})
    assert all(result.passed for result in validate(Gate(tmp_path, run_id="1"), rows, contract).values())
    expected = result_of_the_library(contract, gate_columns(rows=rows, contract=contract))
    assert comparable(stored_result(tmp_path, "purchases")) == comparable(expected)


def test_an_aggregate_that_was_not_observed_is_computed_over_all_rows(spark: SparkSession, tmp_path: Path) -> None:
    contract = CONTRACTS["purchases"]
    rows = rows_of(spark, CASES["purchases"], {}, {"value": None})
    columns = gate_columns(rows=rows, contract=contract)
    gate = Gate(tmp_path, run_id="1")
    plan = gate.plan(contract, columns=columns)
    results = gate.validate(plan, observed={}, rows=lambda: columns, failing=lambda: columns.where("value is null"))
    assert [label for label, result in results.items() if not result.passed] == ["not_null(value)"]
    [failed] = [each["result"] for each in stored_result(tmp_path, "purchases")["results"] if not each["success"]]
    assert (failed["element_count"], failed["unexpected_count"]) == (2, 1)


def test_a_rule_that_cannot_be_evaluated_is_named(spark: SparkSession, tmp_path: Path) -> None:
    contract = CONTRACTS["purchases"]
    columns = gate_columns(rows=rows_of(spark, CASES["purchases"], {}), contract=contract)
    gate = Gate(tmp_path, run_id="1")
    plan = gate.plan(contract, columns=columns)
    with pytest.raises(NotEvaluatedError, match=r"^not_null\(value\): "):
        gate.validate(plan, observed={}, rows=lambda: columns.drop("value"))
