"""One run: its folder, its session, the tables that it writes and counts, its manifest, and the pointer last."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import StructType

from jobs.cli import console
from jobs.cli.config import RunConfig, hash_of
from jobs.errors import DataError, PipelineError
from jobs.quality.active_rules import ActiveRules
from jobs.quality.report import DATA_DOCS, FOLDER, QUALITY, SHARES, Quality, how_often, quality_of
from jobs.runs.metrics import observe, total_of
from jobs.runs.provenance import code_version, platform_versions
from jobs.runs.totals import Account, StepMetrics
from jobs.spark.session import SPARK_FAILURES, spark_session
from jobs.storage.store import MANIFEST, RunStore
from jobs.storage.table_files import list_table_files
from jobs.storage.uris import escape_glob

STAGE = "_stage"


class Run:
    """What a job's body works with: it writes tables, and states what has to hold between them."""

    def __init__(self, config: RunConfig, store: RunStore, session: SparkSession, quality: Quality) -> None:
        self.config = config
        self.session = session
        self.quality = quality
        self.rules = quality.rules
        self.run_id = quality.run_id
        self.account = Account()
        self.settings: dict[str, Any] = {**config.meaning(), "rules": self.rules.as_json()["hash"]}
        self.findings: dict[str, Any] = {}
        self._store = store
        self._tables: dict[str, str] = {}
        self._read_files: dict[str, Any] = {}
        self._started = datetime.now(UTC)

    @contextmanager
    def step(self, name: str) -> Iterator[StepMetrics]:
        """Time a step, count its Spark jobs and show its progress."""
        step = StepMetrics(name)
        context = self.session.sparkContext
        group = f"{self.run_id} {name}"
        context.setJobGroup(group, name)
        started = time.monotonic()
        with console.step_bar(self.session, name):
            yield step
        step.seconds = time.monotonic() - started
        step.spark_jobs = len(context.statusTracker().getJobIdsForGroup(group))
        self.account.steps.append(step)

    def write(
        self,
        table: str,
        frame: DataFrame,
        *,
        schema: StructType,
        money: str | Column | None = None,
        also: Mapping[str, Column] | None = None,
    ) -> tuple[DataFrame, Mapping[str, Any]]:
        """Write a table of this run, counting its rows and adding its money on the way.

        The figures are observed by the tasks that write the rows: they cost no second pass, and a task that is done
        again, after its machine was lost, does not count twice (what is observed before a shuffle may).

        Args:
            table: its name, and its folder in the run.
            frame: what is written.
            schema: the columns of ``frame``, by which it is read back.
            money: the column (or what to compute) whose sum is the table's money.
            also: further aggregates over ``frame``, by name.

        Returns:
            The table, read from where it was written, and the values of ``also``.
        """
        observed, figures = observe(frame, table, money=money, also=also)
        uri = self._store.table_uri(self.run_id, table)
        observed.write.parquet(uri)
        self.account.totals[table] = total_of(figures.get, money)
        self._tables[table] = self.path(table)
        return self._read(uri, schema), figures.get

    def stage(self, name: str, frame: DataFrame, *, schema: StructType) -> DataFrame:
        """Put a frame on disk for as long as the run works on it, and return it read from there."""
        uri = self._store.table_uri(self.run_id, f"{STAGE}/{name}")
        frame.write.parquet(uri)
        return self._read(uri, schema)

    def adopt(self, table: str, *, earlier: Mapping[str, Any]) -> None:
        """Make a table that an earlier run wrote one of this run's, for readers to find.

        Args:
            table: its name.
            earlier: the manifest of the run that wrote it.
        """
        self._tables[table] = earlier["tables"][table]
        # As they were when they were written, whatever has become of them since.
        self._read_files[table] = earlier["outputs"][table]

    def read(self, table: str, *, schema: StructType) -> DataFrame:
        """One of this run's tables, whoever wrote it."""
        return self.read_earlier(self._tables[table], schema=schema)

    def read_earlier(self, path: str, *, schema: StructType) -> DataFrame:
        """A table that an earlier run wrote, to look at."""
        return self._read(self.uri_of(path), schema)

    def _read(self, uri: str, schema: StructType) -> DataFrame:
        return self.session.read.schema(schema).parquet(escape_glob(uri))

    def path(self, name: str) -> str:
        """How the manifest names a folder or a file of this run: from the output folder on."""
        return f"runs/{self.run_id}/{name}"

    def uri_of(self, path: str) -> str:
        """Where Spark is to read what a manifest names by its path."""
        return self._store.folder.uri(*path.split("/"))

    def uri(self, name: str) -> str:
        """Where Spark is to write a folder of the run that is no table."""
        return self._store.table_uri(self.run_id, name)

    def write_text(self, name: str, text: str) -> None:
        """Write a small file of the run, such as its score card."""
        self._store.write_text(self.run_id, name, text)

    def stop_if_unfit(self) -> None:
        """End the run here if the data broke a rule that stops, or more of it than is allowed was set aside.

        Raises:
            DataError: It did. `leave` then says all that was found, in ``quality.json`` and Data Docs.
        """
        reasons = self.quality.why_stopped()
        if reasons:
            where = self._store.display_path(self.run_id, DATA_DOCS)
            raise DataError(f"the data is not fit to use: {'; '.join(reasons)}. See {where}, {QUALITY} and quarantine")

    def leave(self) -> None:
        """Put what was found of the data into the folder of a run that is not going to be whole, and tidy it up."""
        if self._store.contains(self.run_id, MANIFEST):
            return
        self._store.remove(self.run_id, STAGE)
        if self.quality.tables and not self._store.contains(self.run_id, QUALITY):
            self._write_quality()

    def _write_quality(self) -> None:
        self.write_text(QUALITY, self.quality.write())
        self.write_text(SHARES, self.quality.shares())
        self._store.copy_in(self.run_id, FOLDER, self.quality.folder)

    def finish(self, *, inputs: Mapping[str, Any], becomes_current: bool) -> None:
        """Write the manifest, and then, if the run holds all that readers expect and is to be theirs, move the pointer.

        Raises:
            DataError: The data is not fit to use; see `stop_if_unfit`.
        """
        self.stop_if_unfit()
        self._write_quality()
        self._store.remove(self.run_id, STAGE)
        finished = datetime.now(UTC)
        manifest = {
            "run_id": self.run_id,
            "as_of": self.config.as_of.isoformat(),
            "job": self.config.step,
            "started_at": self._started.isoformat(timespec="seconds"),
            "finished_at": finished.isoformat(timespec="seconds"),
            "seconds": round((finished - self._started).total_seconds(), 2),
            "configuration": self.settings,
            "configuration_hash": hash_of(self.settings),
            "ignored_arguments": list(self.config.ignored_arguments),
            "code": code_version(),
            "platform": platform_versions(self.session),
            "inputs": inputs,
            **self.account.as_json(),
            **self.findings,
            "quality": self.quality.as_json(),
            "tables": self._tables,
            "outputs": {
                table: self._read_files.get(table) or list_table_files(self._store.folder, path)
                for table, path in self._tables.items()
            },
        }
        self._store.write_manifest(self.run_id, manifest)
        if becomes_current and self.config.becomes_current:
            pointer = {key: manifest[key] for key in ("run_id", "as_of", "finished_at", "configuration_hash", "tables")}
            # A run without clusters leaves the last ones to be matched to by the next run that makes some.
            model = self.findings.get("kmeans", {}).get("file") or (self._store.current() or {}).get("kmeans_model")
            pointer |= {"manifest": self.path(MANIFEST), "kmeans_model": model}
            self._store.move_pointer(pointer)

    def summarise(self, *notes: str) -> None:
        """Tell a person what was done and where it is."""
        ignored = self.config.ignored_arguments
        console.summary(
            f"Run {self.run_id}, as of {self.config.as_of}",
            ("step", "rows in", "rows out", "not passed on", "money out", "seconds"),
            [step.as_row() for step in self.account.steps],
            notes=[
                *([f"not understood, and ignored: {', '.join(ignored)}"] if ignored else []),
                *self._warnings(),
                *notes,
                *([] if self.config.becomes_current else ["current.json was not moved (--becomes-current no)"]),
                f"Data Docs: {self._store.display_path(self.run_id, DATA_DOCS)}",
                f"tables and {MANIFEST}: {self._store.display_path(self.run_id)}",
            ],
        )

    def _warnings(self) -> list[str]:
        broken = [(table, rule) for table in self.quality.tables for rule in table.broken()]
        return [
            f"{table.contract.table}: {rule.label} ({rule.severity}) is broken{how_often(table, rule)}"
            for table, rule in broken
        ]


@contextmanager
def opened_run(config: RunConfig, store: RunStore, rules: ActiveRules) -> Iterator[Run]:
    """Make a new run's folder and a session to fill it.

    A run that fails leaves its folder without a manifest, so that nobody takes it for whole; ``failure.json`` in it
    says why. (One that was whole by then, and could not become the current one, has both.)
    """
    run_id = store.open_run(as_of=config.as_of, run_id=config.run_id)
    try:
        with (
            quality_of(run_id, rules, max_quarantined=config.max_quarantined) as quality,
            spark_session(f"{config.step} {run_id}", reaches_s3=config.reaches_s3) as session,
        ):
            run = Run(config, store, session, quality)
            try:
                yield run
            except (PipelineError, *SPARK_FAILURES):
                # What stopped the run is told, and not what stopped the tidying up, such as the same outage.
                with suppress(Exception):
                    run.leave()
                raise
    except PipelineError as error:
        store.write_failure(run_id, {"exit_code": error.exit_code, "error": str(error)})
        raise
