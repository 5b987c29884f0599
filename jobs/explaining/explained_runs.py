"""The runs that a customer is explained by: the one that is asked about, and the one before it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from jobs.errors import ConfigurationError, DataError
from jobs.inputs.score_cards import RunWithCard, card_of_run
from jobs.runs.recorded_changes import RecordedMoves, RunWithChanges
from jobs.storage.run_files import Manifest
from jobs.storage.store import MANIFEST, RunStore
from transforms.sources.counted import Counted

NAME_RUNS = "Name a run of jobs.pipeline, jobs.features or jobs.segments that scored its customers"
TO_COMPARE = ". --between EARLIER LATER compares any two runs"


@dataclass(frozen=True)
class ExplainedRun(RunWithCard):
    """A run whose customers are explained."""

    @property
    def first_day(self) -> date | None:
        """The first day of the window; None for all history."""
        return Counted(self.as_of, window_months=self.scoring.window_months).first_day


@dataclass(frozen=True)
class ExplainedRuns:
    """The run that a customer is explained by, and the run before it.

    Attributes:
        now: the run that is asked about.
        before: the run that it is compared with; None without one.
        moves: what the manifest of ``now`` says of the changes since ``before``; None if it is about another run.
        lacks: why there is no run before; empty where there is one.
    """

    now: ExplainedRun
    before: ExplainedRun | None
    moves: RecordedMoves | None
    lacks: str = ""


def find_runs(store: RunStore, *, run_id: str | None, between: tuple[str, str] | None) -> ExplainedRuns:
    """The runs to explain a customer by.

    Args:
        store: the runs.
        run_id: which run; None for the current one.
        between: two runs, the earlier one first, in place of the run and the one before it.

    Raises:
        ConfigurationError: A run is not there, has no scores, or the two are not in order.
        DataError: A manifest or a card is damaged, or a card is gone.
    """
    if between is not None:
        return _between(store, *between)
    if run_id is None:
        run_id = store.find_manifest(
            None, missing="no customer to explain", advice="Run jobs.pipeline first, or name a run with --run"
        ).run_id
    now = read_run(store, run_id)
    changes = store.manifest_as(RunWithChanges, run_id).changes
    if changes is None:
        return ExplainedRuns(
            now, None, None, f"an earlier release made this run, and compared it with none{TO_COMPARE}"
        )
    if not isinstance(changes, RecordedMoves):
        return ExplainedRuns(now, None, None, f"it is the first run, or was made with --compare none{TO_COMPARE}")
    since = changes.since.run_id
    if not store.contains(since, MANIFEST):
        return ExplainedRuns(now, None, changes, f"run {since}, with which this one is compared, is gone{TO_COMPARE}")
    return ExplainedRuns(now, read_run(store, since), changes)


def _between(store: RunStore, earlier_id: str, later_id: str) -> ExplainedRuns:
    if earlier_id == later_id:
        raise ConfigurationError(
            f"--between {earlier_id} {later_id}: found the same run twice, expected two runs. --run {later_id} "
            "compares that run with the one before it"
        )
    before, now = read_run(store, earlier_id), read_run(store, later_id)
    if before.as_of > now.as_of:
        raise ConfigurationError(
            f"--between {earlier_id} {later_id}: found the run as of {before.as_of} before that as of {now.as_of}, "
            f"expected the earlier one first. Give --between {later_id} {earlier_id}"
        )
    changes = store.manifest_as(RunWithChanges, later_id).changes
    moves = changes if isinstance(changes, RecordedMoves) and changes.since.run_id == earlier_id else None
    return ExplainedRuns(now, before, moves)


def read_run(store: RunStore, run_id: str) -> ExplainedRun:
    """A run with scores, and its card.

    Raises:
        ConfigurationError: There is no such run, it is not complete, or it has no scores.
        DataError: Its manifest or its card is damaged, or the card is gone.
    """
    manifest = store.manifest_as(Manifest, run_id)
    advice = "Files of a run are never edited: restore it, or name another run"
    card = card_of_run(store, manifest.score_card.file, advice=advice) if manifest.score_card else None
    if card is None or card.scoring is None or not has_scores(manifest):
        raise ConfigurationError(
            f"run {run_id} has no customers with scores (it is one of jobs.{manifest.job or 'pipeline'}), so there is "
            f"nothing to explain. {NAME_RUNS}"
        )
    return ExplainedRun(manifest, card)


def has_scores(manifest: Manifest) -> bool:
    """Whether the customers of a run have scores: those of release 0.1 have none."""
    return manifest.segments is not None and {"rfm", "purchases"} <= manifest.tables.keys()


def other_runs(store: RunStore, *, but: Sequence[str], most: int) -> list[Manifest]:
    """The newest complete runs with scores, but for some, the newest first. What cannot be read is passed over."""
    runs: list[Manifest] = []
    for run_id in reversed(store.run_ids()):
        if len(runs) == most:
            break
        if run_id not in but:
            with suppress(ConfigurationError, DataError):
                manifest = store.manifest_as(Manifest, run_id)
                if has_scores(manifest):
                    runs.append(manifest)
    return runs
