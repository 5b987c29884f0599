"""The steps one after the other: each goes on from a run that is whole, and says so when there is none."""

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import features, ingest, pipeline, segments
from tests.frames import money
from tests.jobs.complete_runs import AS_OF, TABLES, Ran, run
from tests.manifests import total
from tests.raw_files import RawFiles, key

pytestmark = pytest.mark.usefixtures("spark")


def test_ingest_and_features_one_after_the_other_are_the_pipeline(
    spark: SparkSession, raw: RawFiles, plain_run: Ran, tmp_path: Path
) -> None:
    raw.write()
    apart = tmp_path / "apart"
    common = ["--as-of", AS_OF, "--output", str(apart)]
    assert ingest.main([*common, "--input", str(raw.folder), "--run-id", f"{AS_OF}-checked"]) == 0
    assert not (apart / "current.json").exists()
    assert features.main([*common, "--checked-run", f"{AS_OF}-checked"]) == 0
    ran = Ran(apart)
    assert ran.content(spark) == plain_run.content(spark)
    assert ran.pointer["tables"]["orders"] == f"runs/{AS_OF}-checked/orders"
    assert ran.manifest["inputs"] == {"checked_run": f"{AS_OF}-checked"}
    assert ran.manifest["configuration_hash"] == plain_run.manifest["configuration_hash"]
    card = json.loads((apart / ran.manifest["score_card"]["file"]).read_text())
    # Another thing of another name: the hash of the configuration under which the card was fitted.
    assert card["fit_configuration_hash"] == ran.manifest["configuration_hash"]


@pytest.mark.long
def test_a_run_may_be_complete_without_becoming_current(raw: RawFiles, tmp_path: Path) -> None:
    raw.write()
    output = tmp_path / "output"
    where = ["--as-of", AS_OF, "--input", str(raw.folder), "--output", str(output), "--run-id", f"{AS_OF}-first"]
    assert pipeline.main([*where, "--kmeans", "none", "--becomes-current", "no"]) == 0
    assert not (output / "current.json").exists()
    assert (output / "runs" / f"{AS_OF}-first" / "manifest.json").exists()
    shares = json.loads((output / "runs" / f"{AS_OF}-first" / "quality_shares.json").read_text())
    assert shares["tables"] == {table: {"share_quarantined": 0.0} for table in (*TABLES, "segment_history")}
    assert segments.main(["--output", str(output), "--features-run", f"{AS_OF}-first", "--k", "2"]) == 0
    assert set(TABLES) < set(Ran(output).pointer["tables"])
    folder = output / "runs" / f"{AS_OF}-first"
    assert (folder / "quality").stat().st_mode == folder.stat().st_mode  # for all to read who may read the tables


@pytest.mark.long
def test_features_go_on_from_the_current_run_with_another_date(spark: SparkSession, raw: RawFiles) -> None:
    raw.write()
    first = run(raw)
    assert features.main(["--as-of", "2018-02-28", "--output", str(first.output)]) == 0
    second = Ran(first.output)
    assert second.pointer["tables"]["orders"] == first.pointer["tables"]["orders"]
    actual = spark.read.parquet(str(second.output / second.pointer["tables"]["rfm"]))
    totals = {row["customer_unique_id"]: row["total_value"] for row in actual.collect()}
    assert totals == {key("ann"): money("15.50"), key("bob"): money("5")}
    assert total(second.manifest, "payments excluded purchased_after_as_of") == {"rows": 1, "money": "20.0000"}


def test_features_without_a_run_to_start_from_say_what_to_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert features.main(["--as-of", AS_OF, "--output", str(tmp_path)]) == 2
    assert "no current run there" in capfd.readouterr().err
    assert features.main(["--as-of", AS_OF, "--output", str(tmp_path), "--checked-run", "2018-01-01-x"]) == 2
    assert "run 2018-01-01-x in" in capfd.readouterr().err


def test_features_in_a_place_that_holds_no_runs_say_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    assert features.main(["--as-of", AS_OF, "--output", str(file)]) == 2
    assert f"--output {file}: no current run there" in capfd.readouterr().err
    (tmp_path / "current.json").write_text("{}")
    assert features.main(["--as-of", AS_OF, "--output", str(tmp_path)]) == 3
    assert 'found no "run_id" (expected one)' in capfd.readouterr().err
