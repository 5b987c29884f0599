"""docs/history.md shows what a month of the sample prints, and what its tables answer."""

import json
import re
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from jobs import features, pipeline
from jobs.sample import write_sample
from jobs.storage.local import LocalFolder

DOCS = (Path(__file__).parent.parent / "docs" / "history.md").read_text(encoding="utf-8")
SHOWN = re.search(r"^```\n(From the segments .*?)^```", DOCS, re.MULTILINE | re.DOTALL)
QUERIES = re.findall(r"^```sql\n(.*?)^```\n\n(?:\|[^\n]*\n){2}((?:\|[^\n]*\n)+)", DOCS, re.MULTILINE | re.DOTALL)
RUN_ID = re.compile(r"(?<=2018-06-17-)[0-9TZ]+-[0-9a-f]{6}")


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_month_of_the_sample_is_the_one_that_the_page_shows(
    spark: SparkSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raw").mkdir()
    # The sample of `make run-local`.
    write_sample(spark, LocalFolder(tmp_path / "raw"), orders=99_441, seed=42)
    output = tmp_path / "output"
    options = ["--output", str(output), "--kmeans", "none"]
    assert pipeline.main(["--as-of", "2018-06-17", "--input", str(tmp_path / "raw"), *options]) == 0
    # The checked tables are those of all days.
    capfd.readouterr()
    assert features.main(["--as-of", "2018-07-17", *options]) == 0
    printed = RUN_ID.sub("...", capfd.readouterr().out)
    assert SHOWN is not None
    assert RUN_ID.sub("...", SHOWN[1]) in printed
    assert len(QUERIES) == 3
    assert answers(output) == [answer for _, answer in QUERIES]


def answers(output: Path) -> list[str]:
    """The rows of each query over the current run, as the page has them."""
    pointer = json.loads((output / "current.json").read_text())
    with duckdb.connect() as connection:
        for table, path in pointer["tables"].items():
            connection.execute(f"create view {table} as from read_parquet('{output / path}/*.parquet')")
        return ["".join(map(as_row, connection.execute(query).fetchall())) for query, _ in QUERIES]


def as_row(values: tuple[object, ...]) -> str:
    """A row of a table in Markdown; null is empty."""
    return "".join(f"| {'' if value is None else value} ".replace("|  ", "| ") for value in values) + "|\n"
