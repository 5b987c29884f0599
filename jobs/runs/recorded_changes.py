"""What a manifest says of the changes since the run before: its entry ``changes``, typed."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from jobs.storage.run_files import Count, ISODate, Name, OfRun, RunId


class _Part(BaseModel):
    """A part of the entry: typed strictly, never changed. What a later release adds is passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", populate_by_name=True)


class RecordedSince(_Part):
    """The run that a run is compared with, and the hash of its score card."""

    run_id: RunId
    as_of: ISODate
    card: Name | None = None


class RecordedCustomers(_Part):
    """The customers of both runs, by what became of them."""

    before: Count
    stayed: Count
    moved: Count
    new: Count
    vanished: Count
    now: Count


class RecordedTransition(_Part):
    """The customers who went from one segment to another, by code: from none are the new ones, to none the vanished."""

    from_code: Name | None = Field(alias="from")
    to_code: Name | None = Field(alias="to")
    customers: Count


class RecordedBridge(_Part):
    """A segment before and now, and how many customers each cause brought to it or took from it."""

    code: Name
    name: Name
    before: Count
    new_customer: int
    vanished_customer: int
    past_data: int
    new_purchases: int
    time_passed: int
    cut_points: int
    segment_map: int
    now: Count


class RecordedMoves(_Part):
    """What changed since a run."""

    since: RecordedSince
    settings_that_differ: Mapping[str, Any] = Field(default_factory=dict)
    customers: RecordedCustomers
    causes: Mapping[Name, Count]
    transitions: list[RecordedTransition]
    by_segment: list[RecordedBridge]
    population_stability_index: float


class RecordedBeginning(_Part):
    """The entry of a run that is compared with none: a first one, or one that begins anew."""

    since: None


RecordedChanges = RecordedMoves | RecordedBeginning


class RunWithChanges(OfRun):
    """``manifest.json``, as far as it is about the run before; without ``changes`` in a run of an earlier release."""

    model_config = ConfigDict(extra="ignore")

    changes: RecordedChanges | None = None
