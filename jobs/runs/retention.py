"""Which runs may be removed: those that nobody reads any more, and what killed runs left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jobs.storage.run_files import Manifest, Pointer
from jobs.storage.store import MANIFEST, RunStore

AGE_OF_A_WRECK = timedelta(days=1)
"""A folder without a manifest may be a run that still works, as long as something in it changes."""

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Retention:
    """What is kept.

    Attributes:
        newest: number of complete runs that stay, whatever their age; the current run may be one of them.
        days: age up to which every complete run stays.
        wrecks: whether folders without a manifest may be removed too.
    """

    newest: int
    days: int
    wrecks: bool = False


@dataclass(frozen=True)
class RemovableRun:
    """A run that may be removed.

    Attributes:
        run_id: the run.
        is_complete: whether it has a manifest.
        since: when it was finished or, without a manifest, when anything in it changed last.
        size: bytes of its files.
    """

    run_id: str
    is_complete: bool
    since: datetime
    size: int


@dataclass(frozen=True)
class _CompleteRun:
    """A complete run: when it was finished, and the runs (perhaps itself) whose files it needs or names."""

    finished_at: datetime
    needs: frozenset[str]


def removable_runs(store: RunStore, retention: Retention, *, now: datetime) -> list[RemovableRun]:
    """The runs that may be removed, by their ids.

    The current run stays, and so do the newest runs and the young ones. A run that one of them needs stays too, and
    then what that run needs.

    Args:
        store: the runs.
        retention: what is kept.
        now: from when ages are counted back.

    Raises:
        ConfigurationError: There are no runs, or the current one is not complete.
        DataError: This program did not write the pointer or a manifest so. What such a file needs is not known, so
            no run may be removed.
    """
    run_ids, current = store.run_ids(), store.current()
    complete = {run_id: _described(store.manifest(run_id)) for run_id in run_ids if store.contains(run_id, MANIFEST)}
    kept = _kept_runs(complete, retention, now=now)
    if current is not None:
        store.manifest(current.run_id)
        kept |= _needs_of_pointer(current)
    kept = _with_what_they_need(kept, complete)
    removable = []
    for run_id in run_ids:
        run = complete.get(run_id)
        if run_id in kept or (run is None and not retention.wrecks):
            continue
        extent = store.extent(run_id)
        if extent is None:
            continue
        if run is not None:
            removable.append(RemovableRun(run_id, True, run.finished_at, extent.size))
        elif extent.changed_at < now - AGE_OF_A_WRECK:
            removable.append(RemovableRun(run_id, False, extent.changed_at, extent.size))
    return removable


def _described(manifest: Manifest) -> _CompleteRun:
    inputs = manifest.inputs
    started_from = (inputs.checked_run, inputs.features_run, inputs.replayed_run)
    needs = {_run_of(path) for path in manifest.paths()} | {run_id for run_id in started_from if run_id is not None}
    # Nobody can say how old a run without a time is, so it is never old enough.
    return _CompleteRun(manifest.finished_at or NEVER, frozenset(needs))


def _needs_of_pointer(pointer: Pointer) -> set[str]:
    return {pointer.run_id, *([_run_of(pointer.kmeans_model)] if pointer.kmeans_model else [])}


def _kept_runs(complete: Mapping[str, _CompleteRun], retention: Retention, *, now: datetime) -> set[str]:
    """The newest runs, and the young ones."""
    newest_first = sorted(complete, key=lambda run_id: (complete[run_id].finished_at, run_id), reverse=True)
    oldest_kept = now - timedelta(days=retention.days)
    young = {run_id for run_id, run in complete.items() if run.finished_at >= oldest_kept}
    return young.union(newest_first[: retention.newest])


def _with_what_they_need(kept: set[str], complete: Mapping[str, _CompleteRun]) -> set[str]:
    """The runs and all that they need, directly or through others, also where that is not complete any more."""
    found, to_follow = set(kept), list(kept)
    while to_follow:
        run = complete.get(to_follow.pop())
        added = run.needs - found if run else set()
        found |= added
        to_follow += added
    return found


def _run_of(path: str) -> str:
    """The run whose folder a path of a manifest is in: ``runs/<run_id>/...``."""
    return path.split("/")[1]
