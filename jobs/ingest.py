"""Raw CSV files to checked tables: each row accepted, or quarantined with its reasons."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.contracts import CONTRACTS, Contract
from expectations.rules import parsed
from expectations.split import accepted, judge, quarantined, rows_broken_by
from jobs.config import RunConfig
from jobs.program import program
from jobs.run import Run, observe, opened_run, total_of
from jobs.sources import Source, find_sources, read_source
from jobs.storage import RunStore
from transforms.schemas import MONEY


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return program("ingest", lambda: run_alone(RunConfig.from_argv(argv, step="ingest")))


def run_alone(config: RunConfig) -> None:
    """Check the three files into a run of their own, which `jobs.features` can go on from."""
    sources = find_sources(config.input or "", CONTRACTS)
    with opened_run(config, RunStore(config.output)) as this:
        ingest(this, sources)
        this.finish(inputs=inputs_of(sources), becomes_current=False)
        this.summarise(
            "current.json was not moved: these are the checked tables alone. Go on with",
            f"  python -m jobs.features --as-of {config.as_of} --output {config.output} --checked-run {this.run_id}",
        )


def ingest(this: Run, sources: Sequence[Source]) -> dict[str, DataFrame]:
    """Write the checked tables and the quarantine of a run, and return the checked tables by name.

    Raises:
        DataError: Rows or money of a file are not those of its table and its quarantine together.
    """
    tables: dict[str, DataFrame] = {}
    for source in sources:
        with this.step(source.contract.table) as step:
            tables[source.contract.table] = _check_in(this, source, references=tables)
            totals = this.account.totals
            step.rows_in = totals[f"raw {source.contract.table}"].rows
            step.out = totals[source.contract.table]
            step.not_passed_on = totals[f"quarantine/{source.contract.table}"].rows
    return tables


def inputs_of(sources: Sequence[Source]) -> dict[str, Any]:
    """What the manifest says of the files."""
    return {"files": [source.as_json() for source in sources]}


def _check_in(this: Run, source: Source, *, references: Mapping[str, DataFrame]) -> DataFrame:
    """Split one table, write both halves, and assert that together they are the file."""
    contract = source.contract
    table, quarantine = contract.table, f"quarantine/{contract.table}"
    raw, seen = observe(read_source(this.session, source), f"raw {table}", money=_raw_money(contract))
    # Read twice, by the two writes: the file is parsed and each row judged once. What is lost of it with a machine is
    # worked out again from the same files, to the same verdicts: they depend on a row's text alone.
    judged = judge(raw=raw, contract=contract, fields=len(source.header), references=references)
    judged = judged.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        checked, _ = this.write(
            table, accepted(judged=judged, contract=contract), schema=contract.schema, money=contract.money
        )
        this.account.totals[f"raw {table}"] = total_of(seen.get, contract.money)
        labels = contract.labels(fields=len(source.header))
        _, found = this.write(
            quarantine,
            quarantined(judged=judged, contract=contract),
            schema=contract.quarantine_schema,
            money=_raw_money(contract),
            also={label: rows_broken_by(label) for label in labels},
        )
    finally:
        judged.unpersist()
    totals = this.account.totals
    if totals[f"raw {table}"] != totals[table] + totals[quarantine]:
        # What is seen before a shuffle is seen again when a machine is lost and the stage is run once more. So the
        # file is counted by itself before anyone is told that a row is missing.
        counted, seen = observe(read_source(this.session, source), f"raw {table} again", money=_raw_money(contract))
        counted.write.format("noop").mode("overwrite").save()
        totals[f"raw {table}"] = total_of(seen.get, contract.money)
    this.account.claim(f"raw {table}", table, quarantine)
    this.findings.setdefault("quarantined_by_rule", {})[table] = {
        label: found[label] for label in labels if found.get(label)
    }
    return checked


def _raw_money(contract: Contract) -> Column | None:
    """The money of a raw row, as far as its text is a number."""
    if contract.money is None:
        return None
    return parsed(F.col(contract.source_name(contract.money)), MONEY)


if __name__ == "__main__":
    sys.exit(main())
