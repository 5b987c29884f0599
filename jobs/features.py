"""Checked tables to transactions, purchases, the score card and normalised RFM."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.computed import with_another_card, with_row_count
from expectations.contracts.contract import Contract
from jobs.cli.config import RunConfig, hash_of
from jobs.cli.main import program
from jobs.clusters.feature_files import FEATURES, write_features
from jobs.errors import ConfigurationError, DataError
from jobs.examined import write_validated
from jobs.quality.active_rules import active_rules, rules_of_checked_tables
from jobs.runs.metrics import observe
from jobs.runs.run import Run, opened_run
from jobs.runs.totals import NO_MONEY, Total, totals_of
from jobs.sources.score_cards import load_card
from jobs.storage.store import RunStore
from transforms import schemas
from transforms.purchases import first_payments, purchases, purchases_of_one_payment
from transforms.rfm.dimensions import DIMENSIONS, ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, Grid, grid_of, percentiles
from transforms.rfm.feature_scale import features as scaled_features
from transforms.rfm.measures import apply_card, customer_measures, fit_bounds, is_outside_range
from transforms.rfm.score_card import ScoreCard
from transforms.sources.olist import EXCLUSION_CAUSES, attributed_payments, exclusion_totals, transactions

CHECKED_TABLES = {"customers": schemas.CUSTOMERS, "orders": schemas.ORDERS, "payments": schemas.PAYMENTS}
PAYMENTS_NOT_KEPT = "left out: other payments of the purchase"
SCORE_CARD = "score_card.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return program("features", lambda: run_alone(RunConfig.from_argv(argv, step="features")))


def run_alone(config: RunConfig) -> None:
    """Compute features from the checked tables of an earlier run, as a new run that becomes the current one."""
    card = load_card(config.card, config.feature_scale) if config.card else None
    rules = active_rules(config.rules)
    store = RunStore(config.output)
    checked = _checked_manifest(config, store)
    with opened_run(config, store, rules) as this:
        for name in CHECKED_TABLES:
            this.adopt(name, earlier=checked)
        tables = {name: this.read(name, schema=schema) for name, schema in CHECKED_TABLES.items()}
        this.account.totals.update({name: totals_of(checked)[name] for name in CHECKED_TABLES})
        this.settings |= rules_of_checked_tables(checked["configuration"], but_for=rules)
        features(this, tables, card=card)
        this.finish(inputs={"checked_run": checked["run_id"]}, becomes_current=True)
        this.summarise()


@dataclass(frozen=True)
class Customers:
    """Customers as the clustering takes them: rfm, and the scale of their features."""

    rfm: DataFrame
    scale: FeatureScale


def features(this: Run, tables: Mapping[str, DataFrame], *, card: ScoreCard | None) -> Customers:
    """Write transactions, purchases, score card, RFM and the features to cluster of a run.

    Six exchanges by key, and one of a single row for the bounds: customers and orders by customer_id, orders and
    payments by order_id, transactions and then purchases by customer_unique_id. The features are moved twice more, into
    even shards.

    Raises:
        DataError: No payment counts, or a control total is broken.
    """
    made = _write_transactions(this, tables)
    bought = _write_purchases(this, made)
    customers = _write_rfm(this, bought, card=card)
    with this.step(FEATURES) as step:
        step.rows_in = this.account.totals["rfm"].rows
        write_features(this, scaled_features(rfm=customers.rfm, scale=customers.scale), rows=step.rows_in)
        step.out = Total(step.rows_in)
    return customers


def _write_transactions(this: Run, tables: Mapping[str, DataFrame]) -> DataFrame:
    with this.step("transactions") as step:
        config, totals = this.config, this.account.totals
        attributed, left_out = observe(
            attributed_payments(**tables, as_of=config.as_of, order_statuses=config.order_statuses),
            "left out",
            also=exclusion_totals(),
        )
        written, _ = write_validated(
            this,
            transactions(attributed=attributed),
            contract=this.rules.contracts["transactions"],
        )
        for cause in EXCLUSION_CAUSES:
            rows, money = left_out.get[f"{cause}_rows"], left_out.get[f"{cause}_money"]
            totals[f"left out: {cause}"] = Total(rows, money or NO_MONEY)
        this.account.claim("payments", "transactions", *(f"left out: {cause}" for cause in EXCLUSION_CAUSES))
        step.rows_in, step.out = totals["payments"].rows, totals["transactions"]
        step.not_passed_on = step.rows_in - step.out.rows
    if not step.out.rows:
        causes = "; ".join(f"{cause}: {totals[f'left out: {cause}']}" for cause in EXCLUSION_CAUSES)
        raise DataError(
            f"no payment counts as of {config.as_of}: {totals['payments']} were checked, expected some to be left "
            f"({causes}). Check --as-of, --order-statuses and the run's quarantine"
        )
    return written


def _write_purchases(this: Run, made: DataFrame) -> DataFrame:
    with this.step("purchases") as step:
        totals = this.account.totals
        # All payments of a customer in one place: the grouping by customer and time then needs no exchange of its own.
        by_customer = made.repartition("customer_unique_id")
        if this.config.purchase_value == "sum":
            bought, _ = write_validated(
                this, purchases(transactions=by_customer), contract=this.rules.contracts["purchases"]
            )
            this.account.claim("transactions", "purchases", money_only=True)
        else:
            others = {"rows_left": F.sum("other_payments"), "money_left": F.sum("other_value")}
            picked, seen = observe(first_payments(transactions=by_customer), "other payments", also=others)
            bought, _ = write_validated(
                this,
                purchases_of_one_payment(picked=picked),
                contract=this.rules.contracts["purchases"],
            )
            totals[PAYMENTS_NOT_KEPT] = Total(seen.get["rows_left"], seen.get["money_left"])
            this.account.claim("transactions", "purchases", PAYMENTS_NOT_KEPT)
        step.rows_in, step.out = totals["transactions"].rows, totals["purchases"]
        step.not_passed_on = totals.get(PAYMENTS_NOT_KEPT, Total()).rows
    return bought


def _write_rfm(this: Run, bought: DataFrame, *, card: ScoreCard | None) -> Customers:
    with this.step("rfm") as step:
        totals = this.account.totals
        measures = customer_measures(purchases=bought, as_of=this.config.as_of)
        is_fitted = card is None
        this.settings["card"] = "fitted" if card is None else {"name": card.name, "hash": hash_of(card.to_json())}
        this.settings["feature_scale"] = card.clustered_by.kind if card else this.config.feature_scale or "minmax"
        if card is None:
            # Read twice, for the bounds and for their use; from disk that is cheaper than measuring again.
            measures = this.stage("measures", measures, schema=schemas.MEASURES)
            card = _fitted_card(this, measures)
        written, figures = write_validated(
            this,
            apply_card(measures=measures, card=card),
            contract=_rfm_contract(this, bought, is_fitted=is_fitted),
            also={"purchases": F.sum("purchase_count"), "outside": F.count_if(is_outside_range())},
        )
        this.write_text(SCORE_CARD, card.to_json())
        totals["purchases of customers in rfm"] = Total(figures["purchases"], totals["rfm"].money)
        this.account.claim("purchases", "purchases of customers in rfm")
        this.findings["score_card"] = {
            "file": this.path(SCORE_CARD),
            "name": card.name,
            "customers_outside_its_range": figures["outside"],
        }
        step.rows_in, step.out = totals["purchases"].rows, totals["rfm"]
    return Customers(rfm=written, scale=card.clustered_by)


def _rfm_contract(this: Run, bought: DataFrame, *, is_fitted: bool) -> Contract:
    """The contract of rfm: as many rows as customers bought anything, counted from the purchases by themselves."""
    customers = bought.select(F.count_distinct("customer_unique_id")).collect()[0][0]
    contract = with_row_count(this.rules.contracts["rfm"], rows=customers, of="customers in purchases")
    return contract if is_fitted else with_another_card(contract)


def _fitted_card(this: Run, measures: DataFrame) -> ScoreCard:
    extremes = fit_bounds(measures=measures).first()
    card = ScoreCard.fitted(
        extremes.asDict() if extremes else {},
        name=this.run_id,
        as_of=this.config.as_of,
        rules=this.config.meaning(),
        configuration_hash=hash_of(this.settings),
    )
    kind = this.config.feature_scale or "minmax"
    grid = _fitted_grid(measures) if kind == "rank" else {}
    try:
        return replace(card, feature_scale=FeatureScale(kind, card.bounds, grid))
    except ScoreCardError as error:
        raise DataError(f"--feature-scale {kind}: {error}. Choose minmax or rank") from None


def _fitted_grid(measures: DataFrame) -> dict[str, Grid]:
    """The grid of a rank scale: a hundred figures of each dimension, one query each."""
    found = {name: percentiles(measures=measures, dimension=name).collect()[0][0] for name in DIMENSIONS}
    return {name: grid_of(values) for name, values in found.items()}


def _checked_manifest(config: RunConfig, store: RunStore) -> dict[str, Any]:
    """The manifest of the run whose checked tables are read."""
    manifest = store.find_manifest(
        config.checked_run,
        missing="no checked tables to start from",
        advice="Run jobs.pipeline, or jobs.ingest and then this with --checked-run",
    )
    missing = [name for name in CHECKED_TABLES if name not in manifest.get("outputs", {})]
    if missing:
        raise ConfigurationError(
            f"run {manifest['run_id']} has no table {', '.join(missing)}, or no record of its files. "
            "Name a run that ingest was part of"
        )
    return manifest


if __name__ == "__main__":
    sys.exit(main())
