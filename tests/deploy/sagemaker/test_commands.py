"""The commands of SageMaker against its fake over HTTP."""

import io
import json
import sys
from typing import Any

import pytest

from deploy.sagemaker import sdk as sagemaker_sdk
from jobs.clusters.artifact import centroids_in
from jobs.storage.local import LocalFolder
from tests.deploy.sagemaker.command_lines import Commands
from tests.fakes.environment import SAGEMAKER_ROLE
from tests.fakes.sagemaker.service import SageMaker

# The first import of the SDK is slow on a busy machine.
pytestmark = pytest.mark.timeout(600)


def test_features_become_a_model_and_the_model_assigns_every_customer(commands: Commands, tmp_path: Any) -> None:
    *metrics, model_data = commands.train().splitlines()
    assert [line.split()[0] for line in metrics] == ["train:msd", "train:ssd"]
    requests = commands.requests
    assert model_data == requests.uri("models/run-1/output/model.tar.gz")
    assert commands.transform(model_data).strip() == requests.uri("out")
    lines = [line.split(",") for part in (0, 1) for line in requests.text(f"out/part-{part}.csv.out").splitlines()]
    assert [line[0] for line in lines] == ["ann", "bob", "cleo"]
    assert all(len(line) == 6 for line in lines)
    # ann is near one centre, bob and cleo near the other.
    assert lines[1][4] == lines[2][4] != lines[0][4]
    # The library reads the model that the algorithm wrote.
    requests.s3.download_file(requests.bucket, "models/run-1/output/model.tar.gz", str(tmp_path / "model.tar.gz"))
    centroids = centroids_in(LocalFolder(tmp_path / "model.tar.gz"))
    assert sorted(centroids.values()) == [pytest.approx((0, 0, 0.25), abs=0.1), pytest.approx((5, 5, 4.75), abs=0.1)]
    # The model of the transform is deleted.
    assert "not there" in commands.run("delete-endpoint", "--name", "score-1").splitlines()[2]


def test_a_dry_run_prints_the_requests_and_creates_nothing(commands: Commands, sagemaker: SageMaker) -> None:
    request = json.loads(commands.train("--dry-run"))["CreateTrainingJob"]
    assert request["TrainingJobName"] == "run-1"
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith("/kmeans:1")
    assert request["Tags"] == [{"Key": "project", "Value": "olist-rfm-segments"}]
    requests = json.loads(commands.transform("s3://bucket/model.tar.gz", "--dry-run"))
    assert list(requests) == ["CreateModel", "CreateTransformJob"]
    assert sagemaker.training.jobs == {}


def test_the_same_name_twice_is_one_job(commands: Commands, sagemaker: SageMaker) -> None:
    commands.train()
    assert "ResourceInUse" in commands.train(code=4)
    assert len(sagemaker.training.jobs) == 1


def test_a_training_that_fails_is_reported_with_its_reason_and_its_log(
    commands: Commands, sagemaker: SageMaker
) -> None:
    sagemaker.fail_training("AlgorithmError: framework error.")
    line = commands.train(code=4)
    assert line.startswith("deploy: TrainingJob run-1 is Failed, expected it to complete: AlgorithmError: framework er")
    assert "logFilter" not in line
    assert "$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Drun-1" in line


def test_columns_that_are_not_three_fail_the_training(commands: Commands) -> None:
    commands.requests.put("kmeans/train/part-2.csv", "1.0,2.0\n")
    assert "TrainingJob run-1 is Failed" in commands.train(code=4)


def test_a_training_that_is_stopped_or_out_of_time_is_reported(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.stop_training()
    assert "run-1 is Stopped, expected it to complete. Its log" in commands.train(code=4)
    sagemaker.exceed_max_runtime()
    line = commands.train("--name", "run-2", code=4)
    assert "run-2 is Stopped, expected it to complete: MaxRuntimeExceeded; give it more time (--max-runtime" in line


def test_a_limit_of_the_account_is_reported(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.exceed_limit()
    assert "ResourceLimitExceeded: The account-level service limit" in commands.train(code=4)


def test_a_call_that_is_not_allowed_is_reported(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.service.faults.deny("CreateTrainingJob")
    line = commands.train(code=4)
    assert "cannot create TrainingJob run-1: access denied (CreateTrainingJob: AccessDeniedException" in line
    assert "Check the credentials and what they may do" in line


def test_an_answer_that_is_lost_on_its_way_makes_no_second_job(commands: Commands, sagemaker: SageMaker) -> None:
    sagemaker.service.faults.drop_after("CreateTrainingJob")
    assert "model.tar.gz" in commands.train()
    assert list(sagemaker.training.jobs) == ["run-1"]


@pytest.mark.parametrize(("trouble", "state"), [("fail_transform", "Failed"), ("stop_transform", "Stopped")])
def test_a_transform_that_does_not_complete_is_reported(
    commands: Commands, sagemaker: SageMaker, trouble: str, state: str
) -> None:
    model_data = commands.train().splitlines()[-1]
    getattr(sagemaker, trouble)()
    assert f"TransformJob score-1 is {state}, expected it to complete" in commands.transform(model_data, code=4)


def test_an_endpoint_answers_and_goes(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    model_data = commands.train().splitlines()[-1]
    out = commands.run(
        "endpoint", "--role", SAGEMAKER_ROLE, "--model-data", model_data, "--name", "live", "--poll", "0"
    )
    assert "paid for by the hour until: python -m deploy sagemaker delete-endpoint --name live" in out
    lines = "0.0,0.0,0.1\n5.0,5.0,5.0\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    request = json.loads(commands.run("predict", "--name", "live", "--dry-run"))["InvokeEndpoint"]
    assert (request["EndpointName"], request["Body"]) == ("live", lines)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    predictions = json.loads(commands.run("predict", "--name", "live"))["predictions"]
    assert [set(prediction) for prediction in predictions] == [{"closest_cluster", "distance_to_cluster"}] * 2
    assert predictions[0]["closest_cluster"] != predictions[1]["closest_cluster"]
    gone = commands.run("delete-endpoint", "--name", "live").splitlines()
    assert gone == ["Endpoint live: deleted", "EndpointConfig live: deleted", "Model live: deleted"]
    again = commands.run("delete-endpoint", "--name", "live").splitlines()
    assert again[0] == "Endpoint live: was not there"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--role", "admin"], "expected a role's ARN"),
        (["--features", "/tmp/features"], "expected an address in S3"),
        (["--max-wait", "60"], "expected at least --max-runtime"),
        (["--subnets", "subnet-1"], "expected both or none"),
        (["--name", "x_y"], "letters, digits and hyphens"),
        (["--region", "mars"], "expected a region"),
        (["--k", "0"], "expected a whole number, at least 1"),
        (["--tag", "x"], "expected KEY=VALUE"),
    ],
)
def test_an_invalid_argument_is_reported_in_one_line(commands: Commands, arguments: list[str], message: str) -> None:
    assert message in commands.train(*arguments, code=2)


def test_without_the_sdk_the_extra_is_named(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="sagemaker")

    monkeypatch.setattr(sagemaker_sdk.importlib, "import_module", absent)
    assert "pip install 'olist-rfm-segments[deploy]'" in commands.train(code=2)
