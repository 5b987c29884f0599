"""CSV without a header, in shards: the format that SageMaker reads and writes. Nothing else needs it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from jobs.errors import DataError
from jobs.runs.metrics import with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import Total
from jobs.storage.uris import escape_glob
from transforms.rfm.dimensions import DIMENSIONS

FEATURES = "kmeans_features"
"""The manifest's entry."""

TRAIN, SCORE = "kmeans/train", "kmeans/score"

UNCHANGED_TEXT: Mapping[str, Any] = MappingProxyType(
    {"ignoreLeadingWhiteSpace": False, "ignoreTrailingWhiteSpace": False, "escape": '"'}
)
"""Identifiers come back unchanged: blanks at their ends stay, and quotes are doubled inside quotes (RFC 4180)."""

ROWS_PER_SHARD = 2_500_000
"""SageMaker reads shards of 50 to 250 MB best.

A feature takes about 9 characters as text. A line of three is 30 bytes, and 63 with an id of 32 characters before it.
So shards are 75 MB to train on and 160 MB to score.
"""


@dataclass(frozen=True)
class Shards:
    """A folder of shards.

    Attributes:
        path: from the output folder on.
        rows: lines in all shards.
    """

    path: str
    rows: int

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        return {"path": self.path, "rows": self.rows, "shards": shards_for(self.rows)}


@dataclass(frozen=True)
class FeatureFiles:
    """The features of a run's customers, as SageMaker reads them: to train on, and to score."""

    train: Shards
    score: Shards

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry."""
        return {"train": self.train.as_json(), "score": self.score.as_json()}


def shards_for(rows: int) -> int:
    """How many shards that many rows make."""
    return max(1, math.ceil(rows / ROWS_PER_SHARD))


def write_feature_files(run: Run, features: DataFrame, *, rows: int) -> FeatureFiles:
    """Write what SageMaker trains on (three features), and what it scores (the customer's id before them), as a step.

    Numbers are single precision, in their shortest text that reads back as the same number. A hash of the customer
    spreads the rows over the shards, so the shards are even. A small data set is one shard.

    Args:
        run: the run.
        features: `schemas.KMEANS_FEATURES`.
        rows: how many they are.

    Raises:
        DataError: Another number of rows was written.
    """
    with run.step(FEATURES) as step:
        even = features.repartition(shards_for(rows), "customer_unique_id")
        files = FeatureFiles(
            train=write_shards(run, TRAIN, even.select(*DIMENSIONS)),
            score=write_shards(run, SCORE, even),
        )
        for part in (files.train, files.score):
            if part.rows != rows:
                raise DataError(f"{part.path}: {part.rows:,} lines, expected one for each of {rows:,} customers in rfm")
        step.record(rows_in=rows, out=Total(rows))
    return files


def write_shards(run: Run, name: str, frame: DataFrame) -> Shards:
    """Write a frame as CSV without a header into a folder of the run, one shard per partition."""
    observed, metrics = with_metrics(frame, name)
    observed.write.option("maxRecordsPerFile", ROWS_PER_SHARD * 2).options(**UNCHANGED_TEXT).csv(run.uri(name))
    return Shards(run.path(name), metrics.get["rows"])


def read_shards(session: SparkSession, uri: str, *, schema: StructType) -> DataFrame:
    """Read CSV without a header, down to any depth: SageMaker keeps the folders of its input.

    Only what ends in ``.csv`` or, as SageMaker names its output, ``.out``.
    """
    reader = session.read.schema(schema).option("recursiveFileLookup", True).option("pathGlobFilter", "*.{csv,out}")
    return reader.options(**UNCHANGED_TEXT).csv(escape_glob(uri))
