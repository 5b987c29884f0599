"""Customers and what an engine said of them to customer_segments: clusters with numbers that last, and names."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.computed import with_row_count
from jobs.cli.config import RunConfig
from jobs.cli.main import program
from jobs.clusters.assigning import (
    Assigned,
    artifact_of,
    assign_by_model,
    assign_by_spark,
    external_files,
    read_sagemaker_assignments,
)
from jobs.clusters.description import Found, Origin, describe_clusters
from jobs.clusters.feature_files import FEATURES, SCORE, read_shards
from jobs.clusters.previous import Earlier, model_of, previous_clusters
from jobs.clusters.summary import notes, show
from jobs.clusters.training import single_precision
from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.examined import write_validated
from jobs.features import Customers
from jobs.quality.active_rules import active_rules
from jobs.runs.metrics import observe
from jobs.runs.run import Run, opened_run
from jobs.runs.totals import Total, totals_of
from jobs.storage.store import RunStore
from transforms import schemas
from transforms.clusters.assignments import (
    CHECKED_ASSIGNMENTS,
    FAULTS,
    checked_assignments,
    cluster_means,
    customer_segments,
    fault_counts,
)
from transforms.clusters.model import KMEANS_MODEL
from transforms.rfm.dimensions import DIMENSIONS, ScoreCardError
from transforms.rfm.feature_scale import features
from transforms.rfm.score_card import ScoreCard

NO_DRIFT = 1e-9
"""What sums of floating-point numbers in another order may make of nothing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return program("segments", lambda: run_alone(RunConfig.from_argv(argv, step="segments", as_of=_as_of)))


def run_alone(config: RunConfig) -> None:
    """Put the customers of an earlier run into clusters, as a new run that becomes the current one."""
    rules = active_rules(config.rules)
    store = RunStore(config.output)
    earlier = _features_manifest(store, config.features_run)
    model = model_of(store, config.score_with, argument="--score-with") if config.score_with else None
    before = previous_clusters(store, config.match, applied=model)
    outside = external_files(config)
    uri, artifact = outside.assignments, artifact_of(config)
    if config.kmeans == "none" and uri is None and model is None:
        raise ConfigurationError("--kmeans none: nobody clusters. Give --assignments or --score-with, or take spark")
    scale = _card_of(store, earlier).clustered_by
    with opened_run(config, store, rules) as this:
        # What the tables depend on is what they were made with.
        this.settings = {**earlier["configuration"], "rules_of_segments": this.settings["rules"]}
        # Readers and warehouses find all tables in this run, of which it makes the last anew.
        for table in earlier["tables"]:
            if table != "customer_segments":
                this.adopt(table, earlier=earlier)
                this.account.totals[table] = totals_of(earlier)[table]
        rfm = this.read("rfm", schema=schemas.RFM)
        this.findings["score_card"] = earlier["score_card"]
        this.findings[FEATURES] = earlier[FEATURES]
        customers = Customers(rfm=rfm, scale=model.scale if model else scale)
        if uri is not None:
            found = _segments(
                this, customers, read_sagemaker_assignments(this, uri, centroids=artifact), earlier=before
            )
        elif model is not None:
            with this.step("kmeans") as step:
                scored = features(rfm=rfm, scale=model.scale)
                assigned = assign_by_model(this, scored, model=model)
                step.rows_in = this.account.totals["rfm"].rows
                step.out = Total(step.rows_in)
            found = _segments(this, customers, assigned, earlier=before)
        else:
            found = segments(this, customers, earlier=before, score=earlier[FEATURES]["score"]["path"])
        this.finish(inputs={"features_run": earlier["run_id"], **outside.as_json()}, becomes_current=True)
        this.summarise(*notes(found))
        show(found)


def segments(this: Run, customers: Customers, *, earlier: Earlier, score: str | None = None) -> Found:
    """Cluster the customers by Spark ML, and write customer_segments and the model.

    Args:
        this: the run.
        customers: rfm, and the scale of its features.
        earlier: the clusters to match to.
        score: where the features are; None for this run's.

    Raises:
        DataError: A control total is broken, or the clusters drifted further than ``--max-drift`` allows.
    """
    with this.step("kmeans") as step:
        step.rows_in = this.account.totals["rfm"].rows
        uri = this.uri(SCORE) if score is None else this.uri_of(score)
        read = read_shards(this.session, uri, schema=schemas.KMEANS_FEATURES)
        assigned = assign_by_spark(this, read, customers=step.rows_in)
        step.out = Total(step.rows_in)
    return _segments(this, customers, assigned, earlier=earlier)


def _segments(this: Run, customers: Customers, assigned: Assigned, *, earlier: Earlier) -> Found:
    with this.step("segments") as step:
        totals = this.account.totals
        checked = _checked(this, customers, assigned)
        centroids = assigned.centroids or _means(checked)
        found = describe_clusters(
            checked,
            assigned=assigned,
            centroids=centroids,
            origin=Origin(this.run_id, this.config.as_of, customers.scale, earlier),
        )
        write_validated(
            this,
            customer_segments(checked=checked, centroids=found.centroids, ids=found.ids, names=found.names),
            contract=with_row_count(
                this.rules.contracts["customer_segments"], rows=totals["rfm"].rows, of="customers in rfm"
            ),
        )
        this.write_text(KMEANS_MODEL, found.model.to_json())
        for cluster in found.model.clusters:
            totals[f"cluster {cluster.id}"] = Total(cluster.customers, cluster.revenue)
        this.account.claim("rfm", *(f"cluster {cluster.id}" for cluster in found.model.clusters))
        this.account.claim("customer_segments", "rfm")
        this.settings["kmeans"] = _settings(this.config, found)
        this.findings["kmeans"] = {"file": this.path(KMEANS_MODEL), **found.as_json()}
        step.rows_in, step.out = totals["rfm"].rows, totals["customer_segments"]
    limit = this.config.max_drift
    if found.drift and limit is not None and found.drift.most > limit + NO_DRIFT:
        raise DataError(
            f"the clusters drifted by {found.drift.most:.4f} since run {found.drift.against}, expected at most {limit} "
            "(--max-drift). Look at this run's kmeans_model.json beside that run's; to take it, run again without it"
        )
    return found


def _settings(config: RunConfig, found: Found) -> dict[str, Any]:
    """The settings that a customer's cluster depends on."""
    applied = found.assigned.applied
    is_trained_here = found.model.engine == "spark" and applied is None
    return {
        "engine": found.model.engine,
        "k": config.k if is_trained_here else None,
        "k_range": list(config.k_range) if is_trained_here and config.k == "auto" else None,
        "feature_scale": found.model.scale.kind,
        "score_with": applied.run_id if applied else None,
        "match": config.match,
    }


def _checked(this: Run, customers: Customers, assigned: Assigned) -> DataFrame:
    """Every customer beside what was said of it, on disk, since three read it.

    Raises:
        DataError: Not exactly one line for each customer, with this run's features.
        OutsideSystemError: A transform of SageMaker left customers out.
    """
    customer = F.col("customer_unique_id")
    examples = {f"{fault} example": F.min(F.when(F.col("fault") == fault, customer)) for fault in FAULTS}
    looked_at = checked_assignments(rfm=customers.rfm, lines=assigned.lines, scale=customers.scale)
    observed, figures = observe(looked_at, "assignments", also={**fault_counts(), **examples})
    checked = this.stage("assigned", observed.drop("fault"), schema=CHECKED_ASSIGNMENTS)
    faults = {fault: figures.get[fault] for fault in FAULTS if figures.get[fault]}
    if not faults:
        return checked
    told = [f"{count:,} {FAULTS[fault]} ({figures.get[f'{fault} example']})" for fault, count in faults.items()]
    expected = f"one line for each of the {this.account.totals['rfm'].rows:,} customers in rfm"
    message = f"{assigned.path}: customers {', '.join(told)}; expected {expected}"
    if assigned.engine == "sagemaker" and set(faults) == {"missing"}:
        raise OutsideSystemError(
            f"{message}. SageMaker's transform left them out: run it again over all of kmeans/score"
        )
    raise DataError(f"{message}. Take the output of a transform of this run's kmeans/score, whole and alone")


def _means(checked: DataFrame) -> dict[int, tuple[float, float, float]]:
    rows = cluster_means(checked=checked).orderBy("cluster").collect()
    return {row["cluster"]: single_precision([row[name] for name in DIMENSIONS]) for row in rows}


def _as_of(given: Namespace) -> date:
    """The day of the features run, which is also that of the new run."""
    earlier = _features_manifest(RunStore(given.output), given.features_run)
    as_of = date.fromisoformat(earlier["as_of"])
    if given.as_of not in (None, as_of):
        raise ConfigurationError(f"--as-of {given.as_of}: run {earlier['run_id']} is as of {as_of}. Leave it out")
    # The run whose day this is, and no other that may become the current one meanwhile.
    given.features_run = earlier["run_id"]
    return as_of


def _features_manifest(store: RunStore, run_id: str | None) -> dict[str, Any]:
    manifest = store.find_manifest(
        run_id, missing="no customers to cluster", advice="Run jobs.pipeline first, or name a run with --features-run"
    )
    if "rfm" not in manifest.get("outputs", {}) or FEATURES not in manifest:
        raise ConfigurationError(
            f"run {manifest['run_id']} has no rfm with features to cluster, or no record of its files. "
            "Name a run of jobs.pipeline or jobs.features"
        )
    return manifest


def _card_of(store: RunStore, manifest: Mapping[str, Any]) -> ScoreCard:
    name = manifest["score_card"]["file"]
    text = store.folder.read(*name.split("/"))
    try:
        return ScoreCard.from_json(text or "")
    except ScoreCardError as error:
        raise DataError(f"{store.output}/{name}: {error}. Run jobs.features again") from None


if __name__ == "__main__":
    sys.exit(main())
