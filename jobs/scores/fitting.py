"""A score card fitted to the customers of a run: bounds, feature scale, cut points and segment map."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from jobs.cli.config import FeaturesConfig, hash_of
from jobs.errors import DataError
from jobs.inputs.score_cards import ScoringChoice
from jobs.runs.run import Run
from transforms.rfm.dimensions import DIMENSIONS, ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, Grid, grid_of, percentiles
from transforms.rfm.measures import scored_ranges
from transforms.rfm.percentiles import PercentileSearch, range_counts, values_and_commonest
from transforms.rfm.score_card import DEFAULT_PERCENTS, LONGEST_NAME, ScoreCard, Scoring
from transforms.rfm.scores import SCORED, Bands, ScoredMeasure, fitted_bands
from transforms.rfm.segments import SegmentMaps


@dataclass(frozen=True)
class Measured:
    """The customers that a card is fitted to.

    Attributes:
        buyers: their measures, on disk.
        totals: what was observed of them: their number, and the extremes of each measure.
        rules: the settings that the checked tables depend on.
    """

    buyers: DataFrame
    totals: Mapping[str, Any]
    rules: Mapping[str, Any]


def card_for(run: Run, measured: Measured, config: FeaturesConfig, choice: ScoringChoice) -> ScoreCard:
    """The card that the customers of a run are scored with.

    A card that has bounds alone, such as one of an earlier release, gets cut points that are fitted here.

    Raises:
        DataError: The measures do not fit the feature scale, or changed while they were read.
    """
    if choice.card is not None and choice.card.scoring is not None:
        return choice.card
    scoring = _scoring(measured, config, choice)
    if choice.card is None:
        return _fitted(run, measured, config, choice, scoring)
    name = f"{choice.card.name[: LONGEST_NAME // 2]}, with cut points of {run.run_id}"
    return replace(choice.card, name=name[:LONGEST_NAME], scoring=scoring)


def _fitted(run: Run, measured: Measured, config: FeaturesConfig, choice: ScoringChoice, scoring: Scoring) -> ScoreCard:
    kind = config.feature_scale or "minmax"
    measured_by = config.measured_by(as_of=run.as_of)
    configuration = {
        **measured.rules,
        "rules": run.rules.hash,
        **measured_by,
        "card": "fitted",
        "feature_scale": kind,
        "scores": choice.settings(scoring.percents),
    }
    card = ScoreCard.fitted(
        measured.totals,
        name=run.run_id,
        as_of=run.as_of,
        # The window is the card's own.
        rules={name: value for name, value in measured_by.items() if name != "window_months"},
        fit_configuration_hash=hash_of(configuration),
    )
    grid = _fitted_grid(measured.buyers) if kind == "rank" else {}
    try:
        return replace(card, feature_scale=FeatureScale(kind, card.bounds, grid), scoring=scoring)
    except ScoreCardError as error:
        raise DataError(f"--feature-scale {kind}: {error}. Choose minmax or rank") from None


def _fitted_grid(measures: DataFrame) -> dict[str, Grid]:
    """The grid of a rank scale: a hundred figures of each dimension, one query each."""
    values = {name: percentiles(measures=measures, dimension=name).collect()[0][0] for name in DIMENSIONS}
    return {name: grid_of(figures) for name, figures in values.items()}


def _scoring(measured: Measured, config: FeaturesConfig, choice: ScoringChoice) -> Scoring:
    percents = config.percentiles or DEFAULT_PERCENTS
    scoring = fitted_scoring(measured.buyers, totals=measured.totals, maps=choice.maps, percents=percents)
    return replace(scoring, window_months=choice.window_months)


def fitted_scoring(
    buyers: DataFrame,
    *,
    totals: Mapping[str, Any],
    maps: SegmentMaps,
    percents: tuple[float, ...] = DEFAULT_PERCENTS,
) -> Scoring:
    """Cut points of customers, and the segment map that fits them; see `fit_bands`."""
    bands = fit_bands(buyers, totals=totals, percents=percents)
    return Scoring(bands, percents, maps.chosen(frequency_is_degenerate=bands["f"].degeneracy is not None))


def fit_bands(buyers: DataFrame, *, totals: Mapping[str, Any], percents: tuple[float, ...]) -> dict[str, Bands]:
    """The bands of each measure that is scored: mostly two passes over the measures of the customers.

    Args:
        buyers: `schemas.MEASURES` of those who bought something.
        totals: their number and extremes, as `fitted_bounds` and `scored_extremes` have them.
        percents: the percentiles to cut at.

    Raises:
        DataError: The measures changed while they were read.
    """
    exact = [Fraction(str(percent)) for percent in percents]
    ranges = scored_ranges(totals)
    searches = {
        letter: PercentileSearch.between(lowest, highest, percents=exact, customers=totals["customers"])
        for letter, (lowest, highest) in ranges.items()
    }
    while open_searches := {letter: search for letter, search in searches.items() if search.is_open}:
        values = {letter: SCORED[letter].whole() for letter in open_searches}
        counts: dict[str, dict[int, int]] = defaultdict(dict)
        for row in range_counts(measures=buyers, values=values, searches=open_searches).collect():
            counts[row["measure"]][row["low"]] = row["customers"]
        searches |= {letter: search.narrowed(counts[letter]) for letter, search in open_searches.items()}
        if any(search.is_open and not search.spans for search in searches.values()):
            raise DataError(
                "the measures of customers were changed while they were read: found fewer customers than were "
                "written. Run again, one run at a time"
            )
    return {
        letter: fitted_bands(
            SCORED[letter],
            list(search.values.values()),
            highest=ranges[letter][1],
            commonest=partial(_commonest, buyers, SCORED[letter], search),
        )
        for letter, search in searches.items()
    }


def _commonest(buyers: DataFrame, measure: ScoredMeasure, search: PercentileSearch) -> tuple[int, int, float]:
    """The number of distinct values of a measure, the commonest, and the share of customers who have it."""
    if search.counts is not None:
        customers, negative = max((count, -value) for value, count in search.counts.items())
        return len(search.counts), -negative, customers / search.customers
    parts = values_and_commonest(measures=buyers, value=measure.whole()).collect()
    commonest = max(part["commonest"] for part in parts)
    return sum(part["distinct"] for part in parts), -commonest["negative"], commonest["customers"] / search.customers
