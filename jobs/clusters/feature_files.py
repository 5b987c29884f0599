"""CSV without a header, in shards: what SageMaker reads, and what it gives back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from jobs.errors import DataError
from jobs.runs.metrics import observe
from jobs.runs.run import Run
from jobs.storage.uris import escape_glob
from transforms.rfm.dimensions import DIMENSIONS

FEATURES = "kmeans_features"
"""The manifest's entry."""

TRAIN, SCORE = "kmeans/train", "kmeans/score"
ASSIGNMENTS = "kmeans/assignments"

AS_IT_IS: Mapping[str, Any] = MappingProxyType(
    {"ignoreLeadingWhiteSpace": False, "ignoreTrailingWhiteSpace": False, "escape": '"'}
)
"""Identifiers come back as they went: with blanks at their ends, which Spark's writer would else take away, and with
quotes doubled inside quotes, as RFC 4180 has it."""

ROWS_PER_SHARD = 2_500_000
"""SageMaker reads shards of 50 to 250 MB best. A feature takes up to 12 characters as text ("1.2345678E-4"), and about
9 on average, so a line of three with its commas 30 bytes, and with an id of 32 characters before it 63: shards of 75 MB
to train on and of 160 MB to score."""


@dataclass(frozen=True)
class Shards:
    """A folder of shards."""

    name: str
    rows: int

    def as_json(self, run_id: str) -> dict[str, Any]:
        """The manifest's entry."""
        return {"path": f"runs/{run_id}/{self.name}", "rows": self.rows, "shards": shards_for(self.rows)}


def shards_for(rows: int) -> int:
    """How many shards that many rows make."""
    return max(1, math.ceil(rows / ROWS_PER_SHARD))


def write_features(this: Run, features: DataFrame, *, rows: int) -> None:
    """Write what SageMaker trains on (three features), and what it scores (the customer's id before them).

    Numbers are single precision, as short as they can be written such that they read back as the same number. The rows
    are spread over the shards by a hash of the customer, so the shards are even; a small data set is one shard.

    Args:
        this: the run.
        features: `schemas.KMEANS_FEATURES`.
        rows: how many they are.

    Raises:
        DataError: Not as many came to be written.
    """
    even = features.repartition(shards_for(rows), "customer_unique_id")
    train = write_shards(this, TRAIN, even.select(*DIMENSIONS))
    score = write_shards(this, SCORE, even)
    for part in (train, score):
        if part.rows != rows:
            raise DataError(f"{part.name}: {part.rows:,} lines, expected one for each of {rows:,} customers in rfm")
    this.findings[FEATURES] = {part.name.partition("/")[2]: part.as_json(this.run_id) for part in (train, score)}


def write_shards(this: Run, name: str, frame: DataFrame) -> Shards:
    """Write a frame as CSV without a header into a folder of the run, one shard per partition of it."""
    observed, figures = observe(frame, name)
    observed.write.option("maxRecordsPerFile", ROWS_PER_SHARD * 2).options(**AS_IT_IS).csv(this.uri(name))
    return Shards(name, figures.get["rows"])


def read_shards(session: SparkSession, uri: str, *, schema: StructType) -> DataFrame:
    """Read CSV without a header, down to any depth: SageMaker keeps the folders of its input.

    Only what ends in ``.csv`` or, as SageMaker names its output, ``.out``.
    """
    reader = session.read.schema(schema).option("recursiveFileLookup", True).option("pathGlobFilter", "*.{csv,out}")
    return reader.options(**AS_IT_IS).csv(escape_glob(uri))
