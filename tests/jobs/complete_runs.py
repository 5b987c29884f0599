"""Complete runs over the handful of rows, and the figures of their customers, worked by hand."""

import json
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from jobs import pipeline
from jobs.storage.uris import escape_glob
from tests.frames import at, money
from tests.raw_files import RawFiles, key

AS_OF = "2018-06-30"
TABLES = ("customers", "orders", "payments", "transactions", "purchases", "rfm")

# As of Saturday 2018-06-30. ann last bought on Sunday 2018-03-04: 118 days and 16 Sundays later. bob on Friday
# 2018-02-02: 148 and 21. Of two customers, each percentile is a figure of one of them. So there is one cut point: 118
# days, and 5.00 in money. Purchases are scored by their number.
WORKED_BY_HAND = (
    (
        *(key("ann"), at("2018-06-30 23:59:59"), at("2018-01-01 10:00:00"), at("2018-03-04 09:30:00"), 118, 16, 180),
        *(2, money("17.75"), money("35.50"), 0.0, 5.0, 5.0),
        *(5, 2, 5, "525", "RM01", "Recent big spenders"),
        *("up to 118", None, "2", 1, "above 5.00", None),
    ),
    (
        *(key("bob"), at("2018-06-30 23:59:59"), at("2018-02-02 08:00:00"), at("2018-02-02 08:00:00"), 148, 21, 148),
        *(1, money("5"), money("5"), 5.0, 0.0, 0.0),
        *(1, 1, 1, "111", "RM09", "Lapsed small spenders"),
        *("119 or more", 30, "up to 1", 1, "up to 5.00", money("0")),
    ),
)


class Ran:
    """A run that came to its end: its pointer, manifest and tables."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.pointer: dict[str, Any] = json.loads((output / "current.json").read_text())
        self.manifest: dict[str, Any] = json.loads((output / self.pointer["manifest"]).read_text())

    def rows(self, spark: SparkSession, table: str) -> list[str]:
        path = escape_glob(str(self.output / self.pointer["tables"][table]))
        return sorted(map(str, spark.read.parquet(path).collect()))

    def content(self, spark: SparkSession) -> dict[str, list[str]]:
        return {table: self.rows(spark, table) for table in TABLES}


def run(raw: RawFiles, *arguments: str) -> Ran:
    output = raw.folder.parent / "output"
    as_of = [] if "--as-of" in arguments else ["--as-of", AS_OF]
    # One bad row of four is much; what the budget does has tests of its own.
    as_of += [] if "--max-quarantined" in arguments else ["--max-quarantined", "1"]
    # Clusters have tests of their own.
    as_of += [] if "--kmeans" in arguments else ["--kmeans", "none"]
    assert pipeline.main([*as_of, "--input", str(raw.folder), "--output", str(output), *arguments]) == 0
    return Ran(output)
