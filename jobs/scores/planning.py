"""How the customers of a run are scored, and what they are compared with: decided before anything is read."""

from dataclasses import dataclass
from datetime import date

from jobs.cli.config import FeaturesConfig
from jobs.errors import ConfigurationError
from jobs.history.previous import find_previous
from jobs.history.tracking import Comparison
from jobs.inputs.score_cards import ScoringChoice, choose_scoring
from jobs.sources.source import Source
from jobs.storage.store import RunStore
from transforms.schemas import FIRST_TIME
from transforms.sources.counted import Counted


@dataclass(frozen=True)
class ScoringPlan:
    """How the customers of a run are scored.

    Attributes:
        config: how features are computed, with the window of the card.
        choice: the score card and the segment maps.
        counted: which purchases count.
        comparison: what the segments are compared with.
    """

    config: FeaturesConfig
    choice: ScoringChoice
    counted: Counted
    comparison: Comparison


def plan_scoring(store: RunStore, config: FeaturesConfig, source: Source, *, as_of: date) -> ScoringPlan:
    """Choose the card, and find the run before.

    Args:
        store: the runs.
        config: the options.
        source: of the run.
        as_of: its day.

    Raises:
        ConfigurationError: An option asks for a card, a map or a run that is not there, or that does not fit.
        DataError: The score card of an earlier run is missing or invalid.
    """
    choice = choose_scoring(store, config)
    measured_by = choice.measured_by(config)
    counted = measured_by.counted(as_of=as_of)
    source.refuse_options(measured_by, counted=counted)
    _refuse_validation(measured_by, counted)
    previous = find_previous(store, as_of=as_of, compare=config.compare, source_kind=source.kind)
    settings = {**measured_by.measured_by(as_of=as_of), "source": source.settings}
    return ScoringPlan(measured_by, choice, counted, Comparison(previous, counted.first_day, settings))


def _refuse_validation(config: FeaturesConfig, counted: Counted) -> None:
    """Refuse a validation for which no purchase can count: its cut is before the window, or before all purchases.

    Raises:
        ConfigurationError: It is.
    """
    first_day = max(counted.first_day or FIRST_TIME, FIRST_TIME)
    most = (counted.as_of - first_day).days
    if config.validate_days is not None and config.validate_days > most:
        months = config.window_months
        window = "" if months is None else f" with a window of {months} month{'' if months == 1 else 's'}"
        raise ConfigurationError(
            f"--validate-days {config.validate_days}{window}: no purchase before {first_day} counts, so nobody could "
            f"be scored {config.validate_days} days before {counted.as_of}; expected {most} days at most. Give fewer "
            "days, or leave --validate-days out"
        )
