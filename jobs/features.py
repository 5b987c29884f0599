"""Checked tables to transactions, purchases, the score card, normalised RFM and the features to cluster."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.computed import with_another_card, with_row_count
from expectations.contracts.contract import Contract
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.config import FeaturesConfig, FeaturesRunConfig, hash_of
from jobs.cli.main import run_main
from jobs.clusters.feature_files import FEATURES, FeatureFiles, write_feature_files
from jobs.errors import ConfigurationError, DataError
from jobs.quality.active_rules import active_rules, rules_of_checked_tables
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run, open_run
from jobs.runs.totals import NO_MONEY, Boundary, BoundaryKind, BoundaryTotal, Total
from jobs.sources.score_cards import load_card
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3
from transforms import schemas
from transforms.purchases import first_payments, purchases, purchases_of_one_payment
from transforms.rfm.dimensions import DIMENSIONS, ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, Grid, grid_of, percentiles
from transforms.rfm.feature_scale import features as scaled_features
from transforms.rfm.measures import apply_card, customer_measures, fit_bounds, is_outside_range
from transforms.rfm.score_card import ScoreCard
from transforms.sources.olist import EXCLUSION_CAUSES, attributed_payments, exclusion_totals, transactions

OTHER_PAYMENTS = Boundary("transactions", BoundaryKind.EXCLUDED, "other_payments_of_the_purchase")
PURCHASES_IN_RFM = Boundary("rfm", BoundaryKind.MEASURED)
SCORE_CARD = "score_card.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("features", lambda: run_alone(FeaturesRunConfig.from_argv(argv)))


def run_alone(config: FeaturesRunConfig) -> None:
    """Compute features from the checked tables of an earlier run, as a new run that becomes the current one."""
    options = config.run
    card = load_card(config.features.card, config.features.feature_scale) if config.features.card else None
    rules = active_rules(options.rules)
    store = RunStore(options.output)
    # A damaged pointer stops the run here, and not when it is to be moved, after all work.
    store.current()
    earlier = _checked_manifest(store, config)
    with open_run("features", options, store, rules, reaches_s3=is_in_s3(options.output)) as run:
        checked = CheckedTables(
            {contract.table: run.reuse(contract, earlier=earlier) for contract in rules.of_files},
            rules_of_checked_tables(earlier.configuration, unless=rules),
        )
        features = run_features(run, checked, config=config.features, card=card)
        run.finish(inputs={"checked_run": earlier.run_id}, results=[checked, features], becomes_current=True)
        run.show_summary()


@dataclass(frozen=True)
class Features:
    """The features of a run's customers, and the tables that they were computed from.

    Attributes:
        config: how they were computed.
        as_of: last day that counts.
        transactions, purchases, rfm: as they were written.
        card: the active score card.
        is_fitted: whether this run fitted the card.
        customers_outside_range: customers with a figure outside 0..5, which a card of other customers may give.
        files: the features to cluster, as CSV for SageMaker.
        run_id: the run that has them.
    """

    config: FeaturesConfig
    as_of: date
    transactions: Written
    purchases: Written
    rfm: Written
    card: ScoreCard
    is_fitted: bool
    customers_outside_range: int
    files: FeatureFiles
    run_id: str

    def configuration(self) -> Mapping[str, Any]:
        """The settings that their rows depend on."""
        card = "fitted" if self.is_fitted else {"name": self.card.name, "hash": hash_of(self.card.to_json())}
        return self.config.measured_by(as_of=self.as_of) | {"card": card, "feature_scale": self.card.clustered_by.kind}

    def manifest_entries(self) -> Mapping[str, Any]:
        """The score card and the files of features."""
        card = {
            "file": f"runs/{self.run_id}/{SCORE_CARD}",
            "name": self.card.name,
            "customers_outside_its_range": self.customers_outside_range,
        }
        return {"score_card": card, FEATURES: self.files.as_json()}


def run_features(run: Run, checked: CheckedTables, *, config: FeaturesConfig, card: ScoreCard | None) -> Features:
    """Write transactions, purchases, score card, RFM and the features to cluster of a run.

    Six exchanges by key, and one of a single row for the bounds: customers and orders by customer_id, orders and
    payments by order_id, transactions and then purchases by customer_unique_id. The features are moved twice more, into
    even shards.

    Args:
        run: the run.
        checked: its checked tables.
        config: how features are computed.
        card: the card to apply; None fits one.

    Raises:
        DataError: No payment counts, or a reconciliation check fails.
    """
    transactions_written = _write_transactions(run, checked, config)
    purchases_written = _write_purchases(run, transactions_written, config)
    rfm, active_card = _write_rfm(run, purchases_written, config, card=card, rules=checked.configuration())
    with run.step(FEATURES) as step:
        rows = rfm.total.rows
        files = write_feature_files(run, scaled_features(rfm=rfm.frame, scale=active_card.clustered_by), rows=rows)
        step.record(rows_in=rows, out=Total(rows))
    return Features(
        config=config,
        as_of=run.as_of,
        transactions=transactions_written,
        purchases=purchases_written,
        rfm=rfm,
        card=active_card,
        is_fitted=card is None,
        customers_outside_range=rfm.metrics["outside"],
        files=files,
        run_id=run.run_id,
    )


def _write_transactions(run: Run, checked: CheckedTables, config: FeaturesConfig) -> Written:
    payments = checked.tables["payments"]
    frames = {name: table.frame for name, table in checked.tables.items()}
    with run.step("transactions") as step:
        attributed, exclusions = with_metrics(
            attributed_payments(**frames, as_of=run.as_of, order_statuses=config.order_statuses),
            "excluded payments",
            metrics=exclusion_totals(),
        )
        written = run.write_validated(run.rules.contracts["transactions"], transactions(attributed=attributed))
        excluded = [_excluded(cause, exclusions.get) for cause in EXCLUSION_CAUSES]
        run.reconcile(payments.entry, written.entry, *excluded)
        rows_in = payments.total.rows
        step.record(rows_in=rows_in, out=written.total, not_passed_on=rows_in - written.total.rows)
    if not written.total.rows:
        causes = "; ".join(f"{entry.boundary.part}: {entry.total}" for entry in excluded)
        raise DataError(
            f"no payment counts as of {run.as_of}: found {payments.total} in the checked payments, expected some to "
            f"count ({causes}). Check --as-of, --order-statuses and the run's quarantine"
        )
    return written


def _excluded(cause: str, totals: Mapping[str, Any]) -> BoundaryTotal:
    boundary = Boundary("payments", BoundaryKind.EXCLUDED, cause)
    return BoundaryTotal(boundary, Total(totals[cause]["rows"], totals[cause]["money"] or NO_MONEY))


def _write_purchases(run: Run, transactions_written: Written, config: FeaturesConfig) -> Written:
    contract = run.rules.contracts["purchases"]
    with run.step("purchases") as step:
        # All payments of a customer in one place: the grouping by customer and time then needs no exchange of its own.
        by_customer = transactions_written.frame.repartition("customer_unique_id")
        if config.purchase_value == "sum":
            written = run.write_validated(contract, purchases(transactions=by_customer))
            run.reconcile(transactions_written.entry, written.entry, money_only=True)
            others = Total()
        else:
            first, metrics = with_metrics(
                first_payments(transactions=by_customer),
                "other payments",
                metrics={"other_rows": F.sum("other_payments"), "other_money": F.sum("other_value")},
            )
            written = run.write_validated(contract, purchases_of_one_payment(picked=first))
            others = Total(metrics.get["other_rows"], metrics.get["other_money"])
            run.reconcile(transactions_written.entry, written.entry, BoundaryTotal(OTHER_PAYMENTS, others))
        step.record(rows_in=transactions_written.total.rows, out=written.total, not_passed_on=others.rows)
    return written


def _write_rfm(
    run: Run,
    purchases_written: Written,
    config: FeaturesConfig,
    *,
    card: ScoreCard | None,
    rules: Mapping[str, Any],
) -> tuple[Written, ScoreCard]:
    with run.step("rfm") as step:
        measures = customer_measures(purchases=purchases_written.frame, as_of=run.as_of)
        contract = _rfm_contract(run, purchases_written.frame, is_fitted=card is None)
        if card is None:
            # Read twice, for the bounds and for their use; from disk that is cheaper than measuring again.
            measures = run.stage("measures", measures, schema=schemas.MEASURES)
            card = _fitted_card(run, measures, config, rules=rules)
        written = run.write_validated(
            contract,
            apply_card(measures=measures, card=card),
            metrics={"purchases": F.sum("purchase_count"), "outside": F.count_if(is_outside_range())},
        )
        run.write_text(SCORE_CARD, card.to_json())
        measured = Total(written.metrics["purchases"], written.total.money)
        run.reconcile(purchases_written.entry, BoundaryTotal(PURCHASES_IN_RFM, measured))
        step.record(rows_in=purchases_written.total.rows, out=written.total)
    return written, card


def _rfm_contract(run: Run, purchases_frame: DataFrame, *, is_fitted: bool) -> Contract:
    """The contract of rfm: as many rows as there are customers, counted from the purchases by themselves."""
    customers = purchases_frame.select(F.count_distinct("customer_unique_id")).collect()[0][0]
    contract = with_row_count(run.rules.contracts["rfm"], rows=customers, of="customers in purchases")
    return contract if is_fitted else with_another_card(contract)


def _fitted_card(run: Run, measures: DataFrame, config: FeaturesConfig, *, rules: Mapping[str, Any]) -> ScoreCard:
    kind = config.feature_scale or "minmax"
    measured_by = config.measured_by(as_of=run.as_of)
    configuration = {**rules, "rules": run.rules.hash, **measured_by, "card": "fitted", "feature_scale": kind}
    extremes = fit_bounds(measures=measures).first()
    card = ScoreCard.fitted(
        extremes.asDict() if extremes else {},
        name=run.run_id,
        as_of=run.as_of,
        rules=measured_by,
        fit_configuration_hash=hash_of(configuration),
    )
    grid = _fitted_grid(measures) if kind == "rank" else {}
    try:
        return replace(card, feature_scale=FeatureScale(kind, card.bounds, grid))
    except ScoreCardError as error:
        raise DataError(f"--feature-scale {kind}: {error}. Choose minmax or rank") from None


def _fitted_grid(measures: DataFrame) -> dict[str, Grid]:
    """The grid of a rank scale: a hundred figures of each dimension, one query each."""
    values = {name: percentiles(measures=measures, dimension=name).collect()[0][0] for name in DIMENSIONS}
    return {name: grid_of(figures) for name, figures in values.items()}


def _checked_manifest(store: RunStore, config: FeaturesRunConfig) -> Manifest:
    """The manifest of the run whose checked tables are read."""
    manifest = store.find_manifest(
        config.checked_run,
        missing="no checked tables to start from",
        advice="Run jobs.pipeline, or jobs.ingest and then this with --checked-run",
    )
    missing = [contract.table for contract in FILE_CONTRACTS if contract.table not in manifest.outputs]
    if missing:
        raise ConfigurationError(
            f"run {manifest.run_id} has no table {', '.join(missing)}, or no record of its files. "
            "Name a run that ingest was part of"
        )
    return manifest


if __name__ == "__main__":
    sys.exit(main())
