"""The pipeline from a bucket to a bucket, on local Spark against an S3 on loopback, and what may happen on the way."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs.pipeline import main
from jobs.storage.s3 import S3Folder
from jobs.storage.store import RunStore
from tests.fakes.environment import CATALOGUE
from tests.fakes.glue.data_catalogue import DataCatalogue
from tests.fakes.page import real_report
from tests.fakes.s3.filesystem import s3_filesystem
from tests.fakes.s3.service import S3Proxy
from tests.log_lines import without_logs
from tests.raw_files import RawFiles
from transforms.figure_schemas import FIGURES
from transforms.schemas import TABLES

PROJECT = Path(__file__).parent.parent.parent
AS_OF = ["--as-of", "2018-12-31"]
PASSES = ("InternalError", "SlowDown", "reset", "truncated")
# Spark may pass on the code of S3, or only the HTTP status, which both have.
REPORTED = {"InternalError": ("the service failed",), "SlowDown": ("too many requests", "the service failed")}

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture
def proxy(aws: pytest.MonkeyPatch, s3_endpoint: str) -> Iterator[S3Proxy]:
    """A proxy through which this process and those that it starts reach S3."""
    with S3Proxy(s3_endpoint).running() as proxy:
        aws.setenv("AWS_ENDPOINT_URL", proxy.url)
        # As often as the product itself asks again.
        aws.delenv("AWS_MAX_ATTEMPTS")
        yield proxy


@pytest.fixture
def lake(bucket: str, proxy: S3Proxy, raw: RawFiles) -> S3Folder:
    """A bucket with the three files in it; of five payments one is worth nothing that is a number."""
    assert proxy.injected == []
    raw.payments.append('"o3",2,voucher,1,much')
    raw.write()
    folder = S3Folder(bucket)
    folder.copy_in(raw.folder, "raw")
    return folder


@pytest.fixture
def spark_in_s3(spark: SparkSession, lake: S3Folder) -> Iterator[None]:
    """The session of the tests reaches the bucket."""
    with s3_filesystem(spark, lake.bucket):
        yield


def arguments(lake: S3Folder, *more: str, output: str = "out") -> list[str]:
    """Those of `jobs.pipeline` for a run from the bucket to the bucket."""
    places = ["--input", f"{lake.display_path()}/raw", "--output", f"{lake.display_path()}/{output}"]
    return [*AS_OF, *places, "--max-quarantined", "0.5", *more]


def in_a_process_of_its_own(lake: S3Folder, *more: str) -> subprocess.CompletedProcess[str]:
    """A run that starts a Spark for S3."""
    command = [sys.executable, "-m", "jobs.pipeline", *arguments(lake, *more)]
    memory = {"SPARK_DRIVER_MEMORY": "1g"}
    return subprocess.run(
        command, cwd=PROJECT, env=os.environ | memory, capture_output=True, text=True, check=False, timeout=800
    )


def rows(folder: Path) -> list[dict[str, Any]]:
    """A table's rows, in an order of their own; of where they came from only the file's name."""
    table = pq.read_table(folder).to_pylist()
    for row in table:
        if "source_file" in row:
            row["source_file"] = Path(row["source_file"]).name
    return sorted(table, key=str)


def fetched(lake: S3Folder, s3: Any, folder: Path) -> Path:
    """All that is below ``out``, on disk."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix="out/"):
        for entry in page["Contents"]:
            if not entry["Key"].endswith("/"):
                target = folder / entry["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(lake.bucket, entry["Key"], str(target))
    return folder / "out"


@pytest.mark.usefixtures("spark")
def test_from_bucket_to_bucket_is_what_it_is_on_a_disk(
    lake: S3Folder, proxy: S3Proxy, s3: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    local = tmp_path / "local"
    on_disk = ["--input", str(tmp_path / "input"), "--output", str(local), "--max-quarantined", "0.5"]
    assert main([*AS_OF, *on_disk, "--run-id", "2018-12-31-a"]) == 0
    ran = in_a_process_of_its_own(lake, "--run-id", "2018-12-31-a")
    assert ran.returncode == 0, ran.stderr
    assert without_logs(ran.stderr) == []
    assert ran.stdout.splitlines()[0] == f"Report: s3://{lake.bucket}/out/runs/2018-12-31-a/report.html"

    output = fetched(lake, s3, tmp_path / "fetched")
    pointer = json.loads((output / "current.json").read_text())
    manifest = json.loads((output / pointer["manifest"]).read_text())
    expected = json.loads((local / pointer["manifest"]).read_text())
    assert pointer["tables"] == json.loads((local / "current.json").read_text())["tables"]
    for part in ("totals", "reconciliation", "configuration_hash", "score_card"):
        assert manifest[part] == expected[part]
    assert set(manifest["tables"]) == {
        *("customers", "orders", "payments", "transactions", "purchases", "rfm"),
        *("segment_history", "customer_segments"),
        *("quarantine/customers", "quarantine/orders", "quarantine/payments"),
    }
    for path in manifest["tables"].values():
        assert rows(output / path) == rows(local / path), path
    assert len(rows(output / manifest["tables"]["quarantine/payments"])) == 1

    [customers, _, _] = manifest["inputs"]["files"]
    [file] = customers["files"]
    assert file["path"] == f"s3://{lake.bucket}/raw/olist_customers_dataset.csv"
    head = s3.head_object(Bucket=lake.bucket, Key="raw/olist_customers_dataset.csv")
    assert (file["size"], file["etag"]) == (head["ContentLength"], head["ETag"].strip('"'))
    assert (output / "runs/2018-12-31-a/quality/data_docs/index.html").exists()
    assert "Customer segments as of 2018-12-31" in (output / "runs/2018-12-31-a/report.html").read_text()
    left = [path.name for path in output.rglob("*") if "__magic" in str(path) or "_stage" in str(path)]
    assert left == []
    assert s3.list_multipart_uploads(Bucket=lake.bucket).get("Uploads", []) == []
    assert proxy.injected == []

    assert main(arguments(lake, "--run-id", "2018-12-31-a")) == 2
    assert "run 2018-12-31-a exists" in capfd.readouterr().err


@pytest.mark.usefixtures("spark_in_s3")
def test_transient_faults_of_s3_are_outlived(
    lake: S3Folder, proxy: S3Proxy, s3: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for what in PASSES:
        # What boto3 asks for, and what Spark does: its reads of the files and of a table, its writes and its listings.
        for path in ("olist_orders_dataset.csv", "/orders/part-", "/transactions/part-", "current.json"):
            proxy.inject(what, method="GET", path=path)
        if what in ("InternalError", "SlowDown"):
            for method in ("PUT", "POST", "HEAD", "DELETE"):
                proxy.inject(what, method=method, times=3)
            proxy.inject(what, method="GET", path="list-type=2", times=3)
    assert main(arguments(lake, "--run-id", "2018-12-31-b")) == 0
    assert without_logs(capfd.readouterr().err) == []
    output = fetched(lake, s3, tmp_path)
    assert json.loads((output / "current.json").read_text())["run_id"] == "2018-12-31-b"
    assert [str(row["total_value"]) for row in rows(output / "runs/2018-12-31-b/rfm")] == ["35.5000", "5.0000"]
    for what in PASSES:
        spark_met = [path for met, _, path in proxy.injected if met == what and "/part-" in path]
        assert spark_met, (what, proxy.injected)


@pytest.mark.usefixtures("spark_in_s3")
def test_what_does_not_pass_ends_the_run_in_one_line_and_the_pointer_stays(
    lake: S3Folder, proxy: S3Proxy, s3: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    before = json.dumps({"run_id": "2018-12-31-before"})
    for what in PASSES:
        s3.put_object(Bucket=lake.bucket, Key=f"{what}/current.json", Body=before.encode())
        proxy.inject(what, method="GET", path=f"{what}/runs/2018-12-31-d/orders/part-", times=100_000)
        assert main(arguments(lake, "--run-id", "2018-12-31-d", output=what)) == 4, what
        # It gives up after some attempts: the waits between them double, and are skipped here.
        assert sum(name == what for name, _, _ in proxy.injected) < 100
        [shown] = without_logs(capfd.readouterr().err)
        assert shown.startswith(f"pipeline: s3://{lake.bucket}/{what}/runs/2018-12-31-d/orders/part-"), shown
        assert any(words in shown for words in REPORTED.get(what, ("cannot be reached",))), shown
        assert lake.read(what, "current.json") == before
        assert not lake.exists(what, "runs", "2018-12-31-d", "manifest.json")
        assert json.loads(lake.read(what, "runs", "2018-12-31-d", "failure.json") or "")["exit_code"] == 4


@pytest.mark.usefixtures("spark_in_s3")
def test_credentials_that_expire_in_mid_run_end_it_in_one_line_and_the_pointer_stays(
    lake: S3Folder, proxy: S3Proxy, s3: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    before = json.dumps({"run_id": "2018-12-31-before"})
    s3.put_object(Bucket=lake.bucket, Key="out/current.json", Body=before.encode())
    proxy.inject("ExpiredToken", path="/transactions", times=100_000)
    assert main(arguments(lake, "--run-id", "2018-12-31-c")) == 4
    [shown] = without_logs(capfd.readouterr().err)
    assert shown.startswith(f"pipeline: s3://{lake.bucket}/out/runs/2018-12-31-c/transactions")
    assert "credentials have expired" in shown
    assert lake.read("out", "current.json") == before
    assert not lake.exists("out", "runs", "2018-12-31-c", "manifest.json")
    assert json.loads(lake.read("out", "runs", "2018-12-31-c", "failure.json") or "")["exit_code"] == 4


@pytest.mark.usefixtures("spark_in_s3")
def test_a_run_that_is_overtaken_reports_it_and_stays(
    lake: S3Folder, s3: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_manifest = RunStore.write_manifest

    def overtaken(store: RunStore, run_id: str, manifest: Mapping[str, Any]) -> None:
        s3.put_object(Bucket=lake.bucket, Key="out/current.json", Body=b'{"run_id": "2018-12-31-other"}')
        write_manifest(store, run_id, manifest)

    monkeypatch.setattr(RunStore, "write_manifest", overtaken)
    assert main(arguments(lake, "--run-id", "2018-12-31-slow")) == 4
    shown = capfd.readouterr().err
    assert "run 2018-12-31-slow is complete but not current" in shown
    assert "points to 2018-12-31-other" in shown
    assert lake.read("out", "current.json") == '{"run_id": "2018-12-31-other"}'
    assert lake.exists("out", "runs", "2018-12-31-slow", "manifest.json")


def test_no_libraries_no_run(lake: S3Folder, tmp_path: Path, proxy: S3Proxy, aws: pytest.MonkeyPatch) -> None:
    aws.setenv("XDG_CACHE_HOME", str(tmp_path))
    aws.setenv("DEFAULT_ARTIFACT_REPOSITORY", "http://127.0.0.1:9/")
    ran = in_a_process_of_its_own(lake)
    assert ran.returncode == 4
    [line] = without_logs(ran.stderr)
    assert "the libraries that Spark needs for S3 cannot be fetched from http://127.0.0.1:9/" in line
    assert list((tmp_path / "olist-rfm-segments").iterdir()) == []
    assert proxy.injected == []


@pytest.mark.usefixtures("spark_in_s3")
def test_a_run_in_a_bucket_is_registered_with_its_figures(lake: S3Folder, data_catalogue: DataCatalogue) -> None:
    with real_report():
        assert main(arguments(lake, "--smallest-cell", "1", "--catalogue", CATALOGUE)) == 0
    run_id = json.loads(lake.read("out", "current.json") or "{}")["run_id"]
    for name in (*TABLES, *FIGURES):
        table = data_catalogue.moto.get_table(DatabaseName=CATALOGUE, Name=f"{name}_current")["Table"]
        place = f"out/runs/{run_id}/{'figures/' if name in FIGURES else ''}{name}"
        assert table["StorageDescriptor"]["Location"] == f"{lake.display_path()}/{place}/"
        # The first run of an output has none before it to differ from.
        assert bool(lake.data_files(*place.split("/"))) == (name != "segment_changes"), name
    figures = lake.read("out", "runs", run_id, "figures", "segment_figures", "part-00000.json") or ""
    assert sum(json.loads(line)["customers"] for line in figures.splitlines()) == 2
