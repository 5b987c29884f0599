"""Quarantined rows of an earlier run, validated again after they were corrected at the source."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from expectations.contracts.contract import FileContract
from expectations.validation.replay import replay as sort_out
from jobs.cli.config import ReplayConfig
from jobs.cli.main import run_main
from jobs.errors import ConfigurationError
from jobs.quality.active_rules import active_rules, rules_of_reused_rows
from jobs.runs.checked_tables import CarriedOver, CheckedTable, CheckedTables, check_table, how_to_continue
from jobs.runs.run import Run, open_run
from jobs.runs.totals import Boundary, BoundaryKind, BoundaryTotal, Total, totals_of
from jobs.sources.csv_files import Source, find_sources, inputs_of, read_source
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("replay", lambda: run_alone(ReplayConfig.from_argv(argv)))


def run_alone(config: ReplayConfig) -> None:
    """Make a run of an earlier run's accepted rows and of those of its quarantined rows that pass now.

    Replaying the new run with the same files gives the same tables.

    Raises:
        ConfigurationError: There is no such run, it is not complete, or ingest was no part of it.
    """
    options = config.run
    rules = active_rules(options.rules)
    sources = find_sources(config.input, rules.of_files)
    store = RunStore(options.output)
    earlier = _replayed_manifest(store, config.replayed_run, [source.contract for source in sources])
    reaches_s3 = is_in_s3(config.input) or is_in_s3(options.output)
    with open_run("replay", options, store, rules, reaches_s3=reaches_s3) as run:
        tables = replay(run, sources, earlier=earlier)
        checked = CheckedTables(tables, rules_of_reused_rows(earlier["configuration"], unless=rules))
        inputs = {"replayed_run": config.replayed_run, **inputs_of(sources)}
        run.finish(inputs=inputs, results=[checked], becomes_current=False)
        run.show_summary(*how_to_continue(run))


def replay(run: Run, sources: Sequence[Source], *, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Write the checked tables of a run and their quarantine, from an earlier run's and the corrected files.

    Args:
        run: the run.
        sources: the corrected files.
        earlier: the manifest of the replayed run.

    Raises:
        DataError: Rows or money do not add up, or the data is not fit to use.
    """
    totals, paths = totals_of(earlier), earlier["tables"]
    checked: dict[str, CheckedTable] = {}
    for source in sources:
        contract = source.contract
        with run.step(contract.table) as step:
            reused = run.read_table(paths[contract.table], schema=contract.schema)
            rows = sort_out(
                corrected=read_source(run.session, source),
                quarantined=run.read_table(paths[contract.quarantine], schema=contract.quarantine_schema),
                reused=reused,
                contract=contract,
            )
            table = check_table(
                run,
                rows.revalidated,
                contract=contract,
                references={name: other.reference for name, other in checked.items()},
                carried_over=CarriedOver(accepted=reused, quarantined=rows.unresolved),
            )
            _reconcile(run, contract, table, reused=totals[Boundary(contract.table)])
            checked[contract.table] = table
            step.record(
                rows_in=table.validated.rows, out=table.accepted.total, not_passed_on=table.quarantined.total.rows
            )
    run.stop_if_unfit()
    return {name: table.accepted for name, table in checked.items()}


def _reconcile(run: Run, contract: FileContract, table: CheckedTable, *, reused: Total) -> None:
    """Check that every revalidated row is in one place, and that each place is the sum of what went there."""

    def at(kind: BoundaryKind, total: Total) -> BoundaryTotal:
        return BoundaryTotal(Boundary(contract.table, kind), total)

    newly_accepted = at(BoundaryKind.NEWLY_ACCEPTED, table.newly_accepted)
    rejected_again = at(BoundaryKind.REJECTED_AGAIN, table.newly_rejected)
    run.reconcile(at(BoundaryKind.REVALIDATED, table.validated), newly_accepted, rejected_again)
    run.reconcile(table.accepted.entry, at(BoundaryKind.REUSED, reused), newly_accepted)
    run.reconcile(table.quarantined.entry, rejected_again, at(BoundaryKind.UNRESOLVED, table.unresolved))


def _replayed_manifest(store: RunStore, run_id: str, contracts: Sequence[FileContract]) -> dict[str, Any]:
    """The manifest of the run that is replayed."""
    manifest = store.manifest(run_id)
    needed = [table for contract in contracts for table in (contract.table, contract.quarantine)]
    missing = [table for table in needed if table not in manifest.get("tables", {})]
    if missing:
        raise ConfigurationError(
            f"--replayed-run {run_id}: that run has no {', '.join(missing)}. Name a run that ingest was part of"
        )
    return manifest


if __name__ == "__main__":
    sys.exit(main())
