"""How the customers of a run are scored, and what they are compared with: decided before anything is read."""

from dataclasses import dataclass
from datetime import date

from jobs.cli.config import FeaturesConfig
from jobs.history.previous import find_previous
from jobs.history.tracking import Comparison
from jobs.inputs.score_cards import ScoringChoice, choose_scoring
from jobs.sources.source import Source
from jobs.storage.store import RunStore
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
    previous = find_previous(store, as_of=as_of, compare=config.compare, source_kind=source.kind)
    settings = {**measured_by.measured_by(as_of=as_of), "source": source.settings}
    return ScoringPlan(measured_by, choice, counted, Comparison(previous, counted.first_day, settings))
