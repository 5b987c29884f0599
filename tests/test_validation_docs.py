"""docs/validation.md shows what a validation of the sample prints."""

import re
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import pipeline
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder

DOCS = (Path(__file__).parent.parent / "docs" / "validation.md").read_text(encoding="utf-8")
SHOWN = re.search(r"^```\n(Does it predict\? .*?)^```", DOCS, re.MULTILINE | re.DOTALL)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_validation_of_the_sample_prints_what_the_page_shows(
    spark: SparkSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    # The sample of `make run-local`.
    write_sample(spark, LocalFolder(raw), orders=99_441, seed=42)
    options = ["--input", str(raw), "--output", str(tmp_path / "output"), "--as-of", "2018-10-17", "--kmeans", "none"]
    assert pipeline.main([*options, "--validate-days", "180"]) == 0
    printed = capfd.readouterr().out
    assert SHOWN is not None
    assert [line for line in SHOWN[1].splitlines() if line not in printed.splitlines()] == []
    assert "--validate-days 180" in DOCS
