"""Customers and an engine's assignments to customer_segments: clusters with stable ids and names."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.computed import CUSTOMER_SEGMENTS, RFM, with_row_count
from jobs.cli.config import ClustersConfig, SegmentsConfig
from jobs.cli.main import run_main
from jobs.clusters.assigning import (
    Assignments,
    artifact_centroids,
    assign_by_model,
    assign_by_spark,
    find_external_files,
    read_sagemaker_assignments,
)
from jobs.clusters.description import Origin, RunClusters, describe_clusters
from jobs.clusters.feature_files import FEATURES
from jobs.clusters.previous import KMEANS_MODEL, PreviousClusters, model_of, previous_clusters
from jobs.clusters.summary import cluster_notes, show_clusters
from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.features import Features
from jobs.inputs.score_cards import card_of_run
from jobs.outcomes.validating import VALIDATION
from jobs.quality.active_rules import active_rules
from jobs.registering.leaving import catalogue_for, leave_in_catalogue
from jobs.reports.leaving import leave_report
from jobs.runs.computed_tables import write_computed
from jobs.runs.manifest import Reused
from jobs.runs.metrics import Written, with_metrics
from jobs.runs.run import Run, open_run
from jobs.runs.totals import Boundary, BoundaryKind, BoundaryTotal, Total
from jobs.sources.choosing import source_of_run
from jobs.spark.session import Workload
from jobs.storage.run_files import Manifest, RecordedCard
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3
from transforms.clusters.assignments import (
    ASSIGNED_CUSTOMERS,
    FAULTS,
    assigned_customers,
    checked_assignments,
    cluster_means,
    customer_segments,
    customers_by_cluster,
    fault_counts,
    single_precision,
)
from transforms.rfm.dimensions import DIMENSIONS
from transforms.rfm.feature_scale import FeatureScale, features

ROUNDING = 1e-9
"""What sums of floating-point numbers in another order may differ by, where nothing drifted."""


@dataclass(frozen=True)
class Customers:
    """The customers to cluster: rfm, and the scale of their features."""

    rfm: Written
    scale: FeatureScale


@dataclass(frozen=True)
class EarlierFeatures:
    """The run whose customers are clustered: its manifest, with the card that it must have."""

    manifest: Manifest
    card: RecordedCard


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("segments", lambda: run_alone(SegmentsConfig.from_argv(argv)))


def run_alone(config: SegmentsConfig) -> None:
    """Assign the customers of an earlier run to clusters, as a new run that becomes the current one."""
    catalogue = catalogue_for(config.catalogue, output=config.output, becomes_current=config.becomes_current)
    store = RunStore(config.output)
    earlier_features = _earlier_features(store, config.features_run)
    earlier = earlier_features.manifest
    options = config.run_options(features_run=earlier.run_id, as_of=earlier.as_of)
    source = source_of_run(store, earlier)
    rules = active_rules(options.rules, source.contracts)
    model = model_of(store, config.score_with, argument="--score-with") if config.score_with else None
    previous = previous_clusters(store, config.clusters.match, applied=model)
    external = find_external_files(config)
    artifact = artifact_centroids(config.model_artifact)
    scale = card_of_run(store, earlier_features.card.file, advice="Run jobs.features again").clustered_by
    workload = Workload(is_in_s3(options.output) or is_in_s3(config.assignments))
    with open_run("segments", options, store, rules, workload=workload) as run:
        # Readers and warehouses find every table in the new run.
        for table in earlier.tables:
            if table not in (RFM.table, CUSTOMER_SEGMENTS.table):
                run.reuse_files(table, earlier=earlier)
        rfm = run.reuse(RFM, earlier=earlier)
        if external.assignments_uri is not None:
            assignments = read_sagemaker_assignments(
                run, external.assignments_uri, path=str(config.assignments), centroids=artifact
            )
        elif model is not None:
            scale = model.scale
            assignments = assign_by_model(model)
        else:
            assignments = _train(run, Customers(rfm, scale), config=config.clusters)
        clusters = _write_segments(run, Customers(rfm, scale), assignments, config=config.clusters, previous=previous)
        inputs = {"features_run": earlier.run_id, **external.as_json()}
        results = [_reused_features(earlier_features, run), source.keep(run), clusters]
        run.finish(inputs=inputs, results=results, becomes_current=True)
        report = leave_report(run, store)
        report.show()
        run.show_summary(*cluster_notes(clusters))
        show_clusters(clusters)
    registration = leave_in_catalogue(store, catalogue, run.run_id)
    report.raise_if_failed()
    registration.raise_if_failed()


def cluster_customers(
    run: Run, customer_features: Features, *, config: ClustersConfig, previous: PreviousClusters
) -> RunClusters:
    """Cluster the customers of a run by Spark ML, and write customer_segments and the model.

    Args:
        run: the run.
        customer_features: the features of its customers.
        config: how customers are clustered.
        previous: the clusters that the new ones are matched to.

    Raises:
        DataError: A reconciliation check fails, or the clusters drifted further than ``--max-drift`` allows.
    """
    customers = Customers(customer_features.scored.rfm, customer_features.scored.card.clustered_by)
    assignments = _train(run, customers, config=config)
    return _write_segments(run, customers, assignments, config=config, previous=previous)


def _train(run: Run, customers: Customers, *, config: ClustersConfig) -> Assignments:
    rows = customers.rfm.total.rows
    with run.step("kmeans") as step:
        points = features(rfm=customers.rfm.frame, scale=customers.scale)
        assignments = assign_by_spark(points, customers=rows, config=config)
        step.record(rows_in=rows, out=Total(rows))
    return assignments


def _write_segments(
    run: Run,
    customers: Customers,
    assignments: Assignments,
    *,
    config: ClustersConfig,
    previous: PreviousClusters,
) -> RunClusters:
    rfm = customers.rfm
    with run.step("segments") as step:
        assigned = _assign(run, customers, assignments)
        centroids = assignments.centroids or _means(assigned)
        clusters = describe_clusters(
            assigned,
            assignments=assignments,
            centroids=centroids,
            origin=Origin(run.run_id, run.as_of, customers.scale, previous),
            config=config,
        )
        contract = run.rules.contracts["customer_segments"]
        written = write_computed(
            run,
            with_row_count(contract, rows=rfm.total.rows, of="customers in rfm"),
            customer_segments(assigned=assigned, centroids=clusters.centroids, ids=clusters.ids, names=clusters.names),
            keys=lambda: rfm.total.rows,
            metrics=customers_by_cluster(clusters.names),
        )
        _check_written(written, clusters)
        run.write_text(KMEANS_MODEL, clusters.model.to_json())
        run.reconcile(
            rfm.entry,
            *[
                BoundaryTotal(
                    Boundary("customer_segments", BoundaryKind.CLUSTER, str(cluster.id)),
                    Total(cluster.customers, cluster.revenue),
                )
                for cluster in clusters.model.clusters
            ],
        )
        run.reconcile(written.entry, rfm.entry)
        step.record(rows_in=rfm.total.rows, out=written.total)
    drift, limit = clusters.drift, config.max_drift
    if drift and limit is not None and drift.magnitude > limit + ROUNDING:
        raise DataError(
            f"the clusters drifted by {drift.magnitude:.4f} since run {drift.against}, expected at most {limit} "
            "(--max-drift). Compare this run's kmeans_model.json with that run's; to accept it, run again without the "
            "limit"
        )
    return clusters


def _assign(run: Run, customers: Customers, assignments: Assignments) -> DataFrame:
    """Every customer beside its assignment, one row each.

    Here it is a projection of rfm, and two queries compute it. An engine's lines are joined and checked once.
    """
    if assignments.lines is not None:
        return _check_lines(run, customers, assignments.lines, assignments)
    centroids = assignments.centroids or {}
    return assigned_customers(rfm=customers.rfm.frame, scale=customers.scale, centroids=centroids)


def _check_lines(run: Run, customers: Customers, lines: DataFrame, assignments: Assignments) -> DataFrame:
    """Every customer beside its line, on disk, since three queries read it.

    Raises:
        DataError: There is not exactly one line for each customer, with this run's features.
        OutsideSystemError: A transform of SageMaker left customers out.
    """
    customer = F.col("customer_unique_id")
    examples = {f"{fault} example": F.min(F.when(F.col("fault") == fault, customer)) for fault in FAULTS}
    joined = checked_assignments(rfm=customers.rfm.frame, lines=lines, scale=customers.scale)
    observed, metrics = with_metrics(joined, "assignments", metrics={**fault_counts(), **examples})
    checked = run.stage("assigned", observed.drop("fault"), schema=ASSIGNED_CUSTOMERS)
    faults = {fault: metrics.get[fault] for fault in FAULTS if metrics.get[fault]}
    if not faults:
        return checked
    counts = [f"{count:,} {FAULTS[fault]} ({metrics.get[f'{fault} example']})" for fault, count in faults.items()]
    expected = f"one line for each of the {customers.rfm.total.rows:,} customers in rfm"
    message = f"{assignments.path}: found customers {', '.join(counts)}; expected {expected}"
    if assignments.engine == "sagemaker" and set(faults) == {"missing"}:
        raise OutsideSystemError(
            f"{message}. SageMaker's transform left them out: run it again over all of kmeans/score"
        )
    raise DataError(
        f"{message}. Give the complete output of one transform of kmeans/score, as a run with --kmeans none wrote it "
        "for these customers"
    )


def _check_written(written: Written, clusters: RunClusters) -> None:
    """Check that the clusters have the customers in the table that they had when they were added up.

    Raises:
        DataError: They have not.
    """
    for cluster in clusters.model.clusters:
        actual = written.metrics[f"cluster {cluster.id}"]
        if actual != cluster.customers:
            raise DataError(
                f"{written.table}: found {actual:,} customers in cluster {cluster.id}, expected the "
                f"{cluster.customers:,} that were added up. A table of the run was changed while it was read: run again"
            )


def _means(assigned: DataFrame) -> dict[int, tuple[float, float, float]]:
    rows = cluster_means(assigned=assigned).orderBy("cluster").collect()
    return {row["cluster"]: single_precision([row[name] for name in DIMENSIONS]) for row in rows}


def _reused_features(earlier: EarlierFeatures, run: Run) -> Reused:
    """What the tables depend on is what they were made with; the rules of this run apply to the segments alone."""
    manifest = earlier.manifest
    entries: dict[str, Any] = {"score_card": earlier.card.as_json()}
    if manifest.segments is not None:
        entries |= {"segments": manifest.segments.as_json(), "sufficiency": manifest.sufficiency}
    if manifest.changes is not None:
        entries["changes"] = manifest.changes
    if manifest.validation is not None:
        entries[VALIDATION] = manifest.validation
    if manifest.kmeans_features is not None:
        entries[FEATURES] = manifest.kmeans_features.as_json()
    return Reused({**manifest.configuration.as_json(), "rules_of_segments": run.rules.hash}, entries)


def _earlier_features(store: RunStore, run_id: str | None) -> EarlierFeatures:
    manifest = store.find_manifest(
        run_id, missing="no customers to cluster", advice="Run jobs.pipeline first, or name a run with --features-run"
    )
    if RFM.table not in manifest.outputs or manifest.score_card is None:
        raise ConfigurationError(
            f"run {manifest.run_id} has no rfm with a score card, or no record of its files. "
            "Name a run of jobs.pipeline or jobs.features"
        )
    return EarlierFeatures(manifest, manifest.score_card)


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
