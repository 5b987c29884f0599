"""Score cards as text, and what is no score card."""

import json
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


def spoiled(**bounds: Any) -> str:
    return json.dumps({**GOOD, "bounds": {**BOUNDS, **bounds}})


def test_a_card_comes_back_from_its_own_text_bit_by_bit() -> None:
    card = ScoreCard(
        name="run-1",
        as_of=date(2018, 10, 17),
        bounds={"recency": Bounds(0, 110), "frequency": Bounds(1, 17), "monetary": Bounds(1 / 3, 10.01 / 3)},
        customers=96_095,
        rules={"purchase_value": "sum"},
        configuration_hash="abc",
    )
    assert ScoreCard.from_json(card.to_json()) == card


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
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[]", 'no object with "bounds"'),
        ('{"as_of": "2018-10-17"}', 'no object with "bounds"'),
        (json.dumps({**GOOD, "as_of": "soon"}), "\"as_of\" is 'soon'"),
        (
            json.dumps({**GOOD, "bounds": {"recency": {"min": 0, "max": 1}}}),
            'no bounds for "frequency" (found: recency)',
        ),
        (spoiled(monetary={"min": 0}), '"max" of "monetary" is missing'),
        (spoiled(monetary={"min": "0", "max": 1}), '"min" of "monetary" is \'0\''),
        (spoiled(monetary={"min": 0, "max": float("nan")}), '"max" of "monetary" is nan'),
        (spoiled(monetary={"min": 0, "max": 10**400}), '"max" of "monetary" is 1000'),
        (spoiled(recency={"min": 2, "max": 1}), '"recency" has min 2 above max 1'),
        (json.dumps({**GOOD, "rules": "all"}), "\"rules\" is 'all' (expected dict or null)"),
    ],
)
def test_what_is_no_card_is_told_by_what_was_found(text: str, says: str) -> None:
    with pytest.raises(ScoreCardError) as error:
        ScoreCard.from_json(text)
    assert says in str(error.value)


def test_no_customers_make_no_card() -> None:
    with pytest.raises(ScoreCardError):
        ScoreCard.fitted({"customers": 0}, name="x", as_of=date(2018, 1, 1), rules={}, configuration_hash="")
