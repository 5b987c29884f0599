"""The score card: all that turns measures into figures, scores and segments; fitted once, kept as JSON, applied again.

A card makes a figure explainable later: with it and the measures of a customer, anyone can compute the figure by hand.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from transforms.bounded_text import JSONTextError, parse_object, shown
from transforms.rfm.dimensions import DIMENSIONS, Bounds, ScoreCardError, bounds_as_json, bounds_of, is_number
from transforms.rfm.feature_scale import FeatureScale
from transforms.rfm.scores import SCORED, Bands
from transforms.rfm.segments import SegmentMap

DEFAULT_PERCENTS = (20.0, 40.0, 60.0, 80.0)
"""The percentiles at which measures are cut: fifths."""

HASH_KEY = "fit_configuration_hash"
LONGEST = 1_000_000
"""Characters of a card. The grids of a rank scale, its longest part, have some 10,000."""

LONGEST_NAME = 200
LONGEST_WINDOW = 1200
"""Months of a window."""

OLD_HASH_KEY = "configuration_hash"
"""The key of the same hash in cards that were written before it had a name of its own."""


@dataclass(frozen=True)
class Scoring:
    """How measures become scores and segments.

    Attributes:
        bands: by letter of `SCORED`.
        percents: the percentiles that the cut points were fitted at.
        segment_map: the segment of each cell.
        window_months: the months up to the as-of date whose purchases count; None for all history.
    """

    bands: Mapping[str, Bands]
    percents: tuple[float, ...]
    segment_map: SegmentMap
    window_months: int | None = None

    @property
    def stated_percents(self) -> list[int | float]:
        """The percentiles as a card states them: 20, and not 20.0."""
        return [int(percent) if percent.is_integer() else percent for percent in self.percents]

    @property
    def degenerate(self) -> list[Bands]:
        """The measures with fewer than five bands of their own."""
        return [bands for bands in self.bands.values() if bands.degeneracy is not None]


@dataclass(frozen=True)
class ScoreCard:
    """Bounds, cut points and segments, and their origin.

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
        scoring: cut points and segments; None for a card that has bounds alone.
    """

    name: str
    bounds: Mapping[str, Bounds]
    as_of: date
    customers: int | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    fit_configuration_hash: str | None = None
    feature_scale: FeatureScale | None = None
    scoring: Scoring | None = None

    @property
    def hash(self) -> str:
        """A hash of all that the card says."""
        return _hash_of(self._content())

    @property
    def scored_by(self) -> Scoring:
        """Cut points and segments.

        Raises:
            ScoreCardError: The card has bounds alone.
        """
        if self.scoring is None:
            raise ScoreCardError(f'card {self.name} has no "scores" (expected cut points and segments)')
        return self.scoring

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
                is missing, is not finite, or is a minimum above its maximum. ``as_of`` is not an ISO date. Cut points
                or segments are invalid. Or the hash is not that of the content.
        """
        try:
            content = parse_object(text, longest=LONGEST)
        except JSONTextError as error:
            raise ScoreCardError(str(error)) from None
        _check_hash(content)
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
            scoring=_scoring_in(content) if "scores" in content else None,
        )

    def to_json(self) -> str:
        """The card as JSON that people can read, and that `from_json` restores bit by bit."""
        return json.dumps({**self._content(), "hash": self.hash}, indent=2) + "\n"

    def _content(self) -> dict[str, Any]:
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
        if self.scoring is not None:
            bands = {letter: bands.as_json() for letter, bands in self.scoring.bands.items()}
            content["window_months"] = self.scoring.window_months
            content["scores"] = {"percentiles": self.scoring.stated_percents, **bands}
            content["segment_map"] = self.scoring.segment_map.as_json()
        return content


def _hash_of(content: Mapping[str, Any]) -> str:
    """A hash of a card as JSON, whatever the order of its keys."""
    hashed = {name: value for name, value in content.items() if name != "hash"}
    return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:16]


def _check_hash(content: Mapping[str, Any]) -> None:
    """Check the hash that a card states, if it states one: of what the file says, whichever release wrote it.

    Raises:
        ScoreCardError: It is another one.
    """
    stated, actual = _optional(content, "hash", str), _hash_of(content)
    if stated not in (None, actual):
        raise ScoreCardError(
            f'"hash" is {shown(stated)} (expected "{actual}": the card was changed after it was fitted. If that is '
            'intended, take "hash" out of the file)'
        )


def _scoring_in(content: Mapping[str, Any]) -> Scoring:
    scores = content["scores"]
    if not isinstance(scores, dict):
        raise ScoreCardError(f'"scores" is {shown(scores)} (expected an object with {", ".join(SCORED)})')
    percents = percents_of(scores.get("percentiles"))
    bands = {letter: Bands.from_json(scores.get(letter), letter=letter) for letter in SCORED}
    months = _optional(content, "window_months", int)
    if isinstance(months, bool) or (months is not None and not 1 <= months <= LONGEST_WINDOW):
        raise ScoreCardError(
            f'"window_months" is {shown(months)} (expected a number of months from 1 to {LONGEST_WINDOW}, or null)'
        )
    try:
        segment_map = SegmentMap.from_content(content.get("segment_map"))
    except ScoreCardError as error:
        raise ScoreCardError(f'"segment_map": {error}') from None
    return Scoring(bands, percents, segment_map, months)


def percents_of(values: Any) -> tuple[float, ...]:
    """The percentiles at which measures are cut.

    Raises:
        ScoreCardError: They are not four ascending numbers between 0 and 100.
    """
    are_numbers = isinstance(values, list | tuple) and all(map(is_number, values))
    percents = tuple(float(value) for value in values) if are_numbers else ()
    if len(percents) != len(DEFAULT_PERCENTS) or not all(low < high for low, high in pairwise((0.0, *percents, 100.0))):
        raise ScoreCardError(f"percentiles are {shown(values)} (expected four ascending numbers between 0 and 100)")
    return percents


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
