"""All checks of a run, in the order in which its tables come about."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from jobs.errors import ConfigurationError, DataError
from jobs.querying.engine import connected, duckdb_package
from jobs.storage.run_files import Manifest
from jobs.storage.store import RunStore
from jobs.storage.temporary import temporary_folder
from jobs.verifying import changes, clusters, files, fitted, history, ledger, measures, olist, scores, totals
from jobs.verifying.audited import AuditedRun, guarded
from jobs.verifying.cards import Card
from jobs.verifying.checks import Check, Fault, Result, Verification
from jobs.verifying.columns import KEYS

PREDECESSORS_TABLES = ("rfm", "purchases", "segment_history")
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
    with (
        temporary_folder("verify") as temporary,
        ThreadPoolExecutor(max_workers=1) as others,
        connected(temporary) as connection,
    ):
        tables = list(manifest.tables)
        of_files = others.submit(files.check_table_files, store, manifest, name=files.TABLES_NAME, tables=tables)
        run = AuditedRun.opened(store, manifest, connection, schema="now", temporary=temporary)
        checks = _checks(run, temporary)
        checks = [of_files.result(), *checks]
    return Verification(manifest.run_id, manifest.as_of, store.display_path(manifest.run_id), checks)


def _checks(run: AuditedRun, temporary: Path) -> list[Check]:
    store, manifest = run.store, run.manifest
    card, since = _card_of(run), _since(run)
    before, why_not = _before(run, since, temporary)
    cards = (_card_of(before) if before else None, card)
    source = ledger if "ledger" in manifest.tables else olist
    groups: Sequence[tuple[str, Callable[[], list[Check]]]] = (
        (files.CARD_NAME, partial(files.check_other_files, store, manifest, run.content)),
        (totals.TOTALS_NAME, lambda: [totals.check_totals(run)]),
        (totals.EQUATIONS_NAME, lambda: [totals.check_equations(run.content)]),
        ("transactions", partial(source.check_transactions, run)),
        ("purchases", partial(measures.check_purchases, run)),
        ("rfm: measures", partial(measures.check_measures, run)),
        (measures.BOUNDARIES, partial(measures.check_boundaries_of_purchases, run)),
        (measures.SUFFICIENCY, partial(measures.check_sufficiency, run)),
        ("rfm: scores", partial(scores.check_scores, run, card)),
        ("score card", partial(fitted.check_fitted, run, card)),
        ("customer_segments", partial(clusters.check_clusters, run)),
        ("manifest: the run before", partial(history.check_predecessor, run, before, since)),
        ("segment_history", partial(history.check_history, run, before, why_not=why_not)),
        ("segment_changes", partial(changes.check_changes, run, before, cards, why_not=why_not)),
    )
    checks = [_readable(run)] if run.unreadable else []
    if before is not None:
        tables = [table for table in PREDECESSORS_TABLES if table in before.manifest.tables]
        checks += guarded(
            BEFORE_FILES,
            "size and checksum of the files that are compared with",
            lambda: [files.check_table_files(store, before.manifest, name=BEFORE_FILES, tables=tables)],
        )
    for name, group in groups:
        checks += guarded(name, "what this program writes", group)
    return checks + _keys(run, checks)


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
    faults = [Fault({"table": table}, "files", why, "Parquet") for table, why in run.unreadable.items()]
    return Check.of(READABLE, "every table of the manifest", rows=len(run.manifest.tables), faults=faults)


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
