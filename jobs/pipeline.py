"""All steps in one session, from raw tables to clusters of customers; then the catalogue and the warehouse."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from jobs.cli import interruptions
from jobs.cli.config import ClustersConfig, FeaturesConfig, PipelineConfig
from jobs.cli.main import run_main
from jobs.clusters.description import RunClusters
from jobs.clusters.previous import PreviousClusters, previous_clusters
from jobs.clusters.summary import cluster_notes, show_clusters
from jobs.errors import DataError, PipelineError
from jobs.features import Features, run_features
from jobs.ingest import ingest
from jobs.inputs.input_files import inputs_of, pinned
from jobs.publish import PublishConfig, publish
from jobs.quality.active_rules import active_rules
from jobs.registering.leaving import catalogue_for, leave_in_catalogue
from jobs.reports.leaving import leave_report
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.manifest import StepResult
from jobs.runs.run import Run, open_run
from jobs.runs.workload import workload_of
from jobs.scores.planning import ScoringPlan, plan_scoring
from jobs.segments import cluster_customers
from jobs.sources.choosing import source_of
from jobs.sources.source import Source
from jobs.spark.class_archive import leave_class_archive
from jobs.storage.store import RunStore
from jobs.warehouse.target import WarehouseTarget, parse_address


def main(argv: Sequence[str] | None = None) -> int:
    """Run the pipeline; see ``--help``."""
    return run_main("pipeline", lambda: run_pipeline(PipelineConfig.from_argv(argv)))


def run_pipeline(config: PipelineConfig) -> None:
    """Make a run of all steps and move the pointer to it. Register it and load it, as far as it is told where."""
    options = config.run
    source = source_of(config.source)
    rules = active_rules(options.rules, source.contracts)
    publication = publication_of(config)
    catalogue = catalogue_for(config.catalogue, output=options.output, becomes_current=options.becomes_current)
    store = RunStore(options.output)
    # A damaged pointer stops the run here, and not when it is to be moved, after all work.
    store.current()
    plan = RunPlan.of(store, source, config.features, config.clusters, as_of=options.as_of)
    inputs = source.find(config.input, rules.of_files, counted=plan.scoring.counted)
    workload = workload_of(inputs, config.input, options.output)
    with open_run("pipeline", options, store, rules, workload=workload) as run:
        kept, inputs = source.keep(run), pinned(inputs, run.session)
        checked = ingest(run, inputs)
        customers = plan.carry_out(run, checked)
        results = [checked, kept, *customers.results]
        run.finish(inputs=inputs_of(config.input, inputs), results=results, becomes_current=True)
        report = leave_report(run, store)
        report.show()
        customers.show(run)
    registration = leave_in_catalogue(store, catalogue, run.run_id)
    if publication is not None:
        load(publication, config, run.run_id)
    report.raise_if_failed()
    registration.raise_if_failed()
    leave_class_archive()


@dataclass(frozen=True)
class SegmentedCustomers:
    """What the steps after `ingest` returned.

    Attributes:
        features: the customers, measured and scored.
        clusters: of the customers; None where SageMaker trains.
    """

    features: Features
    clusters: RunClusters | None

    @property
    def results(self) -> list[StepResult]:
        """The results of the steps, for the manifest."""
        return [self.features, *([self.clusters] if self.clusters else [])]

    def show(self, run: Run) -> None:
        """Print the segments, what changed, whether they predict, the summary of the run and the clusters."""
        self.features.show()
        run.show_summary(*(cluster_notes(self.clusters) if self.clusters else ()))
        if self.clusters:
            show_clusters(self.clusters)


@dataclass(frozen=True)
class RunPlan:
    """What the steps after `ingest` do, settled before anything is read.

    Attributes:
        source: of the checked tables.
        scoring: how customers are scored, and what they are compared with.
        clusters: how customers are clustered.
        previous: the clusters that the new ones are matched to; None where SageMaker trains.
    """

    source: Source
    scoring: ScoringPlan
    clusters: ClustersConfig
    previous: PreviousClusters | None

    @classmethod
    def of(
        cls, store: RunStore, source: Source, features: FeaturesConfig, clusters: ClustersConfig, *, as_of: date
    ) -> "RunPlan":
        """The plan of a run as of a day, by its options and by the runs before it.

        Raises:
            ConfigurationError: An option asks for what is not there, or does not fit the card or the source.
            DataError: What an earlier run left is missing or invalid.
        """
        scoring = plan_scoring(store, features, source, as_of=as_of)
        previous = None if clusters.kmeans == "none" else previous_clusters(store, clusters.match)
        return cls(source, scoring, clusters, previous)

    def carry_out(self, run: Run, checked: CheckedTables) -> SegmentedCustomers:
        """Take the steps from checked tables to segments and clusters.

        Raises:
            DataError: Nobody bought anything, a reconciliation check fails, or a limit on drift is passed.
        """
        sourced = self.source.transactions(run, checked, self.scoring.config)
        features = run_features(run, sourced, self.scoring, for_sagemaker=self.previous is None)
        clusters = None
        if self.previous is not None:
            clusters = cluster_customers(run, features, config=self.clusters, previous=self.previous)
        return SegmentedCustomers(features, clusters)


def load(publication: PublishConfig, config: PipelineConfig, run_id: str) -> None:
    """Load the run. It is complete by now and stays so, whether the load succeeds or not."""
    arguments = ["--output", config.run.output, "--run", run_id, "--warehouse", str(config.warehouse)]
    arguments += ["--staging", config.staging, "--iam-role", config.iam_role] if config.staging else []
    advice = f"Run {run_id} is complete; load it with: python -m jobs.publish {shlex.join(arguments)}"
    try:
        publish(replace(publication, run=run_id))
    except DataError as error:
        # The files or their rows are not those that the run wrote: to load it again would fail again.
        raise DataError(f"{error}. Nothing of run {run_id} was loaded, and current.json names it") from None
    except PipelineError as error:
        raise type(error)(f"{error}. {advice}") from None
    except KeyboardInterrupt as interrupt:
        interruptions.tidy_up()
        state = str(interrupt) or "nothing was loaded, or all of it"
        raise KeyboardInterrupt(f"{state}. {advice}") from None


def publication_of(config: PipelineConfig) -> PublishConfig | None:
    """Where the run is published, opened for a moment so that a bad address costs no run.

    Raises:
        ConfigurationError: The address, the staging folder or the role is invalid.
    """
    if config.warehouse is None:
        return None
    target = WarehouseTarget(parse_address(config.warehouse), config.iam_role, config.staging)
    target.open_warehouse()
    return PublishConfig(config.run.output, target)


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
