"""Score cards by name or by file."""

from dataclasses import replace
from importlib import resources

from jobs.errors import ConfigurationError
from jobs.storage.uris import folder_at
from transforms.rfm.dimensions import ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, ScaleKind
from transforms.rfm.score_card import ScoreCard

ENDING = ".json"
SHIPPED = resources.files("transforms.rfm") / "cards"


def load_card(name: str, feature_scale: ScaleKind | None = None) -> ScoreCard:
    """The card that ``--card`` names: one that is shipped, or a file.

    Args:
        name: its name or path.
        feature_scale: that of ``--feature-scale``; None for the card's own.

    Raises:
        ConfigurationError: There is no such card, the file is none, or it lacks what the scale needs.
    """
    shipped = sorted(entry.name.removesuffix(ENDING) for entry in SHIPPED.iterdir() if entry.name.endswith(ENDING))
    is_shipped = name in shipped
    text = (SHIPPED / f"{name}{ENDING}").read_text(encoding="utf-8") if is_shipped else _read_file(name, shipped)
    try:
        return _scaled(ScoreCard.from_json(text), feature_scale)
    except ScoreCardError as error:
        raise ConfigurationError(f"--card {name}: {error}. Mend the file, or leave --card out to fit a card") from None


def _scaled(card: ScoreCard, kind: ScaleKind | None) -> ScoreCard:
    """The card with another scale of features. Bounds are all that minmax and log need; a rank needs its grid."""
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
