"""All checks of a run, in the order in which its tables come about."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from jobs.errors import ConfigurationError, DataError
from jobs.querying.engine import connected, duckdb_package
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.table_files import RESTORE
from jobs.storage.temporary import temporary_folder
from jobs.verifying import changes, clusters, files, fitted, history, ledger, measures, olist, scores, totals
from jobs.verifying.audited import AuditedRun, guarded
from jobs.verifying.cards import Card
from jobs.verifying.checks import Check, Result, Verification
from jobs.verifying.columns import KEYS

WORKERS = 3
"""Threads: one reads files for their checksums, while DuckDB works for the others."""

BEFORE_FILES = "files: tables of the run before"
READABLE = "files: tables can be read"


def verify_run(store: RunStore, manifest: Manifest) -> Verification:
    """Derive a run again from its files, and say what is off.

    Each file is read once for its checksum, beside the queries, and the columns that rules are about once or twice.

    Args:
        store: the output folder.
        manifest: the run's.

    Raises:
        ConfigurationError: The package duckdb is not installed.
        OutsideSystemError: A file cannot be read, or DuckDB lacks memory or room on the disk.
    """
    duckdb_package()
    with temporary_folder("verify") as temporary, connected(temporary) as connection:
        pool = ThreadPoolExecutor(max_workers=WORKERS)
        try:
            run = AuditedRun.opened(store, manifest, connection, schema="now", temporary=temporary)
            checks = _checks(run, temporary, pool)
        finally:
            pool.shutdown(cancel_futures=True)
    return Verification(manifest.run_id, manifest.as_of, store.display_path(manifest.run_id), checks)


def _checks(run: AuditedRun, temporary: Path, pool: Executor) -> list[Check]:
    """All checks. Threads make the quick tables first, so that the groups after them wait for none in vain."""
    card, since = _card_of(run), _since(run)
    before, why_not = _before(run, since, temporary)
    of_files = [pool.submit(_check_files, run.store, run.manifest, files.TABLES_NAME, list(run.manifest.tables))]
    run.make_quick(run.manifest.tables, pool)
    if before is not None:
        tables = [table for table in changes.tables_of(before, run) if table in before.manifest.tables]
        before.make_quick(tables, pool)
        of_files.append(pool.submit(_check_files, run.store, before.manifest, BEFORE_FILES, tables))
    groups = [
        pool.submit(guarded, name, "what this program writes", group)
        for name, group in _groups(run, card, before, since, why_not)
    ]
    checks = [_readable(run)] if run.unreadable else []
    for group in (*of_files, *groups):
        checks += group.result()
    return checks + _keys(run, checks)


def _check_files(store: RunStore, manifest: Manifest, name: str, tables: Sequence[str]) -> list[Check]:
    def check() -> list[Check]:
        return [files.check_table_files(store, manifest, name=name, tables=tables)]

    return guarded(name, "files with the manifest", check)


def _groups(
    run: AuditedRun,
    card: Card | None,
    before: AuditedRun | None,
    since: Mapping[str, Any] | None,
    why_not: str | None,
) -> list[tuple[str, Callable[[], list[Check]]]]:
    """The groups of checks, each with the name of the check that fails if the group cannot be done."""
    cards = (_card_of(before) if before else None, card)
    source = ledger if "ledger" in run.manifest.tables else olist
    return [
        (files.CARD_NAME, partial(files.check_other_files, run.store, run.manifest, run.content)),
        (totals.TOTALS_NAME, partial(totals.check_totals, run)),
        (totals.EQUATIONS_NAME, partial(totals.check_equations, run.content)),
        ("transactions", partial(source.check_transactions, run)),
        ("purchases", partial(measures.check_purchases, run)),
        ("rfm: measures", partial(measures.check_measures, run)),
        (measures.BOUNDARIES, partial(measures.check_boundaries_of_purchases, run)),
        (measures.SUFFICIENCY, partial(measures.check_sufficiency, run)),
        ("rfm: scores", partial(scores.check_rows, run, card)),
        ("score card", partial(fitted.check_fitted, run, card)),
        ("customer_segments", partial(clusters.check_clusters, run)),
        ("manifest: the run before", partial(history.check_predecessor, run, before, since)),
        ("segment_history", partial(history.check_history, run, before, why_not=why_not)),
        ("segment_changes", partial(changes.check_changes, run, before, cards, why_not=why_not)),
    ]


def _keys(run: AuditedRun, checks: Sequence[Check]) -> list[Check]:
    """The keys of those tables that were not derived, whose rows have not been compared by their keys."""
    compared = {check.name for check in checks if check.result is not Result.NOT_CHECKED}
    tables = [table for table in KEYS if table in run.manifest.tables and table not in run.unreadable]
    return [
        check
        for table in tables
        if f"{table}: rows" not in compared
        for check in guarded(totals.KEYS_NAME.format(table=table), "its key", partial(totals.check_key, run, table))
    ]


def _readable(run: AuditedRun) -> Check:
    reasons = [why.partition(f". {RESTORE}")[0] for why in run.unreadable.values()]
    tables, off = len(run.manifest.tables), len(reasons)
    return Check(READABLE, "every table of the manifest", Result.FAILED, tables, off, note="; ".join(reasons))


def _card_of(run: AuditedRun) -> Card | None:
    """The score card of a run; None if it has none, or none that can be read: that is a fault of its own."""
    entry = run.content.get("score_card")
    if not isinstance(entry, Mapping) or not isinstance(entry.get("file"), str):
        return None
    try:
        return Card(files.json_file(run.store, entry["file"]))
    except (ConfigurationError, DataError):
        return None


def _since(run: AuditedRun) -> Mapping[str, Any] | None:
    """What the manifest says of the run before; None where there is none."""
    entry = run.content.get("changes")
    since = entry.get("since") if isinstance(entry, Mapping) else None
    return since if isinstance(since, Mapping) else None


def _before(run: AuditedRun, since: Mapping[str, Any] | None, temporary: Path) -> tuple[AuditedRun | None, str | None]:
    """The run before, opened; or why it cannot be."""
    if since is None:
        return None, None
    try:
        manifest = run.store.manifest(str(since.get("run_id")))
    except (ConfigurationError, DataError) as error:
        return None, f"the run before cannot be read: {error}"
    return AuditedRun.opened(run.store, manifest, run.connection, schema="before", temporary=temporary), None
