import io
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.upload import DATA_SETS, ENDINGS, raw_files
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.errors import ConfigurationError
from jobs.inputs import input_files
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.emr.service import EmrServerless
from tests.fakes.step_functions.service import StepFunctions

FILES = ("olist_customers_dataset.csv", "olist_orders_dataset.csv", "olist_order_payments_dataset.csv")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(f'"id"\n"{name}"\n')
    return folder


def test_upload_has_the_names_and_endings_that_runs_read() -> None:
    # Deploy imports no Spark, so it repeats the names of the contracts.
    assert set(DATA_SETS) == {contract.file for contract in FILE_CONTRACTS}
    assert ENDINGS == input_files.SUFFIXES


def versions(s3: Any, bucket: str) -> int:
    page = s3.list_object_versions(Bucket=bucket)
    return len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))


def test_upload_puts_the_three_files_where_runs_read_them(data: Path, deployed: CloudFormation, buckets: Any) -> None:
    del deployed
    (data / "notes.txt").write_text("not for upload")
    assert main(["upload", str(data), "--prefix", "shop"]) == 0
    keys = {each["Key"] for each in buckets.list_objects_v2(Bucket="shop-data")["Contents"]}
    assert keys == {f"raw/{name}" for name in FILES}
    body = buckets.get_object(Bucket="shop-data", Key=f"raw/{FILES[0]}")["Body"].read()
    assert body == (data / FILES[0]).read_bytes()


def test_a_folder_of_parts_and_a_gzipped_file_go_up_as_they_are(data: Path) -> None:
    (data / FILES[0]).unlink()
    (data / FILES[0]).mkdir()
    (data / FILES[0] / "part-1.csv").write_text("1")
    (data / FILES[0] / "part-2").write_text("2")
    (data / FILES[0] / "more").mkdir()
    (data / FILES[0] / "more" / "PART-3.CSV").write_text("3")
    (data / FILES[0] / ".part-1.csv.crc").touch()
    (data / FILES[1]).rename(data / f"{FILES[1]}.gz")
    assert set(raw_files(data)) == {
        f"raw/{FILES[0]}/part-1.csv",
        f"raw/{FILES[0]}/part-2",
        f"raw/{FILES[0]}/more/PART-3.CSV",
        f"raw/{FILES[1]}.gz",
        f"raw/{FILES[2]}",
    }


def test_files_of_an_earlier_upload_that_a_run_would_read_too_are_deleted(
    data: Path, deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployed
    (data / FILES[0]).unlink()
    (data / FILES[0]).mkdir()
    for part in ("part-1.csv", "part-2.csv"):
        (data / FILES[0] / part).write_text(part)
    buckets.put_object(Bucket="shop-data", Key="raw/else.csv", Body=b"another file")
    assert main(["upload", str(data), "--prefix", "shop"]) == 0
    (data / FILES[0] / "part-1.csv").rename(data / FILES[0] / "part-3.csv")
    (data / FILES[1]).rename(data / f"{FILES[1]}.gz")
    capsys.readouterr()
    assert main(["upload", str(data), "--prefix", "shop"]) == 0
    keys = {each["Key"] for each in buckets.list_objects_v2(Bucket="shop-data")["Contents"]}
    assert keys == {"raw/else.csv", *raw_files(data)}
    out = capsys.readouterr().out
    assert f"raw/{FILES[0]}/part-1.csv  deleted: of an earlier upload" in out
    assert f"raw/{FILES[1]}  deleted" in out


def test_a_folder_without_parts_is_refused_and_nothing_is_deleted(
    data: Path, deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployed
    buckets.put_object(Bucket="shop-data", Key=f"raw/{FILES[0]}", Body=b"of yesterday")
    (data / FILES[0]).unlink()
    (data / FILES[0]).mkdir()
    (data / FILES[0] / "_SUCCESS").touch()
    assert main(["upload", str(data), "--prefix", "shop"]) == 2
    assert f"{FILES[0]}: no part in it, expected at least one" in capsys.readouterr().err
    assert versions(buckets, "shop-data") == 1


def test_a_missing_file_is_reported_before_anything_is_uploaded(
    data: Path, deployed: CloudFormation, buckets: Any
) -> None:
    (data / FILES[2]).unlink()
    with pytest.raises(ConfigurationError, match="found nothing, expected olist_order_payments_dataset once"):
        raw_files(data)
    assert main(["upload", str(data), "--prefix", "shop"]) == 2
    assert versions(buckets, "shop-data") == 0
    assert deployed.calls == []


def test_a_dry_run_of_upload_prints_the_file_and_the_key_of_each_upload(
    data: Path, deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployed
    assert main(["upload", str(data), "--prefix", "shop", "--dry-run"]) == 0
    first = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "\n}")
    assert first["parameters"] == {"Filename": str(data / FILES[0]), "Bucket": "shop-data", "Key": f"raw/{FILES[0]}"}
    assert versions(buckets, "shop-data") == 0


def test_down_empties_every_version_and_deletes_the_stacks_last_first(
    deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=str(number).encode())
    buckets.delete_object(Bucket="shop-data", Key="raw/a.csv")
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    deleted = [call.request["StackName"] for call in deployed.calls if call.operation == "DeleteStack"]
    assert deleted == ["shop-nightly", "shop-warehouse", "shop-jobs", "shop-storage"]
    assert deployed.stacks == {}
    assert versions(buckets, "shop-data") == 0
    out = capsys.readouterr().out
    assert "shop-data: 4 versions of objects" in out
    assert "the warehouse with all its tables" in out


def test_down_asks_and_leaves_everything_after_another_answer(
    deployed: CloudFormation, buckets: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=b"1")
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main(["down", "--prefix", "shop"]) == 2
    assert "nothing was taken down" in capsys.readouterr().err
    assert (len(deployed.stacks), versions(buckets, "shop-data")) == (4, 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("shop\n"))
    assert main(["down", "--prefix", "shop"]) == 0
    assert (len(deployed.stacks), versions(buckets, "shop-data")) == (0, 0)


def test_a_dry_run_of_down_prints_the_requests_and_deletes_nothing(
    deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=b"1")
    assert main(["down", "--prefix", "shop", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert printed.count('"operation": "delete_stack"') == 4
    assert printed.count('"operation": "delete_objects"') == 1
    assert (len(deployed.stacks), versions(buckets, "shop-data")) == (4, 1)


def test_down_cancels_what_the_application_runs_and_stops_it(
    deployed: CloudFormation, buckets: Any, emr_serverless: EmrServerless
) -> None:
    del buckets
    emr_serverless.application_states, emr_serverless.active_job_runs = ["STARTED"], ["job1", "job2"]
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert deployed.stacks == {}
    assert emr_serverless.cancelled_job_runs == ["job1", "job2"]
    assert not emr_serverless.application_is_started()


def test_down_stops_the_executions_in_progress_before_it_deletes_their_machine(
    deployed: CloudFormation, buckets: Any, step_functions: StepFunctions, capsys: pytest.CaptureFixture[str]
) -> None:
    del buckets
    step_functions.running_executions, step_functions.started_by_schedule = ["nightly-1"], ["nightly-2"]
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert (deployed.stacks, step_functions.running_executions, set(step_functions.stopped)) == (
        {},
        [],
        {"nightly-1", "nightly-2"},
    )
    assert "runs of shop-nightly: busy" in capsys.readouterr().err


def test_down_continues_if_the_state_machine_is_gone(
    deployed: CloudFormation, buckets: Any, step_functions: StepFunctions
) -> None:
    del buckets
    step_functions.machine_exists = False
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert deployed.stacks == {}


def test_down_ends_at_a_stack_that_cannot_be_deleted(
    deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=b"1")
    deployed.failures["shop-warehouse"] = "the network is in use"
    assert main(["down", "--prefix", "shop", "--yes"]) == 4
    assert "stack shop-warehouse ended as DELETE_FAILED" in capsys.readouterr().err
    assert versions(buckets, "shop-data") == 1
    del deployed.failures["shop-warehouse"]
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert deployed.stacks == {}


def test_down_without_stacks_reports_that_there_are_none(
    cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del cloud_formation
    assert main(["down", "--prefix", "bank"]) == 0
    assert "bank: no stacks in eu-west-1" in capsys.readouterr().out


def test_missing_credentials_are_reported_with_what_to_do(
    cloud_formation: CloudFormation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del cloud_formation
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main(["outputs"]) == 2
    assert "no AWS credentials (Unable to locate credentials). Run `aws configure`" in capsys.readouterr().err


@pytest.mark.parametrize("prefix", ["Shop", "s", "shop_1", "a" * 21])
def test_a_prefix_that_does_not_fit_a_bucket_name_is_refused(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outputs", "--prefix", prefix]) == 2
    assert f"invalid --prefix '{prefix}': expected 3 to 20 lower-case letters" in capsys.readouterr().err
