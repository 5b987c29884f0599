"""Score cards, and the feature scale: the card's own or the one of the command line."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs.cli.config import FeaturesConfig
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.score_cards import choose_scoring
from jobs.inputs.segment_maps import load_maps
from jobs.storage.store import RunStore
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, write_run
from transforms.rfm.dimensions import Bounds
from transforms.rfm.feature_scale import FeatureScale, ScaleKind
from transforms.rfm.score_card import DEFAULT_PERCENTS, ScoreCard, Scoring
from transforms.rfm.scores import SCORED, Bands

BOUNDS = {"recency": Bounds(0, 10), "frequency": Bounds(1, 5), "monetary": Bounds(0, 100)}
GRID = dict.fromkeys(BOUNDS, ((1.0, 0.25), (2.0, 0.75)))
RANKED = FeatureScale("rank", BOUNDS, GRID)


def written(folder: Path, scale: FeatureScale | None) -> str:
    path = folder / "card.json"
    path.write_text(ScoreCard("mine", BOUNDS, date(2018, 10, 17), feature_scale=scale).to_json())
    return str(path)


def scale_of(card: str, scale: ScaleKind | None = None) -> FeatureScale:
    choice = choose_scoring(RunStore("no-runs"), FeaturesConfig(card=card, feature_scale=scale))
    assert choice.card is not None
    return choice.card.clustered_by


def test_a_card_keeps_its_scale_unless_the_command_line_names_another(tmp_path: Path) -> None:
    assert scale_of(written(tmp_path, RANKED)) == RANKED
    assert scale_of(written(tmp_path, None)) == FeatureScale("minmax", BOUNDS)


def test_bounds_are_all_that_minmax_and_log_need(tmp_path: Path) -> None:
    assert scale_of(written(tmp_path, RANKED), "log") == FeatureScale("log", BOUNDS)
    assert scale_of(written(tmp_path, RANKED), "minmax") == FeatureScale("minmax", BOUNDS)
    assert scale_of("workshop-2021", "log").kind == "log"


def test_ranks_need_a_card_that_has_them(tmp_path: Path) -> None:
    assert scale_of(written(tmp_path, RANKED), "rank") == RANKED
    with pytest.raises(ConfigurationError, match="a card of scale minmax, expected one that was fitted with"):
        scale_of(written(tmp_path, None), "rank")


def test_logarithms_of_a_card_with_lower_bounds_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    bounds = {**BOUNDS, "monetary": Bounds(-5.0, 100.0)}
    file.write_text(ScoreCard("mine", bounds, date(2018, 10, 17)).to_json())
    with pytest.raises(ConfigurationError, match=r'--feature-scale log with --card .*"monetary" has min -5\.0'):
        scale_of(str(file), "log")


def scored(*, window_months: int | None = None) -> ScoreCard:
    """A card that scores everybody 3."""
    bands = {letter: Bands(measure, (), (3,)) for letter, measure in SCORED.items()}
    scoring = Scoring(bands, DEFAULT_PERCENTS, load_maps(None).over_money, window_months)
    return ScoreCard("mine", BOUNDS, date(2018, 10, 17), scoring=scoring)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """An output folder whose current run has a card of a window of six months."""
    write_run(tmp_path, JUNE_RUN, JUNE)
    (tmp_path / "runs" / JUNE_RUN / "score_card.json").write_text(scored(window_months=6).to_json())
    name_card(tmp_path, {"file": f"runs/{JUNE_RUN}/score_card.json"})
    return RunStore(str(tmp_path))


def name_card(output: Path, entry: dict[str, Any] | None) -> None:
    path = output / "runs" / JUNE_RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "score_card": entry}))


def test_the_current_card_is_that_of_the_current_run_with_its_window(store: RunStore) -> None:
    choice = choose_scoring(store, FeaturesConfig(card="current"))
    assert choice.card == scored(window_months=6)
    assert choice.window_months == 6


def test_without_a_current_run_the_current_card_is_a_new_one(tmp_path: Path) -> None:
    choice = choose_scoring(RunStore(str(tmp_path)), FeaturesConfig(card="current", window_months=12))
    assert choice.card is None
    assert choice.window_months == 12


def test_a_map_of_the_user_replaces_that_of_the_card(store: RunStore, tmp_path: Path) -> None:
    file = tmp_path / "map.yml"
    file.write_text("name: mine\nsegments: [{name: All, code: A, advice: Write., cells: [{r: 1-5}]}]\n")
    choice = choose_scoring(store, FeaturesConfig(card="current", segments=str(file)))
    assert choice.card is not None
    assert choice.card.scored_by.segment_map.name == "mine"
    assert choice.card.name == "mine, with segment map mine"
    assert choice.named == scored(window_months=6)
    assert choice.card.scored_by.bands == scored().scored_by.bands


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            FeaturesConfig(card="current", window_months=12),
            "the card was fitted to 6 months. Leave",
        ),
        (
            FeaturesConfig(card="current", percentiles=(10.0, 50.0, 75.0, 95.0)),
            "--score-percentiles with --card current: the card was cut at 20, 40, 60, 80",
        ),
    ],
)
def test_options_that_a_card_has_settled_are_refused(store: RunStore, options: FeaturesConfig, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        choose_scoring(store, options)


def test_options_that_a_card_has_settled_in_the_same_way_are_taken(store: RunStore) -> None:
    options = FeaturesConfig(card="current", window_months=6, percentiles=DEFAULT_PERCENTS)
    assert choose_scoring(store, options).card == scored(window_months=6)


def test_a_card_that_was_changed_is_refused_unless_its_hash_is_taken_out(store: RunStore, tmp_path: Path) -> None:
    file = tmp_path / "runs" / JUNE_RUN / "score_card.json"
    file.write_text(file.read_text().replace('"window_months": 6', '"window_months": 7'))
    with pytest.raises(DataError, match="the card was changed after it was fitted"):
        choose_scoring(store, FeaturesConfig(card="current"))
    changed = json.loads(file.read_text())
    del changed["hash"]
    file.write_text(json.dumps(changed))
    assert choose_scoring(store, FeaturesConfig(card="current")).window_months == 7


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (None, "names no score card"),
        ({"file": f"runs/{JUNE_RUN}/other.json"}, "other.json, which does not exist"),
        ({"file": f"runs/{JUNE_RUN}/manifest.json"}, 'no object with "bounds"'),
    ],
)
def test_a_current_run_without_its_card_ends_the_run_with_what_to_do(
    store: RunStore, tmp_path: Path, entry: dict[str, Any] | None, message: str
) -> None:
    name_card(tmp_path, entry)
    with pytest.raises(DataError, match=f"{message}.* make a new card with --card fit"):
        choose_scoring(store, FeaturesConfig(card="current"))
