"""The history of segments and the changes since the run before, as a run writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from expectations.contracts.computed import with_row_count
from jobs.errors import DataError
from jobs.history.changed import SegmentChanges
from jobs.history.previous import PreviousRun
from jobs.runs.computed_tables import write_computed
from jobs.runs.metrics import Written
from jobs.runs.run import Run
from transforms.changes import (
    TRACKED,
    begun_history,
    change_counts,
    past_measures,
    segment_changes,
    segment_history,
    tracked_customers,
)
from transforms.rfm.measures import MEASURED
from transforms.rfm.score_card import Scoring

ROUNDING = 1e-9
"""What the sum of floating-point numbers in another order may differ by."""


@dataclass(frozen=True)
class Comparison:
    """What a run is compared with.

    Attributes:
        previous: the run before; None for a first run.
        first_day: the first day of the run's own window; None for all history.
        settings: those of the run that its rows depend on, to be compared too.
    """

    previous: PreviousRun | None
    first_day: date | None
    settings: Mapping[str, Any]

    def with_rules(self, rules: str) -> "Comparison":
        """The comparison of a run with these rules, by their hash."""
        return replace(self, settings={**self.settings, "rules": rules})

    @property
    def schema(self) -> StructType:
        """The columns of the measures of people, with those that a comparison needs."""
        return TRACKED if self.previous else MEASURED

    def further_measures(self) -> dict[str, Column]:
        """More aggregates over the purchases of a person; see `past_measures`."""
        return past_measures(until=self.previous.as_of) if self.previous else {}

    def beside_history(self, run: Run, measured: DataFrame) -> DataFrame:
        """The measures with the history of the run before beside them, `TRACKED`; of a first run the measures alone.

        Raises:
            DataError: A file of the run before is not as that run wrote it.
        """
        if self.previous is None:
            return measured
        return tracked_customers(
            measured=measured,
            history=self.previous.history(run),
            gone=self.previous.gone_purchases(run, first_day=self.first_day),
        )


@dataclass(frozen=True)
class Scored:
    """The customers of a run with their segments.

    Attributes:
        measures: of all people, with the columns of `Comparison.schema`.
        rfm: as it was written.
        scoring: of the run.
        customers: the number of customers of each segment of its map, by code.
    """

    measures: DataFrame
    rfm: Written
    scoring: Scoring
    customers: Mapping[str, int]


def write_history(
    run: Run, scored: Scored, comparison: Comparison, *, max_drift: float | None = None
) -> SegmentChanges | None:
    """Write segment_history and, where there is a run before, segment_changes; return the figures of the changes.

    Args:
        run: the run.
        scored: its customers.
        comparison: what they are compared with.
        max_drift: the highest population stability index that is accepted; None for any.

    Returns:
        The figures; None for a first run.

    Raises:
        DataError: The changes do not add up, or the segments drifted further than ``max_drift``.
    """
    with run.step("history") as step:
        history = _write_history(run, scored, comparison.previous)
        step.record(rows_in=scored.rfm.total.rows, out=history.total)
    previous = comparison.previous
    if previous is None:
        return None
    with run.step("changes") as step:
        changes, written = _write_changes(run, scored, previous, history, comparison.settings)
        step.record(rows_in=changes.before_and_now, out=written.total)
    _refuse_drift(changes, max_drift)
    return changes


def _write_history(run: Run, scored: Scored, previous: PreviousRun | None) -> Written:
    customers = scored.rfm.total.rows
    if previous is None:
        frame = begun_history(rfm=scored.rfm.frame, as_of=run.as_of)
    else:
        frame = segment_history(tracked=scored.measures, current=scored.scoring, as_of=run.as_of)
    has_previous = F.col("previous_segment_code").isNotNull()
    is_begun = F.col("runs_in_segment") == F.lit(1)
    return write_computed(
        run,
        with_row_count(run.rules.contracts["segment_history"], rows=customers, of="customers in rfm"),
        frame,
        keys=lambda: customers,
        metrics={
            "stayed": F.count_if(~is_begun),
            "moved": F.count_if(is_begun & has_previous),
            "new": F.count_if(is_begun & ~has_previous),
        },
    )


def _write_changes(
    run: Run, scored: Scored, previous: PreviousRun, history: Written, settings: Mapping[str, Any]
) -> tuple[SegmentChanges, Written]:
    stayed, moved, new = (history.metrics[name] for name in ("stayed", "moved", "new"))
    vanished = previous.customers - stayed - moved
    frame = segment_changes(
        tracked=scored.measures, before=previous.scoring, current=scored.scoring, since=previous.as_of, as_of=run.as_of
    )
    written = write_computed(run, run.rules.contracts["segment_changes"], frame, keys=lambda: moved + new + vanished)
    counts = change_counts(changes=written.frame).collect() if written.total.rows else []
    now = [(segment, scored.customers[segment.code]) for segment in scored.scoring.segment_map.segments]
    changes = SegmentChanges.of(previous, counts=counts, now=now, stayed=stayed, settings=settings)
    changes.check()
    return changes, written


def _refuse_drift(changes: SegmentChanges, limit: float | None) -> None:
    index = changes.stability_index
    if limit is not None and index > limit + ROUNDING:
        raise DataError(
            f"the segments drifted since run {changes.previous.run_id}: found a population stability index of "
            f"{index:.4f}, expected at most {limit} (--max-segment-drift). Compare the segments of both runs; to "
            "accept it, run again without the limit"
        )
