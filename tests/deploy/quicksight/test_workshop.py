"""``quicksight --workshop``: the files for QuickSight's console, of a run in S3."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.quicksight.commands import MANIFEST, RUNS, SCHEMA, SCORE
from deploy.quicksight.workshop import FEATURES
from jobs.clusters import feature_files
from tests.fakes.cloudformation.service import CloudFormation
from transforms.rfm.dimensions import DIMENSIONS

pytestmark = pytest.mark.usefixtures("deployed", "buckets")

BUCKET = "shop-data"


@pytest.fixture
def run(buckets: Any) -> Any:
    """Puts the files of a run into the bucket."""

    def put(run_id: str, *names: str) -> None:
        for name in names:
            buckets.put_object(Bucket=BUCKET, Key=f"output/runs/{run_id}/{name}", Body=b"x")

    return put


@pytest.fixture
def current(buckets: Any) -> Any:
    """Makes a run the current one."""

    def put(content: bytes) -> None:
        buckets.put_object(Bucket=BUCKET, Key="output/current.json", Body=content)

    return put


def workshop(folder: Path, *options: str) -> int:
    return main(["quicksight", "--workshop", "--output", str(folder), "--prefix", "shop", *options])


def content(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_a_run_s_features_lie_where_the_command_looks_for_them() -> None:
    # Deploy imports no Spark, so it repeats names of the jobs and of the transforms.
    assert (SCORE, FEATURES) == (feature_files.SCORE, DIMENSIONS)
    assert RUNS == "output/runs"


def test_the_manifest_names_each_file_of_the_features_and_nothing_beside_them(run: Any, tmp_path: Path) -> None:
    run(
        "r1",
        "kmeans/score/part-1.csv",
        "kmeans/score/part-0.csv",
        "kmeans/score/_SUCCESS",
        "kmeans/score/.part-0.csv.crc",
    )
    run("r1", "kmeans/train/part-0.csv", "rfm/part-0.parquet", "manifest.json")
    run("r10", "kmeans/score/part-0.csv")
    assert workshop(tmp_path / "new", "--run", "r1") == 0
    assert content(tmp_path / "new", MANIFEST) == {
        "fileLocations": [
            {
                "URIs": [
                    "s3://shop-data/output/runs/r1/kmeans/score/part-0.csv",
                    "s3://shop-data/output/runs/r1/kmeans/score/part-1.csv",
                ]
            }
        ],
        "globalUploadSettings": {"format": "CSV", "delimiter": ",", "textqualifier": '"', "containsHeader": "false"},
    }


def test_the_schema_has_the_model_s_columns_and_the_workshop_s_outputs(run: Any, tmp_path: Path) -> None:
    run("r1", "kmeans/score/part-0.csv")
    assert workshop(tmp_path, "--run", "r1") == 0
    assert content(tmp_path, SCHEMA) == {
        "inputContentType": "CSV",
        "outputContentType": "CSV",
        "input": [
            {"name": "recency", "type": "DECIMAL"},
            {"name": "frequency", "type": "DECIMAL"},
            {"name": "monetary", "type": "DECIMAL"},
        ],
        "output": [
            {"name": "Predict_cluster", "type": "STRING"},
            {"name": "Predict_distance_to_cluster", "type": "STRING"},
        ],
        "description": "Clusters of customers by recency, frequency and monetary value",
        "version": "v1",
        "instanceCount": 1,
        "instanceTypes": ["ml.m5.large"],
        "defaultInstanceType": "ml.m5.large",
    }


def test_files_are_utf_8_without_a_byte_order_mark_and_end_in_json(run: Any, tmp_path: Path) -> None:
    run("r1", "kmeans/score/part-0.csv")
    assert workshop(tmp_path, "--run", "r1") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"quicksight-manifest.json", "sagemaker-schema.json"}
    assert all(path.read_bytes().startswith(b"{") for path in tmp_path.iterdir())


def test_the_command_says_what_to_do_with_each_file(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("r1", "kmeans/score/part-0.csv")
    assert workshop(tmp_path, "--run", "r1") == 0
    out = capsys.readouterr().out
    assert f"{tmp_path}/quicksight-manifest.json  1 files of s3://shop-data/output/runs/r1/kmeans/score\n" in out
    assert "Name the columns customer_unique_id, recency, frequency, monetary; the last three are Decimal\n" in out
    assert "Augment with SageMaker" in out


@pytest.mark.parametrize("current_id", ["r1", "r1-segments"])
def test_without_a_name_it_is_the_current_run_or_the_one_whose_features_that_run_has(
    run: Any, current: Any, tmp_path: Path, current_id: str
) -> None:
    run("r1", "kmeans/score/part-0.csv")
    run("r1-segments", "manifest.json")
    current(json.dumps({"run_id": current_id}).encode())
    assert workshop(tmp_path) == 0
    (location,) = content(tmp_path, MANIFEST)["fileLocations"]
    assert location == {"URIs": ["s3://shop-data/output/runs/r1/kmeans/score/part-0.csv"]}


def test_a_dry_run_prints_the_files_and_writes_none(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("r1", "kmeans/score/part-0.csv")
    assert workshop(tmp_path, "--run", "r1", "--dry-run") == 0
    assert set(json.loads(capsys.readouterr().out)) == {MANIFEST, SCHEMA}
    assert list(tmp_path.iterdir()) == []


def failure(folder: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int) -> str:
    assert workshop(folder, *options) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert list(folder.iterdir()) == []
    return line


def test_a_run_that_was_clustered_by_spark_has_no_features_and_the_error_says_how_to_make_them(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("r1", "rfm/part-0.parquet", "kmeans/score/_SUCCESS")
    assert failure(tmp_path, capsys, "--run", "r1", code=2) == (
        "deploy: run r1: no CSV in kmeans/score/, expected the features that a run with --kmeans none writes. Make one "
        "with: python -m deploy glue submit --prefix shop --region eu-west-1 --as-of YYYY-MM-DD --kmeans none "
        "--becomes-current no; then name it with --run"
    )


def test_a_run_that_does_not_exist_is_refused(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("r1", "kmeans/score/part-0.csv")
    line = failure(tmp_path, capsys, "--run", "r", code=2)
    assert line.startswith("deploy: --run r: no such run in s3://shop-data/output/runs.")


def test_without_any_run_the_error_says_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = failure(tmp_path, capsys, code=2)
    assert line.endswith("no such file, expected that of a run that ended well. Make a run first")


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b"\xff"])
def test_a_damaged_pointer_is_reported(
    current: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], damaged: bytes
) -> None:
    current(damaged)
    assert 's3://shop-data/output/current.json: no "run_id" in it' in failure(tmp_path, capsys, code=3)


def test_a_folder_that_cannot_be_written_is_reported(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("r1", "kmeans/score/part-0.csv")
    (tmp_path / "file").touch()
    assert workshop(tmp_path / "file", "--run", "r1") == 4
    assert "cannot be written (File exists). Give another one" in capsys.readouterr().err


def test_without_the_storage_stack_the_error_names_the_command(
    deployed: CloudFormation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.stacks.clear()
    assert "no stacks of that name in eu-west-1. Create them with `up`" in failure(tmp_path, capsys, code=2)


def test_the_workshop_s_way_is_chosen_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quicksight", "--output", str(tmp_path)]) == 2
    assert "--workshop" in capsys.readouterr().err
