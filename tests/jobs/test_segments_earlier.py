"""The clusters that were there before: which of them count, and what holds when they are gone."""

import pytest

from jobs import pipeline
from tests.jobs.published import FIRST, K, Runs
from tests.raw_files import RawFiles

pytestmark = pytest.mark.usefixtures("spark")


@pytest.mark.long
def test_a_number_that_a_later_run_used_is_not_used_again_for_another_cluster(runs: Runs) -> None:
    runs.add("--k", str(K + 1))
    assert [cluster.id for cluster in runs.model.clusters] == [*range(K), K]
    # Back to the three clusters of the first run, and on to four again.
    runs.add("--score-with", FIRST)
    assert runs.model.next_id == K + 1
    runs.add("--k", str(K + 1))
    assert [cluster.id for cluster in runs.model.clusters] == [*range(K), K + 1]
    runs.add("--k", str(K + 1), "--match", FIRST)
    assert [cluster.id for cluster in runs.model.clusters] == [*range(K), K + 2]


def test_whoever_matches_to_none_begins_anew(runs: Runs) -> None:
    runs.add("--k", str(K + 1), "--match", "none")
    assert [cluster.id for cluster in runs.model.clusters] == list(range(K + 1))
    assert (runs.manifest["kmeans"]["matched_to"], runs.manifest["kmeans"]["drift"]) == (None, None)


def test_clusters_applied_again_are_compared_with_those_whose_numbers_they_have(runs: Runs) -> None:
    runs.add("--k", "2", "--match", "none")
    runs.add("--score-with", FIRST)
    actual = runs.manifest["kmeans"]
    assert (actual["drift"]["against"], actual["drift"]["drift"]) == (FIRST, 0.0)


@pytest.mark.long
def test_a_missing_model_stops_only_runs_that_would_match_to_it(
    runs: Runs, raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.write()
    (runs.output / runs.pointer["kmeans_model"]).unlink()
    runs.add("--k", str(K), code=3)
    advice = "which does not exist. Restore it, name a run with --match, or start new ids with --match none"
    assert advice in capfd.readouterr().err
    places = ["--input", str(raw.folder), "--output", str(runs.output)]
    assert pipeline.main(["--as-of", "2018-12-31", *places, "--kmeans", "none"]) == 0
    runs.add("--k", "2", "--match", "none")
    assert [cluster.id for cluster in runs.model.clusters] == [0, 1]
