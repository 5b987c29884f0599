"""What `down` keeps by choice, and what it stops before it deletes anything."""

import json
from typing import Any

import pytest

from deploy.__main__ import main
from tests.deploy.conftest import OPTIONAL_OUTPUTS
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.glue.service import Glue
from tests.fakes.redshift.serverless import RedshiftServerless

DOWN = ("down", "--prefix", "shop", "--yes")
OWN_KEY = "arn:aws:kms:eu-west-1:123456789012:key/2"


def deleted(service: CloudFormation) -> list[str]:
    return [call.request["StackName"] for call in service.calls if call.operation == "DeleteStack"]


def test_the_data_and_its_key_stay_as_they_are(
    deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=b"1")
    assert main([*DOWN, "--keep", "data"]) == 0
    assert deleted(deployed) == ["shop-nightly", "shop-warehouse", "shop-jobs"]
    assert list(deployed.stacks) == ["shop-storage"]
    assert buckets.get_object(Bucket="shop-data", Key="raw/a.csv")["Body"].read() == b"1"
    out = capsys.readouterr().out
    assert "This stays:\n  shop-storage: the buckets with every file in them, and the key\n" in out
    assert "shop-data: " not in out
    assert main([*DOWN, "--keep", "data"]) == 0
    assert capsys.readouterr().out == (
        "shop: no stacks in eu-west-1, but shop-storage, which --keep data keeps; nothing to take down\n"
    )


def test_the_warehouse_stays_as_a_snapshot_that_is_complete_before_its_stack_goes(
    deployed: CloudFormation, buckets: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    del buckets
    assert main([*DOWN, "--keep", "data", "--keep", "warehouse"]) == 0
    ((snapshot, states),) = serverless.snapshots.items()
    assert states == ["AVAILABLE"]
    assert [call.request for call in serverless.calls if call.operation == "CreateSnapshot"] == [
        {"namespaceName": "shop", "snapshotName": snapshot}
    ]
    assert list(deployed.stacks) == ["shop-storage"]
    out = capsys.readouterr().out
    assert "  a snapshot of the warehouse, which is taken before its stack goes\n" in out
    assert (
        "restore it: aws redshift-serverless restore-from-snapshot --region eu-west-1 --snapshot-name "
        f"{snapshot} --namespace-name shop --workgroup-name shop; delete it: "
    ) in out


def test_a_snapshot_that_fails_ends_down_before_the_warehouse_goes(
    deployed: CloudFormation, buckets: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    del buckets
    serverless.snapshot_states = ["CREATING", "FAILED"]
    assert main([*DOWN, "--keep", "data", "--keep", "warehouse"]) == 4
    assert "of namespace shop ended as FAILED, expected AVAILABLE. The warehouse was not deleted" in (
        capsys.readouterr().err
    )
    assert "shop-warehouse" in deployed.stacks


def test_a_snapshot_needs_the_key_of_the_data(
    deployed: CloudFormation, buckets: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    del buckets
    assert main([*DOWN, "--keep", "warehouse"]) == 2
    assert capsys.readouterr().err == (
        "deploy: --keep warehouse: the snapshot is encrypted with the key of shop-storage, which would go, expected "
        "--keep data too. Give both; nothing was taken down\n"
    )
    assert deleted(deployed) == []
    deployed.stacks["shop-storage"]["parameters"]["OwnKeyArn"] = OWN_KEY
    assert main([*DOWN, "--keep", "warehouse"]) == 0
    assert (len(serverless.snapshots), deployed.stacks) == (1, {})
    assert "in every version; not the key, which is your own" in capsys.readouterr().out


def test_optional_stacks_go_in_their_place(
    deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del buckets
    for name, outputs in OPTIONAL_OUTPUTS.items():
        deployed.stacks[name] = {"statuses": ["CREATE_COMPLETE"], "parameters": {}, "outputs": outputs, "body": "{}"}
    assert main(DOWN) == 0
    assert deleted(deployed) == [
        *("shop-nightly", "shop-bi", "shop-warehouse", "shop-jobs", "shop-network", "shop-storage")
    ]
    out = capsys.readouterr().out
    assert "shop-bi: the dashboard, its data sets, and Athena's workgroup" in out
    assert (
        "shop-jobs: the Glue jobs, the EMR application, the roles, the logs, and the catalogue with its tables" in out
    )


def test_a_job_run_on_glue_is_stopped_before_its_logs_and_buckets_go(
    deployed: CloudFormation, buckets: Any, glue: Glue
) -> None:
    del buckets
    glue.jobs.states = ["RUNNING", "RUNNING", "SUCCEEDED"]
    glue.jobs.start_requests.append({"JobName": "shop-pipeline", "Arguments": {}})
    assert main(DOWN) == 0
    stops = [call.request for call in glue.calls if call.operation == "BatchStopJobRun"]
    assert stops == [{"JobName": "shop-pipeline", "JobRunIds": ["jr_1"]}]
    assert deployed.stacks == {}


def test_a_dry_run_prints_the_snapshot_and_takes_none(
    deployed: CloudFormation, buckets: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    del buckets
    assert main(["down", "--prefix", "shop", "--keep", "data", "--keep", "warehouse", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    requests = [json.loads("{" + part) for part in printed.partition("\n{")[2].split("\n{")]
    assert [request["operation"] for request in requests] == [
        *("delete_stack", "create_snapshot", "delete_stack", "stop_application", "delete_stack")
    ]
    assert (serverless.snapshots, len(deployed.stacks)) == ({}, 4)
