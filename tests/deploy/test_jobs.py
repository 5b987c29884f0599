"""Submitting a step to Glue and EMR, and the nightly run to Step Functions, and waiting for them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from deploy import waiting
from deploy.__main__ import main
from tests.deploy.cloud_formation import CloudFormation
from tests.deploy.runners import Runners
from tests.stand_ins.http_service import HttpService

AS_OF = ("--as-of", "2018-10-17")
RUN = "2018-10-17-nightly"
NAMED = (*AS_OF, "--run-id", RUN)


@dataclass
class Runner:
    """One way to run a job."""

    command: tuple[str, ...]
    named: tuple[str, ...]
    start: str
    look: str
    states: dict[str, str]
    service: HttpService
    runners: Runners
    s3: Any

    def submit(self, *arguments: str) -> int:
        return main([*self.command, "--prefix", "shop", *(arguments or self.named)])

    def goes(self, *states: str, note: str = "") -> None:
        self.runners.states = [self.states.get(state, state) for state in states]
        self.runners.note = note

    def leaves_word(self, exit_code: int, error: str) -> None:
        body = json.dumps({"exit_code": exit_code, "error": error})
        self.s3.put_object(Bucket="shop-data", Key=f"output/runs/{RUN}/failure.json", Body=body.encode())


WAYS = ("glue", "emr", "cluster", "run")


@pytest.fixture(params=WAYS)
def runner(
    request: pytest.FixtureRequest, aws: pytest.MonkeyPatch, made: CloudFormation, buckets: Any
) -> Iterator[Runner]:
    del made
    runners = Runners([])
    services: dict[str, HttpService] = {
        "glue": runners.glue,
        "emr": runners.serverless,
        "cluster": runners.cluster,
        "run": runners.machine,
    }
    command, named, start, look, states = {
        "glue": (("glue", "submit"), NAMED, "StartJobRun", "GetJobRun", {}),
        "emr": (("emr", "submit"), NAMED, "StartJobRun", "GetJobRun", {"SUCCEEDED": "SUCCESS"}),
        "cluster": (
            ("emr", "submit", "--cluster", "j-1"),
            NAMED,
            "AddJobFlowSteps",
            "DescribeStep",
            {"SUCCEEDED": "COMPLETED"},
        ),
        "run": (("run",), (*AS_OF, "--name", "nightly"), "StartExecution", "DescribeExecution", {}),
    }[request.param]
    with runners.running() as environment:
        for name, url in environment.items():
            aws.setenv(name, url)
        yield Runner(command, named, start, look, states, services[request.param], runners, buckets)


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


def test_a_job_is_started_and_waited_for(runner: Runner) -> None:
    runner.goes("RUNNING", "RUNNING", "SUCCEEDED")
    assert runner.submit() == 0
    assert (len(runner.runners.started), runner.runners.looks) == (1, 3)


def test_submitting_twice_starts_one_job(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    assert runner.submit() == 0
    assert runner.submit() == 0
    assert len(runner.runners.started) == 1


LOAD = ("--step", "publish", "--run", RUN)


@pytest.mark.parametrize("runner", ["glue", "emr", "cluster"], indirect=True)
def test_a_run_that_was_loaded_is_loaded_again(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    assert [runner.submit(*LOAD), runner.submit(*LOAD), runner.submit(*LOAD)] == [0, 0, 0]
    assert len(runner.runners.started) == 3


@pytest.mark.parametrize("runner", ["glue", "emr", "cluster"], indirect=True)
def test_an_answer_that_was_lost_starts_no_second_load(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_after(runner.start)
    assert runner.submit(*LOAD) == 0
    assert len(runner.runners.started) == 1


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_load_that_is_in_progress_is_followed_and_one_into_elsewhere_is_not(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    assert runner.submit(*LOAD, "--no-wait") == 0
    assert runner.submit(*LOAD, "--warehouse", "redshift://shop/segments/trial") == 4
    assert "job shop-publish: another run is in progress" in last_line(capsys)
    assert runner.submit(*LOAD) == 0
    assert len(runner.runners.started) == 1


def test_an_answer_that_was_lost_starts_no_second_job(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_after(runner.start)
    assert runner.submit() == 0
    assert len(runner.runners.started) == 1


def test_the_exit_code_and_the_message_are_the_jobs_own(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "FAILED")
    runner.leaves_word(3, "the data is not fit to use: payments: 2 % of rows are in quarantine")
    assert runner.submit() == 3
    assert last_line(capsys) == "deploy: the data is not fit to use: payments: 2 % of rows are in quarantine"


def test_a_job_that_left_no_word_is_told_with_what_aws_says(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "FAILED", note="the driver was killed")
    assert runner.submit() == 4
    told = last_line(capsys)
    assert "ended as FAILED" in told
    assert "the driver was killed" in told


def test_a_connection_that_is_lost_while_waiting_is_waited_out(runner: Runner) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_before(runner.look, times=12)
    assert runner.submit() == 0


def test_a_connection_that_stays_lost_ends_the_wait_and_not_the_job(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "LOST_SECONDS", 0.0)
    runner.goes("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_before(runner.look, times=12)
    assert runner.submit() == 4
    told = last_line(capsys)
    assert "could not be reached" in told
    assert "runs on. Follow it with: python -m deploy" in told


def test_ctrl_c_leaves_the_job_running_and_says_how_to_follow_it(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.goes("RUNNING")

    def interrupted(look: Any, _: Any) -> Any:
        look()
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting, "_look", interrupted)
    assert runner.submit() == 130
    assert "runs on. Follow it with: python -m deploy" in last_line(capsys)


def test_throttling_is_waited_out_and_a_refusal_is_told(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    if runner.start != "AddJobFlowSteps":  # which is sent once
        runner.service.faults.throttle(runner.start, times=2)
    runner.service.faults.throttle(runner.look, times=2)
    assert runner.submit() == 0
    runner.runners.started.clear()
    runner.runners.tokens.clear()
    runner.service.faults.deny(runner.start)
    assert runner.submit() == 4
    assert "AccessDenied" in last_line(capsys)
    assert runner.runners.started == []


def test_a_dry_run_prints_the_request_and_starts_nothing(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.submit(*runner.named, "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["operation"].replace("_", "") == runner.start.lower()
    assert runner.runners.started == []


def test_who_does_not_wait_is_told_how_to_follow(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING")
    assert runner.submit(*runner.named, "--no-wait") == 0
    assert "Follow it with: python -m deploy" in capsys.readouterr().out
    assert runner.runners.looks == 0


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_glue_is_given_the_users_arguments_and_where_the_files_are(runner: Runner) -> None:
    runner.goes("SUCCEEDED")
    assert runner.submit(*NAMED, "--card=workshop-2021", "--purchase-value", "any") == 0
    assert runner.runners.started == [
        {
            "JobName": "shop-pipeline",
            "Arguments": {
                "--as-of": "2018-10-17",
                "--run-id": RUN,
                "--card": "workshop-2021",
                "--purchase-value": "any",
                "--output": "s3://shop-data/output",
                "--input": "s3://shop-data/raw",
            },
        }
    ]


@pytest.mark.parametrize("runner", ["emr"], indirect=True)
def test_emr_runs_the_same_file_with_the_roles_of_the_step(runner: Runner) -> None:
    runner.goes("SUCCEEDED")
    assert runner.submit("--step", "publish", "--run", RUN) == 0
    (started,) = runner.runners.started
    assert started["executionRoleArn"].endswith("role/shop-publish")
    submitted = started["jobDriver"]["sparkSubmit"]
    assert submitted["entryPoint"] == "s3://shop-artifacts/code/0a1b/publish.py"
    assert submitted["entryPointArguments"] == [
        *("--run", RUN, "--output", "s3://shop-data/output"),
        *("--warehouse", "redshift://shop/segments/marts", "--staging", "s3://shop-data/staging"),
        *("--iam-role", "default"),
    ]


@pytest.mark.parametrize("runner", ["cluster"], indirect=True)
def test_a_cluster_is_given_no_setting_that_it_does_not_know(runner: Runner) -> None:
    runner.goes("SUCCEEDED")
    assert runner.submit() == 0
    (step,) = runner.runners.started[0]["Steps"]
    assert step["HadoopJarStep"]["Jar"] == "command-runner.jar"
    command = step["HadoopJarStep"]["Args"]
    assert command[:5] == [
        "spark-submit",
        "--deploy-mode",
        "cluster",
        "--py-files",
        "s3://shop-artifacts/code/0a1b/olist_rfm_segments.zip",
    ]
    assert not [part for part in command if "emr-serverless" in part]


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_stacks_of_an_earlier_version_are_told_to_be_brought_up(
    runner: Runner, made: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    made.stacks["shop-nightly"]["outputs"] = {"MachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:shop"}
    assert runner.submit(*LOAD) == 2
    assert "no stack gives out Schema, expected all of this version's. Run the whole of `up`" in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--card", "workshop-2021"), "--as-of YYYY-MM-DD is missing"),
        ((*AS_OF, "--raw-copy"), "expected --name value pairs"),
        (("--step", "segments"), "--features-run RUN_ID is missing"),
    ],
)
def test_arguments_that_cannot_make_a_run_are_refused_before_it_starts(
    runner: Runner, arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.submit(*arguments) == 2
    assert told in last_line(capsys)
    assert runner.runners.started == []


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_another_run_that_is_in_progress_is_named(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    assert runner.submit(*NAMED, "--no-wait") == 0
    assert runner.submit(*AS_OF, "--run-id", "2018-10-17-other") == 4
    assert "job shop-pipeline: another run is in progress" in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue", "emr"], indirect=True)
def test_status_says_how_a_job_stands(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("RUNNING", "SUCCEEDED")
    assert runner.submit(*NAMED, "--no-wait") == 0
    job_run = capsys.readouterr().out.split()[1].rstrip(":")
    assert main([runner.command[0], "status", "--prefix", "shop", job_run]) == 0
    assert "RUNNING" in capsys.readouterr().out


@pytest.mark.parametrize("runner", ["glue", "emr"], indirect=True)
def test_status_of_a_job_that_failed_ends_as_the_job_did(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.goes("FAILED")
    assert runner.submit(*NAMED, "--no-wait") == 0
    job_run = capsys.readouterr().out.split()[1].rstrip(":")
    assert main([runner.command[0], "status", "--prefix", "shop", job_run]) == 4
    assert "ended as FAILED" in last_line(capsys)
    runner.leaves_word(3, "the data is not fit to use")
    assert main([runner.command[0], "status", "--prefix", "shop", job_run]) == 3
    assert "the data is not fit to use" in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_job_run_that_is_none_is_told(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*runner.command[:1], "status", "--prefix", "shop", "jr_9"]) == 2
    assert "shop-pipeline has no such job run" in last_line(capsys)
