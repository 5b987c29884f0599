"""The job script with Glue's arguments on a cluster of several processes, which loses executors meanwhile."""

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from deploy.packaging.bundle import Bundle
from jobs import pipeline
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder
from jobs.storage.uris import escape_glob
from tests.deploy.packaging.bundles import manifest_of, script_of
from tests.deploy.standalone import LOOPBACK, MEMORY, SPARK_SUBMIT, StandaloneCluster, environment, standalone_cluster
from tests.log_lines import fields_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

AS_OF = "2018-10-17"
RUN_ID = f"{AS_OF}-cluster"
TABLES = ("customers", "orders", "payments", "transactions", "purchases", "rfm", "customer_segments")
# This worker's executor is killed when this folder of the run exists and a stage has ended since then, whose shuffled
# rows another stage needs: keys of orders, customers to be joined, measures of people.
KILLED = (("orders", 0), ("transactions", 1), ("_stage/measures", 0))
SHUFFLED = re.compile(r"ShuffleMapStage \d+ .* finished in")
SHUFFLING = re.compile(r"Submitting ShuffleMapStage \d+ \((\w+\[\d+\]) at")
"""A stage whose shuffled rows are missing is submitted, with what they are made of."""

SECONDS = 480

GLUES_OWN_ARGUMENTS = {
    "--JOB_ID": "j_0123456789abcdef",
    "--JOB_RUN_ID": "jr_0123456789abcdef",
    "--JOB_NAME": "shop-pipeline",
    "--TempDir": "s3://shop-data/spark/tmp/",
    "--job-bookmark-option": "job-bookmark-disable",
    "--job-language": "python",
    "--enable-metrics": "true",
    "--enable-continuous-cloudwatch-log": "true",
    "--enable-spark-ui": "true",
    "--spark-event-logs-path": "s3://shop-data/spark/events/",
}

SETTINGS = {
    "spark.driver.host": LOOPBACK,
    "spark.driver.bindAddress": LOOPBACK,
    "spark.ui.enabled": "false",
    "spark.executor.memory": MEMORY,
    # Both executors exist before the first task, and each holds a part of each shuffle. With Spark's defaults so few
    # rows would be one task, and joins would not shuffle.
    "spark.cores.max": "2",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
}


@dataclass(frozen=True)
class Job:
    """A job that ended: its exit code, the log of the driver, and its run."""

    exit_code: int
    log: str
    output: Path

    @property
    def manifest(self) -> dict[str, Any]:
        return manifest_of(self.output)

    def rows(self, spark: SparkSession, table: str) -> list[str]:
        path = escape_glob(str(self.output / self.manifest["tables"][table]))
        return sorted(map(str, spark.read.parquet(path).collect()))


@pytest.fixture(scope="module")
def sample(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(spark, LocalFolder(folder), orders=1000, seed=7)
    return folder


@pytest.fixture(scope="module")
def on_a_laptop(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    output = tmp_path_factory.mktemp("laptop") / "output"
    return Job(pipeline.main(["--as-of", AS_OF, "--input", str(sample), "--output", str(output)]), "", output)


@pytest.fixture(scope="module")
def on_a_cluster(
    sample: Path, emr: Bundle, emr_python: Path, emr_packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Job:
    """The job with Glue's command line, while executors are killed."""
    folder = tmp_path_factory.mktemp("cluster")
    output = folder / "output"
    own_arguments = {"--as-of": AS_OF, "--input": sample, "--output": output, "--run-id": RUN_ID}
    arguments = [str(part) for pair in (GLUES_OWN_ARGUMENTS | own_arguments).items() for part in pair]
    options = ["--deploy-mode", "client", "--driver-memory", MEMORY, "--py-files", str(emr.code)]
    options += [part for name, value in SETTINGS.items() for part in ("--conf", f"{name}={value}")]
    with standalone_cluster(folder / "daemons", workers=2) as cluster, (folder / "driver.log").open("wb") as log:
        job = subprocess.Popen(
            [SPARK_SUBMIT, "--master", cluster.url, *options, script_of(emr, folder), *arguments],
            cwd=folder,
            env=environment(folder) | {"PYSPARK_PYTHON": str(emr_python), "PYTHONPATH": str(emr_packages)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            kill_executors(job, cluster, output / "runs" / RUN_ID, folder / "driver.log")
            job.wait(SECONDS)
        finally:
            job.kill()
            job.wait()
    return Job(job.returncode, (folder / "driver.log").read_text(), output)


def kill_executors(job: subprocess.Popen[bytes], cluster: StandaloneCluster, run: Path, log: Path) -> None:
    """Kill one executor at each folder, unless the job ends before."""
    deadline = time.monotonic() + SECONDS

    def shuffled() -> int:
        return len(SHUFFLED.findall(log.read_text()))

    def has_shuffled(stages: int, worker: int) -> bool:
        return shuffled() >= stages and bool(cluster.executors(worker))

    def wait_until(happens: Callable[[], bool], what: str) -> bool:
        while not happens():
            if job.poll() is not None:
                return False
            assert time.monotonic() < deadline, f"{what} not reached"
            time.sleep(0.01)
        return True

    for folder, worker in KILLED:
        if not wait_until((run / folder).exists, folder):
            return
        next_one = shuffled() + 1
        if not wait_until(partial(has_shuffled, next_one, worker), f"a shuffle of {folder}"):
            return
        cluster.kill_executor(worker)


def test_a_job_that_loses_executors_ends_well(on_a_cluster: Job) -> None:
    assert on_a_cluster.exit_code == 0, on_a_cluster.log
    assert len(set(re.findall(r"Lost executor (\d+) ", on_a_cluster.log))) == len(KILLED), on_a_cluster.log
    # The executors held shuffled rows that others still needed: rows that were shuffled once had to be shuffled again,
    # whether a task failed to fetch them or Spark knew before that they were gone.
    submitted = SHUFFLING.findall(on_a_cluster.log)
    assert len(set(submitted)) < len(submitted), on_a_cluster.log


def test_its_tables_are_those_of_a_run_on_a_laptop(spark: SparkSession, on_a_laptop: Job, on_a_cluster: Job) -> None:
    for table in TABLES:
        assert on_a_cluster.rows(spark, table) == on_a_laptop.rows(spark, table), table


def test_no_row_and_no_cent_is_counted_twice_for_the_tasks_that_ran_twice(on_a_laptop: Job, on_a_cluster: Job) -> None:
    actual, expected = on_a_cluster.manifest, on_a_laptop.manifest
    assert all(check["passed"] for check in actual["reconciliation"])
    assert actual["totals"] == expected["totals"]
    assert actual["reconciliation"] == expected["reconciliation"]


def test_without_a_terminal_each_step_is_logged_with_its_rows_and_no_identifier(on_a_cluster: Job) -> None:
    lines = [line for line in on_a_cluster.log.splitlines() if line.startswith("time=")]
    events = [fields_of(line) for line in lines]
    assert {event["run_id"] for event in events} == {RUN_ID}
    assert [event["event"] for event in events if "step" not in event] == [
        "run started",
        "run complete",
        "report written",
    ]
    steps = on_a_cluster.manifest["steps"]
    assert [event["step"] for event in events if event["event"] == "step started"] == [step["step"] for step in steps]
    finished = {event["step"]: event for event in events if event["event"] == "step finished"}
    for step in steps:
        assert int(finished[step["step"]]["rows_out"]) == step["rows_out"]
        assert finished[step["step"]].get("money_out") == step["money_out"]
    # Customers and orders are 32 hexadecimal digits.
    assert not re.search(r"[0-9a-f]{32}", "".join(lines))
