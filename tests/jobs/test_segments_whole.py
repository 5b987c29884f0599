"""Whole ways that take their time: other scales, a chosen number of clusters, and runs without clusters between."""

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import features
from tests.jobs.published import FIRST, K, Runs
from tests.jobs.shop import AS_OF

pytestmark = [pytest.mark.usefixtures("spark"), pytest.mark.long]


def test_a_chosen_k_is_the_number_of_groups_and_the_manifest_has_the_table(runs: Runs) -> None:
    runs.add("--features-run", FIRST, "--k", "auto", "--k-range", "2-6")
    choice = runs.manifest["kmeans"]["choice_of_k"]
    assert (choice["k"], choice["verdict"], choice["sample"]) == (K, "structure found", 90)
    assert [tried["k"] for tried in choice["tried"]] == [2, 3, 4, 5, 6]
    assert len(runs.model.clusters) == K


@pytest.mark.parametrize("scale", ["log", "rank"])
def test_another_scale_finds_the_groups_and_goes_on_with_its_card(spark: SparkSession, runs: Runs, scale: str) -> None:
    common = ["--as-of", str(AS_OF), "--output", str(runs.output), "--checked-run", FIRST]
    assert features.main([*common, "--feature-scale", scale, "--kmeans", "none"]) == 0
    card = runs.output / runs.manifest["score_card"]["file"]
    assert json.loads(card.read_text())["feature_scale"]["kind"] == scale
    first_scores = runs.lines("kmeans/score")
    # This run has no clusters: the last ones are still there to be matched to.
    assert "customer_segments" not in runs.pointer["tables"]
    assert runs.model.trained_in.startswith(str(AS_OF))
    runs.add("--k", str(K))
    assert runs.model.scale.kind == scale
    groups = [{row["cluster"] for row in runs.segments(spark).values()}]
    assert groups == [{0, 1, 2}]
    assert sorted(cluster.customers for cluster in runs.model.clusters) == [30, 30, 30]
    # The card, applied, gives the same features to the last bit.
    assert features.main([*common, "--card", str(card), "--kmeans", "none"]) == 0
    assert runs.lines("kmeans/score") == first_scores


def test_one_fewer_and_one_more_keep_the_numbers_of_those_that_stay(runs: Runs) -> None:
    runs.add("--features-run", FIRST, "--k", str(K), "--match", FIRST)
    before = {cluster.id: cluster.means for cluster in runs.model.clusters}
    runs.add("--features-run", FIRST, "--k", str(K + 1), "--match", FIRST)
    more = {cluster.id: cluster.means for cluster in runs.model.clusters}
    assert set(more) == {0, 1, 2, 3}
    runs.add("--features-run", FIRST, "--k", "2")
    fewer = runs.model
    assert {cluster.id for cluster in fewer.clusters} < {0, 1, 2, 3}
    assert fewer.next_id == 4
    assert Path(runs.output / runs.pointer["kmeans_model"]).is_file()
    assert set(before) == {0, 1, 2}
