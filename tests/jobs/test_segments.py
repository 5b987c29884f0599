"""Customers to clusters and back: the nearest cluster, an account to the cent, stable cluster ids."""

import json
import math
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy.spatial.distance import cdist

from jobs import publish, segments
from tests.jobs.published import FIRST, K, Runs
from tests.jobs.shop import PER_GROUP
from tests.log_lines import without_logs
from tests.manifests import total
from tests.raw_files import key
from transforms.clusters.assignments import customer_segments

pytestmark = pytest.mark.usefixtures("spark")


def test_each_customer_has_the_nearest_cluster_and_the_distance_to_it(spark: SparkSession, published: Path) -> None:
    runs = Runs(published)
    scored = runs.features()
    assert len(scored) == K * PER_GROUP
    centres = runs.model.centroids
    distances = cdist(np.array(list(scored.values())), np.array(list(centres.values())))
    ids = list(centres)
    actual = runs.segments(spark)
    assert actual.keys() == scored.keys()
    for customer, to_each in zip(scored, distances, strict=True):
        assert actual[customer]["cluster"] == ids[int(to_each.argmin())]
        assert actual[customer]["distance"] == pytest.approx(to_each.min(), abs=1e-12)
    # Lloyd's fixed point, to the tolerance of the training: centroids are the means of their customers.
    labels = distances.argmin(axis=1)
    for position, centre in enumerate(centres.values()):
        members = np.array(list(scored.values()))[labels == position]
        assert members.mean(axis=0) == pytest.approx(centre, abs=1e-4)
    assert runs.model.inertia == pytest.approx((distances.min(axis=1) ** 2).sum(), rel=1e-9)


def test_the_groups_are_found_numbered_by_money_and_named(spark: SparkSession, published: Path) -> None:
    runs = Runs(published)
    actual = runs.segments(spark)
    by_group = [{actual[key(f"c{n}")]["cluster"] for n in range(group, K * PER_GROUP, K)} for group in range(K)]
    assert by_group == [{2}, {1}, {0}]
    # All customers: 23.3 weeks and 2.33 purchases on average (and 2 weeks, for those to the side).
    assert {cluster.id: cluster.name for cluster in runs.model.clusters} == {
        0: "recent frequent big spenders",
        1: "lapsed rare small spenders",
        2: "recent rare small spenders",
    }


def test_the_ledger_has_customers_and_money_of_every_cluster(published: Path) -> None:
    manifest = Runs(published).manifest
    assert [total(manifest, f"customer_segments cluster {number}")["rows"] for number in range(K)] == [PER_GROUP] * K
    check = next(check for check in manifest["reconciliation"] if check["whole"]["table"] == "rfm")
    assert check["passed"]
    assert check["compared"] == ["rows", "money"]
    kmeans = manifest["kmeans"]
    assert (kmeans["k"], kmeans["engine"], kmeans["drift"], kmeans["matched_to"]) == (K, "spark", None, None)
    assert sum(cluster["share_of_revenue"] for cluster in kmeans["clusters"]) == pytest.approx(1)
    assert manifest["quality"]["tables"]["customer_segments"]["rows"] == K * PER_GROUP


def test_spark_ml_goes_through_no_csv(published: Path) -> None:
    manifest = Runs(published).manifest
    assert "kmeans_features" not in manifest
    assert manifest["kmeans"]["assignments"] is None
    assert not list((published / "runs" / FIRST).rglob("*.csv"))


def test_a_second_training_gives_the_same_clusters_to_the_same_customers(spark: SparkSession, runs: Runs) -> None:
    before, old, settings = runs.segments(spark), runs.pointer, runs.manifest["configuration"]
    runs.add("--k", str(K))
    assert runs.segments(spark) == before
    assert runs.manifest["kmeans"]["matched_to"] == FIRST
    assert runs.manifest["kmeans"]["drift"]["drift"] == 0.0
    assert runs.manifest["inputs"] == {"features_run": FIRST}
    # The other tables are those of the run that it went on from, and so are the settings that they depend on.
    assert runs.manifest["configuration"] == settings | {"rules_of_segments": settings["rules"]}
    same = {name: path for name, path in old["tables"].items() if name != "customer_segments"}
    assert same.items() <= runs.pointer["tables"].items()
    assert runs.pointer["tables"]["customer_segments"] != old["tables"]["customer_segments"]


def test_a_run_of_segments_alone_is_one_that_a_warehouse_takes(runs: Runs, tmp_path: Path) -> None:
    runs.add("--score-with", FIRST)
    file = tmp_path / "w.duckdb"
    assert publish.main(["--output", str(runs.output), "--warehouse", f"duckdb:{file}"]) == 0
    with duckdb.connect(file, read_only=True) as connection:
        query = "select cluster, count(*), count(rfm.total_value) from customer_segments full join rfm using "
        rows = connection.execute(f"{query} (customer_unique_id) group by cluster order by cluster").fetchall()
    assert rows == [(number, PER_GROUP, PER_GROUP) for number in range(K)]


def test_an_earlier_runs_clusters_are_applied_as_they_are(spark: SparkSession, runs: Runs) -> None:
    before, first = runs.segments(spark), runs.model
    runs.add("--score-with", FIRST)
    assert runs.segments(spark) == before
    applied = runs.model
    assert applied.trained_in == FIRST
    assert applied.clusters == tuple(
        type(cluster)(**{**vars(cluster), "label": cluster.id}) for cluster in first.clusters
    )
    assert runs.manifest["kmeans"]["applied"] == FIRST


def test_a_customer_who_is_in_another_cluster_in_the_table_than_in_the_sums_stops_the_run(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def one_moved(**arguments: Any) -> DataFrame:
        is_moved = F.col("customer_unique_id") == key("c0")
        return customer_segments(**arguments).withColumn("cluster", F.when(is_moved, 0).otherwise(F.col("cluster")))

    monkeypatch.setattr(segments, "customer_segments", one_moved)
    before = runs.pointer
    runs.add("--score-with", FIRST, code=3)
    assert runs.pointer == before
    expected = "customer_segments: found 31 customers in cluster 0, expected the 30 that were added up"
    assert expected in capfd.readouterr().err


def test_features_that_single_precision_cannot_hold_stop_the_run(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    file = runs.output / runs.pointer["kmeans_model"]
    model = json.loads(file.read_text())
    model["feature_scale"]["bounds"]["monetary"] |= {"min": 0.0, "max": 1e-300}
    file.write_text(json.dumps(model))
    runs.add("--score-with", FIRST, code=3)
    assert "the squared distances to the centroids add up to" in capfd.readouterr().err


def test_what_did_not_move_did_not_drift(runs: Runs) -> None:
    # Three equal groups: a share that no rounding writes down whole.
    runs.add("--k", str(K), "--max-drift", "0")
    assert runs.manifest["kmeans"]["drift"]["drift"] == 0.0


def test_clusters_that_drifted_too_far_are_not_published(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    before = runs.pointer
    runs.add("--k", "2", "--max-drift", "0.2", code=3)
    assert runs.pointer == before
    # The recent ones are merged, and the big spenders' cluster moves halfway to the small ones': by 2 purchases of the
    # range's 4, by 180 of some 364.5, and by 3 weeks of 50.
    [drift] = re.findall(rf"the clusters drifted by ([0-9.]+) since run {FIRST}", capfd.readouterr().err)
    assert float(drift) == pytest.approx(math.hypot(2 / 4, 180 / 364.5, 3 / 50), abs=2e-3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--features-run", "2018-01-01-none"], "does not exist"),
        (["--score-with", "2018-01-01-none"], "does not exist"),
        (["--match", "2018-01-01-none"], "does not exist"),
        (["--assignments", "/nowhere"], "no file *.out or *.csv"),
        (["--assignments", "ftp://bucket/out"], "found ftp://"),
        (["--assignments", f"/{'x' * 300}"], "cannot be read (File name too long"),
        (["--model-artifact", "/nowhere"], "without --assignments"),
        (["--kmeans", "none"], "expected --assignments or --score-with"),
        (["--as-of", "2018-07-01"], "is as of 2018-06-30"),
        (["--k", "1"], "expected a number of clusters"),
        (["--k-range", "8-2"], "expected two numbers of clusters"),
        (["--max-drift", "nan"], "expected a number from 0"),
    ],
)
def test_invalid_options_are_reported_in_one_line(
    published: Path, arguments: list[str], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path.name for path in (published / "runs").iterdir())
    Runs(published).add(*arguments, code=2)
    [line] = without_logs(capfd.readouterr().err)
    assert says in line
    assert sorted(path.name for path in (published / "runs").iterdir()) == before


def test_segments_without_a_run_to_start_from_say_what_to_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Runs(tmp_path).add(code=2)
    assert "no current run there, so no customers to cluster" in capfd.readouterr().err
