"""Score cards by name or by file."""

from importlib import resources

from jobs.errors import ConfigurationError
from jobs.storage import folder_at
from transforms.score_card import ScoreCard, ScoreCardError

ENDING = ".json"
SHIPPED = resources.files("transforms") / "cards"


def load_card(name: str) -> ScoreCard:
    """The card that ``--card`` names: one that is shipped, or a file.

    Raises:
        ConfigurationError: There is no such card, or the file is none.
    """
    shipped = sorted(entry.name.removesuffix(ENDING) for entry in SHIPPED.iterdir() if entry.name.endswith(ENDING))
    is_shipped = name in shipped
    text = (SHIPPED / f"{name}{ENDING}").read_text(encoding="utf-8") if is_shipped else _read_file(name, shipped)
    try:
        return ScoreCard.from_json(text)
    except ScoreCardError as error:
        raise ConfigurationError(f"--card {name}: {error}. Mend the file, or leave --card out to fit a card") from None


def _read_file(name: str, shipped: list[str]) -> str:
    text = folder_at(name, argument="--card").read()
    if text is None:
        raise ConfigurationError(
            f"--card {name}: no such file, and no card of that name (shipped: {', '.join(shipped)}). "
            "Give one of these, a score_card.json of an earlier run, or leave --card out to fit a card"
        )
    return text
