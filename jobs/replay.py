"""Quarantined rows of an earlier run, validated again after they were corrected at the source."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial

from expectations.contracts.contract import FileContract
from expectations.validation.replay import plan_replay
from jobs.cli.config import ReplayConfig
from jobs.cli.main import run_main
from jobs.errors import ConfigurationError
from jobs.inputs.input_files import RawInput, inputs_of, pinned
from jobs.quality.active_rules import active_rules, rules_of_reused_rows
from jobs.runs.checked_tables import CheckedTable, CheckedTables, how_to_continue
from jobs.runs.reading import Reading, readable, under_their_names
from jobs.runs.replayed_tables import ReplayedParts, check_replayed
from jobs.runs.run import Run, open_run
from jobs.runs.totals import Boundary, BoundaryKind, BoundaryTotal, Total, totals_of
from jobs.runs.workload import workload_of
from jobs.sources.choosing import source_of, source_of_run
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore


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
    source = source_of(config.source)
    _refuse_without_key(source.contracts)
    rules = active_rules(options.rules, source.contracts)
    inputs = source.find(config.input, rules.of_files)
    store = RunStore(options.output)
    earlier = _replayed_manifest(store, config.replayed_run, [raw.contract for raw in inputs])
    if earlier.configuration.source != source.settings:
        raise ConfigurationError(
            f"run {earlier.run_id} was made with another source, mapping or rates, expected those of that run. Replay "
            "it with the same, or run ingest with the new ones"
        )
    # It knows from which day on the rows were read that are reused.
    replayed = source_of_run(store, earlier)
    workload = workload_of(inputs, config.input, options.output)
    with open_run("replay", options, store, rules, workload=workload) as run:
        kept, inputs = replayed.keep(run), pinned(inputs, run.session)
        checked = replay(run, inputs, earlier=earlier)
        read = {"replayed_run": config.replayed_run, **inputs_of(config.input, inputs)}
        run.finish(inputs=read, results=[checked, kept], becomes_current=False)
        run.show_summary(*how_to_continue(run))


def _refuse_without_key(contracts: Sequence[FileContract]) -> None:
    """Refuse tables whose rows have no id.

    Raises:
        ConfigurationError: There is one.
    """
    for contract in contracts:
        if not contract.key:
            raise ConfigurationError(
                f"a replay of {contract.table}: its rows have no id, expected transaction_id_col in the mapping, by "
                "which corrected rows take the place of quarantined ones. Correct the files, and run ingest again"
            )


def replay(run: Run, inputs: Sequence[RawInput], *, earlier: Manifest) -> CheckedTables:
    """Write the checked tables of a run and their quarantine, from an earlier run's and the corrected files.

    Args:
        run: the new run.
        inputs: the corrected files.
        earlier: the manifest of the replayed run.

    Raises:
        DataError: Rows or money do not add up, or the data is not fit to use.
    """
    checked: dict[str, CheckedTable] = {}
    for raw in inputs:
        contract = raw.contract
        with run.step(contract.table) as step, readable(raw):
            rows = plan_replay(
                corrected=Reading(run.session, under_their_names(run, raw)).rows_at_once(),
                quarantined=run.read_earlier(contract.quarantine, earlier=earlier, schema=contract.quarantine_schema),
                reused=run.read_earlier(contract.table, earlier=earlier, schema=contract.schema),
                contract=contract,
            )
            table = check_replayed(
                run,
                rows,
                contract=contract,
                references={name: other.reference for name, other in checked.items()},
                reconcile=partial(_reconcile, run, contract, totals_of(earlier)),
            )
            checked[contract.table] = table
            revalidated = run.accounts.totals[Boundary(contract.table, BoundaryKind.REVALIDATED)].rows
            step.record(rows_in=revalidated, out=table.accepted.total, not_passed_on=table.quarantined.total.rows)
    run.stop_if_unfit()
    tables = {name: table.accepted for name, table in checked.items()}
    return CheckedTables(tables, rules_of_reused_rows(earlier.configuration, unless=run.rules))


def _reconcile(
    run: Run, contract: FileContract, earlier: Mapping[Boundary, Total], table: CheckedTable, parts: ReplayedParts
) -> None:
    """Check that every revalidated row is in one place, and that each place is the sum of what went there."""

    def at(kind: BoundaryKind, total: Total, place: str = contract.table) -> BoundaryTotal:
        return BoundaryTotal(Boundary(place, kind), total)

    run.accounts.record(at(BoundaryKind.REPLAYED, earlier[Boundary(contract.quarantine)], contract.quarantine))
    newly_accepted = at(BoundaryKind.NEWLY_ACCEPTED, parts.newly_accepted)
    rejected_again = at(BoundaryKind.REJECTED_AGAIN, parts.rejected_again)
    run.reconcile(at(BoundaryKind.REVALIDATED, parts.revalidated), newly_accepted, rejected_again)
    run.reconcile(table.accepted.entry, at(BoundaryKind.REUSED, earlier[Boundary(contract.table)]), newly_accepted)
    run.reconcile(table.quarantined.entry, rejected_again, at(BoundaryKind.UNRESOLVED, parts.unresolved))


def _replayed_manifest(store: RunStore, run_id: str, contracts: Sequence[FileContract]) -> Manifest:
    """The manifest of the run that is replayed."""
    manifest = store.manifest(run_id)
    needed = [table for contract in contracts for table in (contract.table, contract.quarantine)]
    missing = [table for table in needed if table not in manifest.tables]
    if missing:
        raise ConfigurationError(
            f"run {run_id} has no {', '.join(missing)} to replay. Name a run that ingest was part of"
        )
    return manifest


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
