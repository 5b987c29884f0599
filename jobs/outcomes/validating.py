"""An out-of-time validation: scores as of a cut, by what was known then, and purchases after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame

from jobs.cli.config import FeaturesConfig
from jobs.inputs.score_cards import ScoringChoice
from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run
from jobs.runs.totals import NO_MONEY, Boundary, BoundaryKind, BoundaryTotal, Total
from jobs.scores.fitting import fitted_scoring
from jobs.scores.scored import ScoredCustomers
from transforms.rfm.measures import fitted_bounds, scored_extremes
from transforms.rfm.outcomes import (
    SCORED_OUTCOMES,
    WHOSE,
    customer_outcomes,
    customers_at_the_cut,
    outcome_counts,
    outcome_totals,
    scored_outcomes,
)
from transforms.rfm.prediction import Prediction
from transforms.rfm.rankings import Group
from transforms.rfm.score_card import DEFAULT_PERCENTS, ScoreCard, Scoring
from transforms.rfm.segments import SegmentMaps

STEP = "validation"
VALIDATION = "validation"
"""The entry of the manifest."""

UP_TO_THE_CUT = Boundary("purchases", BoundaryKind.VALIDATED, "up_to_the_cut")


@dataclass(frozen=True)
class CutCard:
    """What customers are scored with at the cut.

    Attributes:
        scoring: cut points and segments.
        applied: the card of the run, where it is as of the cut or an earlier day; None where they were fitted.
        cut: the day.
    """

    scoring: Scoring
    applied: ScoreCard | None
    cut: date

    def as_json(self) -> dict[str, Any]:
        """The manifest's entry, with all that scores depend on."""
        card = self.applied
        origin = {"name": card.name, "hash": card.hash} if card else {}
        return {
            "origin": "applied" if card else "fitted",
            "as_of": (card.as_of if card else self.cut).isoformat(),
            **origin,
            "scores": {
                "percentiles": self.scoring.stated_percents,
                **{letter: bands.as_json() for letter, bands in self.scoring.bands.items()},
            },
            "segment_map": {"name": self.scoring.segment_map.name, "hash": self.scoring.segment_map.hash},
        }

    def in_words(self) -> str:
        """Where the scores come from."""
        if self.applied is None:
            return f"Scored by cut points that were fitted to the customers of {self.cut}"
        return f"Scored by {self.applied.name}, which is as of {self.applied.as_of}"


@dataclass(frozen=True)
class Validated:
    """Customers scored at the cut, and what they did after it.

    Attributes:
        prediction: their figures.
        card: what they were scored with.
        new_customers: people whose first purchase came after the cut.
        later: the rows and the money after the cut, by whose they are (`WHOSE`).
        window_months: the window of the run, which is shorter at the cut by the days after it; None for all history.
    """

    prediction: Prediction
    card: CutCard
    new_customers: int
    later: Mapping[str, Total]
    window_months: int | None

    def as_json(self) -> dict[str, Any]:
        """The entry in the manifest."""
        revenue = {name: total.money or NO_MONEY for name, total in self.later.items()}
        figures = self.prediction.as_json()
        return {
            **{name: value for name, value in figures.items() if name != "verdict"},
            "new_customers": {"customers": self.new_customers, "revenue": str(revenue["new_customers"])},
            "other_customers": {"revenue": str(revenue["other_customers"])},
            "revenue_of_all": str(sum(revenue.values(), NO_MONEY)),
            "card": self.card.as_json(),
            "notes": self.notes,
            "verdict": figures["verdict"],
        }

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the figures. They name no number of people."""
        days, notes = self.prediction.days, []
        if self.prediction.may_lack_days:
            share = self.prediction.purchases_after / self.prediction.purchases_before
            notes.append(
                f"Only {share:.0%} as many purchases follow the cut as are in the {days} days before it. Do the files "
                "end before the as-of date?"
            )
        if self.window_months is not None:
            notes.append(
                f"The window of {self.window_months} months ends on the as-of date, so the history at the cut is "
                f"{days} days shorter."
            )
        return notes


@dataclass(frozen=True)
class NotValidated:
    """A validation for which there was nothing to score.

    Attributes:
        cut: the day at which nobody had bought anything.
        days: the days after it.
        oldest: the day of the oldest purchase.
    """

    cut: date
    days: int
    oldest: date

    @property
    def verdict(self) -> str:
        """Why there are no figures."""
        most = self.days - (self.oldest - self.cut).days
        advice = f"give --validate-days {most} or fewer" if most else "wait for later purchases"
        return (
            f"Not validated: nobody had bought anything by {self.cut}, and the oldest purchase is of {self.oldest}; "
            f"{advice}."
        )

    def as_json(self) -> dict[str, Any]:
        """The entry in the manifest."""
        return {"days": self.days, "cut": self.cut.isoformat(), "customers": 0, "verdict": self.verdict}


Validation = Validated | NotValidated


def validate(
    run: Run, purchases_written: Written, scored: ScoredCustomers, *, config: FeaturesConfig, choice: ScoringChoice
) -> Validation | None:
    """Validate the scores of a run by its last days; None unless ``validate_days`` says so.

    Purchases are moved once, by customer. Where cut points are fitted, what the customers did is staged on disk, since
    fitting reads it mostly twice, and counting once more.

    Args:
        run: the run.
        purchases_written: its purchases.
        scored: its customers, for the day of the oldest purchase.
        config: how features are computed.
        choice: the card and the segment maps of the run.

    Raises:
        DataError: Rows or money on both sides of the cut are not those of purchases.
    """
    if config.validate_days is None:
        return None
    cut = run.as_of - timedelta(days=config.validate_days)
    oldest = run.as_of - timedelta(days=scored.sufficiency.days_of_history)
    if oldest > cut:
        return NotValidated(cut, config.validate_days, oldest)
    with run.step(STEP) as step:
        outcomes, totals = with_metrics(
            customer_outcomes(purchases=purchases_written.frame, cut=cut, days=config.validate_days),
            STEP,
            metrics={**fitted_bounds(), **scored_extremes(), **outcome_totals()},
        )
        customers = customers_at_the_cut(outcomes=outcomes)
        applied = older_card(choice, cut)
        if applied is None:
            customers = run.stage("outcomes", customers, schema=SCORED_OUTCOMES)
            card = CutCard(scoring_at_the_cut(customers, totals.get, config, choice), None, cut)
        else:
            card = CutCard(applied.scored_by, applied, cut)
        rows = outcome_counts(scored=scored_outcomes(outcomes=customers, bands=card.scoring.bands)).collect()
        groups = [
            Group(
                row["days_since_last_purchase"],
                (row["r_score"], row["f_score"], row["m_score"]),
                row["customers"],
                row["repeat_buyers"],
                row["revenue"],
            )
            for row in rows
        ]
        prediction = Prediction(
            cut=cut,
            days=config.validate_days,
            segment_map=card.scoring.segment_map,
            groups=groups,
            purchases_after=totals.get["later_purchases"],
            purchases_before=totals.get["purchases_shortly_before"],
        )
        later = _reconcile(run, purchases_written, totals.get, rows)
        step.record(rows_in=purchases_written.total.rows, out=Total(prediction.all.customers))
    return Validated(prediction, card, totals.get["new_customers"], later, choice.window_months)


def older_card(choice: ScoringChoice, cut: date) -> ScoreCard | None:
    """The card that the run applies, where it has cut points and cannot know anything after the cut."""
    card = choice.card
    return card if card is not None and card.scoring is not None and card.as_of <= cut else None


def scoring_at_the_cut(
    customers: DataFrame, totals: Mapping[str, Any], config: FeaturesConfig, choice: ScoringChoice
) -> Scoring:
    """Cut points that are fitted at the cut as the run's are: at its percentiles, and with its choice of maps.

    A run that applies a card has the percentiles and the map of the card.
    """
    percents, maps = config.percentiles or DEFAULT_PERCENTS, choice.maps
    if choice.card is not None and choice.card.scoring is not None:
        percents = choice.card.scored_by.percents
        maps = SegmentMaps(maps.over_frequency, maps.over_money, choice.card.scored_by.segment_map)
    return fitted_scoring(customers, totals=totals, maps=maps, percents=percents)


def _reconcile(run: Run, purchases_written: Written, totals: Mapping[str, Any], rows: list[Any]) -> Mapping[str, Total]:
    """See that both sides of the cut have the rows and the money of purchases, and the groups those of the scored.

    Raises:
        DataError: They have not.
    """
    later = {name: Total(totals[f"rows_of_{name}"] or 0, totals[f"money_of_{name}"] or NO_MONEY) for name in WHOSE}
    entries = {
        name: BoundaryTotal(Boundary("purchases", BoundaryKind.VALIDATED, f"later_ones_of_{name}"), total)
        for name, total in later.items()
    }
    earlier = BoundaryTotal(UP_TO_THE_CUT, Total(totals["earlier_rows"], totals["earlier_money"]))
    run.reconcile(purchases_written.entry, earlier, *entries.values())
    counted = Total(sum(row["later_rows"] for row in rows), sum((row["revenue"] for row in rows), NO_MONEY))
    by_scores = BoundaryTotal(Boundary("purchases", BoundaryKind.VALIDATED, "later_ones_by_score"), counted)
    run.reconcile(entries["scored_customers"], by_scores)
    return later
