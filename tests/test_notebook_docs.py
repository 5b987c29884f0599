"""docs/notebook.md is true: its code runs, and its SQL is the summary of lifetimes and of the transform."""

import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.cdnow import CUSTOMERS, LAST_DAY, cdnow_purchases
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, write_run
from tests.lifetimes_summary import lifetimes_summary

DOCS = (Path(__file__).parent.parent / "docs" / "notebook.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
OPENING = BLOCKS[0]
SPARK = [block for block in BLOCKS if "run.spark(" in block or "run.repeat_purchases(" in block]
REPEAT_PURCHASES = next(block for block in BLOCKS if "repeat_purchases = run.sql" in block)


def executed(folder: Path, monkeypatch: pytest.MonkeyPatch, *blocks: str) -> dict[str, Any]:
    """The names that the blocks leave, run one after another beside a folder ``output``."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    return names


def test_the_code_of_the_page_runs_without_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "output", JUNE_RUN, JUNE)
    names = executed(tmp_path, monkeypatch, *[block for block in BLOCKS if block not in SPARK])
    assert names["run"].run_id == JUNE_RUN
    assert names["segments"].fetchall()[0][2] == 1
    assert len(names["rfm"]) == len(names["average"]) == 2
    assert names["customers"]["frequency"].sum() == 1
    assert repr(names["run"]).startswith(re.sub("2018-10-17-nightly.*", "", "Run 2018-10-17-nightly, as of"))


def test_the_page_runs_in_spark_and_both_forms_of_repeat_purchases_agree(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spark is not None
    returns = [("ann", row[1].replace(day=28), -row[2]) for row in JUNE["purchases"] if row[0] == "ann"]
    write_run(tmp_path / "output", JUNE_RUN, {**JUNE, "purchases": [*JUNE["purchases"], *returns]})
    by_spark = executed(tmp_path, monkeypatch, OPENING, *SPARK)["customers"]
    by_duckdb = executed(tmp_path, monkeypatch, OPENING, REPEAT_PURCHASES)["customers"]
    rows = [sorted(map(tuple, frame.itertuples(index=False))) for frame in (by_spark, by_duckdb)]
    # The returns are 15.50 on 28 January and 20.00 on 28 March, so that 20.00 - 35.50 is left of the repeat purchase.
    assert rows[0] == rows[1] == [("ann", 1, 62, 180, -15.5), ("bob", 0, 0, 148, 0.0)]
    assert list(by_spark.columns) == list(by_duckdb.columns)


def test_the_sql_of_the_page_gives_the_summary_of_lifetimes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    purchases = cdnow_purchases()
    write_run(tmp_path / "output", f"{LAST_DAY:%Y-%m-%d}-cdnow", {"purchases": purchases})
    customers = executed(tmp_path, monkeypatch, OPENING, REPEAT_PURCHASES)["customers"]
    expected = lifetimes_summary(purchases, LAST_DAY)
    summarised = {customer: tuple(figures) for customer, *figures in customers.itertuples(index=False)}
    assert len(summarised) == CUSTOMERS
    assert summarised == {customer: pytest.approx(figures, rel=1e-12) for customer, figures in expected.items()}
