"""Customers with scores and segments: rfm is written, and each of its customers is in one segment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import functions as F

from expectations.contracts.computed import with_another_card, with_row_count
from jobs.cli.config import FeaturesConfig
from jobs.errors import DataError
from jobs.history.changed import SegmentChanges
from jobs.history.tracking import Scored, write_history
from jobs.inputs.score_cards import ScoringChoice
from jobs.runs.computed_tables import write_computed
from jobs.runs.metrics import Written
from jobs.runs.run import Run
from jobs.runs.totals import NO_MONEY, Boundary, BoundaryKind, BoundaryTotal, Total
from jobs.scores.fitting import Measured, card_for
from jobs.scores.measuring import measure
from jobs.scores.planning import ScoringPlan
from jobs.sources.source import SourcedTransactions
from transforms.rfm.measures import apply_card, customers_with_purchases, is_outside_range
from transforms.rfm.score_card import ScoreCard
from transforms.rfm.segments import Segment, segment_totals
from transforms.rfm.sufficiency import Sufficiency

PURCHASES_IN_RFM = Boundary("rfm", BoundaryKind.MEASURED)
RETURNS_OF_BUYERS = Boundary("purchases", BoundaryKind.EXCLUDED, "returns_of_buyers")
RETURNS_OF_OTHERS = Boundary("purchases", BoundaryKind.EXCLUDED, "returns_of_others")
SCORE_CARD = "score_card.json"


@dataclass(frozen=True)
class SegmentTotal:
    """The customers of a segment, and what they spent."""

    segment: Segment
    total: Total

    @property
    def revenue(self) -> Decimal:
        """What its customers spent."""
        return self.total.money or NO_MONEY


@dataclass(frozen=True)
class ScoredCustomers:
    """The customers of a run with their scores and segments.

    Attributes:
        rfm: as it was written.
        card: the active score card.
        choice: the card that the run was told to apply, and the segment maps.
        other_settings: where the run measures other than the card was fitted: the setting, the card's and the run's.
        segments: in the order of their value.
        sufficiency: whether there is enough data.
        changes: what changed since the run before; None for a first run.
        run_id: the run that has them.
    """

    rfm: Written
    card: ScoreCard
    choice: ScoringChoice
    other_settings: tuple[tuple[str, Any, Any], ...]
    segments: tuple[SegmentTotal, ...]
    sufficiency: Sufficiency
    changes: SegmentChanges | None
    run_id: str

    def configuration(self) -> Mapping[str, Any]:
        """The settings that scores and segments depend on, and nothing that was found out of the customers."""
        applied = self.choice.card
        card = "fitted" if applied is None else {"name": applied.name, "hash": applied.hash}
        is_complete = applied is not None and applied.scoring is not None
        scores = {} if is_complete else {"scores": self.choice.settings(self.card.scored_by.percents)}
        return {"card": card, "feature_scale": self.card.clustered_by.kind, **scores}

    def manifest_entries(self) -> Mapping[str, Any]:
        """The score card, the segments and the verdict about the data."""
        scoring = self.card.scored_by
        card = {
            "file": f"runs/{self.run_id}/{SCORE_CARD}",
            "name": self.card.name,
            "hash": self.card.hash,
            "applied": self.choice.named.name if self.choice.named else None,
            "fitted_with": {name: value for name, value, _ in self.other_settings},
            "customers_outside_its_range": self.rfm.metrics["outside"],
            "window_months": scoring.window_months,
            "degenerate": {bands.measure.column: bands.as_json()["degenerate"] for bands in scoring.degenerate},
        }
        customers, revenue = self.rfm.total.rows, self.rfm.total.money
        segments = [
            {
                "code": each.segment.code,
                "name": each.segment.name,
                "customers": each.total.rows,
                "share_of_customers": each.total.rows / customers,
                "revenue": str(each.revenue),
                "share_of_revenue": float(each.revenue / revenue) if revenue else 0.0,
            }
            for each in self.segments
        ]
        segment_map = {"name": scoring.segment_map.name, "hash": scoring.segment_map.hash}
        return {
            "score_card": card,
            "segments": {"map": segment_map, "segments": segments},
            "sufficiency": self.sufficiency.as_json(),
            "changes": self.changes.as_json() if self.changes else {"since": None},
        }


def score_customers(
    run: Run, purchases_written: Written, sourced: SourcedTransactions, plan: ScoringPlan
) -> ScoredCustomers:
    """Measure the customers of a run, fit or apply a score card, and write rfm with its history.

    Args:
        run: the run.
        purchases_written: the purchases of its customers.
        sourced: its transactions.
        plan: how they are scored.

    Raises:
        DataError: Nobody bought anything, a reconciliation check fails, or the segments drifted further than
            ``--max-segment-drift`` allows.
    """
    config, choice = plan.config, plan.choice
    comparison = plan.comparison.with_rules(run.rules.hash)
    with run.step("rfm") as step:
        measures, totals = measure(run, purchases_written, sourced, comparison)
        customers = sourced.account_for_people(measures, totals)
        if not customers:
            raise DataError(
                f"nobody bought anything as of {run.as_of}: found {purchases_written.total} in purchases, all of them "
                "returns; expected a purchase. Check --as-of, --window-months, and which rows count"
            )
        contract = with_row_count(run.rules.contracts["rfm"], rows=customers, of="customers in purchases")
        contract = sourced.contract_of_rfm(contract)
        contract = contract if choice.card is None else with_another_card(contract)
        buyers = customers_with_purchases(measured=measures)
        card = card_for(run, Measured(buyers, totals, sourced.settings), config, choice)
        written = write_computed(
            run,
            contract,
            apply_card(measures=buyers, card=card),
            keys=lambda: customers,
            metrics={
                "purchases": F.sum("purchase_count"),
                "outside": F.count_if(is_outside_range()),
            },
        )
        run.write_text(SCORE_CARD, card.to_json())
        bought = Total(written.metrics["purchases"], written.total.money)
        run.reconcile(purchases_written.entry, BoundaryTotal(PURCHASES_IN_RFM, bought), *_excluded_returns(totals))
        segments = _segments(written, card)
        run.reconcile(
            written.entry,
            *[BoundaryTotal(Boundary("rfm", BoundaryKind.SEGMENT, each.segment.code), each.total) for each in segments],
        )
        step.record(rows_in=purchases_written.total.rows, out=written.total)
    in_segments = {each.segment.code: each.total.rows for each in segments}
    scored = Scored(measures, written, card.scored_by, in_segments)
    return ScoredCustomers(
        rfm=written,
        card=card,
        choice=choice,
        other_settings=_other_settings(choice, config),
        segments=segments,
        sufficiency=Sufficiency.of(totals, customers=customers, as_of=run.as_of),
        changes=write_history(run, scored, comparison, max_drift=config.max_segment_drift),
        run_id=run.run_id,
    )


def _segments(written: Written, card: ScoreCard) -> tuple[SegmentTotal, ...]:
    """Each segment with its customers, from rfm as it was written."""
    rows = {row["segment_code"]: row for row in segment_totals(rfm=written.frame).collect()}
    totals = {code: Total(row["customers"], row["revenue"]) for code, row in rows.items()}
    return tuple(
        SegmentTotal(segment, totals.get(segment.code, Total(0, NO_MONEY)))
        for segment in card.scored_by.segment_map.segments
    )


def _other_settings(choice: ScoringChoice, config: FeaturesConfig) -> tuple[tuple[str, Any, Any], ...]:
    """The settings in which the run differs from the card that it applies; a card may not state all."""
    now = config.measured_by(as_of=date.min)
    was = choice.named.rules if choice.named else {}
    names = ("order_statuses", "purchase_value")
    return tuple((name, was[name], now[name]) for name in names if name in was and was[name] != now[name])


def _excluded_returns(totals: Mapping[str, Any]) -> list[BoundaryTotal]:
    """The returns, which are no purchases: those of buyers, whose money rfm has, and those of customers without any."""
    alone = Total(totals["returns_alone"] or 0, totals["money_of_returns_alone"] or NO_MONEY)
    return [
        BoundaryTotal(RETURNS_OF_BUYERS, Total(totals["returns_of_buyers"] or 0, NO_MONEY)),
        BoundaryTotal(RETURNS_OF_OTHERS, alone),
    ]
