"""Score cards, by the name of a shipped card or by file."""

from dataclasses import replace
from importlib import resources

from jobs.errors import ConfigurationError
from jobs.storage.uris import folder_at
from transforms.rfm.dimensions import ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, ScaleKind
from transforms.rfm.score_card import ScoreCard

SUFFIX = ".json"
SHIPPED_CARDS = resources.files("transforms.rfm") / "cards"


def load_card(name: str, feature_scale: ScaleKind | None = None) -> ScoreCard:
    """The card that ``--card`` names.

    Args:
        name: of a shipped card, or the path of a file.
        feature_scale: from ``--feature-scale``; None for the card's own.

    Raises:
        ConfigurationError: There is no such card, the file is not a card, or it lacks what the scale needs.
    """
    shipped = sorted(
        entry.name.removesuffix(SUFFIX) for entry in SHIPPED_CARDS.iterdir() if entry.name.endswith(SUFFIX)
    )
    is_shipped = name in shipped
    text = (SHIPPED_CARDS / f"{name}{SUFFIX}").read_text(encoding="utf-8") if is_shipped else _read_file(name, shipped)
    try:
        return _with_scale(ScoreCard.from_json(text), feature_scale)
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
            "Give one of these, a score_card.json of an earlier run, or leave --card out to fit a card"
        )
    return text
