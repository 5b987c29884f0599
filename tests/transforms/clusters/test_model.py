"""Models as JSON, and texts that are not models."""

import json
from typing import Any

import pytest

from tests.transforms.clusters.models import model
from transforms.clusters.model import ClusterModel, ModelError

GOOD = model({0: (10.5, 1.25, 100.1), 3: (1 / 3, 2.0, 300.0)}, sizes={0: 30, 3: 70})


def test_a_model_is_restored_from_its_own_json() -> None:
    assert ClusterModel.from_json(GOOD.to_json()) == GOOD


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clusters": []}, "at least one"),
        ({"clusters": None}, '"clusters" is None, expected a list'),
        ({"feature_scale": {"kind": "cubic"}}, "cubic"),
        ({"as_of": "yesterday"}, "yesterday"),
        ({"next_cluster": None}, '"next_cluster" is None, expected a whole number'),
    ],
)
def test_an_invalid_field_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ClusterModel.from_json(json.dumps({**json.loads(GOOD.to_json()), **changes}))


def test_two_clusters_with_one_id_are_an_error() -> None:
    content = json.loads(GOOD.to_json())
    content["clusters"][1]["cluster"] = 0
    with pytest.raises(ModelError, match="each with a different id"):
        ClusterModel.from_json(json.dumps(content))


def test_a_centroid_without_a_number_is_an_error() -> None:
    content = json.loads(GOOD.to_json())
    content["clusters"][1]["centroid"]["recency"] = None
    with pytest.raises(ModelError, match="invalid point"):
        ClusterModel.from_json(json.dumps(content))


def test_invalid_json_is_an_error() -> None:
    with pytest.raises(ModelError, match="invalid JSON"):
        ClusterModel.from_json("{")
