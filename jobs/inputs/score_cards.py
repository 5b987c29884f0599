"""What a run scores its customers with: a score card by name, by file or of the current run, and segment maps."""

from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from typing import Any

from jobs.cli.arguments import CURRENT_CARD
from jobs.cli.config import FeaturesConfig
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.segment_maps import load_maps
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.uris import folder_at
from transforms.rfm.dimensions import ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, ScaleKind
from transforms.rfm.score_card import LONGEST_NAME, ScoreCard, Scoring
from transforms.rfm.segments import SegmentMaps

SUFFIX = ".json"
SHIPPED_CARDS = resources.files("transforms.rfm") / "cards"


@dataclass(frozen=True)
class ScoringChoice:
    """What a run scores its customers with.

    Attributes:
        card: the card to apply; None fits one.
        named: the card that the command line names, as it is there; ``card`` may have another map or scale.
        maps: the segment maps that a new card may take.
        window_months: the months up to the as-of date that count; None for all history.
    """

    card: ScoreCard | None
    maps: SegmentMaps
    window_months: int | None = None
    named: ScoreCard | None = None

    def measured_by(self, config: FeaturesConfig) -> FeaturesConfig:
        """The configuration with the window of the card, which purchases are counted by."""
        return replace(config, window_months=self.window_months)

    def settings(self, percents: tuple[float, ...]) -> dict[str, Any]:
        """The settings that new cut points and segments depend on: no customers, and nothing of this run."""
        own = self.maps.own
        return {"percentiles": list(percents), "segment_map": "shipped" if own is None else own.hash}


def choose_scoring(store: RunStore, config: FeaturesConfig) -> ScoringChoice:
    """The card and the maps that the options of a run name.

    Raises:
        ConfigurationError: There is no such card or map, a file is not one, or options contradict the card.
        DataError: The card of the current run is missing or invalid.
    """
    maps = load_maps(config.segments)
    if config.card is None:
        return ScoringChoice(None, maps, config.window_months)
    named = current_card(store) if config.card == CURRENT_CARD else load_card(config.card)
    if named is None:
        return ScoringChoice(None, maps, config.window_months)
    try:
        card = _with_scale(named, config.feature_scale)
    except ScoreCardError as error:
        raise ConfigurationError(
            f"--feature-scale {config.feature_scale} with --card {config.card}: {error}. Leave one of them out"
        ) from None
    if card.scoring is None:
        return ScoringChoice(card, maps, config.window_months, named)
    _refuse_contradictions(card, config)
    if maps.own is not None and maps.own.hash != card.scoring.segment_map.hash:
        name = f"{card.name[: LONGEST_NAME // 2]}, with segment map {maps.own.name}"[:LONGEST_NAME]
        card = replace(card, name=name, scoring=replace(card.scoring, segment_map=maps.own))
    return ScoringChoice(card, maps, card.scored_by.window_months, named)


def _refuse_contradictions(card: ScoreCard, config: FeaturesConfig) -> None:
    """Refuse options that a card with cut points settles already.

    Raises:
        ConfigurationError: There is one.
    """
    percents = card.scored_by.percents
    at = ", ".join(f"{percent:g}" for percent in percents)
    if config.percentiles not in (None, percents):
        raise ConfigurationError(
            f"--score-percentiles with --card {config.card}: the card was cut at {at}. Leave "
            "--score-percentiles out, or make a new card with --card fit"
        )
    months = card.scored_by.window_months
    if config.window_months not in (None, months):
        window = "all history" if months is None else f"{months} months"
        raise ConfigurationError(
            f"--window-months {config.window_months} with --card {config.card}: the card was fitted to {window}. Leave "
            "--window-months out, or make a new card with --card fit"
        )


def current_card(store: RunStore) -> ScoreCard | None:
    """The card of the current run; None if no run is current.

    Raises:
        DataError: The card is missing, or is not one.
    """
    current = store.current()
    if current is None:
        return None
    entry = store.manifest(current.run_id).score_card
    text = store.read_file(entry.file) if entry else None
    if entry is None or text is None:
        lacks = "no score card" if entry is None else f"a score card {entry.file}, which does not exist"
        raise DataError(
            f"{store.output}: --card current: the manifest of run {current.run_id} names {lacks}. Restore it, or make "
            "a new card with --card fit"
        )
    try:
        return ScoreCard.from_json(text)
    except ScoreCardError as error:
        raise DataError(
            f"{store.output}/{entry.file}: {error}. Restore it, or make a new card with --card fit"
        ) from None


@dataclass(frozen=True)
class RunWithCard:
    """An earlier run with scores.

    Attributes:
        manifest: its manifest.
        card: the card that its customers were scored with, with cut points and a segment map.
    """

    manifest: Manifest
    card: ScoreCard

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.manifest.run_id

    @property
    def as_of(self) -> date:
        """Its day, the last one that counts."""
        return self.manifest.as_of

    @property
    def scoring(self) -> Scoring:
        """Its cut points and its segment map."""
        return self.card.scored_by


def card_of_run(store: RunStore, file: str, *, advice: str) -> ScoreCard:
    """The card that a run's manifest names.

    Args:
        store: the runs.
        file: the path of the card, from the output folder on.
        advice: what the user should do if it is not there, or is not one.

    Raises:
        DataError: The card is missing, or is not one.
    """
    text = store.read_file(file)
    if text is None:
        raise DataError(f"{store.output}/{file}: no such file, expected the run's score card. {advice}")
    try:
        return ScoreCard.from_json(text)
    except ScoreCardError as error:
        raise DataError(f"{store.output}/{file}: {error}. {advice}") from None


def load_card(name: str) -> ScoreCard:
    """The card of a name.

    Args:
        name: of a shipped card, or the path of a file.

    Raises:
        ConfigurationError: There is no such card, or the file is not a card.
    """
    shipped = sorted(
        entry.name.removesuffix(SUFFIX) for entry in SHIPPED_CARDS.iterdir() if entry.name.endswith(SUFFIX)
    )
    is_shipped = name in shipped
    text = (SHIPPED_CARDS / f"{name}{SUFFIX}").read_text(encoding="utf-8") if is_shipped else _read_file(name, shipped)
    try:
        return ScoreCard.from_json(text)
    except ScoreCardError as error:
        raise ConfigurationError(
            f"--card {name}: {error}. Correct the file, or leave --card out to fit a card"
        ) from None


def _with_scale(card: ScoreCard, kind: ScaleKind | None) -> ScoreCard:
    """The card with another feature scale. Bounds suffice for minmax and log; a rank needs its grid."""
    if kind is None or kind == card.clustered_by.kind:
        return card
    if kind == "rank":
        raise ConfigurationError(
            f"--feature-scale rank with --card {card.name}: a card of scale {card.clustered_by.kind}, expected one "
            "that was fitted with --feature-scale rank. Fit such a card first, or choose minmax or log"
        )
    return replace(card, feature_scale=FeatureScale(kind, card.bounds))


def _read_file(name: str, shipped: list[str]) -> str:
    text = folder_at(name, argument="--card").read()
    if text is None:
        raise ConfigurationError(
            f"--card {name}: no such file, and no card of that name (shipped: {', '.join(shipped)}). "
            "Give fit, current, one of these, a score_card.json of an earlier run, or leave --card out to fit a card"
        )
    return text
