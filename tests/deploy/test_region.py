"""Where the commands find the account and the region, and in which order."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError

from deploy.__main__ import main
from deploy.aws.requests import Aws, Request, request_errors
from deploy.sagemaker.sdk import is_transient
from jobs.aws.errors import NO_CREDENTIALS
from jobs.errors import ConfigurationError
from tests.fakes.environment import SAGEMAKER_ROLE

TRAIN = (
    *("sagemaker", "train", "--dry-run", "--role", SAGEMAKER_ROLE),
    *("--features", "s3://bucket/train/", "--output", "s3://bucket/models"),
)
IDENTITY = Request("sts", "get_caller_identity", {})


@pytest.fixture
def nowhere(aws: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No region in the environment; the profile ``work`` has one."""
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-central-1\n[profile bare]\n")
    aws.setenv("AWS_CONFIG_FILE", str(config))
    aws.delenv("AWS_REGION")
    aws.delenv("AWS_DEFAULT_REGION")
    return aws


def test_the_option_wins_over_the_environment_and_the_environment_over_the_profile(nowhere: pytest.MonkeyPatch) -> None:
    assert Aws(profile="work").region == "eu-central-1"
    nowhere.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert Aws(profile="work").region == "eu-west-2"
    nowhere.setenv("AWS_REGION", "eu-west-3")
    assert Aws(profile="work").region == "eu-west-3"
    assert Aws(profile="work", region="eu-north-1").region == "eu-north-1"


def test_clients_have_the_region(nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("AWS_REGION", "eu-west-3")
    assert Aws().client("glue").meta.region_name == "eu-west-3"


def test_sagemaker_finds_its_region_in_the_profile(
    nowhere: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del nowhere
    assert main([*TRAIN, "--profile", "work"]) == 0
    request = json.loads(capsys.readouterr().out)["CreateTrainingJob"]
    assert ".dkr.ecr.eu-central-1." in request["AlgorithmSpecification"]["TrainingImage"]


@pytest.mark.parametrize(
    ("profile", "message"),
    [("bare", "no AWS region is set. Give --region"), ("none", "profile (none) could not be found")],
)
def test_a_missing_region_and_a_missing_profile_are_reported(
    nowhere: pytest.MonkeyPatch, profile: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del nowhere
    assert main([*TRAIN, "--profile", profile]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize("error", NO_CREDENTIALS.exceptions)
def test_missing_credentials_are_reported_at_once_and_not_taken_for_a_lost_connection(
    error: type[BotoCoreError],
) -> None:
    raised = error.__new__(error)
    Exception.__init__(raised, "the session has expired")
    assert not is_transient(raised)
    with (
        pytest.raises(ConfigurationError, match=r"no AWS credentials \(the session has expired\)"),
        request_errors(IDENTITY),
    ):
        raise raised
