import io
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.upload import files_of
from jobs.errors import ConfigurationError
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.emr.application import EmrApplication
from tests.fakes.step_functions.executions import Nights

FILES = ("olist_customers_dataset.csv", "olist_orders_dataset.csv", "olist_order_payments_dataset.csv")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(f'"id"\n"{name}"\n')
    return folder


def versions(s3: Any, bucket: str) -> int:
    page = s3.list_object_versions(Bucket=bucket)
    return len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))


def test_upload_puts_the_three_files_where_runs_read_them(data: Path, made: CloudFormation, buckets: Any) -> None:
    del made
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
    (data / FILES[0] / "part-2.csv").write_text("2")
    (data / FILES[1]).rename(data / f"{FILES[1]}.gz")
    assert set(files_of(data)) == {
        f"raw/{FILES[0]}/part-1.csv",
        f"raw/{FILES[0]}/part-2.csv",
        f"raw/{FILES[1]}.gz",
        f"raw/{FILES[2]}",
    }


def test_what_an_earlier_upload_left_and_a_run_would_read_too_is_deleted(
    data: Path, made: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del made
    (data / FILES[0]).unlink()
    (data / FILES[0]).mkdir()
    for part in ("part-1.csv", "part-2.csv"):
        (data / FILES[0] / part).write_text(part)
    buckets.put_object(Bucket="shop-data", Key="raw/else.csv", Body=b"not of ours")
    assert main(["upload", str(data), "--prefix", "shop"]) == 0
    (data / FILES[0] / "part-1.csv").rename(data / FILES[0] / "part-3.csv")
    (data / FILES[1]).rename(data / f"{FILES[1]}.gz")
    capsys.readouterr()
    assert main(["upload", str(data), "--prefix", "shop"]) == 0
    keys = {each["Key"] for each in buckets.list_objects_v2(Bucket="shop-data")["Contents"]}
    assert keys == {"raw/else.csv", *files_of(data)}
    told = capsys.readouterr().out
    assert f"raw/{FILES[0]}/part-1.csv  deleted: of an earlier upload" in told
    assert f"raw/{FILES[1]}  deleted" in told


def test_a_folder_with_nothing_that_a_run_reads_is_told_and_deletes_nothing(
    data: Path, made: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del made
    buckets.put_object(Bucket="shop-data", Key=f"raw/{FILES[0]}", Body=b"of yesterday")
    (data / FILES[0]).unlink()
    (data / FILES[0]).mkdir()
    (data / FILES[0] / "part-00000").write_text("a,b")
    assert main(["upload", str(data), "--prefix", "shop"]) == 2
    assert f"{FILES[0]}: no part *.csv or *.csv.gz in it" in capsys.readouterr().err
    assert versions(buckets, "shop-data") == 1


def test_a_file_that_is_missing_is_told_before_anything_is_uploaded(
    data: Path, made: CloudFormation, buckets: Any
) -> None:
    (data / FILES[2]).unlink()
    with pytest.raises(ConfigurationError, match=r"neither of olist_order_payments_dataset.csv and .*\.csv\.gz"):
        files_of(data)
    assert main(["upload", str(data), "--prefix", "shop"]) == 2
    assert versions(buckets, "shop-data") == 0
    assert made.calls == []


def test_a_dry_run_of_upload_prints_what_would_go_where(
    data: Path, made: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del made
    assert main(["upload", str(data), "--prefix", "shop", "--dry-run"]) == 0
    first = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "\n}")
    assert first["parameters"] == {"Filename": str(data / FILES[0]), "Bucket": "shop-data", "Key": f"raw/{FILES[0]}"}
    assert versions(buckets, "shop-data") == 0


def test_down_empties_every_version_and_deletes_the_stacks_last_first(
    made: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=str(number).encode())
    buckets.delete_object(Bucket="shop-data", Key="raw/a.csv")
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    deleted = [call.request["StackName"] for call in made.calls if call.operation == "DeleteStack"]
    assert deleted == ["shop-nightly", "shop-jobs", "shop-warehouse", "shop-storage"]
    assert made.stacks == {}
    assert versions(buckets, "shop-data") == 0
    told = capsys.readouterr().out
    assert "shop-data: 4 versions of objects" in told
    assert "the warehouse with all its tables" in told


def test_down_asks_and_leaves_everything_when_the_answer_is_another(
    made: CloudFormation, buckets: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=b"1")
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main(["down", "--prefix", "shop"]) == 2
    assert "nothing was taken down" in capsys.readouterr().err
    assert (len(made.stacks), versions(buckets, "shop-data")) == (4, 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("shop\n"))
    assert main(["down", "--prefix", "shop"]) == 0
    assert (len(made.stacks), versions(buckets, "shop-data")) == (0, 0)


def test_a_dry_run_of_down_prints_the_requests_and_deletes_nothing(
    made: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=b"1")
    assert main(["down", "--prefix", "shop", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert printed.count('"operation": "delete_stack"') == 4
    assert printed.count('"operation": "delete_objects"') == 1
    assert (len(made.stacks), versions(buckets, "shop-data")) == (4, 1)


def test_down_cancels_what_the_application_runs_and_stops_it(
    made: CloudFormation, buckets: Any, application: EmrApplication
) -> None:
    del buckets
    application.steps, application.runs = ["STARTED"], ["job1", "job2"]
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert made.stacks == {}
    assert application.cancelled == ["job1", "job2"]
    assert not application.is_started()


def test_down_stops_a_night_in_progress_before_its_machine_is_deleted(
    made: CloudFormation, buckets: Any, nights: Nights, capsys: pytest.CaptureFixture[str]
) -> None:
    del buckets
    nights.running_now, nights.starts_meanwhile = ["nightly-1"], ["nightly-2"]
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert (made.stacks, nights.running_now, set(nights.stopped)) == ({}, [], {"nightly-1", "nightly-2"})
    assert "runs of shop-nightly: busy" in capsys.readouterr().err


def test_down_minds_no_machine_that_is_gone(made: CloudFormation, buckets: Any, nights: Nights) -> None:
    del buckets
    nights.has_machine = False
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert made.stacks == {}


def test_a_stack_that_cannot_be_deleted_ends_it_there(
    made: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.put_object(Bucket="shop-data", Key="raw/a.csv", Body=b"1")
    made.fails["shop-warehouse"] = "the network is in use"
    assert main(["down", "--prefix", "shop", "--yes"]) == 4
    assert "stack shop-warehouse ended as DELETE_FAILED" in capsys.readouterr().err
    assert versions(buckets, "shop-data") == 1
    del made.fails["shop-warehouse"]
    assert main(["down", "--prefix", "shop", "--yes"]) == 0
    assert made.stacks == {}


def test_down_of_nothing_says_so(cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]) -> None:
    del cloud_formation
    assert main(["down", "--prefix", "bank"]) == 0
    assert "bank: no stacks in eu-west-1" in capsys.readouterr().out


def test_without_credentials_it_is_told_what_to_do(
    cloud_formation: CloudFormation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del cloud_formation
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main(["outputs"]) == 2
    assert "no AWS credentials (Unable to locate credentials). Run `aws configure`" in capsys.readouterr().err


@pytest.mark.parametrize("prefix", ["Shop", "s", "shop_1", "a" * 21])
def test_a_prefix_that_no_bucket_could_carry_is_refused(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outputs", "--prefix", prefix]) == 2
    assert f"'{prefix}' is no prefix" in capsys.readouterr().err


def test_an_argument_that_no_command_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outputs", "--prefx", "shop"]) == 2
    assert "unrecognized arguments: --prefx shop" in capsys.readouterr().err
