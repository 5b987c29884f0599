"""What a run's files say of it, as far as the report shows it: typed, and with those of the runs that it continues.

A run of `jobs.features` starts from checked tables, and one of `jobs.segments` from features. What an earlier run
checked and reconciled is then in the manifest of that run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from jobs.cli.argument_types import MAX_QUARANTINED
from jobs.clusters.previous import model_of
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.score_cards import card_of_run
from jobs.reports.reported_validation import ReportedValidation
from jobs.runs.recorded_changes import RecordedChanges
from jobs.runs.totals import Boundary, BoundaryKind, Total, totals_of
from jobs.storage.run_files import (
    Count,
    Inputs,
    ISODate,
    Money,
    Name,
    OfRun,
    RecordedCard,
    RecordedSource,
    RunId,
    RunPath,
    Time,
    Totals,
)
from jobs.storage.store import RunStore
from transforms.clusters.model import ClusterModel
from transforms.rfm.score_card import ScoreCard
from transforms.small_cells import SMALLEST_CELL

SHIPPED = "shipped"
"""The segment map of a run whose user named none."""

NEXT: Mapping[str, str] = {
    "payments": "transactions",
    "ledger": "transactions",
    "transactions": "purchases",
    "purchases": "rfm",
}
"""The table that is made of another."""


class _Part(BaseModel):
    """A part of a manifest: typed strictly, never changed. What the report does not show is not read.

    Release 0.1 had another name for failed rules, and for cascaded rows, which count as quarantined then.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class ReportedSegment(_Part):
    """A segment with its customers and what they spent."""

    code: Name
    name: Name
    customers: Count
    revenue: Money


class ReportedMap(_Part):
    """The segment map of a run."""

    name: Name
    hash: Name


class ReportedSegments(_Part):
    """The segments of a run, in the order of their map."""

    map: ReportedMap
    segments: list[ReportedSegment]


class ReportedCard(RecordedCard):
    """The score card of a run, and the card that it was told to apply."""

    name: str = ""
    hash: Name | None = None
    applied: str | None = None


class ReportedSufficiency(_Part):
    """Whether there is enough data."""

    verdict: Name
    shortfalls: list[str]
    months_of_history: float
    share_of_repeat_buyers: float
    days_since_newest_purchase: int


class ReportedQuality(_Part):
    """The quality of one table."""

    rows: Count
    quarantined: Count
    cascaded: Count = 0
    rules: Count
    failed: dict[str, Count | None] = Field(validation_alias=AliasChoices("failed", "broken"))


class ReportedRules(_Part):
    """The file of rules that a run applied."""

    file: str | None = None


class ReportedTables(_Part):
    """The quality of the tables of a run."""

    rules: ReportedRules = ReportedRules()
    max_quarantined: float = MAX_QUARANTINED
    tables: dict[Name, ReportedQuality]


class ReportedDrift(_Part):
    """How far clusters moved."""

    against: RunId
    drift: float
    population_stability_index: float


class ReportedClusters(_Part):
    """How the clusters of a run came about."""

    engine: Name
    centroids_from: str
    assignments: str | None = None
    matched_to: RunId | None = None
    drift: ReportedDrift | None = None


class ScoreSettings(_Part):
    """The settings of new cut points."""

    segment_map: Name = SHIPPED


class ClusterSettings(_Part):
    """The settings of clusters."""

    k: int | Name | None = None
    k_range: list[int] | None = None
    score_with: RunId | None = None


class Settings(_Part):
    """The configuration of a run, as far as its command needs it."""

    order_statuses: Name | list[Name] = "all"
    purchase_value: Name = "sum"
    window_months: int | None = None
    card: Name | dict[str, Any] = "fitted"
    scores: ScoreSettings = ScoreSettings()
    kmeans: ClusterSettings = ClusterSettings()

    @property
    def measured_by(self) -> tuple[Any, ...]:
        """What a customer's measures depend on, beside the day."""
        return self.order_statuses, self.purchase_value, self.window_months


class ReportedManifest(OfRun):
    """``manifest.json``, as far as the report shows it."""

    model_config = ConfigDict(extra="ignore")

    as_of: ISODate
    finished_at: Time | None = None
    seconds: float | None = None
    smallest_cell: int = SMALLEST_CELL
    job: Name = "pipeline"
    configuration: Settings = Settings()
    configuration_hash: Name
    code: dict[str, Any] = Field(default_factory=dict)
    platform: dict[str, Any] = Field(default_factory=dict)
    inputs: Inputs = Inputs()
    totals: Totals = Field(default_factory=list)
    tables: dict[Name, RunPath] = Field(default_factory=dict)
    quality: ReportedTables | None = None
    source: RecordedSource | None = None
    score_card: ReportedCard | None = None
    segments: ReportedSegments | None = None
    sufficiency: ReportedSufficiency | None = None
    kmeans: ReportedClusters | None = None
    validation: ReportedValidation | None = None
    changes: RecordedChanges | None = None


@dataclass(frozen=True)
class ReportedRun:
    """A run with scores, and what the report shows of it.

    Attributes:
        manifest: the run's.
        card: the score card.
        recorded_card: what the manifest says of it.
        segments: with their customers.
        sufficiency: whether there is enough data.
        clusters: None for a run without.
        earlier: the manifests of the runs that it continues, the nearest first.
    """

    manifest: ReportedManifest
    card: ScoreCard
    recorded_card: ReportedCard
    segments: ReportedSegments
    sufficiency: ReportedSufficiency
    clusters: ClusterModel | None
    earlier: Sequence[ReportedManifest]

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.manifest.run_id

    @property
    def as_of(self) -> date:
        """The last day that counts."""
        return self.manifest.as_of

    @cached_property
    def totals(self) -> Mapping[Boundary, Total]:
        """The totals of the run; and those of the runs that it continues, about the tables that it took over."""
        totals: dict[Boundary, Total] = {}
        for manifest in (self.manifest, *self.earlier):
            paths = manifest.tables.items()
            same = {table for table, path in paths if self.manifest.tables.get(table) == path}
            states = {at: total for at, total in totals_of(manifest).items() if _table_told_of(at) in same}
            totals = {**states, **totals}
        return totals

    @property
    def source(self) -> RecordedSource | None:
        """The ledger that the run, or a run that it continues, has read; None for Olist's files."""
        return next((each.source for each in (self.manifest, *self.earlier) if each.source), None)

    @property
    def currency(self) -> str | None:
        """The currency of all money; None where nobody stated one."""
        return self.source.currency if self.source else None

    @property
    def customers(self) -> int:
        """The customers in rfm."""
        return self.totals[Boundary("rfm")].rows

    @property
    def revenue(self) -> Decimal:
        """What they spent."""
        return self.totals[Boundary("rfm")].money or Decimal(0)

    def quality(self) -> Iterator[tuple[str, ReportedQuality, str]]:
        """The quality of each table of the run, in the order of the pipeline, with the run that checked it."""
        seen: dict[str, tuple[ReportedQuality, str]] = {}
        for manifest in (self.manifest, *self.earlier):
            for table, quality in (manifest.quality.tables if manifest.quality else {}).items():
                seen.setdefault(table, (quality, manifest.run_id))
        for table in self.manifest.tables:
            if table in seen:
                yield table, *seen[table]


def _table_told_of(boundary: Boundary) -> str:
    """The table whose making a total tells of: what was excluded of payments, of transactions; else the table's own."""
    table = boundary.table.removeprefix("quarantine/")
    return NEXT.get(table, table) if boundary.kind is BoundaryKind.EXCLUDED else table


def read_reported_run(store: RunStore, run_id: str) -> ReportedRun:
    """Read what a run's files say of it.

    Args:
        store: the runs.
        run_id: which run.

    Raises:
        ConfigurationError: There is no such run, or it has no scores.
        DataError: A file of it is missing, or this program did not write it so.
    """
    manifest = store.manifest_as(ReportedManifest, run_id)
    card, segments, sufficiency = manifest.score_card, manifest.segments, manifest.sufficiency
    if card is None or segments is None or sufficiency is None:
        raise ConfigurationError(
            f"run {run_id} has no customers with scores (it is one of jobs.{manifest.job}), so there is nothing to "
            "report. Name a run of jobs.pipeline, jobs.features or jobs.segments that this release made"
        )
    return ReportedRun(
        manifest=manifest,
        card=card_of_run(store, card.file, advice="Files of a run are never edited: restore it"),
        recorded_card=card,
        segments=segments,
        sufficiency=sufficiency,
        clusters=model_of(store, run_id, argument="--run") if manifest.kmeans else None,
        earlier=list(_continued(store, manifest)),
    )


def _continued(store: RunStore, manifest: ReportedManifest) -> Iterator[ReportedManifest]:
    """The runs that a run continues, as far as they are still there, the nearest first."""
    seen = {manifest.run_id}
    while (run_id := _start_of(manifest.inputs)) and run_id not in seen:
        seen.add(run_id)
        try:
            manifest = store.manifest_as(ReportedManifest, run_id)
        except (ConfigurationError, DataError):
            return
        yield manifest


def _start_of(inputs: Inputs) -> str | None:
    return inputs.features_run or inputs.checked_run
