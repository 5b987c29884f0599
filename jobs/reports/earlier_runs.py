"""The segments of all runs there are, for their trend and the change since the last one."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import ConfigDict

from jobs.errors import ConfigurationError, DataError
from jobs.history.previous import LONG_AGO, is_for_readers
from jobs.reports.reported_run import ReportedCard, ReportedRun, ReportedSegments, Settings
from jobs.storage.run_files import ISODate, OfRun, Time
from jobs.storage.store import RunStore

MOST_RUNS = 400
"""Runs whose manifests are read at most, the newest by their as-of date."""

READERS = 16
"""Manifests that are read at a time: in S3 each takes a tenth of a second."""

Unread = Literal["incomplete", "without segments", "unreadable"]
UNREADABLE: Unread = "unreadable"


class RunWithSegments(OfRun):
    """``manifest.json``, as far as the trend needs it."""

    model_config = ConfigDict(extra="ignore")

    as_of: ISODate
    finished_at: Time | None = None
    job: str | None = None
    becomes_current: bool = True
    configuration: Settings = Settings()
    segments: ReportedSegments | None = None
    score_card: ReportedCard | None = None


@dataclass(frozen=True)
class EarlierRun:
    """A run with segments.

    Attributes:
        run_id: the run.
        as_of: its day.
        finished_at: when it was complete.
        segment_map: the hash of its segment map.
        customers: of each segment, by code.
        card: the hash of its score card.
        measured_by: the settings that its measures depend on.
        is_for_readers: whether it was made to become the current run, or by a backfill.
    """

    run_id: str
    as_of: date
    finished_at: datetime
    segment_map: str
    customers: Mapping[str, int]
    card: str | None
    measured_by: tuple[Any, ...]
    is_for_readers: bool

    @classmethod
    def of(cls, manifest: RunWithSegments, segments: ReportedSegments) -> "EarlierRun":
        """The run that a manifest tells of."""
        return cls(
            run_id=manifest.run_id,
            as_of=manifest.as_of,
            finished_at=manifest.finished_at or LONG_AGO,
            segment_map=segments.map.hash,
            customers={each.code: each.customers for each in segments.segments},
            card=manifest.score_card.hash if manifest.score_card else None,
            measured_by=manifest.configuration.measured_by,
            is_for_readers=is_for_readers(becomes_current=manifest.becomes_current, job=manifest.job),
        )

    @property
    def all(self) -> int:
        """All its customers."""
        return sum(self.customers.values())


@dataclass(frozen=True)
class Trend:
    """The runs whose segments can be compared with those of a run.

    Attributes:
        runs: the last one of each day, up to the run itself, by day.
        other_maps: the number of runs with another segment map, which cannot be compared.
        unreadable: the number of runs whose manifests cannot be read.
        not_read: the number of older runs that were not read; see `MOST_RUNS`.
    """

    runs: Sequence[EarlierRun]
    other_maps: int = 0
    unreadable: int = 0
    not_read: int = 0

    @property
    def previous(self) -> EarlierRun | None:
        """The run of the last day before that of the run itself."""
        return self.runs[-2] if len(self.runs) > 1 else None


def read_trend(store: RunStore, run: ReportedRun) -> Trend:
    """Read the segments of the runs up to a run's day.

    Of several runs as of one day, the one that was finished last counts; as of the run's own day, the run itself. Runs
    that were not to become current are experiments, and are left to themselves, but for those of a backfill.

    Raises:
        OutsideSystemError: The runs cannot be read.
    """
    run_ids = [run_id for run_id in store.run_ids() if run_id[:10] <= run.as_of.isoformat()]
    with ThreadPoolExecutor(max_workers=READERS) as readers:
        read = list(readers.map(lambda run_id: _earlier_run(store, run_id), run_ids[-MOST_RUNS:]))
    runs = [
        each for each in read if isinstance(each, EarlierRun) and (each.is_for_readers or each.run_id == run.run_id)
    ]
    comparable = [each for each in runs if each.segment_map == run.segments.map.hash]
    by_day = {
        each.as_of: each
        for each in sorted(comparable, key=lambda each: (each.finished_at, each.run_id))
        if each.as_of < run.as_of or each.run_id == run.run_id
    }
    return Trend(
        runs=[by_day[day] for day in sorted(by_day)],
        other_maps=len(runs) - len(comparable),
        unreadable=read.count(UNREADABLE),
        not_read=max(len(run_ids) - MOST_RUNS, 0),
    )


def _earlier_run(store: RunStore, run_id: str) -> "EarlierRun | Unread":
    try:
        manifest = store.manifest_as(RunWithSegments, run_id)
    except ConfigurationError:
        return "incomplete"
    except DataError:
        return UNREADABLE
    return EarlierRun.of(manifest, manifest.segments) if manifest.segments else "without segments"
