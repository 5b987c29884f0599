"""``run``: the input of the execution that it starts, and what it says at the end."""

import json
from typing import Any

import pytest

from deploy.__main__ import main
from tests.deploy.submitting import AS_OF, RUN, last_line
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.step_functions.service import StepFunctions

MAPPING = "s3://shop-data/raw/ledger.yml"


@pytest.fixture
def machine(deployed: CloudFormation, buckets: Any, step_functions: StepFunctions) -> StepFunctions:
    """The nightly state machine, whose executions succeed."""
    del deployed, buckets
    step_functions.jobs.states = ["RUNNING", "SUCCEEDED"]
    return step_functions


def run(*arguments: str) -> int:
    return main(["run", "--prefix", "shop", *AS_OF, "--name", "nightly", *arguments])


def input_of(machine: StepFunctions) -> Any:
    (started,) = machine.jobs.start_requests
    return json.loads(started["input"])


def test_an_execution_gets_no_more_than_the_user_states(machine: StepFunctions) -> None:
    assert run() == 0
    assert input_of(machine) == {"as_of": "2018-10-17"}


def test_an_execution_may_cluster_elsewhere_and_read_a_ledger(machine: StepFunctions) -> None:
    assert run("--kmeans", "sagemaker", "--source", "ledger", "--mapping", MAPPING, "--engine", "emr") == 0
    assert input_of(machine) == {
        "as_of": "2018-10-17",
        "kmeans": "sagemaker",
        "source": "ledger",
        "mapping": MAPPING,
        "engine": "emr",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--source", "olist", "--mapping", MAPPING),
            "--mapping with --source olist: only a ledger has one. Give one of them",
        ),
        (("--mapping", "ledger.yml"), "expected a file in S3, such as s3://shop-data/raw/ledger.yml"),
        (("--mapping", "s3://shop-data/raw/"), "expected a file in S3, such as s3://shop-data/raw/ledger.yml"),
        (("--kmeans", "none"), "none"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_starts(
    machine: StepFunctions, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert run(*arguments) == 2
    assert message in last_line(capsys)
    assert machine.jobs.start_requests == []


NOT_REFRESHED = "the dashboard was not refreshed: the message to the topic says why"
ENDS = [
    ("shop", "none", "complete, and in the warehouse"),
    ("", "none", "complete; there is no warehouse to load it into"),
    ("shop", "refreshed", "complete, and in the warehouse; the dashboard shows it"),
    ("", "not refreshed", f"complete; there is no warehouse to load it into; {NOT_REFRESHED}"),
]


@pytest.mark.parametrize(("workgroup", "dashboard", "end"), ENDS)
def test_the_last_line_says_where_the_run_can_be_seen(
    machine: StepFunctions, capsys: pytest.CaptureFixture[str], workgroup: str, dashboard: str, end: str
) -> None:
    machine.output = {"workgroup": workgroup, "dashboard": dashboard}
    assert run() == 0
    assert capsys.readouterr().out.endswith(f"\nrun {RUN}: {end}\n")


def test_the_last_line_names_the_run_of_the_segments_with_sagemaker(
    machine: StepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.output = {"workgroup": "shop", "dashboard": "none"}
    assert run("--kmeans", "sagemaker") == 0
    assert capsys.readouterr().out.endswith(f"\nrun {RUN}-segments: complete, and in the warehouse\n")


def test_an_execution_that_states_no_places_is_complete(
    machine: StepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.output = {"engine": "glue"}
    assert run() == 0
    assert capsys.readouterr().out.endswith(f"\nrun {RUN}: complete\n")


def leave_failure(buckets: Any, run_id: str) -> None:
    body = json.dumps({"exit_code": 3, "error": f"{run_id} is not fit to use"}).encode()
    buckets.put_object(Bucket="shop-data", Key=f"output/runs/{run_id}/failure.json", Body=body)


def test_with_sagemaker_the_failure_of_the_segments_is_reported(
    deployed: CloudFormation, buckets: Any, machine: StepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.jobs.states = ["FAILED"]
    leave_failure(buckets, f"{RUN}-segments")
    assert run("--kmeans", "sagemaker") == 3
    nightly = deployed.stacks["shop-nightly"]
    nightly["outputs"] = {**nightly["outputs"], "Kmeans": "sagemaker"}
    assert run("--name", "set-by-up") == 4
    leave_failure(buckets, "2018-10-17-set-by-up-segments")
    assert run("--name", "set-by-up") == 3
    assert last_line(capsys) == "deploy: 2018-10-17-set-by-up-segments is not fit to use"


def test_with_spark_there_is_one_run_whose_failure_counts(
    buckets: Any, machine: StepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.jobs.states, machine.jobs.note = ["FAILED"], "a job was killed"
    leave_failure(buckets, f"{RUN}-segments")
    assert run() == 4
    assert "a job was killed" in last_line(capsys)
    leave_failure(buckets, RUN)
    machine.jobs.states = ["FAILED"]
    assert run() == 3
    assert last_line(capsys) == f"deploy: {RUN} is not fit to use"
