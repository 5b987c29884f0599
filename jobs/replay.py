"""Quarantined rows of an earlier run, tried again once they were mended at the source."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.validation.replay import Replay, replay
from expectations.validation.rows import CASCADED, Reference, accepted, failure_counts, quarantined, validate_rows
from jobs.cli.config import RunConfig
from jobs.errors import ConfigurationError
from jobs.quality.active_rules import active_rules, rules_of_settled_rows
from jobs.quality.report import Counted
from jobs.quality.row_checks import persisted_with_keys, raw_money
from jobs.runs.metrics import observe, total_of
from jobs.runs.run import Run, opened_run
from jobs.runs.totals import totals_of
from jobs.sources.csv_files import Source, find_sources, inputs_of, read_source
from jobs.storage.store import RunStore


def replay_alone(config: RunConfig) -> None:
    """Make a run of an earlier run's accepted rows and those of its quarantined rows that pass by now.

    Trying the new run's quarantine again with the same files gives the same tables.

    Raises:
        ConfigurationError: There is no such run, it is not whole, or ingest was no part of it.
    """
    rules = active_rules(config.rules)
    sources = find_sources(config.input or "", rules.of_files)
    store = RunStore(config.output)
    earlier = _earlier(store, str(config.replay), [source.contract for source in sources])
    with opened_run(config, store, rules) as this:
        totals = totals_of(earlier)
        this.account.totals.update(
            {f"earlier {table}": totals[table] for source in sources for table in _tables(source.contract)}
        )
        this.settings |= rules_of_settled_rows(earlier["configuration"], but_for=rules)
        _replay_all(this, sources, paths=earlier["tables"])
        this.finish(inputs={"replayed_run": config.replay, **inputs_of(sources)}, becomes_current=False)
        this.summarise(
            "current.json was not moved: these are the checked tables alone. Go on with",
            f"  python -m jobs.features --as-of {config.as_of} --output {config.output} --checked-run {this.run_id}",
        )


def _replay_all(this: Run, sources: Sequence[Source], *, paths: Mapping[str, str]) -> None:
    references: dict[str, Reference] = {}
    for source in sources:
        contract = source.contract
        table, quarantine = _tables(contract)
        with this.step(table) as step:
            settled = this.read_earlier(paths[table], schema=contract.schema)
            sorted_out = replay(
                fixed=read_source(this.session, source),
                quarantined=this.read_earlier(paths[quarantine], schema=contract.quarantine_schema),
                settled=settled,
                contract=contract,
            )
            references[table] = _try_again(this, contract, sorted_out, settled=settled, references=references)
            step.rows_in = this.account.totals[f"tried again {table}"].rows
            step.out = this.account.totals[table]
            step.not_passed_on = this.account.totals[quarantine].rows
    this.stop_if_unfit()


def _try_again(
    this: Run, contract: FileContract, sorted_out: Replay, *, settled: DataFrame, references: Mapping[str, Reference]
) -> Reference:
    """Judge what is tried, write it beside what is settled and what is left, and assert that the sums hold."""
    table, quarantine = _tables(contract)
    totals = this.account.totals
    rows = validate_rows(raw=sorted_out.tried, contract=contract, references=references)
    with persisted_with_keys(rows, contract=contract) as validated:
        came_in, seen_in = observe(
            accepted(validated=validated, contract=contract), f"came in {table}", money=contract.money
        )
        checked, _ = this.write(table, settled.unionByName(came_in), schema=contract.schema, money=contract.money)
        every_row, seen = observe(
            validated, f"tried again {table}", money=raw_money(contract), also=failure_counts(contract)
        )
        refused, seen_refused = observe(
            quarantined(validated=every_row, contract=contract), f"refused again {table}", money=raw_money(contract)
        )
        left, seen_left = observe(sorted_out.left, f"left {table}", money=raw_money(contract))
        still, _ = this.write(
            quarantine, refused.unionByName(left), schema=contract.quarantine_schema, money=raw_money(contract)
        )
        for name, observation in (("came in", seen_in), ("tried again", seen), ("refused again", seen_refused)):
            totals[f"{name} {table}"] = total_of(observation.get, contract.money)
        totals[f"left {table}"] = total_of(seen_left.get, contract.money)
        this.account.claim(f"tried again {table}", f"came in {table}", f"refused again {table}")
        this.account.claim(table, f"earlier {table}", f"came in {table}")
        this.account.claim(quarantine, f"refused again {table}", f"left {table}")
        counted = Counted(
            rows=totals[table].rows + totals[quarantine].rows,
            quarantined=totals[quarantine].rows,
            followers=seen.get[CASCADED],
            broken={rule.label: seen.get[rule.label] for rule in contract.row_rules},
            reasons=_reasons_of_all(checked, still, contract=contract),
        )
        of_rows = replace(contract, rules=contract.row_rules)
        this.quality.examine(contract=contract, rows=validated, counted=counted, seen=of_rows)
    return Reference(checked, still if totals[quarantine].rows else None)


def _reasons_of_all(checked: DataFrame, still: DataFrame, *, contract: FileContract) -> dict[str, Any]:
    """Why the table and its quarantine together break a rule about all rows, as an ingest of them all would find it."""
    as_text = [F.col(name).cast("string").alias(contract.source_name(name)) for name in contract.schema.fieldNames()]
    every_row = checked.select(*as_text).unionByName(still.select(*contract.source_columns))
    reasons = contract.table_reasons
    found = every_row.agg(*[reason.alias(label) for label, reason in reasons.items()]).collect()[0]
    return {label: found[label] for label in reasons}


def _earlier(store: RunStore, run_id: str, contracts: Sequence[FileContract]) -> dict[str, Any]:
    """The manifest of the run that is replayed."""
    manifest = store.manifest(run_id)
    needed = [table for contract in contracts for table in _tables(contract)]
    missing = [table for table in needed if table not in manifest.get("tables", {})]
    if missing:
        raise ConfigurationError(
            f"--replay {run_id}: that run has no {', '.join(missing)}. Name a run that ingest was part of"
        )
    return manifest


def _tables(contract: FileContract) -> tuple[str, str]:
    return contract.table, contract.quarantine
