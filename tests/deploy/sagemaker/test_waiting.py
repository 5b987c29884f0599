"""Waiting for SageMaker: what passes is waited out, and what ends the wait does not end the job."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from deploy.__main__ import main
from deploy.job_runs import waiting
from deploy.sagemaker import commands as deploy_sagemaker
from tests.deploy.sagemaker.command_lines import Commands
from tests.fakes.environment import SAGEMAKER_ROLE
from tests.fakes.sagemaker.service import SageMaker

# The SDK's first import takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600)


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
    sagemaker.training.is_paused = True
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
    given = ["--role", SAGEMAKER_ROLE, "--features", commands.requests.uri("kmeans/train"), "--k", "2", "--poll", "0"]
    assert main(["sagemaker", "train", *given, "--output", commands.requests.uri("models"), "--name", "run-1"]) == 0
    assert capfd.readouterr().err.splitlines()[-1] == "TrainingJob run-1: Completed"


def test_credentials_that_expire_leave_the_job_running_and_say_how_to_follow_it(
    commands: Commands, sagemaker: SageMaker
) -> None:
    # The first description is the SDK's own, when it has created the job.
    sagemaker.service.faults.throttle("DescribeTrainingJob")
    sagemaker.service.faults.expire("DescribeTrainingJob")
    line = commands.train(code=4)
    assert "ExpiredTokenException" in line
    assert sagemaker.training.jobs["run-1"].status == "InProgress"


def test_ctrl_c_leaves_the_job_running_and_says_how_to_follow_it(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.training.is_paused = True

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


def test_an_answer_to_the_model_that_is_lost_makes_no_second_one(commands: Commands, sagemaker: SageMaker) -> None:
    model_data = commands.train().splitlines()[-1]
    sagemaker.service.faults.drop_after("CreateModel")
    assert commands.transform(model_data).strip() == commands.requests.uri("out")


def test_a_model_that_cannot_be_deleted_is_told_and_hides_nothing_of_the_job(
    commands: Commands, sagemaker: SageMaker
) -> None:
    model_data = commands.train().splitlines()[-1]
    sagemaker.service.faults.deny("DeleteModel")
    assert commands.transform(model_data).strip() == commands.requests.uri("out")
    gone = commands.run("delete-endpoint", "--name", "score-1").splitlines()
    assert gone[2] == "Model score-1: deleted"
