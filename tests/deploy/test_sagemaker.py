"""The commands of SageMaker against a service that stands in for it, over HTTP."""

import io
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from deploy import sagemaker as deploy_sagemaker
from deploy import sagemaker_sdk, waiting
from deploy.__main__ import main
from jobs.clusters.artifact import centroids_in
from jobs.storage import LocalFolder
from tests.stand_ins.fixtures import REGION, SAGEMAKER_ROLE
from tests.stand_ins.hands import Hands, small_groups
from tests.stand_ins.sagemaker import SageMaker

# The SDK's first import takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def hands(sagemaker: SageMaker, s3: Any, bucket: str) -> Hands:
    """Two groups of customers to train on, and three customers to score, in S3."""
    assert sagemaker is not None
    return small_groups(Hands(s3, bucket))


WAITED = re.compile(
    r"(TrainingJob|TransformJob|Endpoint) \S+: (InProgress|Completed|Failed|Stopped|Creating|InService)"
)


class Commands:
    """The command line, as a user types it."""

    def __init__(self, hands: Hands, capfd: pytest.CaptureFixture[str]) -> None:
        self.hands, self.capfd = hands, capfd

    def run(self, command: str, *arguments: str, code: int = 0) -> str:
        """Run a command, and return what it prints, or its error when it fails: one line, after those of the wait."""
        self.capfd.readouterr()
        assert main(["sagemaker", command, "--region", REGION, *arguments]) == code
        printed = self.capfd.readouterr()
        if code == 0:
            return printed.out
        [line] = [line for line in printed.err.strip().splitlines() if not WAITED.match(line)]
        return line

    def train(self, *arguments: str, code: int = 0) -> str:
        places = ["--features", self.hands.uri("kmeans/train"), "--output", self.hands.uri("models")]
        sizes = ["--k", "2", "--poll", "0", "--name", "run-1"]
        return self.run("train", "--role", SAGEMAKER_ROLE, *places, *sizes, *arguments, code=code)

    def transform(self, model_data: str, *arguments: str, code: int = 0) -> str:
        places = ["--features", self.hands.uri("kmeans/score"), "--output", self.hands.uri("out")]
        more = ["--model-data", model_data, "--poll", "0", "--name", "score-1"]
        return self.run("transform", "--role", SAGEMAKER_ROLE, *places, *more, *arguments, code=code)


@pytest.fixture
def commands(hands: Hands, capfd: pytest.CaptureFixture[str]) -> Commands:
    return Commands(hands, capfd)


def test_features_become_a_model_and_the_model_assigns_every_customer(commands: Commands, tmp_path: Any) -> None:
    *metrics, model_data = commands.train().splitlines()
    assert [line.split()[0] for line in metrics] == ["train:msd", "train:ssd"]
    hands = commands.hands
    assert model_data == hands.uri("models/run-1/output/model.tar.gz")
    assert commands.transform(model_data).strip() == hands.uri("out")
    lines = [line.split(",") for part in (0, 1) for line in hands.text(f"out/part-{part}.csv.out").splitlines()]
    assert [line[0] for line in lines] == ["ann", "bob", "cleo"]
    assert all(len(line) == 6 for line in lines)
    # ann is near one centre, bob and cleo near the other.
    assert lines[1][4] == lines[2][4] != lines[0][4]
    # The library reads the model that the algorithm wrote.
    hands.s3.download_file(hands.bucket, "models/run-1/output/model.tar.gz", str(tmp_path / "model.tar.gz"))
    centroids = centroids_in(LocalFolder(tmp_path / "model.tar.gz"))
    assert sorted(centroids.values()) == [pytest.approx((0, 0, 0.25), abs=0.1), pytest.approx((5, 5, 4.75), abs=0.1)]
    # What was made for the transform is gone.
    assert "not there" in commands.run("delete-endpoint", "--name", "score-1").splitlines()[2]


def test_a_dry_run_prints_the_requests_and_makes_nothing(commands: Commands, sagemaker: SageMaker) -> None:
    request = json.loads(commands.train("--dry-run"))["CreateTrainingJob"]
    assert request["TrainingJobName"] == "run-1"
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith("/kmeans:1")
    requests = json.loads(commands.transform("s3://bucket/model.tar.gz", "--dry-run"))
    assert list(requests) == ["CreateModel", "CreateTransformJob"]
    assert sagemaker.training.jobs == {}


def test_the_same_name_twice_is_one_job(commands: Commands, sagemaker: SageMaker) -> None:
    commands.train()
    assert "ResourceInUse" in commands.train(code=4)
    assert len(sagemaker.training.jobs) == 1


def test_a_training_that_fails_is_told_with_its_reason_and_its_log(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.fail_training("AlgorithmError: framework error.")
    line = commands.train(code=4)
    assert line.startswith("deploy: TrainingJob run-1 is Failed, expected it to complete: AlgorithmError: framework er")
    assert "logFilter" not in line
    assert "$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Drun-1" in line


def test_columns_that_are_not_three_fail_the_training(commands: Commands) -> None:
    commands.hands.put("kmeans/train/part-2.csv", "1.0,2.0\n")
    assert "TrainingJob run-1 is Failed" in commands.train(code=4)


def test_a_training_that_is_stopped_or_out_of_time_is_told(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.stop_training()
    assert "run-1 is Stopped, expected it to complete. Its log" in commands.train(code=4)
    sagemaker.exceed_max_runtime()
    line = commands.train("--name", "run-2", code=4)
    assert "run-2 is Stopped, expected it to complete: MaxRuntimeExceeded; give it more time (--max-runtime" in line


def test_a_limit_of_the_account_is_told(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.exceed_limit()
    assert "ResourceLimitExceeded: The account-level service limit" in commands.train(code=4)


@pytest.mark.parametrize("fault", ["throttle", "fail", "drop_before"])
def test_short_failures_while_waiting_are_waited_out(commands: Commands, sagemaker: SageMaker, fault: str) -> None:
    getattr(sagemaker.service.faults, fault)("DescribeTrainingJob", times=8)
    assert "model.tar.gz" in commands.train()


@pytest.fixture
def once_created(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Lets something happen between the creation, which asks for what it created, and the first look."""

    def at_the_first_look(happen: Callable[[], None]) -> None:
        def follow(*positional: Any, **named: Any) -> waiting.State:
            happen()
            return waiting.follow(*positional, **named)

        monkeypatch.setattr(deploy_sagemaker, "follow", follow)

    return at_the_first_look


def test_a_connection_that_stays_lost_ends_the_wait_and_not_the_job(
    commands: Commands, sagemaker: SageMaker, once_created: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOST_SECONDS", 0.0)
    sagemaker.training.gate.close()
    once_created(lambda: sagemaker.service.faults.drop_before("DescribeTrainingJob", times=20))
    line = commands.train(code=4)
    assert "TrainingJob run-1 runs on. Follow it with: aws sagemaker describe-training-job" in line
    assert sagemaker.training.jobs["run-1"].status == "InProgress"


def test_a_transform_that_may_run_on_keeps_its_model(
    commands: Commands, sagemaker: SageMaker, once_created: Any
) -> None:
    model_data = commands.train().splitlines()[-1]
    once_created(lambda: sagemaker.service.faults.expire("DescribeTransformJob"))
    line = commands.transform(model_data, code=4)
    assert "ExpiredTokenException" in line
    assert "It may run on. Follow it with: aws sagemaker describe-transform-job" in line
    assert commands.run("delete-endpoint", "--name", "score-1").splitlines()[2] == "Model score-1: deleted"


def test_without_a_terminal_each_state_is_told_in_a_line(commands: Commands, capfd: pytest.CaptureFixture[str]) -> None:
    given = ["--role", SAGEMAKER_ROLE, "--features", commands.hands.uri("kmeans/train"), "--k", "2", "--poll", "0"]
    assert main(["sagemaker", "train", *given, "--output", commands.hands.uri("models"), "--name", "run-1"]) == 0
    assert capfd.readouterr().err.splitlines()[-1] == "TrainingJob run-1: Completed"


def test_a_call_that_is_not_allowed_is_told(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.service.faults.deny("CreateTrainingJob")
    line = commands.train(code=4)
    assert "cannot create TrainingJob run-1: AccessDeniedException" in line
    assert "Check the credentials and what they may do" in line


def test_an_answer_that_is_lost_on_its_way_makes_no_second_job(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.service.faults.drop_after("CreateTrainingJob")
    assert "model.tar.gz" in commands.train()
    assert list(sagemaker.training.jobs) == ["run-1"]


def test_credentials_that_expire_leave_the_job_running_and_say_how_to_follow_it(
    commands: Commands, sagemaker: SageMaker
) -> None:
    # The first description is the SDK's own, when it has created the job.
    sagemaker.service.faults.throttle("DescribeTrainingJob")
    sagemaker.service.faults.expire("DescribeTrainingJob")
    line = commands.train(code=4)
    assert "ExpiredTokenException" in line
    assert sagemaker.training.jobs["run-1"].status == "InProgress"


@pytest.mark.parametrize(("trouble", "state"), [("fail_transform", "Failed"), ("stop_transform", "Stopped")])
def test_a_transform_that_does_not_complete_is_told(
    commands: Commands, sagemaker: SageMaker, trouble: str, state: str
) -> None:
    model_data = commands.train().splitlines()[-1]
    getattr(sagemaker, trouble)()
    assert f"TransformJob score-1 is {state}, expected it to complete" in commands.transform(model_data, code=4)


def test_an_endpoint_answers_and_goes(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    model_data = commands.train().splitlines()[-1]
    made = commands.run(
        "endpoint", "--role", SAGEMAKER_ROLE, "--model-data", model_data, "--name", "live", "--poll", "0"
    )
    assert "paid for by the hour until: python -m deploy sagemaker delete-endpoint --name live" in made
    lines = "0.0,0.0,0.1\n5.0,5.0,5.0\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    asked = json.loads(commands.run("predict", "--name", "live", "--dry-run"))["InvokeEndpoint"]
    assert (asked["EndpointName"], asked["Body"]) == ("live", lines)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    predictions = json.loads(commands.run("predict", "--name", "live"))["predictions"]
    assert [set(prediction) for prediction in predictions] == [{"closest_cluster", "distance_to_cluster"}] * 2
    assert predictions[0]["closest_cluster"] != predictions[1]["closest_cluster"]
    gone = commands.run("delete-endpoint", "--name", "live").splitlines()
    assert gone == ["Endpoint live: deleted", "EndpointConfig live: deleted", "Model live: deleted"]
    again = commands.run("delete-endpoint", "--name", "live").splitlines()
    assert again[0] == "Endpoint live: was not there"


def test_ctrl_c_leaves_the_job_running_and_says_how_to_follow_it(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.training.gate.close()

    def interrupt_once_it_is_followed() -> None:
        while sum(call.operation == "DescribeTrainingJob" for call in sagemaker.service.calls) < 3:
            time.sleep(0.05)
        signal.raise_signal(signal.SIGINT)

    # Whoever starts the tests in the background has it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt_once_it_is_followed, daemon=True).start()
    try:
        line = commands.train("--poll", "0.2", code=130)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "TrainingJob run-1 runs on. Follow it with: aws sagemaker describe-training-job" in line
    found = boto3.client("sagemaker").describe_training_job(TrainingJobName="run-1")
    assert found["TrainingJobStatus"] == "InProgress"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--role", "admin"], "expected a role's ARN"),
        (["--features", "/tmp/features"], "expected a place in S3"),
        (["--max-wait", "60"], "expected at least --max-runtime"),
        (["--subnets", "subnet-1"], "expected both or none"),
        (["--name", "x_y"], "letters, digits and hyphens"),
        (["--region", "mars"], "expected a region"),
        (["--k", "0"], "expected a number from 1"),
        (["--tag", "x"], "expected KEY=VALUE"),
    ],
)
def test_what_cannot_be_asked_for_is_told_in_one_line(commands: Commands, arguments: list[str], found: str) -> None:
    assert found in commands.train(*arguments, code=2)


def test_without_the_sdk_the_extra_is_named(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="sagemaker")

    monkeypatch.setattr(sagemaker_sdk.importlib, "import_module", absent)
    assert "pip install 'olist-rfm-segments[deploy]'" in commands.train(code=2)
