"""The split and Great Expectations say the same of every rule: of rows that keep it, break it, or are empty."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import CONTRACTS
from expectations.gx.gate import Gate, RuleResult
from expectations.validation import computed
from expectations.validation import rows as split
from expectations.validation.duplicate_keys import duplicate_keys, reject_duplicate_keys
from tests.expectations.trials import BYTES, MARKS, TRIALS, C, P, Q, Trial
from tests.raw_files import key


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that shows what broke a rule, of however many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("expectations.gx.gate.MOST_DETAILED", 100)
        yield Gate(tmp_path_factory.mktemp("gate"), run_id="trial")


def rows_of(spark: SparkSession, trial: Trial, *changes: Mapping[str, Any]) -> DataFrame:
    """Good rows with changes, each with a number of its own."""
    contract, schema = trial.contract, trial.contract.schema
    if isinstance(contract, FileContract):
        schema = StructType([StructField(name, StringType()) for name in (*contract.source_columns, *MARKS)])
    rows = []
    for place, changed in enumerate(changes, start=1):
        number = key(str(place)) if "id" in trial.number else place
        row = {"source_file": "1.csv", trial.number: str(number) if contract.cells.are_text else number, **trial.good}
        rows.append(tuple({**row, **changed}.get(name) for name in schema.fieldNames()))
    # Worked out once, since Great Expectations reads them again for each thing that it shows.
    return spark.createDataFrame(rows, schema).coalesce(1).localCheckpoint()


def verdicts(
    spark: SparkSession, gate: Gate, trial: Trial, name: str, rows: DataFrame
) -> tuple[dict[str, int], dict[str, RuleResult]]:
    """The broken rules: by the split, with how many rows (or keys; 1 for a rule about all rows), and by the gate."""
    contract = replace(trial.contract, table=f"{trial.contract.table}_{name}")
    about_all = {rule.label: rule.reason(contract.cells).isNotNull().cast("int") for rule in contract.table_rules}
    twice: dict[str, DataFrame] = {}
    if isinstance(contract, FileContract):
        rows = split.validate_rows(raw=rows, contract=contract, references=known(spark))
        for unique in contract.uniques:
            keys = duplicate_keys(rows=rows, unique=unique, contract=contract)
            rows = reject_duplicate_keys(validated=rows, unique=unique, contract=contract, twice=keys)
        counts, rows = split.failure_counts(contract), rows.coalesce(1).localCheckpoint()
    else:
        counts = computed.failure_counts(contract)
        twice = {
            unique.label: duplicate_keys(rows=rows, unique=unique, contract=contract) for unique in contract.uniques
        }
    found = rows.agg(*[count.alias(label) for label, count in {**counts, **about_all}.items()]).collect()[0].asDict()
    found |= {label: keys.count() for label, keys in twice.items()}
    of_gate = gate.examine(rows=rows, contract=contract, twice={label: twice[label] for label in twice if found[label]})
    of_split = {label: number for label, number in found.items() if number and label != split.CASCADED}
    return of_split, {label: verdict for label, verdict in of_gate.items() if not verdict.passed}


def known(spark: SparkSession) -> dict[str, split.Reference]:
    """The tables that others refer to."""
    customers = [spark.createDataFrame([(each,)], "customer_id string") for each in (C, Q)]
    orders = [spark.createDataFrame([(each,) for each in ids], "order_id string") for ids in ((P, "o1", BYTES), (Q,))]
    return {"customers": split.Reference(*customers), "orders": split.Reference(*orders)}


@pytest.mark.long
@pytest.mark.parametrize("table", CONTRACTS)
def test_the_split_and_great_expectations_agree_on_each_rule(spark: SparkSession, gate: Gate, table: str) -> None:
    trial = TRIALS[table]
    labels = {rule.label for rule in trial.contract.rules}
    assert labels == {bad.label for bad in trial.bad} | set(trial.no_rows)

    assert verdicts(spark, gate, trial, "good", rows_of(spark, trial, {}, {})) == ({}, {})

    twins = [bad.changes for bad in trial.bad if bad.label.startswith("unique")]
    bad_rows = rows_of(spark, trial, *[bad.changes for bad in trial.bad], *twins)
    counted, examined = verdicts(spark, gate, trial, "bad", bad_rows)
    broken = Counter(label for bad in trial.bad for label in (bad.label, *bad.also))
    assert counted == {**broken, **dict.fromkeys(trial.bad_together, 1)}
    assert examined.keys() == counted.keys()
    shown = Counter(label for bad in trial.bad if bad.shown is not None for label in (bad.label, *bad.also))
    assert {label: len(set(examined[label].examples)) for label in broken} == {label: shown[label] for label in broken}
    assert [bad for bad in trial.bad if bad.shown not in (None, *examined[bad.label].examples)] == []

    empty = dict.fromkeys(trial.contract.cells.types)
    counted, examined = verdicts(spark, gate, trial, "nulls", rows_of(spark, trial, empty, empty))
    assert counted.keys() == {*trial.nulls, *(label for label in labels if label.startswith("not_null"))}
    assert examined.keys() == counted.keys()

    counted, examined = verdicts(spark, gate, trial, "no_rows", rows_of(spark, trial))
    assert counted.keys() == examined.keys() == set(trial.no_rows)
