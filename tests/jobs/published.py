"""The shop's runs: the first one, made once, and what those after it wrote."""

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from pyspark.sql import Row, SparkSession

from jobs import pipeline, segments
from tests.jobs.shop import AS_OF, GROUPS, shop
from transforms.clusters.model import ClusterModel

K = len(GROUPS)
FIRST = f"{AS_OF}-first"


class Runs:
    """An output folder, and what its runs wrote."""

    def __init__(self, output: Path) -> None:
        self.output = output

    @property
    def pointer(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.output / "current.json").read_text())
        return content

    @property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.output / self.pointer["manifest"]).read_text())
        return content

    @property
    def model(self) -> ClusterModel:
        return ClusterModel.from_json((self.output / self.pointer["kmeans_model"]).read_text())

    def lines(self, name: str, run_id: str | None = None) -> list[list[str]]:
        """The CSV lines of a folder of shards, sorted."""
        folder = self.output / "runs" / (run_id or self.pointer["run_id"]) / name
        return sorted(row for file in folder.glob("*.csv") for row in csv.reader(file.read_text().splitlines()))

    def features(self) -> dict[str, list[float]]:
        """The features of each customer, as rfm has them for the default scale; in single precision."""
        files = self.output / self.pointer["tables"]["rfm"] / "*.parquet"
        query = f"select customer_unique_id, recency, frequency, monetary from read_parquet('{files}')"
        with duckdb.connect() as connection:
            rows = connection.execute(query).fetchall()
        return {customer: [float(np.float32(value)) for value in values] for customer, *values in rows}

    def segments(self, spark: SparkSession) -> dict[str, Row]:
        path = str(self.output / self.pointer["tables"]["customer_segments"])
        return {row["customer_unique_id"]: row for row in spark.read.parquet(path).collect()}

    def add(self, *arguments: str, code: int = 0) -> None:
        assert segments.main(["--output", str(self.output), *arguments]) == code


def publish(folder: Path) -> Path:
    """The output of one run of the whole pipeline over the shop."""
    raw = shop(folder)
    arguments = ["--as-of", str(AS_OF), "--input", str(raw.folder), "--output", str(folder / "output")]
    assert pipeline.main([*arguments, "--k", str(K), "--run-id", FIRST]) == 0
    return folder / "output"
