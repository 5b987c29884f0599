"""The score card: the bounds that map measures to 0..5, fitted once, kept as JSON, applied again.

A card makes a figure explainable later: with it and the measures of a customer, anyone can compute the figure by hand.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from transforms.bounded_text import JSONTextError, parse_object, shown
from transforms.rfm.dimensions import DIMENSIONS, Bounds, ScoreCardError, bounds_as_json, bounds_of
from transforms.rfm.feature_scale import FeatureScale

HASH_KEY = "fit_configuration_hash"
LONGEST = 1_000_000
"""Characters of a card. The grids of a rank scale, its longest part, have some 10,000."""

LONGEST_NAME = 200

OLD_HASH_KEY = "configuration_hash"
"""The key of the same hash in cards that were written before it had a name of its own."""


@dataclass(frozen=True)
class ScoreCard:
    """Bounds by dimension, and their origin.

    Attributes:
        name: the name of the card: the run id for a card that a run fitted.
        bounds: one `Bounds` for each of `DIMENSIONS`.
        as_of: the as-of date of the measures; recency is in weeks before it.
        customers: the number of customers that the bounds were fitted to; None if unknown.
        rules: the settings that the measures depend on (order statuses, purchase value) when the card was fitted.
        fit_configuration_hash: the hash of the configuration under which the bounds were fitted; None if unknown. A run
            that applies the card has another configuration, with a hash of its own.
        feature_scale: how measures become the features that are clustered; None for the bounds of the card
            (`clustered_by`).
    """

    name: str
    bounds: Mapping[str, Bounds]
    as_of: date
    customers: int | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    fit_configuration_hash: str | None = None
    feature_scale: FeatureScale | None = None

    @property
    def clustered_by(self) -> FeatureScale:
        """The scale of the features. A card without one has the workshop's: minmax over its bounds."""
        return self.feature_scale or FeatureScale("minmax", self.bounds)

    @classmethod
    def fitted(
        cls,
        extremes: Mapping[str, Any],
        *,
        name: str,
        as_of: date,
        rules: Mapping[str, Any],
        fit_configuration_hash: str,
    ) -> "ScoreCard":
        """Build a card from `measures.fitted_bounds`.

        Raises:
            ScoreCardError: There are no customers, so that there are no extremes.
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
            fit_configuration_hash=fit_configuration_hash,
        )

    @classmethod
    def from_json(cls, text: str) -> "ScoreCard":
        """Read a card; the inverse of `to_json`. Cards with the key ``configuration_hash`` are read too.

        Raises:
            ScoreCardError: The text is not a JSON object, or exceeds a bound of `parse_object`. A bound of a dimension
                is missing, is not finite, or is a minimum above its maximum. Or ``as_of`` is not an ISO date.
        """
        try:
            content = parse_object(text, longest=LONGEST)
        except JSONTextError as error:
            raise ScoreCardError(str(error)) from None
        if not isinstance(content.get("bounds"), dict):
            raise ScoreCardError(f'no object with "bounds" (expected {{"bounds": {{"{DIMENSIONS[0]}": ...}}}})')
        try:
            as_of = date.fromisoformat(content.get("as_of", ""))
        except (TypeError, ValueError):
            raise ScoreCardError(
                f'"as_of" is {shown(content.get("as_of"))} (expected a date such as "2018-10-17")'
            ) from None
        bounds = {name: bounds_of(content["bounds"], name) for name in DIMENSIONS}
        scale = content.get("feature_scale")
        return cls(
            name=_name_in(content),
            bounds=bounds,
            as_of=as_of,
            customers=_customers_in(content),
            rules=_optional(content, "rules", dict) or {},
            fit_configuration_hash=_optional(content, HASH_KEY if HASH_KEY in content else OLD_HASH_KEY, str),
            feature_scale=None if scale is None else FeatureScale.from_json(scale, bounds=bounds),
        )

    def to_json(self) -> str:
        """The card as JSON that people can read, and that `from_json` restores bit by bit."""
        content: dict[str, Any] = {
            "card": self.name,
            "as_of": self.as_of.isoformat(),
            "bounds": bounds_as_json(self.bounds),
            "customers": self.customers,
            "rules": dict(self.rules),
            HASH_KEY: self.fit_configuration_hash,
        }
        if self.feature_scale is not None:
            # The bounds of the scale are those of the card.
            content["feature_scale"] = {
                name: value for name, value in self.feature_scale.as_json().items() if name != "bounds"
            }
        return json.dumps(content, indent=2) + "\n"


def _optional(content: Mapping[str, Any], name: str, kind: type) -> Any:
    value = content.get(name)
    if value is not None and not isinstance(value, kind):
        raise ScoreCardError(f'"{name}" is {shown(value)} (expected {kind.__name__} or null)')
    return value


def _name_in(content: Mapping[str, Any]) -> str:
    name = content.get("card", "unnamed")
    if not isinstance(name, str) or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ScoreCardError(
            f'"card" is {shown(name)} (expected a name, of {LONGEST_NAME} printable characters at most)'
        )
    return name


def _customers_in(content: Mapping[str, Any]) -> int | None:
    customers: int | None = _optional(content, "customers", int)
    if isinstance(customers, bool) or (customers is not None and customers < 0):
        raise ScoreCardError(f'"customers" is {customers} (expected a number of customers, or null)')
    return customers
