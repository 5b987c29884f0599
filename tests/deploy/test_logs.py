import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from deploy.__main__ import main
from tests.deploy.cloud_formation import CloudFormation
from tests.deploy.runners import Runners
from tests.stand_ins.fixtures import CREDENTIALS


@pytest.fixture
def logs(aws: pytest.MonkeyPatch, made: CloudFormation, s3_endpoint: str) -> Iterator[Any]:
    """CloudWatch Logs by moto, which keeps events as they were put; Glue by its stand-in."""
    del made
    runners = Runners(["SUCCEEDED"])
    runners.started.append({"JobName": "shop-pipeline", "Arguments": {"--run-id": "2018-10-17-nightly"}})
    client = boto3.client("logs", endpoint_url=s3_endpoint, **CREDENTIALS)
    with runners.running() as environment:
        for name, url in environment.items():
            aws.setenv(name, url)
        yield client


def write(client: Any, group: str, stream: str, *lines: str) -> None:
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)  # CloudWatch takes nothing older than 14 days
    events = [{"timestamp": now + number, "message": line} for number, line in enumerate(lines)]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


@pytest.fixture
def _clean(logs: Any) -> Iterator[None]:
    yield
    for group in logs.describe_log_groups()["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])


@pytest.mark.usefixtures("_clean")
def test_the_log_of_a_job_run_is_printed_and_that_of_others_is_not(
    logs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(logs, "/aws-glue/jobs/error", "jr_1", "pipeline: one", "pipeline: two")
    write(logs, "/aws-glue/jobs/output", "jr_2", "another run")
    assert main(["glue", "logs", "--prefix", "shop", "jr_1"]) == 0
    assert capsys.readouterr().out == "pipeline: one\npipeline: two\n"


@pytest.mark.usefixtures("_clean")
def test_the_log_of_a_run_on_emr_is_found_by_the_runs_id(logs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write(logs, "/shop/emr", "2018-10-17-nightly/applications/00f1abcd/jobs/01/SPARK_DRIVER/stderr", "driver: one")
    assert main(["emr", "logs", "--prefix", "shop", "2018-10-17-nightly"]) == 0
    assert capsys.readouterr().out == "driver: one\n"


def test_a_log_that_is_not_there_yet_is_told(logs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    del logs
    assert main(["emr", "logs", "--prefix", "shop", "2018-10-17-nightly"]) == 4
    assert "no log group /shop/emr yet" in capsys.readouterr().err
