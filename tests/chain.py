"""The chain of transforms over three tables, without a job."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame

from transforms.purchases import first_payments, purchases, purchases_of_one_payment
from transforms.rfm.measures import apply_card, customer_measures, fitted_bounds
from transforms.rfm.score_card import ScoreCard
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
    attributed = attributed_payments(**tables, as_of=as_of, order_statuses=order_statuses)
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
    """A card with the bounds of these measures."""
    extremes = measures.agg(*[extreme.alias(name) for name, extreme in fitted_bounds().items()]).first()
    assert extremes is not None
    return ScoreCard.fitted(extremes.asDict(), name="fitted", as_of=as_of, rules={}, fit_configuration_hash="")
