"""What a complete run costs in Spark: how often each step reads a table and moves its rows, from the plans that ran."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.pipeline import main
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder
from tests.fakes.gate import real_gate
from tests.fakes.page import real_report

Costs = dict[str, dict[str, int]]

COSTS: Costs = {
    "customers": {"jobs": 3, "exchanges": 2, "reads files": 1, "reads customers": 1},
    "orders": {"jobs": 3, "exchanges": 4, "reads files": 1, "reads orders": 2, "reads customers": 1},
    "payments": {"jobs": 3, "exchanges": 4, "reads files": 1, "reads payments": 2, "reads orders": 1},
    "transactions": {"jobs": 1, "exchanges": 4, "reads payments": 1, "reads orders": 1, "reads customers": 1},
    "purchases": {"jobs": 1, "exchanges": 1, "reads transactions": 1},
    "rfm": {
        "jobs": 8,
        "exchanges": 7,
        "reads purchases": 1,
        "reads customers": 2,
        "reads orders": 1,
        "reads segment_history": 1,
        "reads _stage/measures": 5,
        "reads rfm": 1,
    },
    "history": {"jobs": 1, "reads _stage/measures": 1},
    "changes": {"jobs": 2, "exchanges": 1, "reads _stage/measures": 1, "reads segment_changes": 1},
    "kmeans": {"jobs": 21, "reads rfm": 3},
    "segments": {"jobs": 2, "exchanges": 1, "reads rfm": 2},
    "report": {"jobs": 2, "exchanges": 2, "reads rfm": 1, "reads purchases": 1},
}
"""By step: Spark jobs, exchanges by key, and readings of the files or of a table. docs/performance.md states them."""


@contextmanager
def joins_that_move_rows(spark: SparkSession) -> Iterator[None]:
    """Plan joins as for tables that are too large to be broadcast."""
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    try:
        yield
    finally:
        spark.conf.unset("spark.sql.autoBroadcastJoinThreshold")


def executions(spark: SparkSession, *, after: int = -1) -> list[tuple[int, str, str]]:
    """The number, the step and the physical plan of each query of the session after another."""
    remembered = spark._jsparkSession.sharedState().statusStore().executionsList()
    queries = [remembered.apply(number) for number in range(remembered.size())]
    return [
        (query.executionId(), query.description(), query.physicalPlanDescription())
        for query in queries
        if query.executionId() > after
    ]


def readings(plan: str) -> Iterator[str]:
    """What each scan of a plan reads: the raw files, or a table by its name."""
    for kind, place in re.findall(r"\) Scan (text|parquet)[^\n]*\n(?:[^\n]+\n)*?Location: \w+ ?\[([^\]]*)\]", plan):
        yield "files" if kind == "text" else re.sub(r".*/runs/[^/]+/", "", place.rstrip(". "))


@pytest.fixture(scope="module")
def costs(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Costs:
    """A second run of a sample in which no row fails a rule and one person bought nothing, with Great Expectations."""
    folder = tmp_path_factory.mktemp("passes")
    (folder / "raw").mkdir()
    write_sample(spark, LocalFolder(folder / "raw"), orders=300, seed=1)
    places = ["--input", str(folder / "raw"), "--output", str(folder / "output")]
    assert main(["--as-of", "2018-09-17", "--kmeans", "none", *places]) == 0
    last = max((number for number, _, _ in executions(spark)), default=-1)
    with joins_that_move_rows(spark), real_gate(), real_report():
        assert main(["--as-of", "2018-10-17", *places]) == 0
    [manifest] = folder.glob("output/runs/2018-10-17-*/manifest.json")
    content = json.loads(manifest.read_text())
    jobs = {step["step"]: step["spark_jobs"] for step in content["steps"]}
    jobs["report"] = len(spark.sparkContext.statusTracker().getJobIdsForGroup(f"{content['run_id']} report"))
    counts: Costs = {step: {"jobs": number, "exchanges": 0} for step, number in jobs.items()}
    for _, step, plan in executions(spark, after=last):
        if step in counts:
            cost = Counter({f"reads {name}": number for name, number in Counter(readings(plan)).items()})
            cost["exchanges"] = len(re.findall(r"\) Exchange\n[^\n]+\nArguments: hashpartitioning", plan))
            counts[step] = dict(Counter(counts[step]) + cost)
    return counts


@pytest.mark.long
def test_jobs_exchanges_and_readings_of_each_step_are_those_that_the_docs_state(costs: Costs) -> None:
    assert costs == COSTS
    page = (Path(__file__).parent.parent.parent / "docs" / "performance.md").read_text()
    for step, cost in COSTS.items():
        assert f"| {step} | {cost['jobs']} | {cost.get('exchanges', 0)} |" in page


@pytest.mark.long
def test_raw_files_are_read_once_and_no_row_of_them_is_moved(costs: Costs) -> None:
    for table in ("customers", "orders", "payments"):
        assert costs[table]["reads files"] == 1
