"""The run before: the one that a new run carries the history of, and is compared with."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import groupby

from pyspark.sql import DataFrame

from jobs.cli.logs import log_event
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.score_cards import RunWithCard, card_of_run
from jobs.runs.run import Run
from jobs.runs.totals import Boundary, totals_of
from jobs.storage.run_files import Manifest, RecordedSegment
from jobs.storage.store import RunStore
from transforms import schemas
from transforms.changes import begun_history, gone_purchases

BEGIN_ANEW = "none"
"""The value of ``--compare`` that begins the history of all customers anew."""

ADVICE = f"Restore it, name another run with --compare, or begin anew with --compare {BEGIN_ANEW}"
HISTORY, RFM = "segment_history", "rfm"
BACKFILL = "backfill"
"""The job whose runs are followed by later ones although they may never have been current."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreviousRun(RunWithCard):
    """The run before."""

    @cached_property
    def customers(self) -> int:
        """The number of its customers."""
        return totals_of(self.manifest)[Boundary(RFM)].rows

    @property
    def segments(self) -> list[RecordedSegment]:
        """Its segments, with those that nobody is in."""
        return self.manifest.segments.segments if self.manifest.segments else []

    def history(self, run: Run) -> DataFrame:
        """One row per customer, `schemas.SEGMENT_HISTORY`. That of a run of an earlier release begins with it.

        Raises:
            DataError: A file is not as the run before wrote it.
        """
        if HISTORY in self.manifest.tables:
            return run.read_earlier(HISTORY, earlier=self.manifest, schema=schemas.SEGMENT_HISTORY)
        rfm = run.read_earlier(RFM, earlier=self.manifest, schema=schemas.RFM)
        return begun_history(rfm=rfm, as_of=self.as_of)

    def gone_purchases(self, run: Run, *, first_day: date | None) -> DataFrame | None:
        """What customers bought before the window of a run, `gone_purchases`; None for a run without a window.

        Raises:
            DataError: A file is not as the run before wrote it.
        """
        if first_day is None:
            return None
        purchases = run.read_earlier("purchases", earlier=self.manifest, schema=schemas.PURCHASES)
        return gone_purchases(purchases=purchases, first_day=first_day)


def is_for_readers(*, becomes_current: bool, job: str | None) -> bool:
    """Whether a run was made for readers, and is no experiment: to become current, or by a backfill.

    Args:
        becomes_current: what its manifest says.
        job: the job that made it; None where the manifest does not say so.
    """
    return becomes_current or job == BACKFILL


def find_previous(store: RunStore, *, as_of: date, compare: str | None, source_kind: str) -> PreviousRun | None:
    """Find the run before a run; None if there is none.

    It is the last run as of an earlier day: that of the newest such day and, of several as of that day, the one that
    was finished last. So a run that is repeated has the same run before it as the first time. Runs count that were to
    become current, and those of a backfill, if they have segments and the same kind of source.

    Args:
        store: the runs.
        as_of: the day of the run.
        compare: the value of ``--compare``: a run, `BEGIN_ANEW`, or None for the one that is found.
        source_kind: the kind of source that the run has.

    Raises:
        ConfigurationError: The named run cannot be compared with.
        DataError: The score card of the run is missing or invalid.
    """
    if compare == BEGIN_ANEW:
        return None
    if compare is not None:
        manifest = store.manifest(compare)
        _refuse(manifest, as_of=as_of, source_kind=source_kind)
        return _previous(store, manifest)
    for of_one_day in _earlier_manifests(store, as_of):
        eligible = [each for each in of_one_day if _is_eligible(each, source_kind)]
        if eligible:
            return _previous(store, max(eligible, key=lambda each: (each.finished_at or LONG_AGO, each.run_id)))
    return None


def _earlier_manifests(store: RunStore, as_of: date) -> Iterator[list[Manifest]]:
    """The manifests of the complete runs as of earlier days, day by day, the newest first."""
    try:
        run_ids = [run_id for run_id in reversed(store.run_ids()) if run_id[:10] < as_of.isoformat()]
    except ConfigurationError:  # the first run makes the folder
        return
    for _, of_one_day in groupby(run_ids, key=lambda run_id: run_id[:10]):
        yield [manifest for run_id in of_one_day if (manifest := _manifest_of(store, run_id)) is not None]


def _manifest_of(store: RunStore, run_id: str) -> Manifest | None:
    try:
        return store.manifest(run_id)
    except ConfigurationError:
        return None
    except DataError as error:
        log_event(log, "run passed over", level=logging.WARNING, run_id=run_id, error=str(error))
        return None


def _is_eligible(manifest: Manifest, source_kind: str) -> bool:
    is_eligible = is_for_readers(becomes_current=manifest.becomes_current, job=manifest.job)
    return is_eligible and _has_segments(manifest) and manifest.source_kind == source_kind


def _has_segments(manifest: Manifest) -> bool:
    return manifest.segments is not None and manifest.score_card is not None and RFM in manifest.outputs


def _refuse(manifest: Manifest, *, as_of: date, source_kind: str) -> None:
    """Refuse a run that cannot be compared with.

    Raises:
        ConfigurationError: It is one.
    """
    if not _has_segments(manifest):
        reason = "it has no segments, expected those of jobs.pipeline or jobs.features"
    elif manifest.as_of > as_of:
        reason = f"it is as of {manifest.as_of}, expected {as_of} or an earlier day"
    elif manifest.source_kind != source_kind:
        reason = f"its source is of the kind {manifest.source_kind}, expected {source_kind}, that of this run"
    else:
        return
    raise ConfigurationError(f"--compare {manifest.run_id}: {reason}. Name another run, or {BEGIN_ANEW}")


def _previous(store: RunStore, manifest: Manifest) -> PreviousRun:
    recorded = manifest.score_card
    card = card_of_run(store, recorded.file, advice=ADVICE) if recorded else None
    if card is None or card.scoring is None:
        raise DataError(
            f"run {manifest.run_id} in {store.output}: found no score card with cut points, expected one, since the "
            f"run has segments. {ADVICE}"
        )
    return PreviousRun(manifest, card)
