"""A run of all steps as of each of some days, in one session, over tables that are checked once."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import SparkSession

from jobs.backfilling.config import BackfillConfig
from jobs.backfilling.progress import MadeRun, Progress
from jobs.cli import console, interruptions
from jobs.cli.main import run_main
from jobs.clusters.previous import previous_clusters
from jobs.errors import DataError, PipelineError
from jobs.features import refuse_missing
from jobs.history.previous import BACKFILL
from jobs.ingest import ingest
from jobs.inputs.input_files import RawInput, inputs_of, pinned
from jobs.pipeline import RunPlan
from jobs.quality.active_rules import ActiveRules, active_rules, rules_of_checked_tables
from jobs.reports.leaving import LeftReport, leave_report
from jobs.runs.checked_tables import CheckedTables
from jobs.runs.earlier import EarlierTable, find_table
from jobs.runs.run import Run, open_run
from jobs.runs.workload import workload_of
from jobs.sources.choosing import source_of, source_of_run
from jobs.sources.source import Source
from jobs.spark.engines import find_engine
from jobs.spark.session import Workload, spark_session
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.uris import escape_glob, is_in_s3


def main(argv: Sequence[str] | None = None) -> int:
    """Make the runs; see ``--help``."""
    return run_main("backfill", lambda: run_backfill(BackfillConfig.from_argv(argv)))


def run_backfill(config: BackfillConfig) -> None:
    """Make a run as of each day, in their order. Runs that are complete stay, whatever ends the work.

    Raises:
        PipelineError: A run failed. The message says which days are complete, and how to continue.
    """
    progress = Progress(config)
    with _told_how_to_continue(progress):
        reports = _make_runs(config, progress)
    progress.show()
    for report in reports:
        report.raise_if_failed()


@contextmanager
def _told_how_to_continue(progress: Progress) -> Iterator[None]:
    """End with what is complete, and with the command that goes on."""
    try:
        yield
    except PipelineError as error:
        progress.show()
        raise type(error)(progress.with_advice(str(error))) from None
    except KeyboardInterrupt as interrupt:
        interruptions.tidy_up()
        progress.show()
        raise KeyboardInterrupt(progress.with_advice(str(interrupt) or progress.state())) from None


@dataclass(frozen=True)
class CheckedRun:
    """A run whose checked tables all runs of a backfill read, once their files were found to be what it wrote.

    Attributes:
        manifest: of the run.
        source: as the run kept it.
        rules: the active rules.
        tables: its checked tables, by name.
    """

    manifest: Manifest
    source: Source
    rules: ActiveRules
    tables: Mapping[str, EarlierTable]

    @classmethod
    def of(cls, store: RunStore, run_id: str, *, rules_file: str | None) -> "CheckedRun":
        """The checked run of an id.

        Raises:
            ConfigurationError: There is no such run, it is not complete, or it has no checked tables.
            DataError: A file of it is not as the run wrote it.
        """
        manifest = store.manifest(run_id)
        source = source_of_run(store, manifest)
        rules = active_rules(rules_file, source.contracts)
        refuse_missing(manifest, rules)
        tables = {contract.table: find_table(store.folder, manifest, contract.table) for contract in rules.of_files}
        return cls(manifest, source, rules, tables)

    def taken_over(self, run: Run) -> CheckedTables:
        """Its tables as those of another run."""
        return CheckedTables(
            {contract.table: run.take_over(contract, self.tables[contract.table]) for contract in self.rules.of_files},
            rules_of_checked_tables(self.manifest.configuration, unless=self.rules),
        )

    def first_purchase_day(self, session: SparkSession, store: RunStore) -> date | None:
        """The day before which nobody bought anything; None where the tables are empty."""
        frames = {
            contract.table: session.read.schema(contract.schema).parquet(
                escape_glob(store.folder.uri(*self.tables[contract.table].path.split("/")))
            )
            for contract in self.rules.of_files
        }
        day: date | None = self.source.first_purchase_day(frames).collect()[0]["day"]
        return day


@dataclass(frozen=True)
class RawTables:
    """The raw tables that are to be checked.

    Attributes:
        folder: from ``--input``.
        source: what they are.
        rules: the active rules.
        inputs: the tables, as they were found.
    """

    folder: str
    source: Source
    rules: ActiveRules
    inputs: list[RawInput]

    @classmethod
    def of(cls, store: RunStore, config: BackfillConfig, folder: str) -> "RawTables":
        """Find what ``--input`` names, from the window of the first day on.

        Raises:
            ConfigurationError: Something is missing, or an option means nothing to the source.
            DataError: A file is not fit to be read.
        """
        source = source_of(config.source)
        rules = active_rules(config.run.rules, source.contracts)
        first_day = config.schedule.days[0]
        plan = RunPlan.of(store, source, config.features, config.clusters, as_of=first_day)
        inputs = source.find(folder, rules.of_files, counted=plan.scoring.counted)
        return cls(folder, source, rules, inputs)

    def check(self, store: RunStore, config: BackfillConfig) -> CheckedRun:
        """Check them into a run of their own, as `jobs.ingest` does."""
        options = replace(config.run, as_of=config.schedule.days[-1], becomes_current=True)
        workload = workload_of(self.inputs, self.folder, options.output)
        with open_run("ingest", options, store, self.rules, workload=workload) as run:
            kept, inputs = self.source.keep(run), pinned(self.inputs, run.session)
            checked = ingest(run, inputs)
            run.finish(inputs=inputs_of(self.folder, inputs), results=[checked, kept], becomes_current=False)
            run.show_summary("current.json was not moved: this run has checked tables alone, which every day reads")
        return CheckedRun.of(store, run.run_id, rules_file=options.rules)


def _make_runs(config: BackfillConfig, progress: Progress) -> list[LeftReport]:
    days, options = config.schedule.days, config.run
    store = RunStore(options.output)
    current = store.current()
    tables: CheckedRun | RawTables
    if config.checked_run is not None:
        tables = CheckedRun.of(store, config.checked_run, rules_file=options.rules)
        RunPlan.of(store, tables.source, config.features, config.clusters, as_of=days[0])
    else:
        tables = RawTables.of(store, config, config.input or "")
    progress.announce(current=current.run_id if current else None)
    workload = Workload(is_in_s3(options.output) or is_in_s3(config.input))
    name = f"backfill {days[0]} to {days[-1]}"
    with spark_session(name, workload=workload, engine=find_engine(options.engine)) as session:
        checked = tables.check(store, config) if isinstance(tables, RawTables) else tables
        _refuse_days_without_purchase(checked.first_purchase_day(session, store), config, checked.manifest.run_id)
        progress.checked_run = checked.manifest.run_id
        return [_make_run(day, checked, config, progress) for day in days]


def _refuse_days_without_purchase(first_purchase: date | None, config: BackfillConfig, checked_run: str) -> None:
    """Refuse a first day by which nobody has bought anything yet, before a run is made.

    Raises:
        DataError: It is one.
    """
    days = config.schedule.days
    if first_purchase is None or days[0] >= first_purchase:
        return
    cause = f"nobody bought anything by {days[0]}: found the first purchase on {first_purchase}, expected one by then"
    usable = next((day for day in days if day >= first_purchase), None)
    if usable is None:
        raise DataError(f"{cause}, or by the last day, {days[-1]}. Choose later days (--checked-run {checked_run})")
    command = config.command_from(usable, checked_run=checked_run)
    raise DataError(f"{cause}. The first day with a purchase is {usable}. Begin with it: {command}")


def _make_run(day: date, checked: CheckedRun, config: BackfillConfig, progress: Progress) -> LeftReport:
    """Make the run as of a day. What it starts from is as it would be for a run of its own."""
    started = time.monotonic()
    store = RunStore(config.run.output)
    becomes_current = config.run.becomes_current and not _is_before_current(store, day)
    plan = _plan(day, checked, config, store, becomes_current=becomes_current)
    options = config.options_of_run(day, becomes_current=becomes_current)
    with open_run(BACKFILL, options, store, checked.rules, workload=Workload(is_in_s3(options.output))) as run:
        progress.begun = run.run_id
        tables, kept = checked.taken_over(run), checked.source.keep(run)
        customers = plan.carry_out(run, tables)
        results = [tables, kept, *customers.results]
        run.finish(inputs={"checked_run": checked.manifest.run_id}, results=results, becomes_current=True)
        report = leave_report(run, store)
    scored = customers.features.scored
    seconds = time.monotonic() - started
    progress.made.append(MadeRun(day, run.run_id, scored.rfm.total, scored.changes, becomes_current, seconds))
    console.say(progress.made[-1].as_line())
    return report


def _is_before_current(store: RunStore, day: date) -> bool:
    current = store.current()
    return current is not None and day < store.manifest(current.run_id).as_of


def _plan(day: date, checked: CheckedRun, config: BackfillConfig, store: RunStore, *, becomes_current: bool) -> RunPlan:
    """The plan of the run as of a day. The clusters of one that does not become current continue the run before.

    Those of a run that becomes current continue the last ones that a current run had, as for every run.
    """
    features, clusters = config.features, config.clusters
    if day != config.schedule.days[0]:
        features, clusters = replace(features, compare=None), replace(clusters, match=None)
    plan = RunPlan.of(store, checked.source, features, clusters, as_of=day)
    before = plan.scoring.comparison.previous
    if becomes_current or clusters.match or plan.previous is None or before is None or before.manifest.kmeans is None:
        return plan
    return replace(plan, previous=previous_clusters(store, before.run_id))


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
