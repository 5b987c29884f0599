"""Through SageMaker and back: features to its fake, and the fake's assignments to segments."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession
from scipy.spatial.distance import cdist

from deploy.__main__ import main as deploy
from jobs import features
from jobs.clusters.artifact import centroids_in
from jobs.storage.local import LocalFolder
from tests.fakes.environment import REGION, SAGEMAKER_ROLE
from tests.fakes.sagemaker.service import SageMaker
from tests.jobs.published import FIRST, K, Runs
from tests.jobs.shop import AS_OF, PER_GROUP

pytestmark = [pytest.mark.usefixtures("spark"), pytest.mark.timeout(900)]

WITH_CSV = f"{AS_OF}-with-csv"


class Bucket:
    """What ``aws s3 sync`` does, both ways."""

    def __init__(self, s3: Any, name: str) -> None:
        self.s3, self.name = s3, name

    def up(self, folder: Path, prefix: str) -> None:
        for file in folder.rglob("*"):
            if file.is_file() and not file.name.startswith("."):
                self.s3.upload_file(str(file), self.name, f"{prefix}/{file.relative_to(folder)}")

    def down(self, prefix: str, folder: Path) -> Path:
        for entry in self.s3.list_objects_v2(Bucket=self.name, Prefix=f"{prefix}/").get("Contents", []):
            target = folder / os.path.relpath(entry["Key"], prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.s3.download_file(self.name, entry["Key"], str(target))
        return folder


@pytest.fixture
def place(s3: Any, bucket: str) -> Bucket:
    """A bucket, and the way there and back."""
    return Bucket(s3, bucket)


def request(command: str, name: str, *arguments: str) -> list[str]:
    common = ["--region", REGION, "--role", SAGEMAKER_ROLE, "--name", name, "--poll", "0"]
    return ["sagemaker", command, *common, *arguments]


def test_each_customer_has_one_cluster_of_sagemakers_and_the_distance_to_its_centroid(
    spark: SparkSession, runs: Runs, sagemaker: SageMaker, place: Bucket, tmp_path: Path
) -> None:
    at = f"s3://{place.name}"
    common = ["--as-of", str(AS_OF), "--output", str(runs.output)]
    assert features.main([*common, "--checked-run", FIRST, "--run-id", WITH_CSV, "--kmeans", "none"]) == 0
    assert runs.lines("kmeans/train") == sorted(row[1:] for row in runs.lines("kmeans/score"))
    entry = runs.manifest["kmeans_features"]
    assert entry["train"] == {"path": f"runs/{WITH_CSV}/kmeans/train", "rows": K * PER_GROUP, "shards": 1}
    for part in ("train", "score"):
        place.up(runs.output / entry[part]["path"], f"kmeans/{part}")
    trained = request("train", "run-1", "--features", f"{at}/kmeans/train", "--output", f"{at}/models", "--k", str(K))
    assert deploy(trained) == 0
    model_data = f"{at}/models/run-1/output/model.tar.gz"
    places = ["--features", f"{at}/kmeans/score", "--output", f"{at}/out", "--model-data", model_data]

    sagemaker.omit_line()
    assert deploy(request("transform", "short", *places)) == 0
    before = runs.pointer
    runs.add("--assignments", str(place.down("out", tmp_path / "short")), code=4)
    assert runs.pointer == before

    assert deploy(request("transform", "score-1", *places)) == 0
    assignments = place.down("out", tmp_path / "out")
    artifact = place.down("models/run-1/output", tmp_path / "model") / "model.tar.gz"
    runs.add("--assignments", str(assignments), "--model-artifact", str(artifact))

    scored = {row[0]: [float(np.float32(value)) for value in row[1:]] for row in runs.lines("kmeans/score", WITH_CSV)}
    assert scored == runs.features()
    actual = runs.segments(spark)
    assert actual.keys() == scored.keys()
    assert len(actual) == K * PER_GROUP
    centres = centroids_in(LocalFolder(artifact))
    distances = cdist(np.array(list(scored.values())), np.array(list(centres.values())))
    ids = {cluster.label: cluster.id for cluster in runs.model.clusters}
    for customer, to_each in zip(scored, distances, strict=True):
        assert actual[customer]["cluster"] == ids[int(to_each.argmin())]
        assert actual[customer]["distance"] == pytest.approx(to_each.min(), abs=1e-9)
    assert runs.model.engine == "sagemaker"
