"""Checked tables to transactions, purchases, a score card and scored customers; for SageMaker the features too."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.config import FeaturesConfig, FeaturesRunConfig
from jobs.cli.main import run_main
from jobs.clusters.feature_files import FEATURES, FeatureFiles, write_feature_files
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.score_cards import ScoringChoice, choose_scoring
from jobs.quality.active_rules import active_rules, rules_of_checked_tables
from jobs.reports.leaving import leave_report
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.computed_tables import write_computed
from jobs.runs.metrics import Written, total_of, with_metrics
from jobs.runs.run import Run, open_run
from jobs.runs.totals import NO_MONEY, Boundary, BoundaryKind, BoundaryTotal, Total, excluded_by_cause
from jobs.scores.scored import ScoredCustomers, score_customers
from jobs.scores.summary import show_segments
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3
from transforms.purchases import first_payments, purchases, purchases_of_one_payment
from transforms.rfm.feature_scale import features as scaled_features
from transforms.sources.olist import (
    COUNTED_ORDERS,
    EXCLUSION_CAUSES,
    attributed_payments,
    excluded_orders,
    exclusion_totals,
    order_totals,
    transactions,
)

OTHER_PAYMENTS = Boundary("transactions", BoundaryKind.EXCLUDED, "other_payments_of_the_purchase")


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("features", lambda: run_alone(FeaturesRunConfig.from_argv(argv)))


def run_alone(config: FeaturesRunConfig) -> None:
    """Compute features from the checked tables of an earlier run, as a new run that becomes the current one."""
    options = config.run
    rules = active_rules(options.rules)
    store = RunStore(options.output)
    # A damaged pointer stops the run here, and not when it is to be moved, after all work.
    store.current()
    choice = choose_scoring(store, config.features)
    earlier = _checked_manifest(store, config)
    with open_run("features", options, store, rules, reaches_s3=is_in_s3(options.output)) as run:
        checked = CheckedTables(
            {contract.table: run.reuse(contract, earlier=earlier) for contract in rules.of_files},
            rules_of_checked_tables(earlier.configuration, unless=rules),
        )
        features = run_features(
            run, checked, config=config.features, choice=choice, for_sagemaker=config.kmeans == "none"
        )
        run.finish(inputs={"checked_run": earlier.run_id}, results=[checked, features], becomes_current=True)
        report = leave_report(run, store)
        report.show()
        show_segments(features.scored)
        run.show_summary()
    report.raise_if_failed()


@dataclass(frozen=True)
class Features:
    """The features of a run's customers, and the tables that they were computed from.

    Attributes:
        config: how they were computed.
        as_of: last day that counts.
        transactions, purchases: as they were written.
        scored: the customers, with rfm and its score card.
        files: the features to cluster, as CSV for SageMaker; None where it does not train.
    """

    config: FeaturesConfig
    as_of: date
    transactions: Written
    purchases: Written
    scored: ScoredCustomers
    files: FeatureFiles | None

    def configuration(self) -> Mapping[str, Any]:
        """The settings that their rows depend on."""
        return {**self.config.measured_by(as_of=self.as_of), **self.scored.configuration()}

    def manifest_entries(self) -> Mapping[str, Any]:
        """The score card and the segments, and the files of features where SageMaker is to read them."""
        return {**self.scored.manifest_entries(), **({FEATURES: self.files.as_json()} if self.files else {})}


def run_features(
    run: Run, checked: CheckedTables, *, config: FeaturesConfig, choice: ScoringChoice, for_sagemaker: bool = False
) -> Features:
    """Write transactions, purchases, score card and rfm of a run, and for SageMaker the features to cluster.

    Six exchanges by key: customers and orders by customer_id, orders and payments by order_id, transactions by
    customer_unique_id, and so purchases with the ids of customers. What the checks compare is counted on these ways:
    see the table in docs/performance.md. For SageMaker the features are moved twice more, into even shards.

    Args:
        run: the run.
        checked: its checked tables.
        config: how features are computed.
        choice: the score card and the segment maps.
        for_sagemaker: whether the features are written as CSV. Spark ML computes them from rfm and the card.

    Raises:
        DataError: No payment counts, or a reconciliation check fails.
    """
    config = replace(config, window_months=choice.window_months)
    transactions_written = _write_transactions(run, checked, config)
    purchases_written = _write_purchases(run, transactions_written, config)
    scored = score_customers(run, purchases_written, checked, config=config, choice=choice)
    files = None
    if for_sagemaker:
        features = scaled_features(rfm=scored.rfm.frame, scale=scored.card.clustered_by)
        files = write_feature_files(run, features, rows=scored.rfm.total.rows)
    return Features(config, run.as_of, transactions_written, purchases_written, scored, files)


def _write_transactions(run: Run, checked: CheckedTables, config: FeaturesConfig) -> Written:
    payments = checked.tables["payments"]
    frames = {name: table.frame for name, table in checked.tables.items()}
    with run.step("transactions") as step:
        attributed, observed = with_metrics(
            attributed_payments(**frames, counted=config.counted(as_of=run.as_of)),
            "attributed payments",
            metrics={**exclusion_totals(), **order_totals()},
        )
        rows_in = payments.total.rows
        written = write_computed(
            run,
            run.rules.contracts["transactions"],
            transactions(attributed=attributed),
            # The key is that of payments, each of which is joined to one order.
            keys=lambda: rows_in - sum(observed.get[cause]["rows"] for cause in EXCLUSION_CAUSES),
        )
        excluded = [_excluded(cause, observed.get) for cause in EXCLUSION_CAUSES]
        run.reconcile(payments.entry, written.entry, *excluded)
        _account_for_orders(run, checked, written, config, seen=observed.get)
        step.record(rows_in=rows_in, out=written.total, not_passed_on=rows_in - written.total.rows)
    if not written.total.rows:
        causes = "; ".join(f"{entry.boundary.part}: {entry.total}" for entry in excluded)
        raise DataError(
            f"no payment counts as of {run.as_of}: found {payments.total} in the checked payments, expected some to "
            f"count ({causes}). Check --as-of, --order-statuses, --window-months and the run's quarantine"
        )
    return written


def _account_for_orders(
    run: Run, checked: CheckedTables, transactions_written: Written, config: FeaturesConfig, *, seen: Mapping[str, Any]
) -> None:
    """Check that each order has a transaction, or a cause for which it has none.

    The `order_totals` that were ``seen`` on the write count disjoint sets of orders. If they add up to all orders, each
    is accounted for. Otherwise the orders are counted exactly, in a pass over each of the two tables.
    """
    orders = checked.tables["orders"]
    totals = {name: seen[name] for name in order_totals()}
    if sum(totals.values()) != orders.total.rows:
        excluded = excluded_orders(config.counted(as_of=run.as_of))
        totals |= orders.frame.agg(*[count.alias(name) for name, count in excluded.items()]).collect()[0].asDict()
        totals[COUNTED_ORDERS] = transactions_written.frame.select(F.count_distinct("order_id")).collect()[0][0]
    with_transactions = Total(totals.pop(COUNTED_ORDERS))
    causes = {name.removeprefix("orders_"): rows for name, rows in totals.items()}
    run.reconcile(
        orders.entry,
        BoundaryTotal(Boundary("orders", BoundaryKind.COUNTED), with_transactions),
        *excluded_by_cause("orders", causes),
    )


def _excluded(cause: str, totals: Mapping[str, Any]) -> BoundaryTotal:
    boundary = Boundary("payments", BoundaryKind.EXCLUDED, cause)
    return BoundaryTotal(boundary, Total(totals[cause]["rows"], totals[cause]["money"] or NO_MONEY))


def _write_purchases(run: Run, transactions_written: Written, config: FeaturesConfig) -> Written:
    contract = run.rules.contracts["purchases"]
    with run.step("purchases") as step:
        # All payments of a customer in one place: the grouping by customer and time then needs no exchange of its own.
        by_customer = transactions_written.frame.repartition("customer_unique_id")
        if config.purchase_value == "sum":
            grouped, metrics = with_metrics(purchases(transactions=by_customer), "grouped payments")
            written = write_computed(run, contract, grouped, keys=lambda: total_of(metrics.get, None).rows)
            run.reconcile(transactions_written.entry, written.entry, money_only=True)
            others = Total()
        else:
            first, metrics = with_metrics(
                first_payments(transactions=by_customer),
                "grouped payments",
                metrics={"other_rows": F.sum("other_payments"), "other_money": F.sum("other_value")},
            )
            picked = purchases_of_one_payment(picked=first)
            written = write_computed(run, contract, picked, keys=lambda: total_of(metrics.get, None).rows)
            others = Total(metrics.get["other_rows"], metrics.get["other_money"])
            run.reconcile(transactions_written.entry, written.entry, BoundaryTotal(OTHER_PAYMENTS, others))
        step.record(rows_in=transactions_written.total.rows, out=written.total, not_passed_on=others.rows)
    return written


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
