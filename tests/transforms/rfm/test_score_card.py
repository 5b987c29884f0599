"""Score cards as JSON, and texts that are not score cards."""

import json
from dataclasses import replace
from datetime import date
from importlib import resources
from typing import Any

import pytest

from transforms.rfm.dimensions import Bounds, ScoreCardError
from transforms.rfm.score_card import ScoreCard

BOUNDS: dict[str, Any] = {
    "recency": {"min": 0, "max": 110},
    "frequency": {"min": 1, "max": 17},
    "monetary": {"min": 0.1, "max": 13664.08},
}
GOOD: dict[str, Any] = {"card": "mine", "as_of": "2018-10-17", "bounds": BOUNDS}


def with_bounds(**bounds: Any) -> str:
    return json.dumps({**GOOD, "bounds": {**BOUNDS, **bounds}})


def test_a_card_is_restored_from_its_own_json_bit_by_bit() -> None:
    card = ScoreCard(
        name="run-1",
        as_of=date(2018, 10, 17),
        bounds={"recency": Bounds(0, 110), "frequency": Bounds(1, 17), "monetary": Bounds(1 / 3, 10.01 / 3)},
        customers=96_095,
        rules={"purchase_value": "sum"},
        fit_configuration_hash="abc",
    )
    assert ScoreCard.from_json(card.to_json()) == card


def test_the_hash_of_the_fit_has_a_key_of_its_own() -> None:
    card = ScoreCard(name="mine", bounds={name: Bounds(0, 1) for name in BOUNDS}, as_of=date(2018, 10, 17))
    content = json.loads(replace(card, fit_configuration_hash="abc").to_json())
    assert content["fit_configuration_hash"] == "abc"
    assert "configuration_hash" not in content


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        ({}, None),
        ({"configuration_hash": "old"}, "old"),
        ({"configuration_hash": None}, None),
        ({"fit_configuration_hash": "new"}, "new"),
        ({"configuration_hash": "old", "fit_configuration_hash": "new"}, "new"),
        ({"configuration_hash": "old", "fit_configuration_hash": None}, None),
    ],
    ids=["none", "old key", "old key, unknown", "new key", "both", "both, new one unknown"],
)
def test_a_card_with_the_old_key_of_the_hash_is_read_and_the_new_key_wins(
    hashes: dict[str, Any], expected: str | None
) -> None:
    assert ScoreCard.from_json(json.dumps({**GOOD, **hashes})).fit_configuration_hash == expected


def test_the_shipped_card_has_the_constants_of_the_workshops_sql() -> None:
    text = (resources.files("transforms.rfm") / "cards" / "workshop-2021.json").read_text()
    card = ScoreCard.from_json(text)
    assert card.name == "workshop-2021"
    assert card.bounds == {
        "recency": Bounds(161, 271),
        "frequency": Bounds(1, 17),
        "monetary": Bounds(0, 13664.08),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "invalid JSON"),
        ("[]", "found [] (expected an object in JSON)"),
        ('{"as_of": "2018-10-17"}', 'no object with "bounds"'),
        (json.dumps({**GOOD, "as_of": "soon"}), "\"as_of\" is 'soon'"),
        (
            json.dumps({**GOOD, "bounds": {"recency": {"min": 0, "max": 1}}}),
            'no bounds for "frequency" (found: recency)',
        ),
        (with_bounds(monetary={"min": 0}), '"max" of "monetary" is missing'),
        (with_bounds(monetary={"min": "0", "max": 1}), '"min" of "monetary" is \'0\''),
        (with_bounds(monetary={"min": 0, "max": float("nan")}), "found the number NaN (expected finite numbers only)"),
        (with_bounds(monetary={"min": 0, "max": 10**400}), "found a number of 401 digits"),
        (with_bounds(recency={"min": 2, "max": 1}), '"recency" has min 2 above max 1'),
        (json.dumps({**GOOD, "rules": "all"}), "\"rules\" is 'all' (expected dict or null)"),
        (json.dumps({**GOOD, "configuration_hash": 7}), '"configuration_hash" is 7 (expected str or null)'),
    ],
)
def test_an_invalid_card_is_an_error_that_names_what_was_found(text: str, message: str) -> None:
    with pytest.raises(ScoreCardError) as error:
        ScoreCard.from_json(text)
    assert message in str(error.value)


def test_a_card_cannot_be_fitted_to_no_customers() -> None:
    with pytest.raises(ScoreCardError):
        ScoreCard.fitted({"customers": 0}, name="x", as_of=date(2018, 1, 1), rules={}, fit_configuration_hash="")
