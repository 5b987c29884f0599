"""Checked tables to transactions, purchases, a score card and scored customers; for SageMaker the features too."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from jobs.cli.config import FeaturesConfig, FeaturesRunConfig
from jobs.cli.main import run_main
from jobs.clusters.feature_files import FEATURES, FeatureFiles, write_feature_files
from jobs.errors import ConfigurationError
from jobs.history.summary import show_changes
from jobs.outcomes.summary import show_validation
from jobs.outcomes.validating import VALIDATION, Validation, validate
from jobs.quality.active_rules import ActiveRules, active_rules, rules_of_checked_tables
from jobs.reports.leaving import leave_report
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.computed_tables import write_computed
from jobs.runs.metrics import Written, total_of, with_metrics
from jobs.runs.run import Run, open_run
from jobs.runs.totals import Boundary, BoundaryKind, BoundaryTotal, Total
from jobs.scores.planning import ScoringPlan, plan_scoring
from jobs.scores.scored import ScoredCustomers, score_customers
from jobs.scores.summary import show_segments
from jobs.sources.choosing import source_of_run
from jobs.sources.source import SourcedTransactions
from jobs.spark.session import Workload
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3
from transforms.purchases import first_payments, purchases, purchases_of_one_payment
from transforms.rfm.feature_scale import features as scaled_features

OTHER_PAYMENTS = Boundary("transactions", BoundaryKind.EXCLUDED, "other_payments_of_the_purchase")


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("features", lambda: run_alone(FeaturesRunConfig.from_argv(argv)))


def run_alone(config: FeaturesRunConfig) -> None:
    """Compute features from the checked tables of an earlier run, as a new run that becomes the current one."""
    options = config.run
    store = RunStore(options.output)
    # A damaged pointer stops the run here, and not when it is to be moved, after all work.
    store.current()
    earlier = _checked_manifest(store, config)
    source = source_of_run(store, earlier)
    plan = plan_scoring(store, config.features, source, as_of=options.as_of)
    rules = active_rules(options.rules, source.contracts)
    refuse_missing(earlier, rules)
    with open_run("features", options, store, rules, workload=Workload(is_in_s3(options.output))) as run:
        checked = CheckedTables(
            {contract.table: run.reuse(contract, earlier=earlier) for contract in rules.of_files},
            rules_of_checked_tables(earlier.configuration, unless=rules),
        )
        kept = source.keep(run)
        sourced = source.transactions(run, checked, plan.config)
        features = run_features(run, sourced, plan, for_sagemaker=config.kmeans == "none")
        run.finish(inputs={"checked_run": earlier.run_id}, results=[checked, kept, features], becomes_current=True)
        report = leave_report(run, store)
        report.show()
        features.show()
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
        validation: whether the segments predict; None where nobody wants to know.
    """

    config: FeaturesConfig
    as_of: date
    transactions: Written
    purchases: Written
    scored: ScoredCustomers
    files: FeatureFiles | None
    validation: Validation | None = None

    def show(self) -> None:
        """Print the segments, what changed, and whether they predict."""
        show_segments(self.scored)
        show_changes(self.scored.changes)
        show_validation(self.validation)

    def configuration(self) -> Mapping[str, Any]:
        """The settings that their rows depend on."""
        return {**self.config.measured_by(as_of=self.as_of), **self.scored.configuration()}

    def manifest_entries(self) -> Mapping[str, Any]:
        """The score card and the segments, the validation, and the files of features where SageMaker reads them."""
        return {
            **self.scored.manifest_entries(),
            **({VALIDATION: self.validation.as_json()} if self.validation else {}),
            **({FEATURES: self.files.as_json()} if self.files else {}),
        }


def run_features(
    run: Run,
    sourced: SourcedTransactions,
    plan: ScoringPlan,
    *,
    for_sagemaker: bool = False,
) -> Features:
    """Write purchases, score card, rfm and history of a run, and for SageMaker the features to cluster.

    Two exchanges by key: transactions by customer_unique_id, and so purchases with the ids of customers. What the
    checks compare is counted on these ways: see the table in docs/performance.md. For SageMaker the features are moved
    twice more, into even shards.

    Args:
        run: the run.
        sourced: its transactions.
        plan: how its customers are scored.
        for_sagemaker: whether the features are written as CSV. Spark ML computes them from rfm and the card.

    Raises:
        DataError: Nobody bought anything, or a reconciliation check fails.
    """
    purchases_written = _write_purchases(run, sourced.written, plan.config)
    scored = score_customers(run, purchases_written, sourced, plan)
    validation = validate(run, purchases_written, scored, config=plan.config, choice=plan.choice)
    files = None
    if for_sagemaker:
        features = scaled_features(rfm=scored.rfm.frame, scale=scored.card.clustered_by)
        files = write_feature_files(run, features, rows=scored.rfm.total.rows)
    return Features(plan.config, run.as_of, sourced.written, purchases_written, scored, files, validation)


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
    return store.find_manifest(
        config.checked_run,
        missing="no checked tables to start from",
        advice="Run jobs.pipeline, or jobs.ingest and then this with --checked-run",
    )


def refuse_missing(manifest: Manifest, rules: ActiveRules) -> None:
    """See that a run has the checked tables of its source.

    Raises:
        ConfigurationError: It lacks one.
    """
    missing = [contract.table for contract in rules.of_files if contract.table not in manifest.outputs]
    if missing:
        raise ConfigurationError(
            f"run {manifest.run_id} has no table {', '.join(missing)}, or no record of its files. "
            "Name a run that ingest was part of"
        )


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
