"""Checked tables to transactions, purchases, the score card and normalised RFM; for SageMaker the features too."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.computed import with_another_card, with_row_count, with_unpaid_orders
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.config import FeaturesConfig, FeaturesRunConfig, hash_of
from jobs.cli.main import run_main
from jobs.clusters.feature_files import FEATURES, FeatureFiles, write_feature_files
from jobs.errors import ConfigurationError, DataError
from jobs.quality.active_rules import active_rules, rules_of_checked_tables
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.computed_tables import write_computed
from jobs.runs.metrics import Written, total_of, with_metrics
from jobs.runs.run import Run, open_run
from jobs.runs.totals import NO_MONEY, Boundary, BoundaryKind, BoundaryTotal, Total
from jobs.sources.score_cards import load_card
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3
from transforms.purchases import first_payments, purchases, purchases_of_one_payment
from transforms.rfm.dimensions import DIMENSIONS, ScoreCardError
from transforms.rfm.feature_scale import FeatureScale, Grid, grid_of, percentiles
from transforms.rfm.feature_scale import features as scaled_features
from transforms.rfm.measures import (
    MEASURED,
    apply_card,
    customers_with_purchases,
    customers_without_purchases,
    fitted_bounds,
    is_outside_range,
    measured_customers,
    people_totals,
    purchases_of_people,
    returns_totals,
)
from transforms.rfm.score_card import ScoreCard
from transforms.sources.olist import (
    CAUSES_OF_PEOPLE,
    COUNTED_ORDERS,
    EXCLUSION_CAUSES,
    WITHOUT_PAYMENTS,
    attributed_payments,
    causes_of_people,
    customer_ids_of,
    excluded_orders,
    exclusion_totals,
    order_totals,
    transactions,
)

OTHER_PAYMENTS = Boundary("transactions", BoundaryKind.EXCLUDED, "other_payments_of_the_purchase")
PURCHASES_IN_RFM = Boundary("rfm", BoundaryKind.MEASURED)
RETURNS_OF_BUYERS = Boundary("purchases", BoundaryKind.EXCLUDED, "returns_of_buyers")
RETURNS_OF_OTHERS = Boundary("purchases", BoundaryKind.EXCLUDED, "returns_of_others")
SCORE_CARD = "score_card.json"

MOST_BROADCAST = 200_000
"""The most customer_ids of people who bought nothing that are copied to each machine: some 30 MB."""


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
        features = run_features(run, checked, config=config.features, card=card, for_sagemaker=config.kmeans == "none")
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
        files: the features to cluster, as CSV for SageMaker; None where it does not train.
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
    files: FeatureFiles | None
    run_id: str

    def configuration(self) -> Mapping[str, Any]:
        """The settings that their rows depend on."""
        card = "fitted" if self.is_fitted else {"name": self.card.name, "hash": hash_of(self.card.to_json())}
        return self.config.measured_by(as_of=self.as_of) | {"card": card, "feature_scale": self.card.clustered_by.kind}

    def manifest_entries(self) -> Mapping[str, Any]:
        """The score card, and the files of features where SageMaker is to read them."""
        card = {
            "file": f"runs/{self.run_id}/{SCORE_CARD}",
            "name": self.card.name,
            "customers_outside_its_range": self.customers_outside_range,
        }
        return {"score_card": card, **({FEATURES: self.files.as_json()} if self.files else {})}


def run_features(
    run: Run, checked: CheckedTables, *, config: FeaturesConfig, card: ScoreCard | None, for_sagemaker: bool = False
) -> Features:
    """Write transactions, purchases, score card and RFM of a run, and for SageMaker the features to cluster.

    Six exchanges by key: customers and orders by customer_id, orders and payments by order_id, transactions by
    customer_unique_id, and so purchases with the ids of customers. What the checks compare is counted on these ways:
    see the table in docs/performance.md. For SageMaker the features are moved twice more, into even shards.

    Args:
        run: the run.
        checked: its checked tables.
        config: how features are computed.
        card: the card to apply; None fits one.
        for_sagemaker: whether the features are written as CSV. Spark ML computes them from rfm and the card.

    Raises:
        DataError: No payment counts, or a reconciliation check fails.
    """
    transactions_written = _write_transactions(run, checked, config)
    purchases_written = _write_purchases(run, transactions_written, config)
    rfm, active_card = _write_rfm(run, purchases_written, checked, config, card=card)
    files = None
    if for_sagemaker:
        features = scaled_features(rfm=rfm.frame, scale=active_card.clustered_by)
        files = write_feature_files(run, features, rows=rfm.total.rows)
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
        attributed, observed = with_metrics(
            attributed_payments(**frames, as_of=run.as_of, order_statuses=config.order_statuses),
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
            f"count ({causes}). Check --as-of, --order-statuses and the run's quarantine"
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
        excluded = excluded_orders(as_of=run.as_of, order_statuses=config.order_statuses)
        totals |= orders.frame.agg(*[count.alias(name) for name, count in excluded.items()]).collect()[0].asDict()
        totals[COUNTED_ORDERS] = transactions_written.frame.select(F.count_distinct("order_id")).collect()[0][0]
    counted = Total(totals.pop(COUNTED_ORDERS))
    causes = {name.removeprefix("orders_"): rows for name, rows in totals.items()}
    run.reconcile(
        orders.entry,
        BoundaryTotal(Boundary("orders", BoundaryKind.COUNTED), counted),
        *_excluded_by_cause("orders", causes),
    )


def _excluded_by_cause(table: str, rows: Mapping[str, int]) -> list[BoundaryTotal]:
    return [BoundaryTotal(Boundary(table, BoundaryKind.EXCLUDED, cause), Total(count)) for cause, count in rows.items()]


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


def _write_rfm(
    run: Run,
    purchases_written: Written,
    checked: CheckedTables,
    config: FeaturesConfig,
    *,
    card: ScoreCard | None,
) -> tuple[Written, ScoreCard]:
    with run.step("rfm") as step:
        measures, totals = _measure(run, purchases_written, checked)
        customers = _account_for_people(run, checked, measures, config, totals=totals)
        contract = with_row_count(run.rules.contracts["rfm"], rows=customers, of="customers in purchases")
        contract = with_unpaid_orders(contract, share=_share_of_unpaid_orders(run))
        contract = contract if card is None else with_another_card(contract)
        buyers = customers_with_purchases(measured=measures)
        if card is None:
            card = _fitted_card(run, buyers, config, extremes=totals, rules=checked.configuration())
        written = write_computed(
            run,
            contract,
            apply_card(measures=buyers, card=card),
            keys=lambda: customers,
            metrics={"purchases": F.sum("purchase_count"), "outside": F.count_if(is_outside_range())},
        )
        run.write_text(SCORE_CARD, card.to_json())
        bought = Total(written.metrics["purchases"], written.total.money)
        run.reconcile(purchases_written.entry, BoundaryTotal(PURCHASES_IN_RFM, bought), *_excluded_returns(totals))
        step.record(rows_in=purchases_written.total.rows, out=written.total)
    return written, card


def _measure(run: Run, purchases_written: Written, checked: CheckedTables) -> tuple[DataFrame, Mapping[str, Any]]:
    """The measures of every person, and what was observed of them.

    They are staged on disk. Bounds and the number of customers must be known before rfm is written, and those who
    bought nothing are read for their causes. From disk that is cheaper than measuring again.
    """
    customers = checked.tables["customers"].frame
    everything = purchases_of_people(purchases=purchases_written.frame, customers=customers)
    # Nearly every row is a group of its own before it is moved: moved first, it is smaller, and grouped once.
    by_person = everything.repartition("customer_unique_id")
    measured, observed = with_metrics(
        measured_customers(purchases=by_person, as_of=run.as_of),
        "measures",
        metrics={**people_totals(), **returns_totals(), **fitted_bounds()},
    )
    return run.stage("measures", measured, schema=MEASURED), observed.get


def _excluded_returns(totals: Mapping[str, Any]) -> list[BoundaryTotal]:
    """The returns, which are no purchases: those of buyers, whose money rfm has, and those of customers without any."""
    alone = Total(totals["returns_alone"] or 0, totals["money_of_returns_alone"] or NO_MONEY)
    return [
        BoundaryTotal(RETURNS_OF_BUYERS, Total(totals["returns_of_buyers"] or 0, NO_MONEY)),
        BoundaryTotal(RETURNS_OF_OTHERS, alone),
    ]


def _account_for_people(
    run: Run, checked: CheckedTables, measures: DataFrame, config: FeaturesConfig, *, totals: Mapping[str, Any]
) -> int:
    """Check that each person bought something, or has a cause for having bought nothing; return how many bought."""
    people: int = totals["people"]
    buyers: int = totals["buyers"]
    customers = checked.tables["customers"]
    counted = BoundaryTotal(Boundary("customers", BoundaryKind.COUNTED), Total(totals["customer_ids"]))
    run.reconcile(customers.entry, counted)
    causes = {}
    if people > buyers:
        hinted = F.broadcast if totals["other_customer_ids"] <= MOST_BROADCAST else _unhinted
        others = customers_without_purchases(measured=measures)
        by_person = causes_of_people(
            others=others,
            customer_ids=hinted(customer_ids_of(people=hinted(others), customers=customers.frame)),
            orders=checked.tables["orders"].frame,
            as_of=run.as_of,
            order_statuses=config.order_statuses,
        )
        causes = {row["cause"]: row["count"] for row in by_person.groupBy("cause").count().collect()}
    run.reconcile(
        BoundaryTotal(Boundary("customers", BoundaryKind.PEOPLE), Total(people)),
        BoundaryTotal(Boundary("purchases", BoundaryKind.PEOPLE), Total(buyers)),
        *_excluded_by_cause("customers", {cause: causes[cause] for cause in CAUSES_OF_PEOPLE if cause in causes}),
    )
    return buyers


def _unhinted(frame: DataFrame) -> DataFrame:
    return frame


def _share_of_unpaid_orders(run: Run) -> float:
    totals = run.ledger.totals
    unpaid = totals[Boundary("orders", BoundaryKind.EXCLUDED, WITHOUT_PAYMENTS)].rows
    return unpaid / max(totals[Boundary("orders")].rows, 1)


def _fitted_card(
    run: Run, measures: DataFrame, config: FeaturesConfig, *, extremes: Mapping[str, Any], rules: Mapping[str, Any]
) -> ScoreCard:
    kind = config.feature_scale or "minmax"
    measured_by = config.measured_by(as_of=run.as_of)
    configuration = {**rules, "rules": run.rules.hash, **measured_by, "card": "fitted", "feature_scale": kind}
    card = ScoreCard.fitted(
        extremes,
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
