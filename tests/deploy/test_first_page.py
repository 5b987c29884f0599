"""The commands of the first page, from an empty account to the log of a first run, and how each of them fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from tests.deploy.conftest import OUTPUTS
from tests.deploy.submitting import last_line
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.glue.service import Glue
from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService
from tests.fakes.logs.service import Logs
from tests.fakes.s3.service import S3Proxy

FILES = ("olist_customers_dataset.csv", "olist_orders_dataset.csv", "olist_order_payments_dataset.csv")
RUN = ("--as-of", "2018-10-17", "--run-id", "2018-10-17-first")
NO_KEY = (
    "User: arn:aws:sts::123456789012:assumed-role/engineer/ann is not authorized to perform: kms:GenerateDataKey on "
    "resource: arn:aws:kms:eu-west-1:123456789012:key/1 because no identity-based policy allows the "
    "kms:GenerateDataKey action"
)


@pytest.fixture
def deploy(packaged: Path, buckets: Any, cloud_formation: CloudFormation) -> Any:
    """The command line in an account where nothing was made yet."""
    del buckets, cloud_formation
    folders = {"up": ("--folder", str(packaged))}

    def run(*arguments: str) -> int:
        return main([*arguments, "--prefix", "shop", *folders.get(arguments[0], ())])

    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(f'"id"\n"{name}"\n')
    return folder


@pytest.fixture
def s3_proxy(aws: pytest.MonkeyPatch, s3_endpoint: str) -> Iterator[S3Proxy]:
    with S3Proxy(s3_endpoint).running() as proxy:
        aws.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        yield proxy


def test_four_commands_lead_from_an_empty_account_to_a_run_and_its_log(
    deploy: Any, data: Path, glue: Glue, logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy("up", "--only", "storage,jobs") == 0
    assert "Next: python -m deploy upload DATA" in capsys.readouterr().out

    assert deploy("upload", str(data)) == 0
    uploaded = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert uploaded == {f"s3://shop-data/raw/{name}" for name in FILES}

    glue.jobs.states = ["STARTING", "RUNNING", "SUCCEEDED"]
    capsys.readouterr()
    assert deploy("glue", "submit", *RUN, "--kmeans", "spark") == 0
    assert capsys.readouterr().out == "shop-pipeline jr_1: 2018-10-17-first\n"
    (started,) = glue.jobs.start_requests
    assert started["Arguments"] == {
        "--as-of": "2018-10-17",
        "--run-id": "2018-10-17-first",
        "--kmeans": "spark",
        "--output": "s3://shop-data/output",
        "--input": "s3://shop-data/raw",
        "--catalogue": "shop",
    }

    assert deploy("glue", "status", "jr_1") == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["JobRunState"], status["run_id"]) == ("SUCCEEDED", "2018-10-17-first")

    group = OUTPUTS["shop-jobs"]["PipelineLogPrefix"]
    logs.groups |= {f"{group}/output": {"jr_1": ["pipeline: run complete"]}, f"{group}/error": {}}
    assert deploy("glue", "logs", "jr_1") == 0
    assert capsys.readouterr().out == "pipeline: run complete\n"

    assert deploy("outputs") == 0
    assert json.loads(capsys.readouterr().out)["DataBucket"] == "shop-data"


def test_an_upload_without_the_right_to_use_the_key_names_the_action(
    deploy: Any, data: Path, s3_proxy: S3Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy("up", "--only", "storage,jobs") == 0
    capsys.readouterr()
    s3_proxy.inject("AccessDenied", method="PUT", path="/raw/", message=NO_KEY)
    assert deploy("upload", str(data)) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("deploy: s3 upload_file: access denied")
    assert "not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:" in line
    assert "Ask for the permission, or use other credentials" in line


def test_a_warehouse_whose_statements_may_make_no_grant_for_the_key_names_the_action(
    deploy: Any, redshift: JsonService, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "User is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:eu-west-1:123456789012:key/1"
    redshift.faults.respond_with("ExecuteStatement", ServiceError("AccessDeniedException", message))
    assert deploy("up", "--only", "storage,jobs,warehouse") == 4
    line = last_line(capsys)
    assert line.startswith("deploy: redshift-data execute_statement: access denied")
    assert "kms:CreateGrant" in line


def test_a_log_group_that_cannot_be_made_is_named_with_its_reason(
    deploy: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud_formation.failed_resource = ("GlueOutput", "AWS::Logs::LogGroup")
    cloud_formation.failures["shop-jobs"] = "The specified KMS key does not exist or is not allowed to be used"
    assert deploy("up", "--only", "storage,jobs") == 4
    assert last_line(capsys) == (
        "deploy: stack shop-jobs ended as ROLLBACK_COMPLETE: GlueOutput (AWS::Logs::LogGroup): The specified KMS key "
        "does not exist or is not allowed to be used. Remove the cause, run `down`, since CloudFormation changes no "
        "stack in this state, then run `up` again"
    )


def test_a_stack_that_failed_is_taken_down_and_made_again_without_loss_of_the_data(
    deploy: Any, data: Path, buckets: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud_formation.failures["shop-jobs"] = "no such worker type here"
    assert deploy("up", "--only", "storage,jobs") == 4
    assert deploy("upload", str(data)) == 0
    assert deploy("up", "--only", "jobs") == 2
    assert "stack shop-jobs is ROLLBACK_COMPLETE" in last_line(capsys)
    del cloud_formation.failures["shop-jobs"]
    assert deploy("down", "--keep", "data", "--yes") == 0
    assert deploy("up", "--only", "storage,jobs") == 0
    assert buckets.head_object(Bucket="shop-data", Key=f"raw/{FILES[0]}")["ContentLength"] > 0


def test_a_run_before_its_stack_names_the_stack_that_is_missing(
    deploy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy("upload", ".") == 2
    assert deploy("glue", "submit", *RUN) == 2
    assert "--prefix shop: no stacks of that name in eu-west-1. Create them with `up`" in last_line(capsys)


def test_a_run_that_fails_ends_with_the_code_of_the_step(
    deploy: Any, buckets: Any, glue: Glue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy("up", "--only", "storage,jobs") == 0
    glue.jobs.states = ["RUNNING", "FAILED"]
    failure = json.dumps({"exit_code": 3, "error": "payments: 2 % of rows are in quarantine"})
    buckets.put_object(Bucket="shop-data", Key="output/runs/2018-10-17-first/failure.json", Body=failure.encode())
    assert deploy("glue", "submit", *RUN) == 3
    assert last_line(capsys) == "deploy: payments: 2 % of rows are in quarantine"
