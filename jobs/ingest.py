"""Raw CSV files to checked tables: each row accepted, or quarantined with its reasons."""

import sys
from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from expectations.contracts.contract import FileContract
from expectations.validation.rows import CASCADED, Reference, accepted, failure_counts, quarantined, validate_rows
from jobs.cli.config import RunConfig
from jobs.cli.main import program
from jobs.quality.active_rules import active_rules
from jobs.quality.report import Counted
from jobs.quality.row_checks import persisted_with_keys, raw_money
from jobs.replay import replay_alone
from jobs.runs.metrics import observe, total_of
from jobs.runs.run import Run, opened_run
from jobs.sources.csv_files import Source, find_sources, inputs_of, read_source
from jobs.storage.store import RunStore


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return program("ingest", lambda: _run(RunConfig.from_argv(argv, step="ingest")))


def _run(config: RunConfig) -> None:
    if config.replay is None:
        run_alone(config)
    else:
        replay_alone(config)


def run_alone(config: RunConfig) -> None:
    """Check the three files into a run of their own, which `jobs.features` can go on from."""
    rules = active_rules(config.rules)
    sources = find_sources(config.input or "", rules.of_files)
    with opened_run(config, RunStore(config.output), rules) as this:
        ingest(this, sources)
        this.finish(inputs=inputs_of(sources), becomes_current=False)
        this.summarise(
            "current.json was not moved: these are the checked tables alone. Go on with",
            f"  python -m jobs.features --as-of {config.as_of} --output {config.output} --checked-run {this.run_id}",
        )


def ingest(this: Run, sources: Sequence[Source]) -> dict[str, DataFrame]:
    """Write the checked tables and the quarantine of a run, and return the checked tables by name.

    All files are checked before the run is stopped for what is in one of them, so that whoever mends them sees it all.

    Raises:
        DataError: Rows or money of a file are not those of its table and its quarantine together; or the data is not
            fit to use.
    """
    references: dict[str, Reference] = {}
    for source in sources:
        with this.step(source.contract.table) as step:
            references[source.contract.table] = _check_in(this, source, references=references)
            totals = this.account.totals
            step.rows_in = totals[f"raw {source.contract.table}"].rows
            step.out = totals[source.contract.table]
            step.not_passed_on = totals[source.contract.quarantine].rows
    this.stop_if_unfit()
    return {table: reference.accepted for table, reference in references.items()}


def _check_in(this: Run, source: Source, *, references: Mapping[str, Reference]) -> Reference:
    """Split one table, write both halves, assert that together they are the file, and let the gate see it."""
    contract = source.contract
    table = contract.table
    raw, seen = observe(_spread(read_source(this.session, source), source), f"raw {table}", money=raw_money(contract))
    rows = validate_rows(raw=raw, contract=contract, references=references)
    # Read by the two writes and by the gate: the file is parsed and each row judged once.
    with persisted_with_keys(rows, contract=contract) as validated:
        reference, counted = _write_split(this, validated, contract=contract)
        totals = this.account.totals
        totals[f"raw {table}"] = total_of(seen.get, contract.money)
        if totals[f"raw {table}"] != totals[table] + totals[contract.quarantine]:
            # What is seen before a shuffle is seen again when a machine is lost and the stage is run once more. So the
            # file is counted by itself before anyone is told that a row is missing.
            again, seen = observe(read_source(this.session, source), f"raw {table} again", money=raw_money(contract))
            again.write.format("noop").mode("overwrite").save()
            totals[f"raw {table}"] = total_of(seen.get, contract.money)
        this.account.claim(f"raw {table}", table, contract.quarantine)
        this.quality.examine(contract=contract, rows=validated, counted=counted)
    return reference


def _spread(raw: DataFrame, source: Source) -> DataFrame:
    """Let all cores judge what a few files hold, each of which one core reads.

    Where the table refers to another, the join does that.
    """
    has_few_files = len(source.files) < raw.sparkSession.sparkContext.defaultParallelism
    return raw.repartition(*source.contract.key) if has_few_files and not source.contract.references else raw


def _write_split(this: Run, validated: DataFrame, *, contract: FileContract) -> tuple[Reference, Counted]:
    """Write the accepted and the quarantined rows of a validated table, and count failed rules on the way."""
    checked, _ = this.write(
        contract.table, accepted(validated=validated, contract=contract), schema=contract.schema, money=contract.money
    )
    reasons = contract.table_reasons
    every_row, seen = observe(validated, f"validated {contract.table}", also={**failure_counts(contract), **reasons})
    refused, _ = this.write(
        contract.quarantine,
        quarantined(validated=every_row, contract=contract),
        schema=contract.quarantine_schema,
        money=raw_money(contract),
    )
    found = seen.get
    set_aside = this.account.totals[contract.quarantine].rows
    counted = Counted(
        rows=found["rows"],
        quarantined=set_aside,
        followers=found[CASCADED],
        broken={rule.label: found[rule.label] for rule in contract.row_rules},
        reasons={label: found[label] for label in reasons},
    )
    return Reference(checked, refused if set_aside else None), counted


if __name__ == "__main__":
    sys.exit(main())
