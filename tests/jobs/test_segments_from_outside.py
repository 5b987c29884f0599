"""What comes from outside: assignments as SageMaker writes them, and whether they are of this run and of one model."""

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from jobs.cli.config import ClustersConfig, SegmentsConfig
from jobs.clusters.assigning import find_external_files
from jobs.errors import DataError
from tests.jobs.clusters.test_artifact import mxnet, packed
from tests.jobs.published import FIRST, K, Runs
from tests.jobs.shop import PER_GROUP
from tests.log_lines import without_logs

pytestmark = pytest.mark.usefixtures("spark")

ENGINES_LABELS = {0: 2, 1: 0, 2: 1}
"""An engine's labels, by the cluster ids of the first run."""


def sagemaker_output(
    spark: SparkSession, runs: Runs, folder: Path, labels: dict[int, int], *, squared: bool = False
) -> Path:
    """What a batch transform would write: the input with cluster and distance as floats, labels of its own."""
    below = folder / "kmeans" / "score"
    below.mkdir(parents=True)
    assigned = runs.segments(spark)
    lines = [
        [
            customer,
            *map(str, features),
            f"{labels[assigned[customer]['cluster']]}.0",
            str(float(np.float32(assigned[customer]["distance"] ** (2 if squared else 1)))),
        ]
        for customer, features in sorted(runs.features().items())
    ]
    for shard in range(2):
        text = "".join(",".join(row) + "\n" for row in lines[shard::2])
        (below / f"part-0000{shard}.csv.out").write_text(text)
    (folder / "manifest").write_text("not an assignment")
    return folder


def artifact_of(runs: Runs, folder: Path, labels: dict[int, int]) -> Path:
    """The model.tar.gz of the training that these labels are of."""
    rows = sorted((labels[cluster.id], cluster.centroid) for cluster in runs.model.clusters)
    return packed(folder / "model.tar.gz", mxnet(np.array([centre for _, centre in rows])))


@pytest.mark.parametrize("stated", ["distance", "square", "not known"])
def test_what_sagemaker_assigned_gets_the_numbers_of_the_last_run(
    spark: SparkSession, runs: Runs, tmp_path: Path, stated: str
) -> None:
    with_artifact, squared = stated != "not known", stated == "square"
    before = runs.segments(spark)
    folder = sagemaker_output(spark, runs, tmp_path / "out", ENGINES_LABELS, squared=squared)
    arguments = ["--assignments", str(folder)]
    if with_artifact:
        arguments += ["--model-artifact", str(artifact_of(runs, tmp_path, ENGINES_LABELS))]
    runs.add(*arguments)
    after = runs.segments(spark)
    assert {name: row["cluster"] for name, row in after.items()} == {
        name: row["cluster"] for name, row in before.items()
    }
    distances = {name: row["distance"] for name, row in before.items()}
    assert {name: row["distance"] for name, row in after.items()} == pytest.approx(distances, abs=1e-4)
    kmeans = runs.manifest["kmeans"]
    assert kmeans["engine"] == "sagemaker"
    assert kmeans["centroids_from"] == (
        "the model artifact" if with_artifact else "the means of the assigned customers"
    )
    assert kmeans["stated_distance"] == stated
    inputs = runs.manifest["inputs"]
    assert inputs["features_run"] == FIRST
    assert [Path(file["path"]).name for file in inputs["assignments"]] == ["part-00000.csv.out", "part-00001.csv.out"]
    assert ("model_artifact" in inputs) == with_artifact


def a_line_short(lines: list[str]) -> list[str]:
    return lines[:-1]


def a_line_twice(lines: list[str]) -> list[str]:
    return [*lines, lines[0]]


def a_stranger(lines: list[str]) -> list[str]:
    return [*lines, "nobody,0,0,0,0,0"]


def cut_off(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1][:40]]


SPOILT = {
    "short": (a_line_short, 4, "customers 1 without a line ("),
    "twice": (a_line_twice, 3, "customers 1 with more than one line ("),
    "extra": (a_stranger, 3, "customers 1 not in rfm (nobody)"),
    "cut": (cut_off, 3, "customers 1 with a line that has no cluster"),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_anything_but_one_line_for_each_customer_is_not_published(
    spark: SparkSession, runs: Runs, tmp_path: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, code, fault_in_words = SPOILT[fault]
    folder = sagemaker_output(spark, runs, tmp_path / "out", ENGINES_LABELS)
    file = folder / "kmeans" / "score" / "part-00000.csv.out"
    file.write_text("\n".join(spoil(file.read_text().splitlines())))
    before = runs.pointer
    runs.add("--assignments", str(folder), code=code)
    assert runs.pointer == before
    [line] = without_logs(capfd.readouterr().err)
    assert fault_in_words in line
    assert f"expected one line for each of the {K * PER_GROUP} customers" in line
    assert list((runs.output / "runs").glob("*/_stage")) == []


def test_assignments_that_change_while_they_are_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "part.csv.out").write_text("a,1,2,3,0,0.5\n")
    actual = find_external_files(SegmentsConfig("out", ClustersConfig(), assignments=str(tmp_path)))
    assert [len(files) for files in actual.as_json().values()] == [1]
    (tmp_path / "another.csv.out").write_text("b,1,2,3,0,0.5\n")
    with pytest.raises(DataError, match="files came or went while it was read"):
        actual.as_json()
    (tmp_path / "another.csv.out").unlink()
    (tmp_path / "part.csv.out").write_text("a,1,2,3,1,0.25\n")
    with pytest.raises(DataError, match=r"part.csv.out: changed while it was read"):
        actual.as_json()


def test_lines_with_the_features_of_another_scale_are_refused(
    spark: SparkSession, runs: Runs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = sagemaker_output(spark, runs, tmp_path / "out", ENGINES_LABELS)
    for file in (folder / "kmeans" / "score").iterdir():
        rows = [line.split(",") for line in file.read_text().splitlines()]
        # As if money had been brought to another scale: each feature a little less.
        file.write_text("".join(",".join([*row[:3], repr(float(row[3]) * 0.9 - 0.1), *row[4:]]) + "\n" for row in rows))
    before = runs.pointer
    runs.add("--assignments", str(folder), code=3)
    assert runs.pointer == before
    assert f"customers {K * PER_GROUP} with features that are not this run's (" in capfd.readouterr().err


def test_a_model_whose_clusters_are_numbered_otherwise_is_refused(
    spark: SparkSession, runs: Runs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = sagemaker_output(spark, runs, tmp_path / "out", ENGINES_LABELS)
    # The same centroids, as another training may number them.
    artifact = artifact_of(runs, tmp_path, {0: 0, 1: 1, 2: 2})
    before = runs.pointer
    runs.add("--assignments", str(folder), "--model-artifact", str(artifact), code=3)
    assert runs.pointer == before
    error = capfd.readouterr().err
    assert f"{K * PER_GROUP} of {K * PER_GROUP} customers are nearer to another centroid of the model artifact" in error


def test_a_model_of_another_training_is_refused(
    spark: SparkSession, runs: Runs, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = sagemaker_output(spark, runs, tmp_path / "out", ENGINES_LABELS)
    artifact = packed(tmp_path / "model.tar.gz", mxnet(np.ones((2, 3))))
    runs.add("--assignments", str(folder), "--model-artifact", str(artifact), code=3)
    assert "customers in cluster 2, expected the model's 0 to 1" in capfd.readouterr().err
