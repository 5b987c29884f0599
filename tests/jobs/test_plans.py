"""What Spark is going to do, read from its physical plans."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs import features as features_job
from jobs.cli.config import FeaturesConfig, RunOptions
from jobs.history.tracking import Comparison
from jobs.inputs.score_cards import ScoringChoice
from jobs.inputs.segment_maps import load_maps
from jobs.quality.active_rules import active_rules
from jobs.quality.report import quality_report
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.metrics import Written
from jobs.runs.run import Run, TableContract
from jobs.runs.totals import Total
from jobs.sample import write_sample
from jobs.scores.planning import ScoringPlan
from jobs.sources.olist import OlistSource
from jobs.storage.local import LocalFolder
from jobs.storage.store import RunStore
from transforms import schemas
from transforms.sources.counted import Counted

AS_OF = date(2018, 10, 17)
SHUFFLES = {"transactions": 4, "purchases": 1, "measures": 1, "rfm": 0, "segment_history": 0}
"""Exchanges by key in each plan of the feature step; docs/performance.md states their sum."""


def plan(frame: DataFrame) -> str:
    """The physical plan, as the step would start it."""
    text: str = frame._jdf.queryExecution().executedPlan().toString()
    return text


class PlanningRun(Run):
    """A run that keeps the plan of everything it writes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.plans: dict[str, str] = {}

    def write(self, contract: TableContract, frame: DataFrame, **settings: Any) -> Written:
        self.plans[contract.table] = plan(frame)
        return super().write(contract, frame, **settings)

    def stage(self, name: str, frame: DataFrame, **settings: Any) -> DataFrame:
        self.plans[name] = plan(frame)
        return super().stage(name, frame, **settings)


@pytest.fixture(scope="module")
def plans(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The plans of the feature step over tables that are too large to be broadcast."""
    folder = tmp_path_factory.mktemp("plans")
    options = RunOptions(as_of=AS_OF, output=str(folder))
    store = RunStore(str(folder))
    run_id = store.open_run(as_of=AS_OF, run_id=None)
    tables = {name: checked_table(spark, folder, name) for name in ("customers", "orders", "payments")}
    paid = tables["payments"].selectExpr("count(*) n", "sum(payment_value) m").first()
    assert paid is not None
    threshold = "spark.sql.autoBroadcastJoinThreshold"
    spark.conf.set(threshold, "-1")
    try:
        totals = {"customers": Total(300), "orders": Total(300), "payments": Total(paid["n"], paid["m"])}
        checked = CheckedTables({name: Written(name, frame, totals[name]) for name, frame in tables.items()})
        with quality_report(run_id, active_rules(None), max_quarantined=0) as quality:
            run = PlanningRun("features", options, store, spark, quality)
            sourced = OlistSource().transactions(run, checked, FeaturesConfig())
            choice, first = ScoringChoice(None, load_maps(None)), Comparison(None, None, {})
            features_job.run_features(run, sourced, ScoringPlan(FeaturesConfig(), choice, Counted(AS_OF), first))
    finally:
        spark.conf.unset(threshold)
    return run.plans


def checked_table(spark: SparkSession, folder: Path, name: str) -> DataFrame:
    """A table of a small sample, in Parquet."""
    raw = folder / "raw"
    if not raw.exists():
        raw.mkdir()
        write_sample(spark, LocalFolder(raw), orders=300, seed=1)
    file = "order_payments" if name == "payments" else name
    text = spark.read.csv(str(raw / f"olist_{file}_dataset.csv"), header=True)
    schema = getattr(schemas, name.upper())
    target = str(folder / "checked" / name)
    text.toDF(*schema.fieldNames()).selectExpr(
        *[f"cast({field.name} as {field.dataType.simpleString()}) {field.name}" for field in schema.fields]
    ).write.parquet(target)
    return spark.read.schema(schema).parquet(target)


def exchanges(text: str) -> list[str]:
    return re.findall(r"Exchange (\w+)", text)


ROW_BY_ROW = {"AdaptiveSparkPlan", "WholeStageCodegen", "CollectMetrics", "Project", "Filter", "ColumnarToRow"}
"""Operators that make at most one row of each."""


def operators(text: str) -> list[str]:
    """The operators of a plan, from the last to the first."""
    return re.findall(r"^[\s:+*()\d-]*([A-Z]\w+)", text, flags=re.MULTILINE)


def above_the_last_grouping(text: str) -> tuple[list[str], str]:
    """The operators that follow on the last aggregate, and the line of that aggregate."""
    lines = text.splitlines()
    place = next(number for number, line in enumerate(lines) if "Aggregate(" in line)
    return operators("\n".join(lines[:place])), lines[place]


def grouped_by(aggregate: str) -> tuple[str, ...]:
    [keys] = re.findall(r"keys=\[([^\]]*)\]", aggregate)
    return tuple(re.findall(r"(\w+)#", keys))


def test_the_number_of_shuffles_is_the_one_that_the_docs_state(plans: dict[str, str]) -> None:
    assert {name: exchanges(text).count("hashpartitioning") for name, text in plans.items()} == SHUFFLES
    page = (Path(__file__).parent.parent.parent / "docs" / "performance.md").read_text()
    assert f"{sum(SHUFFLES.values())} exchanges by key" in " ".join(page.split())


def test_nothing_goes_to_a_single_partition(plans: dict[str, str]) -> None:
    assert {name for name, text in plans.items() if "SinglePartition" in exchanges(text)} == set()


KEYS_BY_PLAN = {
    "purchases": ("customer_unique_id", "order_purchase_time"),
    "measures": ("customer_unique_id",),
}
"""The tables that are grouped, and what by. The rows of rfm are those of the measures."""


@pytest.mark.parametrize("table", KEYS_BY_PLAN)
def test_the_last_thing_that_makes_rows_is_the_grouping_by_the_key(plans: dict[str, str], table: str) -> None:
    key = KEYS_BY_PLAN[table]
    assert key == schemas.KEYS.get(table, schemas.KEYS["rfm"])
    above, aggregate = above_the_last_grouping(plans[table])
    assert set(above) <= ROW_BY_ROW
    assert grouped_by(aggregate) == key


def test_a_transaction_is_a_payment_joined_by_the_keys_of_orders_and_customers(plans: dict[str, str]) -> None:
    joins = re.findall(r"Join \[(\w+)#\d+L?\], \[(\w+)#\d+L?\], (\w+)", plans["transactions"])
    assert [(left, right) for left, right, _ in joins] == [("order_id", "order_id"), ("customer_id", "customer_id")]
    assert schemas.KEYS["orders"] == ("order_id",)
    assert schemas.KEYS["customers"] == ("customer_id",)
    assert not re.search("Aggregate|Expand|Generate|Union", plans["transactions"])


def test_rfm_is_the_measures_row_by_row(plans: dict[str, str]) -> None:
    assert set(operators(plans["rfm"])) <= {*ROW_BY_ROW, "Scan", "FileScan"}


def test_no_row_passes_through_python_and_none_is_sorted_over_all(plans: dict[str, str]) -> None:
    for text in plans.values():
        assert not re.search(r"Python|Pandas|Arrow|rangepartitioning|CartesianProduct|NestedLoop", text)


def test_only_the_columns_that_are_used_are_read(plans: dict[str, str]) -> None:
    read = plans["transactions"]
    assert "order_delivered_customer_date" not in read
    assert "customer_city" not in read
