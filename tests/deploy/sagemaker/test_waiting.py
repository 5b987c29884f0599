"""Waiting for SageMaker: passing failures are waited out, and the end of the wait is not the end of the job."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import tenacity.nap

from deploy.__main__ import main
from deploy.aws import waiting
from deploy.sagemaker import commands as sagemaker_commands
from tests.deploy.sagemaker.command_lines import Commands
from tests.fakes.environment import SAGEMAKER_ROLE
from tests.fakes.sagemaker.service import SageMaker

# The first import of the SDK is slow on a busy machine.
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("fault", ["throttle", "fail", "drop_before"])
def test_short_failures_while_waiting_are_waited_out(commands: Commands, sagemaker: SageMaker, fault: str) -> None:
    getattr(sagemaker.service.faults, fault)("DescribeTrainingJob", times=8)
    assert "model.tar.gz" in commands.train()


@pytest.fixture
def once_created(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Calls a function between the creation, which describes the new resource itself, and the first poll."""

    def before_first_poll(call: Callable[[], None]) -> None:
        def wait_until_final(*arguments: Any, **options: Any) -> waiting.State:
            call()
            return waiting.wait_until_final(*arguments, **options)

        monkeypatch.setattr(sagemaker_commands, "wait_until_final", wait_until_final)

    return before_first_poll


def test_a_connection_that_stays_lost_ends_the_wait_and_not_the_job(
    commands: Commands, sagemaker: SageMaker, once_created: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOST_SECONDS", 0.0)
    sagemaker.training.is_paused = True
    once_created(lambda: sagemaker.service.faults.drop_before("DescribeTrainingJob", times=20))
    line = commands.train(code=4)
    assert "TrainingJob run-1 may still run. Follow it with: aws sagemaker describe-training-job" in line
    assert sagemaker.training.jobs["run-1"].status == "InProgress"


def test_a_transform_that_may_still_run_keeps_its_model(
    commands: Commands, sagemaker: SageMaker, once_created: Any
) -> None:
    model_data = commands.train().splitlines()[-1]
    once_created(lambda: sagemaker.service.faults.expire("DescribeTransformJob"))
    line = commands.transform(model_data, code=4)
    assert "ExpiredTokenException" in line
    assert "It may still run. Follow it with: aws sagemaker describe-transform-job" in line
    assert commands.run("delete-endpoint", "--name", "score-1").splitlines()[2] == "Model score-1: deleted"


def test_without_a_terminal_each_state_is_a_line(commands: Commands, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--role",
        SAGEMAKER_ROLE,
        "--features",
        commands.requests.uri("kmeans/train"),
        "--k",
        "2",
        "--poll",
        "0",
    ]
    assert main(["sagemaker", "train", *arguments, "--output", commands.requests.uri("models"), "--name", "run-1"]) == 0
    assert capfd.readouterr().err.splitlines()[-1] == "TrainingJob run-1: Completed"


def test_credentials_that_expire_leave_the_job_running_and_the_error_says_how_to_follow_it(
    commands: Commands, sagemaker: SageMaker
) -> None:
    # The first description is the SDK's own, after the creation.
    sagemaker.service.faults.throttle("DescribeTrainingJob")
    sagemaker.service.faults.expire("DescribeTrainingJob")
    line = commands.train(code=4)
    assert "ExpiredTokenException" in line
    assert sagemaker.training.jobs["run-1"].status == "InProgress"


def test_ctrl_c_leaves_the_job_running_and_prints_how_to_follow_it(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.training.is_paused = True

    def interrupt_the_pause_between_two_polls() -> None:
        main_thread = threading.main_thread().ident
        assert main_thread is not None
        while sys._current_frames()[main_thread].f_code is not tenacity.nap.sleep.__code__:
            time.sleep(0.01)
        signal.pthread_kill(main_thread, signal.SIGINT)

    # In a background job the signal is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt_the_pause_between_two_polls, daemon=True).start()
    try:
        line = commands.train("--poll", "60", code=130)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "TrainingJob run-1 is still running. Follow it with: aws sagemaker describe-training-job" in line
    description = boto3.client("sagemaker").describe_training_job(TrainingJobName="run-1")
    assert description["TrainingJobStatus"] == "InProgress"


def test_a_lost_response_to_create_model_creates_no_second_model(commands: Commands, sagemaker: SageMaker) -> None:
    model_data = commands.train().splitlines()[-1]
    sagemaker.service.faults.drop_after("CreateModel")
    assert commands.transform(model_data).strip() == commands.requests.uri("out")


def test_a_model_that_cannot_be_deleted_is_reported_and_hides_nothing_of_the_job(
    commands: Commands, sagemaker: SageMaker
) -> None:
    model_data = commands.train().splitlines()[-1]
    sagemaker.service.faults.deny("DeleteModel")
    assert commands.transform(model_data).strip() == commands.requests.uri("out")
    gone = commands.run("delete-endpoint", "--name", "score-1").splitlines()
    assert gone[2] == "Model score-1: deleted"
