"""Score cards, and the feature scale: the card's own or the one of the command line."""

from datetime import date
from pathlib import Path

import pytest

from jobs.errors import ConfigurationError
from jobs.sources.score_cards import load_card
from transforms.rfm.dimensions import Bounds
from transforms.rfm.feature_scale import FeatureScale
from transforms.rfm.score_card import ScoreCard

BOUNDS = {"recency": Bounds(0, 10), "frequency": Bounds(1, 5), "monetary": Bounds(0, 100)}
GRID = dict.fromkeys(BOUNDS, ((1.0, 0.25), (2.0, 0.75)))
RANKED = FeatureScale("rank", BOUNDS, GRID)


def written(folder: Path, scale: FeatureScale | None) -> str:
    path = folder / "card.json"
    path.write_text(ScoreCard("mine", BOUNDS, date(2018, 10, 17), feature_scale=scale).to_json())
    return str(path)


def test_a_card_keeps_its_scale_unless_the_command_line_names_another(tmp_path: Path) -> None:
    assert load_card(written(tmp_path, RANKED)).clustered_by == RANKED
    assert load_card(written(tmp_path, None)).clustered_by == FeatureScale("minmax", BOUNDS)


def test_bounds_are_all_that_minmax_and_log_need(tmp_path: Path) -> None:
    assert load_card(written(tmp_path, RANKED), "log").clustered_by == FeatureScale("log", BOUNDS)
    assert load_card(written(tmp_path, RANKED), "minmax").clustered_by == FeatureScale("minmax", BOUNDS)
    assert load_card("workshop-2021", "log").clustered_by.kind == "log"


def test_ranks_need_a_card_that_has_them(tmp_path: Path) -> None:
    assert load_card(written(tmp_path, RANKED), "rank").clustered_by == RANKED
    with pytest.raises(ConfigurationError, match="a card of scale minmax, expected one that was fitted with"):
        load_card(written(tmp_path, None), "rank")
