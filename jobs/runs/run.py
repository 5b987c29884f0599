"""One run: its folder, the tables that it writes and counts, its accounts, its manifest, and the pointer last."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import StructType

from expectations.contracts.contract import Contract
from jobs.cli import console, interruptions
from jobs.cli.code_version import code_version
from jobs.cli.config import RunOptions
from jobs.cli.logs import configure_logs, log_event
from jobs.errors import DataError, PipelineError
from jobs.quality.active_rules import ActiveRules
from jobs.quality.report import (
    DATA_DOCS,
    FOLDER,
    QUALITY,
    SHARES,
    GatedRows,
    QualityReport,
    RowCounts,
    quality_report,
)
from jobs.runs.earlier import EarlierTable, find_table
from jobs.runs.endings import STAGE, failure_of, record_interruption
from jobs.runs.manifest import RunFacts, StepResult, build_manifest
from jobs.runs.metrics import Money, Written, total_of, with_metrics
from jobs.runs.presence import check_written
from jobs.runs.totals import Accounts, Boundary, BoundaryTotal, StepRecorder, Total
from jobs.spark.engines import find_engine, platform_versions
from jobs.spark.session import Workload, spark_session
from jobs.storage.run_files import Manifest
from jobs.storage.store import MANIFEST, POINTER, RunStore
from jobs.storage.table_files import list_table_files
from jobs.storage.temporary import remove_leftovers
from jobs.storage.uris import escape_glob

log = logging.getLogger(__name__)


class TableContract(Protocol):
    """What a table is written by: its name, its columns, and the money that is added up on the way."""

    @property
    def table(self) -> str:
        """Its name, and its folder in the run."""

    @property
    def schema(self) -> StructType:
        """Its columns, by which it is read back."""

    @property
    def money(self) -> Money:
        """What is added up on the way."""


class Run:
    """A run in progress. Steps write their tables through it, and reconcile what they wrote."""

    def __init__(
        self, job: str, options: RunOptions, store: RunStore, session: SparkSession, quality: QualityReport
    ) -> None:
        self.job = job
        self.options = options
        self.session = session
        self.quality = quality
        self.rules = quality.rules
        self.run_id = quality.run_id
        self.accounts = Accounts()
        self._store = store
        self._tables: dict[str, str] = {}
        self._reused_files: dict[str, Any] = {}
        self._started = datetime.now(UTC)
        self._clock = time.monotonic()

    @property
    def as_of(self) -> date:
        """Last day that counts, inclusive."""
        return self.options.as_of

    @contextmanager
    def step(self, name: str) -> Iterator[StepRecorder]:
        """Time a step, count its Spark jobs, show its progress and log its begin and end."""
        interruptions.check()
        recorder = StepRecorder(name)
        context = self.session.sparkContext
        group = f"{self.run_id} {name}"
        context.setJobGroup(group, name)
        started = time.monotonic()
        log_event(log, "step started", run_id=self.run_id, step=name)
        try:
            with console.step_bar(self.session, name):
                yield recorder
        except BaseException:
            seconds = round(time.monotonic() - started, 2)
            log_event(log, "step failed", level=logging.ERROR, run_id=self.run_id, step=name, seconds=seconds)
            raise
        metrics = recorder.metrics(
            seconds=time.monotonic() - started,
            spark_jobs=len(context.statusTracker().getJobIdsForGroup(group)),
        )
        self.accounts.steps.append(metrics)
        log_event(log, "step finished", run_id=self.run_id, **metrics.as_json())

    def write(
        self,
        contract: TableContract,
        frame: DataFrame,
        *,
        metrics: Mapping[str, Column] | None = None,
        replaces: bool = False,
    ) -> Written:
        """Write a table of this run, counting its rows and adding its money on the way.

        The tasks that write the rows observe the figures, so no second pass is needed. A task that runs again after its
        machine was lost does not count twice. Rows that are observed before a shuffle may count twice.

        Args:
            contract: the table's name, columns and money.
            frame: the table, maybe with further columns for ``metrics``, which are not written.
            metrics: further aggregates over ``frame``, by name.
            replaces: whether this run wrote the table before, and ``frame`` takes its place.
        """
        observed, observation = with_metrics(frame, contract.table, money=contract.money, metrics=metrics)
        uri = self._store.table_uri(self.run_id, contract.table)
        rows = observed.select(*contract.schema.fieldNames())
        rows.write.mode("overwrite" if replaces else "error").parquet(uri)
        values = observation.get
        written = Written(
            table=contract.table,
            frame=self._read(uri, contract.schema),
            total=total_of(values, contract.money),
            metrics={name: values[name] for name in metrics or {}},
        )
        self._tables[contract.table] = self.path(contract.table)
        self.accounts.record(written.entry)
        return written

    def add_quality(self, contract: Contract, counts: RowCounts, gated: GatedRows) -> None:
        """Add a table to the quality report, and log the rules that it fails; see `QualityReport.add_table`."""
        table = self.quality.add_table(contract, counts, gated)
        for rule in table.failed_rules:
            log_event(
                log,
                "rule failed",
                level=logging.WARNING,
                run_id=self.run_id,
                table=contract.table,
                rule=rule.label,
                severity=rule.severity,
                rows=counts.failed.get(rule.label),
            )

    def stage(self, name: str, frame: DataFrame, *, schema: StructType) -> DataFrame:
        """Put a frame on disk until the run is complete, and return it read from there."""
        uri = self._store.table_uri(self.run_id, f"{STAGE}/{name}")
        frame.write.parquet(uri)
        return self._read(uri, schema)

    def reuse(self, contract: TableContract, *, earlier: Manifest) -> Written:
        """Make a table that an earlier run wrote one of this run's tables, for readers to find.

        Args:
            contract: the table's name, columns and money.
            earlier: the manifest of the run that wrote it.

        Raises:
            DataError: A file of it is not as that run wrote it; see `find_table`.
        """
        return self.take_over(contract, find_table(self._store.folder, earlier, contract.table))

    def take_over(self, contract: TableContract, table: EarlierTable) -> Written:
        """`reuse` a table whose files this process has checked already."""
        self._record_earlier(table)
        return Written(contract.table, self._read(self.uri_of(table.path), contract.schema), table.total)

    def reuse_files(self, table: str, *, earlier: Manifest) -> Total:
        """`reuse` a table that the run itself does not read, and return its total."""
        reused = find_table(self._store.folder, earlier, table)
        self._record_earlier(reused)
        return reused.total

    def _record_earlier(self, table: EarlierTable) -> None:
        self._tables[table.name] = table.path
        self._reused_files[table.name] = table.recorded
        self.accounts.record(BoundaryTotal(Boundary(table.name), table.total))

    def read_earlier(self, table: str, *, earlier: Manifest, schema: StructType) -> DataFrame:
        """The rows of a table that an earlier run wrote, once its files are checked as for `reuse`."""
        return self._read(self.uri_of(find_table(self._store.folder, earlier, table).path), schema)

    def reconcile(self, whole: BoundaryTotal, *parts: BoundaryTotal, money_only: bool = False) -> None:
        """Check that a total is the sum of others, to the row and to the cent.

        Raises:
            DataError: It is not.
        """
        self.accounts.reconcile(whole, *parts, money_only=money_only)

    def write_text(self, name: str, text: str) -> None:
        """Write a small file of the run, such as its score card."""
        self._store.write_text(self.run_id, name, text)

    def copy_in(self, name: str, folder: Path) -> None:
        """Copy a local folder into the run's."""
        self._store.copy_in(self.run_id, name, folder)

    def path(self, name: str) -> str:
        """A folder or a file of this run as the manifest names it: from the output folder on."""
        return f"runs/{self.run_id}/{name}"

    def uri(self, name: str) -> str:
        """The URI at which Spark writes a folder of the run that is no table."""
        return self._store.table_uri(self.run_id, name)

    def uri_of(self, path: str) -> str:
        """The URI of what a manifest names by its path."""
        return self._store.folder.uri(*path.split("/"))

    def stop_if_unfit(self) -> None:
        """Stop the run if a rule stops it, or if more rows are quarantined than the budget allows.

        Raises:
            DataError: The run must stop. ``quality.json`` and Data Docs then tell all that was found.
        """
        reasons = self.quality.stop_reasons()
        if reasons:
            where = self._store.display_path(self.run_id, DATA_DOCS)
            raise DataError(f"the data is not fit to use: {'; '.join(reasons)}. See {where}, {QUALITY} and quarantine")

    def finish(self, *, inputs: Mapping[str, Any], results: Sequence[StepResult], becomes_current: bool) -> None:
        """Write the quality report and the manifest; then move the pointer, if the run is to be the current one.

        Args:
            inputs: the manifest's entry of what the run read.
            results: what the steps returned.
            becomes_current: whether the run has every table that readers expect.

        Raises:
            DataError: The data is not fit to use; see `stop_if_unfit`. Or a file of the run is gone, or was changed
                while the run worked; nothing moves then.
        """
        self.stop_if_unfit()
        self._write_quality()
        self._store.remove(self.run_id, STAGE)
        is_current = becomes_current and self.options.becomes_current
        facts = RunFacts(
            run_id=self.run_id,
            job=self.job,
            options=self.options,
            becomes_current=is_current,
            accounts=self.accounts,
            quality=self.quality,
            started=self._started,
            finished=datetime.now(UTC),
            seconds=round(time.monotonic() - self._clock, 2),
            code=code_version(),
            platform=platform_versions(self.session),
            tables=self._tables,
            outputs={
                table: self._reused_files.get(table) or list_table_files(self._store.folder, path)
                for table, path in self._tables.items()
            },
        )
        manifest = build_manifest(facts, inputs=inputs, results=results)
        self.session.sparkContext.setJobGroup(f"{self.run_id} check", "check of what is there")
        check_written(self.session, self._store.folder, manifest, totals=self.accounts.totals)
        with interruptions.held_back():
            self._store.write_manifest(self.run_id, manifest)
            interruptions.state_is(f"run {self.run_id} is complete, and {interruptions.UNCHANGED}")
        if is_current:
            self._move_pointer(manifest)
        seconds = round(time.monotonic() - self._clock, 2)
        log_event(log, "run complete", run_id=self.run_id, job=self.job, is_current=is_current, seconds=seconds)

    def _move_pointer(self, manifest: Mapping[str, Any]) -> None:
        pointer = {key: manifest[key] for key in ("run_id", "as_of", "finished_at", "configuration_hash", "tables")}
        # A run without clusters keeps the last model, to which the next run with clusters is matched.
        model = manifest.get("kmeans", {}).get("file") or getattr(self._store.current(), "kmeans_model", None)
        with interruptions.held_back():
            before = interruptions.state()
            interruptions.state_is(f"run {self.run_id} is complete; {POINTER} tells whether it is current")
            try:
                self._store.move_pointer(pointer | {"manifest": self.path(MANIFEST), "kmeans_model": model})
            except PipelineError:
                interruptions.state_is(before)
                raise
            interruptions.state_is(f"run {self.run_id} is complete and current")

    def leave(self) -> None:
        """Write the quality report of a run that stops, and remove what it staged."""
        if self._store.contains(self.run_id, MANIFEST):
            return
        self._store.remove(self.run_id, STAGE)
        if self.quality.tables and not self._store.contains(self.run_id, QUALITY):
            self._write_quality()

    def _write_quality(self) -> None:
        self.write_text(QUALITY, self.quality.write())
        self.write_text(SHARES, self.quality.shares())
        self._store.copy_in(self.run_id, FOLDER, self.quality.folder)

    def _read(self, uri: str, schema: StructType) -> DataFrame:
        return self.session.read.schema(schema).parquet(escape_glob(uri))

    def show_summary(self, *notes: str) -> None:
        """Print the steps, the failed rules, and where the tables are."""
        console.show_table(
            f"Run {self.run_id}, as of {self.as_of}",
            ("step", "rows in", "rows out", "not passed on", "money out", "seconds"),
            [step.as_row() for step in self.accounts.steps],
            notes=[
                *self.quality.summary(),
                *self.accounts.excluded(),
                *notes,
                *([] if self.options.becomes_current else ["current.json was not moved (--becomes-current no)"]),
                f"Data Docs: {self._store.display_path(self.run_id, DATA_DOCS)}",
                f"tables and {MANIFEST}: {self._store.display_path(self.run_id)}",
            ],
        )


@contextmanager
def open_run(
    job: str, options: RunOptions, store: RunStore, rules: ActiveRules, *, workload: Workload
) -> Iterator[Run]:
    """Make the folder of a new run, and a session to fill it. A session that is open already fills it, and stays open.

    A run that fails leaves its folder without a manifest, so that no reader takes it for complete; ``failure.json``
    says why it failed. (A run that was complete by then, and could not become the current one, has both.)

    Args:
        job: the job that makes the run.
        options: the run's options.
        store: where runs are kept.
        rules: the active rules.
        workload: what Spark is needed for.
    """
    run_id = None
    interruptions.state_is(interruptions.UNCHANGED)
    try:
        engine = find_engine(options.engine)  # what cannot be had ends the job before its run has a folder
        with interruptions.held_back():
            run_id = store.open_run(as_of=options.as_of, run_id=options.run_id)
        configure_logs(options.log_format)
        remove_leftovers(store.folder, stage=STAGE, manifest=MANIFEST)
        log_event(log, "run started", run_id=run_id, job=job, as_of=options.as_of)
        with (
            quality_report(run_id, rules, max_quarantined=options.max_quarantined) as quality,
            spark_session(f"{job} {run_id}", workload=workload, engine=engine) as session,
        ):
            run = Run(job, options, store, session, quality)
            try:
                yield run
            except Exception:
                # The error that stopped the run is raised, not one of tidying up, such as the same outage.
                with suppress(Exception):
                    run.leave()
                raise
    except KeyboardInterrupt as interrupt:
        interruptions.tidy_up()
        if run_id is not None:
            record_interruption(store, run_id, job)
        raise interrupt from None
    except Exception as error:
        if run_id is None:
            raise
        failure = failure_of(error)
        exit_code = failure.exit_code if failure else None
        log_event(log, "run failed", level=logging.ERROR, run_id=run_id, job=job, exit_code=exit_code)
        if failure is None:
            raise
        store.write_failure(run_id, {"exit_code": failure.exit_code, "error": str(failure)})
        raise failure from None
