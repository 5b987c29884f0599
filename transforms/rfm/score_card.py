"""The score card: the bounds that turn measures into 0..5, fitted once, kept as JSON, applied again.

A card makes today's figure explainable next year: with it and a customer's measures, anyone can work it out by hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from transforms.rfm.dimensions import DIMENSIONS, Bounds, ScoreCardError, bounds_as_json, bounds_of
from transforms.rfm.feature_scale import FeatureScale


@dataclass(frozen=True)
class ScoreCard:
    """Bounds by dimension, and where they come from.

    Attributes:
        name: how a run is told which card it applied; the run id for a card that a run fitted.
        bounds: one `Bounds` for each of `DIMENSIONS`.
        as_of: the day for which the measures were taken; recency bounds are weeks before it.
        customers: how many customers the bounds were fitted on; None when that is not known.
        rules: the settings that the measures depend on (order statuses, purchase value), in force when fitted.
        configuration_hash: of the settings, of the run that fitted the card, that measures and features depend on.
        feature_scale: how the measures become the features that are clustered; None for the bounds above, as they are
            (`clustered_by`).
    """

    name: str
    bounds: Mapping[str, Bounds]
    as_of: date
    customers: int | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    configuration_hash: str | None = None
    feature_scale: FeatureScale | None = None

    @property
    def clustered_by(self) -> FeatureScale:
        """The scale of the features; a card of a time before there were several has the workshop's."""
        return self.feature_scale or FeatureScale("minmax", self.bounds)

    @classmethod
    def fitted(
        cls, extremes: Mapping[str, Any], *, name: str, as_of: date, rules: Mapping[str, Any], configuration_hash: str
    ) -> "ScoreCard":
        """Make a card from the one row of `rfm.fit_bounds`.

        Raises:
            ScoreCardError: The row was made from no customers, so that it has no extremes.
        """
        if not extremes["customers"]:
            raise ScoreCardError("no customers to fit bounds on")
        bounds = {name: Bounds(low=extremes[f"{name}_min"], high=extremes[f"{name}_max"]) for name in DIMENSIONS}
        return cls(
            name=name,
            bounds=bounds,
            as_of=as_of,
            customers=extremes["customers"],
            rules=rules,
            configuration_hash=configuration_hash,
        )

    @classmethod
    def from_json(cls, text: str) -> "ScoreCard":
        """Read a card; the inverse of `to_json`.

        Raises:
            ScoreCardError: No JSON object, a bound missing or no finite number, a minimum above its maximum, or no
                ISO date in ``as_of``.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ScoreCardError(f"no JSON: {error}") from None
        if not isinstance(content, dict) or not isinstance(content.get("bounds"), dict):
            raise ScoreCardError(f'no object with "bounds" (expected {{"bounds": {{"{DIMENSIONS[0]}": ...}}}})')
        try:
            as_of = date.fromisoformat(content.get("as_of", ""))
        except (TypeError, ValueError):
            raise ScoreCardError(
                f'"as_of" is {content.get("as_of")!r} (expected a date such as "2018-10-17")'
            ) from None
        bounds = {name: bounds_of(content["bounds"], name) for name in DIMENSIONS}
        scale = content.get("feature_scale")
        return cls(
            name=str(content.get("card", "unnamed")),
            bounds=bounds,
            as_of=as_of,
            customers=_optional(content, "customers", int),
            rules=_optional(content, "rules", dict) or {},
            configuration_hash=_optional(content, "configuration_hash", str),
            feature_scale=None if scale is None else FeatureScale.from_json(scale, bounds=bounds),
        )

    def to_json(self) -> str:
        """The card as text that people can read and `from_json` gives back bit by bit."""
        content: dict[str, Any] = {
            "card": self.name,
            "as_of": self.as_of.isoformat(),
            "bounds": bounds_as_json(self.bounds),
            "customers": self.customers,
            "rules": dict(self.rules),
            "configuration_hash": self.configuration_hash,
        }
        if self.feature_scale is not None:
            # Its bounds are the card's, and stand there already.
            content["feature_scale"] = {
                name: value for name, value in self.feature_scale.as_json().items() if name != "bounds"
            }
        return json.dumps(content, indent=2) + "\n"


def _optional(content: Mapping[str, Any], name: str, kind: type) -> Any:
    value = content.get(name)
    if value is not None and not isinstance(value, kind):
        raise ScoreCardError(f'"{name}" is {value!r} (expected {kind.__name__} or null)')
    return value
