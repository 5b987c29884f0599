"""Raw tables to checked tables: each row accepted, or quarantined with its reasons."""

import sys
from collections.abc import Sequence
from functools import partial

from pyspark.sql import DataFrame

from jobs import replay
from jobs.cli.config import IngestConfig, ReplayConfig, ingest_config
from jobs.cli.main import run_main
from jobs.inputs.input_files import RawInput, inputs_of, pinned
from jobs.quality.active_rules import active_rules
from jobs.runs.checked_tables import CheckedTable, CheckedTables, RawRows, check_table, how_to_continue
from jobs.runs.reading import Reading, readable, under_their_names
from jobs.runs.run import Run, open_run
from jobs.runs.totals import Boundary, BoundaryKind, BoundaryTotal
from jobs.runs.workload import workload_of
from jobs.sources.choosing import source_of
from jobs.storage.store import RunStore


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("ingest", lambda: _run(ingest_config(argv)))


def _run(config: IngestConfig | ReplayConfig) -> None:
    if isinstance(config, ReplayConfig):
        replay.run_alone(config)
    else:
        run_alone(config)


def run_alone(config: IngestConfig) -> None:
    """Check the raw tables into a run of their own, from which `jobs.features` continues."""
    options = config.run
    source = source_of(config.source)
    rules = active_rules(options.rules, source.contracts)
    inputs = source.find(config.input, rules.of_files)
    workload = workload_of(inputs, config.input, options.output)
    with open_run("ingest", options, RunStore(options.output), rules, workload=workload) as run:
        kept, inputs = source.keep(run), pinned(inputs, run.session)
        checked = ingest(run, inputs)
        run.finish(inputs=inputs_of(config.input, inputs), results=[checked, kept], becomes_current=False)
        run.show_summary(*how_to_continue(run))


def ingest(run: Run, inputs: Sequence[RawInput]) -> CheckedTables:
    """Write the checked tables of a run and their quarantine.

    All files are checked before the run is stopped for what one of them holds, so that its owner sees all faults.

    Raises:
        DataError: Rows or money of a file are not those of its table and its quarantine together; or the data is not
            fit to use.
    """
    checked: dict[str, CheckedTable] = {}
    for raw in inputs:
        contract = raw.contract
        with run.step(contract.table) as step, readable(raw):
            reading = Reading(run.session, under_their_names(run, raw))
            table = check_table(
                run,
                RawRows(_spread(reading.rows, raw), reread=reading.with_lines_joined),
                contract=contract,
                references={name: other.reference for name, other in checked.items()},
                reconcile=partial(_reconcile, run, reading),
            )
            checked[contract.table] = table
            quarantined = table.quarantined.total.rows
            rows_in = table.accepted.total.rows + quarantined
            step.record(rows_in=rows_in, out=table.accepted.total, not_passed_on=quarantined)
    run.stop_if_unfit()
    return CheckedTables({name: table.accepted for name, table in checked.items()})


def _spread(rows: DataFrame, raw: RawInput) -> DataFrame:
    """Let all cores validate what a few packed files hold, each of which one core reads. Plain files are split."""
    packed = sum(file.is_gzip for file in raw.csv)
    is_on_few_cores = 0 < packed == len(raw.csv) < rows.sparkSession.sparkContext.defaultParallelism
    key = raw.contract.key or raw.contract.source_columns
    return rows.repartition(*key) if is_on_few_cores else rows


def _reconcile(run: Run, reading: Reading, table: CheckedTable) -> None:
    """Check that a table and its quarantine together are the file.

    Rows that are observed before a shuffle are observed again when a machine is lost and the stage runs once more. So
    the file is counted by itself before anyone is told that a row is missing.
    """
    figures = reading.figures()
    if figures.total != table.accepted.total + table.quarantined.total:
        figures = reading.again().figures()
    whole = BoundaryTotal(Boundary(reading.raw.contract.table, BoundaryKind.READ), figures.total)
    run.reconcile(whole, table.accepted.entry, table.quarantined.entry)
    figures.check(reading.raw.contract.file)


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
