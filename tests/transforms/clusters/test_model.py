"""Clusters as text, and what is no such text."""

import json
from typing import Any

import pytest

from tests.transforms.clusters.models import model
from transforms.clusters.model import ClusterModel, ModelError

GOOD = model({0: (10.5, 1.25, 100.1), 3: (1 / 3, 2.0, 300.0)}, sizes={0: 30, 3: 70})


def test_a_model_comes_back_from_its_own_text() -> None:
    assert ClusterModel.from_json(GOOD.to_json()) == GOOD


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"clusters": []}, "at least one"),
        ({"clusters": None}, "NoneType"),
        ({"feature_scale": {"kind": "cubic"}}, "cubic"),
        ({"as_of": "yesterday"}, "yesterday"),
        ({"next_cluster": None}, "NoneType"),
    ],
)
def test_what_is_no_model_is_told(changed: dict[str, Any], found: str) -> None:
    with pytest.raises(ModelError, match=found):
        ClusterModel.from_json(json.dumps({**json.loads(GOOD.to_json()), **changed}))


def test_two_clusters_of_one_number_are_told() -> None:
    content = json.loads(GOOD.to_json())
    content["clusters"][1]["cluster"] = 0
    with pytest.raises(ModelError, match="number of its own"):
        ClusterModel.from_json(json.dumps(content))


def test_a_centroid_that_is_no_point_is_told() -> None:
    content = json.loads(GOOD.to_json())
    content["clusters"][1]["centroid"]["recency"] = None
    with pytest.raises(ModelError, match="no point"):
        ClusterModel.from_json(json.dumps(content))


def test_what_is_no_json_is_told() -> None:
    with pytest.raises(ModelError, match="no JSON"):
        ClusterModel.from_json("{")
