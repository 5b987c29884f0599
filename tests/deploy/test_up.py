import json
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from tests.deploy.conftest import OUTPUTS, STATEMENT
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.emr.service import EmrServerless
from tests.fakes.http.protocols import JsonService
from tests.fakes.step_functions.service import StepFunctions

ALL = ["shop-storage", "shop-jobs", "shop-warehouse", "shop-nightly"]


@pytest.fixture
def up(packaged: Path, buckets: Any, redshift: JsonService) -> Any:
    del buckets, redshift

    def run(*arguments: str) -> int:
        return main(["up", "--prefix", "shop", "--folder", str(packaged), *arguments])

    return run


def keys_in(s3: Any, bucket: str) -> set[str]:
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}
    return {key for key in keys if not key.startswith("templates/")}


def test_up_creates_the_stacks_in_their_order_and_uploads_the_code_to_their_keys(
    up: Any, cloud_formation: CloudFormation, buckets: Any, redshift: JsonService
) -> None:
    assert up() == 0
    assert cloud_formation.completed == ALL
    assert keys_in(buckets, "shop-artifacts") == {
        "code/0a1b0a1b0a1b0a1b/olist_rfm_segments.zip",
        "code/0a1b0a1b0a1b0a1b/pipeline.py",
        "code/0a1b0a1b0a1b0a1b/segments.py",
        "code/0a1b0a1b0a1b0a1b/publish.py",
        "dependencies/dependencies-glue-6.0-x86_64-1a2b.gluewheels.zip",
        "dependencies/dependencies-emr-8.1-x86_64-1a2b.zip",
    }
    jobs = cloud_formation.stacks["shop-jobs"]["parameters"]
    assert jobs["CodeKey"] == "code/0a1b0a1b0a1b0a1b"
    assert jobs["DataBucket"] == "shop-data"
    assert cloud_formation.stacks["shop-warehouse"]["parameters"]["PublishRoleName"] == "shop-publish"
    assert cloud_formation.stacks["shop-nightly"]["parameters"]["Workgroup"] == "shop"
    statements = [call.request["Sql"] for call in redshift.calls if call.operation == "ExecuteStatement"]
    assert statements[0] == 'create user "IAMR:shop-publish" password disable'
    assert all('"IAMR:shop-publish"' in statement for statement in statements)


def test_up_again_changes_nothing_and_uploads_nothing(up: Any, cloud_formation: CloudFormation, buckets: Any) -> None:
    assert up() == 0
    before = buckets.list_object_versions(Bucket="shop-artifacts")["Versions"]
    assert up() == 0
    assert cloud_formation.completed == ALL
    assert buckets.list_object_versions(Bucket="shop-artifacts")["Versions"] == before
    assert cloud_formation.change_sets == {}


def test_a_setting_changes_its_stack_alone_and_stays(up: Any, cloud_formation: CloudFormation) -> None:
    assert up("--set", "GlueWorkers=5") == 0
    assert up("--set", "GlueWorkers=10") == 0
    assert cloud_formation.completed == [*ALL, "shop-jobs"]
    assert up() == 0
    assert cloud_formation.completed == [*ALL, "shop-jobs"]
    assert cloud_formation.stacks["shop-jobs"]["parameters"]["GlueWorkers"] == "10"


def test_two_prefixes_are_two_sets_of_stacks(up: Any, cloud_formation: CloudFormation, packaged: Path) -> None:
    cloud_formation.outputs = OUTPUTS | {name.replace("shop", "bank"): outputs for name, outputs in OUTPUTS.items()}
    assert up() == 0
    assert main(["up", "--prefix", "bank", "--folder", str(packaged)]) == 0
    assert cloud_formation.completed == [*ALL, *(name.replace("shop", "bank") for name in ALL)]


def test_an_execution_in_progress_keeps_the_code_that_it_began_with(
    up: Any, deployed: CloudFormation, step_functions: StepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    step_functions.running_executions = ["nightly-1"]
    assert up() == 2
    assert "execution:shop-nightly:nightly-1: in progress, expected none" in capsys.readouterr().err
    assert {call.operation for call in deployed.calls} == {"DescribeStacks"}


def test_a_dry_run_prints_every_request_and_sends_none_that_changes(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str], buckets: Any
) -> None:
    assert up("--dry-run") == 0
    printed = capsys.readouterr().out
    requests = [json.loads(part) for part in printed.replace("}\n{", "}\0{").split("\0")]
    operations = [
        request["operation"]
        for request in requests
        if not request["parameters"].get("Key", "").startswith("templates/")
    ]
    assert operations.count("create_change_set") == 4
    assert operations.count("upload_file") == 6
    assert operations.count("execute_statement") == 3
    assert "<Workgroup of shop-warehouse>" in printed
    assert {call.operation for call in cloud_formation.calls} == {"DescribeStacks"}
    assert keys_in(buckets, "shop-artifacts") == set()


def test_a_stack_that_rolls_back_is_reported_with_the_resource_that_failed_first(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud_formation.failures["shop-warehouse"] = "The quota of keys is reached"
    assert up() == 4
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("deploy: stack shop-warehouse ended as ROLLBACK_COMPLETE: Key (AWS::KMS::Key): The quota")
    assert cloud_formation.completed == ["shop-storage", "shop-jobs"]
    assert up() == 2
    assert "Delete it with `down`" in capsys.readouterr().err


def test_a_change_that_rolls_back_can_be_tried_again(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up() == 0
    cloud_formation.failures["shop-jobs"] = "no such worker type here"
    assert up("--set", "GlueWorkerType=G.8X") == 4
    assert "UPDATE_ROLLBACK_COMPLETE" in capsys.readouterr().err
    del cloud_formation.failures["shop-jobs"]
    assert up("--set", "GlueWorkerType=G.8X") == 0
    assert cloud_formation.stacks["shop-jobs"]["parameters"]["GlueWorkerType"] == "G.8X"


def test_throttling_and_lost_connections_are_waited_out(up: Any, cloud_formation: CloudFormation) -> None:
    cloud_formation.faults.throttle("DescribeStacks", times=3)
    cloud_formation.faults.drop_before("CreateChangeSet", times=2)
    cloud_formation.faults.drop_after("DescribeChangeSet", times=2)
    assert up() == 0
    assert cloud_formation.completed == ALL


def test_a_refusal_is_reported_in_one_line_with_what_to_do(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud_formation.faults.deny("CreateChangeSet")
    assert up() == 4
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("deploy: cloudformation create_change_set: access denied (CreateChangeSet: AccessDenied")
    assert "is not authorized to perform: CreateChangeSet). Ask for the permission" in line


def test_an_unknown_setting_is_refused_before_anything_is_done(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up("--set", "GlueWorker=5") == 2
    assert "invalid --set GlueWorker=5: expected NAME=VALUE, NAME one of " in capsys.readouterr().err
    assert cloud_formation.calls == []


def test_a_statement_that_the_warehouse_refuses_is_reported_with_its_sql(
    up: Any, cloud_formation: CloudFormation, redshift: JsonService, capsys: pytest.CaptureFixture[str]
) -> None:
    del cloud_formation
    failed = {"Id": STATEMENT, "Status": "FAILED", "Error": "ERROR: permission denied for database segments"}
    redshift._operations["DescribeStatement"] = lambda _: failed
    assert up() == 4
    assert "could not create the user (ERROR: permission denied" in capsys.readouterr().err
    redshift._operations["DescribeStatement"] = lambda _: failed | {"Error": 'ERROR: user "x" already exists'}
    assert up() == 0


def test_outputs_are_those_of_all_stacks(deployed: CloudFormation, capsys: pytest.CaptureFixture[str]) -> None:
    del deployed
    assert main(["outputs", "--prefix", "shop"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        key: value for outputs in OUTPUTS.values() for key, value in outputs.items()
    }


def test_outputs_of_a_prefix_without_stacks_name_the_prefix(
    cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del cloud_formation
    assert main(["outputs", "--prefix", "bank"]) == 2
    assert "--prefix bank: no stacks of that name in eu-west-1. Create them with `up`" in capsys.readouterr().err


def test_an_interrupted_up_is_waited_for_and_continued(up: Any, cloud_formation: CloudFormation) -> None:
    assert up() == 0
    cloud_formation.stacks["shop-jobs"]["statuses"] = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert up("--set", "GlueWorkers=10") == 0
    assert cloud_formation.completed == [*ALL, "shop-jobs"]


def test_the_newest_of_two_failures_is_reported(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up() == 0
    for reason in ("no such worker type here", "the quota of workers is reached"):
        cloud_formation.failures["shop-jobs"] = reason
        assert up("--set", "GlueWorkerType=G.8X") == 4
        assert f"Key (AWS::KMS::Key): {reason}" in capsys.readouterr().err


def test_the_way_back_to_earlier_settings_and_forward_again_is_open(up: Any, cloud_formation: CloudFormation) -> None:
    assert up() == 0
    for workers in ("9", "10", "9", "10"):
        assert up("--set", f"GlueWorkers={workers}") == 0
        assert cloud_formation.stacks["shop-jobs"]["parameters"]["GlueWorkers"] == workers


def test_an_application_that_has_started_is_stopped_before_it_is_changed(
    up: Any, cloud_formation: CloudFormation, emr_serverless: EmrServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up() == 0
    emr_serverless.application_states = ["STARTED"]
    assert up("--set", "GlueWorkers=10") == 0
    assert emr_serverless.application_is_started()
    emr_serverless.active_job_runs = ["job1"]
    assert up("--set", "EmrCpus=64") == 2
    assert "application 00f1abcd runs job1, and changes only while it is stopped" in capsys.readouterr().err
    assert emr_serverless.cancelled_job_runs == []
    emr_serverless.active_job_runs = []
    assert up("--set", "EmrCpus=64") == 0
    assert cloud_formation.stacks["shop-jobs"]["parameters"]["EmrCpus"] == "64"


def test_the_architecture_that_was_chosen_stays(up: Any, cloud_formation: CloudFormation) -> None:
    assert up("--arch", "arm64") == 0
    assert up() == 0
    assert cloud_formation.completed == ALL
    assert cloud_formation.stacks["shop-jobs"]["parameters"]["EmrArchitecture"] == "ARM64"


def test_the_next_commands_are_printed_for_these_stacks(
    up: Any, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del cloud_formation
    assert up("--region", "eu-west-1") == 0
    assert "python -m deploy run --prefix shop --region eu-west-1 --as-of YYYY-MM-DD" in capsys.readouterr().out
