"""The segments of a run on the page: their table, their grid in real units, and their trend over the runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import prod
from typing import Literal

from jobs.reports.changes import ChangesSection, ComparedRun, compared_run
from jobs.reports.customers import Customers, SmallCells, Sums
from jobs.reports.earlier_runs import Trend
from jobs.reports.figures import HIDDEN, NAMES, Day, Figure, Named, Shown, Table, Words, band, money, share
from jobs.reports.reported_run import ReportedRun
from jobs.runs.recorded_changes import RecordedBeginning, RecordedMoves
from transforms.rfm.scores import Bands
from transforms.rfm.segments import Cell, Segment, SegmentMap

BOUNDS: Mapping[str, tuple[str, str]] = {
    "r": ("last purchase ", " days ago"),
    "f": ("", " purchases"),
    "m": ("spent ", ""),
}
"""The words around the values of a measure, where they are the bounds of a segment."""


@dataclass(frozen=True)
class GridCell:
    """A cell of the grid: its customers, and a heat from 0 to 1 by their revenue."""

    customers: Figure
    per_customer: Figure
    segments: Sequence[str]
    heat: float


@dataclass(frozen=True)
class Grid:
    """The scores of recency by those of another measure, labelled with the values that have them.

    Attributes:
        across: the letter of the other measure.
        columns: its bands, from the worst to the best.
        rows: the bands of recency from the best to the worst, each with its cells.
    """

    across: str
    columns: Sequence[Words]
    rows: Sequence[tuple[Words, Sequence[GridCell]]]

    @property
    def title(self) -> str:
        """The measure across."""
        return NAMES[self.across]


class SegmentSection:
    """The segments of a run, with what may not be shown of them."""

    def __init__(self, run: ReportedRun, customers: Customers, trend: Trend, small_cells: SmallCells) -> None:
        self.run, self.customers, self.trend, self.small_cells = run, customers, trend, small_cells
        self.map: SegmentMap = run.card.scored_by.segment_map

    @cached_property
    def previous(self) -> ComparedRun | None:
        """The run that the change in customers is counted from."""
        return compared_run(self.run, self.trend)

    @cached_property
    def changes(self) -> ChangesSection | None:
        """What changed since that run; None for a first run, and for one of an earlier release."""
        moves = self.run.manifest.changes
        return ChangesSection(moves, self.small_cells, now=self.hidden) if isinstance(moves, RecordedMoves) else None

    @cached_property
    def sums(self) -> Mapping[str, Sums]:
        """The customers of each segment, by code."""
        return {segment.code: self.customers.of_cells(segment.cells) for segment in self.map.segments}

    @cached_property
    def hidden(self) -> Mapping[str, str]:
        """What is shown instead of each segment that is hidden, by code."""
        return self.small_cells.hidden({code: sums.customers for code, sums in self.sums.items()})

    @cached_property
    def shares(self) -> list[tuple[str, Figure, Figure]]:
        """Each segment's share of customers and of revenue."""
        return [
            (segment.name, self._part(segment, "customers", self._instead_of(segment)), self._part(segment, "revenue"))
            for segment in self.map.segments
        ]

    def table(self) -> Table:
        """A row for each segment."""
        previous, whole = self.previous, self.customers.all
        header = ["segment", "customers", "of customers", "revenue", "of revenue", "per purchase", "days since last"]
        if previous:
            header.append("change")
        return Table("Segments", header, [self._row(segment) for segment in self.map.segments], self._total(whole))

    def leading(self) -> tuple[Segment, Figure, Figure] | None:
        """The segment that brings most of the revenue, with its shares of revenue and of customers.

        None where that is not to be said: nobody spent anything, or more of it comes from segments that are hidden.
        """
        revenues = {each.code: self.sums[each.code].revenue for each in self.map.segments}
        shown = [each for each in self.map.segments if each.code not in self.hidden]
        leading = max(shown, key=lambda segment: revenues[segment.code], default=None)
        hidden = sum((revenues[code] for code in self.hidden), Decimal(0))
        if leading is None or self.customers.all.revenue <= 0 or revenues[leading.code] < hidden:
            return None
        return leading, self._part(leading, "revenue"), self._part(leading, "customers")

    def compared_with(self) -> Day | None:
        """The day that the change is counted from; None where there is none."""
        return Day(self.previous.as_of) if self.previous else None

    def change_note(self) -> str:
        """Whether customers may have moved for another reason than what they did since that day."""
        previous = self.previous
        if isinstance(self.run.manifest.changes, RecordedBeginning):
            return "This run was compared with none, so there is no change to show."
        if previous is None:
            return "No run as of an earlier day has this segment map, so there is no change to show."
        if not previous.has_same_settings:
            return (
                "The two runs count other orders or value purchases in another way, so the change has that cause too."
            )
        if previous.has_same_card:
            return "Both runs have the same cut points, so nobody moved because others did."
        return "Each run has cut points of its own, so customers may also have moved because others did."

    def _row(self, segment: Segment) -> Sequence[Shown]:
        sums, is_hidden = self.sums[segment.code], segment.code in self.hidden
        row: list[Shown] = [
            Named(segment.name, segment.code, segment.advice, self._bounds(segment)),
            Figure(None, instead=self._instead_of(segment)) if is_hidden else Figure(sums.customers),
            self._part(segment, "customers"),
            money(None if is_hidden else sums.revenue),
            self._part(segment, "revenue"),
            money(None if is_hidden or not sums.purchases else sums.revenue / sums.purchases),
            Figure(None if is_hidden or not sums.customers else sums.days / sums.customers, "decimal"),
        ]
        return [*row, self._change(segment)] if self.previous else row

    def _bounds(self, segment: Segment) -> Words:
        """The values that a segment has, where its scores are a range of each measure; else nothing."""
        scores = [sorted({cell[place] for cell in segment.cells}) for place in range(3)]
        if len(segment.cells) != prod(map(len, scores)):
            return Words.of()
        parts: list[str | Figure | Day] = []
        for letter, of_measure in zip("rfm", scores, strict=True):
            bands = self.run.card.scored_by.bands[letter]
            positions = [place for place, score in enumerate(bands.scores) if score in of_measure]
            is_range = bool(positions) and positions[-1] - positions[0] + 1 == len(positions)
            if is_range and len(positions) < len(bands.scores):
                before, after = BOUNDS[letter]
                parts += ["; " if parts else "", before, *band(bands, positions[0], positions[-1]).parts, after]
        return Words(parts)

    def _total(self, whole: Sums) -> Sequence[Shown]:
        previous = self.previous
        row: list[Shown] = [
            "all customers",
            Figure(whole.customers),
            share(whole.customers, whole.customers),
            money(whole.revenue),
            share(whole.revenue, whole.revenue),
            money(whole.revenue / whole.purchases),
            Figure(whole.days / whole.customers, "decimal"),
        ]
        if previous is None:
            return row
        is_few = self.small_cells.is_few(previous.all)
        return [*row, Figure(None if is_few else whole.customers - previous.all, "change", HIDDEN)]

    @property
    def all_hidden(self) -> bool:
        """Whether there are so few customers that no figure about them may be shown."""
        return self.customers.all.customers < self.small_cells.smallest

    def _change(self, segment: Segment) -> Figure:
        """The customers that a segment gained or lost, where both numbers may be shown."""
        previous = self.previous
        if (
            previous is None
            or segment.code in self.hidden
            or segment.code in self.small_cells.hidden(previous.customers)
        ):
            return Figure(None, instead=HIDDEN)
        return Figure(self.sums[segment.code].customers - previous.customers.get(segment.code, 0), "change")

    def _instead_of(self, segment: Segment) -> str:
        return self.hidden.get(segment.code, "")

    def _part(self, segment: Segment, of: Literal["customers", "revenue"], instead: str = "") -> Figure:
        """A segment's share of all customers, or of all revenue."""
        if segment.code in self.hidden:
            return Figure(None, "share", instead)
        return share(getattr(self.sums[segment.code], of), getattr(self.customers.all, of))

    @cached_property
    def trends(self) -> list[tuple[str, list[tuple[str, Figure]]]]:
        """Each segment's share of customers, run by run."""
        lines = []
        by_run = [(run, self.small_cells.hidden(run.customers)) for run in self.trend.runs]
        for segment in self.map.segments:
            points = [
                (
                    run.as_of.isoformat(),
                    Figure(None, instead=hidden[segment.code])
                    if segment.code in hidden
                    else share(run.customers.get(segment.code, 0), run.all),
                )
                for run, hidden in by_run
            ]
            lines.append((segment.name, points))
        return lines

    def trend_table(self) -> Table:
        """A row for each run, the newest first: the share of customers in each segment."""
        lines = self.trends
        rows: list[list[Shown]] = [
            [Day(run.as_of), *[points[place][1] for _, points in lines]] for place, run in enumerate(self.trend.runs)
        ]
        return Table("Share of customers, run by run", ["as of", *[name for name, _ in lines]], rows[::-1])

    def grid(self) -> Grid:
        """Recency by the measure that the segment map tells customers apart by."""
        across = _across(self.map, self.run.card.scored_by.bands)
        recency, other = self.run.card.scored_by.bands["r"], self.run.card.scored_by.bands[across]
        cells = {
            (r, score): frozenset(cell for cell in _all_cells(r, across, score))
            for r in recency.scores
            for score in other.scores
        }
        sums = {place: self.customers.of_cells(members) for place, members in cells.items()}
        hidden = self._hidden_places(cells, sums)
        most = max((each.revenue for place, each in sums.items() if place not in hidden), default=0)
        rows = []
        for position, r in enumerate(recency.scores):
            in_row = [
                self._grid_cell(cells[r, score], sums[r, score], hidden.get((r, score)), float(most))
                for score in other.scores
            ]
            rows.append((band(recency, position), in_row))
        return Grid(across, [band(other, position) for position in range(len(other.scores))], rows)

    def _grid_cell(self, members: frozenset[Cell], sums: Sums, instead: str | None, most: float) -> GridCell:
        names = dict.fromkeys(segment.name for segment in self.map.segments if segment.cells & members)
        if instead is not None:
            return GridCell(Figure(None, instead=instead), Figure(None), list(names), 0.0)
        average = sums.revenue / sums.customers if sums.customers else None
        heat = max(float(sums.revenue), 0.0) / most if most > 0 else 0.0
        return GridCell(Figure(sums.customers), money(average), list(names), round(heat, 3))

    def _hidden_places(
        self, cells: Mapping[tuple[int, int], frozenset[Cell]], sums: Mapping[tuple[int, int], Sums]
    ) -> dict[tuple[int, int], str]:
        """The places of the grid that are hidden: small ones, and those by which a hidden segment could be computed.

        Segments that share a place are taken together: what is known of one tells of the others.
        """
        owners = {place: {each.code for each in self.map.segments if each.cells & of} for place, of in cells.items()}
        together: list[set[str]] = []
        for codes in owners.values():
            others = [group for group in together if not group & codes]
            together = [*others, codes.union(*(group for group in together if group & codes))]
        totals = [[place for place, codes in owners.items() if codes & group] for group in together]
        also = [
            place
            for group, places in zip(together, totals, strict=True)
            if group & self.hidden.keys()
            for place in places
        ]
        customers = {place: each.customers for place, each in sums.items()}
        return self.small_cells.hidden(customers, totals=totals, also=also)


def _across(segment_map: SegmentMap, bands: Mapping[str, Bands]) -> str:
    """The measure that the map tells customers apart by, beside recency."""
    by_cell = segment_map.by_cell
    uses_f = any(by_cell[r, f, m] != by_cell[r, 1, m] for r, f, m in by_cell)
    uses_m = any(by_cell[r, f, m] != by_cell[r, f, 1] for r, f, m in by_cell)
    if uses_f == uses_m:
        return "m" if bands["f"].degeneracy else "f"
    return "f" if uses_f else "m"


def _all_cells(r: int, across: str, score: int) -> list[Cell]:
    scores = range(1, 6)
    return [(r, score, m) for m in scores] if across == "f" else [(r, f, score) for f in scores]
