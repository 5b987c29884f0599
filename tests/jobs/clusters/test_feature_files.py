"""Shards of CSV: what went in comes out."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pyspark.sql import SparkSession

from jobs.clusters.feature_files import read_shards, write_shards
from tests.frames import frame
from transforms import schemas

IDS = [" blank before", "blank behind ", "a,comma", 'a "quote"', "back\\slash", "#hash", "ação"]


def test_identifiers_come_back_as_they_went(spark: SparkSession, tmp_path: Path) -> None:
    written_frame = frame(spark, schemas.KMEANS_FEATURES, *[(name, 0.1, 1.2345678e-4, 5.0) for name in IDS])
    run: Any = SimpleNamespace(uri=lambda name: str(tmp_path / name), path=lambda name: name)
    assert write_shards(run, "kmeans/score", written_frame).rows == len(IDS)
    actual = read_shards(spark, str(tmp_path / "kmeans/score"), schema=schemas.KMEANS_FEATURES)
    assert sorted(map(tuple, actual.collect())) == sorted(map(tuple, written_frame.collect()))
    # RFC 4180: the quote is doubled.
    [shard, *_] = [
        file.read_text() for file in (tmp_path / "kmeans/score").glob("*.csv") if "quote" in file.read_text()
    ]
    assert '"a ""quote""",0.1' in shard
