"""The chain of transforms over three tables, without a run."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from pyspark.sql import DataFrame

from jobs.inputs.segment_maps import load_maps
from jobs.scores.fitting import fitted_scoring
from transforms.purchases import first_payments, purchases, purchases_of_one_payment
from transforms.rfm.measures import apply_card, customer_measures, fitted_bounds, scored_extremes
from transforms.rfm.score_card import ScoreCard
from transforms.sources.counted import Counted
from transforms.sources.olist import attributed_payments, exclusion_totals, transactions

TABLES = ("customers", "orders", "payments")


def chain(
    tables: Mapping[str, DataFrame],
    *,
    as_of: date,
    card: ScoreCard | None = None,
    order_statuses: tuple[str, ...] | None = None,
) -> dict[str, DataFrame]:
    """Every frame that the transforms compute from the tables. Without a card, the bounds are fitted."""
    attributed = attributed_payments(**tables, counted=Counted(as_of, order_statuses))
    counted = transactions(attributed=attributed)
    merged = purchases(transactions=counted)
    picked = first_payments(transactions=counted)
    measures = customer_measures(purchases=merged, as_of=as_of)
    card = card or fitted(measures, as_of=as_of)
    return {
        "excluded": attributed.agg(*[total.alias(name) for name, total in exclusion_totals().items()]),
        "transactions": counted,
        "purchases": merged,
        "purchases_of_one_payment": purchases_of_one_payment(picked=picked),
        "other_payments": picked.select("customer_unique_id", "order_purchase_time", "other_payments", "other_value"),
        "rfm": apply_card(measures=measures, card=card),
    }


def fitted(measures: DataFrame, *, as_of: date) -> ScoreCard:
    """A card with the bounds, the cut points and the map of these measures."""
    aggregates = {**fitted_bounds(), **scored_extremes()}
    extremes = measures.agg(*[value.alias(name) for name, value in aggregates.items()]).collect()[0].asDict()
    scoring = fitted_scoring(measures, totals=extremes, maps=load_maps(None))
    card = ScoreCard.fitted(extremes, name="fitted", as_of=as_of, rules={}, fit_configuration_hash="")
    return replace(card, scoring=scoring)
