"""What changed since the run before, on the page: from segment to segment, and by cause; from the manifest alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from jobs.reports.customers import SmallCells
from jobs.reports.earlier_runs import Trend
from jobs.reports.figures import HIDDEN, Day, Figure, Named, Shown, Table, Words
from jobs.reports.reported_run import ReportedRun
from jobs.runs.recorded_changes import RecordedBridge, RecordedMoves
from transforms.changes import NEW, STABLE, STEPS, UNSTABLE, VANISHED, in_a_word
from transforms.small_cells import matrix_cells_to_hide

CAUSES: Mapping[str, tuple[str, str]] = {
    NEW: ("new", "+ new: not in the run before"),
    VANISHED: ("vanished", "− vanished: not in this run"),
    "past_data": ("past data", "… because past data changed: late, corrected or removed rows, or a setting"),
    "new_purchases": ("new purchases", "… because of new purchases or returns"),
    "time_passed": ("time passed", "… because time passed, or purchases left the window"),
    "cut_points": ("cut points", "… because the cut points changed"),
    "segment_map": ("segment map", "… because the segment map changed"),
}
"""Each cause as the head of a column, and in words."""

Way = tuple[str | None, str | None]
"""From one segment to another, by code; None for no segment."""

STAYED = "stayed"
LONGEST_SETTING = 60


@dataclass(frozen=True)
class ComparedRun:
    """The earlier run that the change in customers is counted from.

    Attributes:
        run_id: the run.
        as_of: its day.
        customers: of each segment, by code.
        has_same_card: whether both runs have one score card.
        has_same_settings: whether the measures of both depend on the same settings.
    """

    run_id: str
    as_of: date
    customers: Mapping[str, int]
    has_same_card: bool
    has_same_settings: bool

    @property
    def all(self) -> int:
        """All its customers."""
        return sum(self.customers.values())


def compared_run(run: ReportedRun, trend: Trend) -> ComparedRun | None:
    """The run that a run was compared with; of a run of an earlier release, the last one before it in its trend."""
    changes = run.manifest.changes
    if isinstance(changes, RecordedMoves):
        since = changes.since
        return ComparedRun(
            run_id=since.run_id,
            as_of=since.as_of,
            customers={each.code: each.before for each in changes.by_segment},
            has_same_card=since.card == run.recorded_card.hash,
            has_same_settings=not changes.settings_that_differ,
        )
    if changes is not None or trend.previous is None:
        return None
    previous = trend.previous
    return ComparedRun(
        run_id=previous.run_id,
        as_of=previous.as_of,
        customers=previous.customers,
        has_same_card=previous.card == run.recorded_card.hash,
        has_same_settings=previous.measured_by == run.manifest.configuration.measured_by,
    )


@dataclass(frozen=True)
class MatrixRow:
    """The customers who were in a segment: how many are in each now.

    Attributes:
        name: of the segment; of the last row, that of the new customers.
        cells: for each segment, and for those who vanished: the customers, and whether they stayed.
    """

    name: Named | str
    cells: Sequence[tuple[Figure, bool]]


class ChangesSection:
    """What changed since the run before, with what may not be shown of it."""

    def __init__(self, moves: RecordedMoves, small_cells: SmallCells, *, now: Mapping[str, str]) -> None:
        """Look at the changes.

        Args:
            moves: the manifest's.
            small_cells: what may not be shown.
            now: what is shown instead of each segment that the page hides, by code.
        """
        self.moves, self.small_cells = moves, small_cells
        self._hidden_now = now
        self._hidden_before = small_cells.hidden({each.code: each.before for each in moves.by_segment})

    @property
    def since(self) -> Day:
        """The day of the run before."""
        return Day(self.moves.since.as_of)

    @property
    def is_hidden(self) -> bool:
        """Whether one of the two runs has so few customers that no figure may be shown."""
        return any(self.small_cells.is_few(count) for count in (self.moves.customers.before, self.moves.customers.now))

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        """The customers by what became of them: stayed, or one of the causes."""
        return {STAYED: self.moves.customers.stayed} | {cause: self.moves.causes.get(cause, 0) for cause in CAUSES}

    @cached_property
    def _hidden_numbers(self) -> Mapping[str, str]:
        """What is shown instead of a number that is hidden.

        The customers of both runs are known, and so is the difference of those who are new and those who vanished. The
        number of those who stayed is in the sums of both runs, and says least: it is hidden with a small one.
        """
        numbers, few = self._numbers, self.small_cells
        sums = [(STAYED, *STEPS, VANISHED), (STAYED, *STEPS, NEW), (NEW, VANISHED)]
        return few.hidden(numbers, totals=sums, also=[STAYED] if any(map(few.is_few, numbers.values())) else [])

    def numbers(self) -> Table:
        """The customers of the run before, what became of them and why, and the customers of this run."""
        counts, hidden = self.moves.customers, self._hidden_numbers
        moved = Figure(None, instead=HIDDEN) if hidden.keys() & set(STEPS) else Figure(counts.moved)
        rows: list[Sequence[Shown]] = [
            ["customers then", Figure(counts.before)],
            ["stayed in their segment", self._number(STAYED)],
            ["moved to another segment", moved],
            *[self._number_row(cause) for cause in (*STEPS, VANISHED, NEW)],
        ]
        return Table(
            "What became of the customers",
            ["what became of them", "customers"],
            rows,
            ["customers now", Figure(counts.now)],
        )

    def _number_row(self, cause: str) -> Sequence[Shown]:
        return [CAUSES[cause][1], self._number(cause)]

    def _number(self, name: str) -> Figure:
        instead = self._hidden_numbers.get(name)
        return Figure(self._numbers[name]) if instead is None else Figure(None, instead=instead)

    @cached_property
    def _ways(self) -> Mapping[Way, int]:
        """The customers of every way from a segment to a segment, also of those that nobody went."""
        codes: list[str | None] = [*[each.code for each in self.moves.by_segment], None]
        went = {(each.from_code, each.to_code): each.customers for each in self.moves.transitions}
        ways = [(start, end) for start in codes for end in codes if start is not None or end is not None]
        return {way: went.get(way, 0) for way in ways}

    @cached_property
    def _differences(self) -> Mapping[tuple[str, str], int]:
        """By how many customers each cause changed each segment."""
        return {(each.code, cause): getattr(each, cause) for each in self.moves.by_segment for cause in CAUSES}

    @cached_property
    def _hidden(self) -> tuple[set[Way], set[tuple[str, str]]]:
        """The cells that are hidden: of the matrix, and of the bridge.

        The new customers of a segment, and those who vanished, are in both tables. So what one hides of them, the other
        hides too.
        """
        smallest, sizes = self.small_cells.smallest, {cell: abs(count) for cell, count in self._differences.items()}
        ways = {way for way in self._ways if way[0] in self._hidden_before or way[1] in self._hidden_now}
        ways |= {way for way in self._ways if NEW in self._hidden_numbers and way[0] is None}
        ways |= {way for way in self._ways if VANISHED in self._hidden_numbers and way[1] is None}
        cells = {cell for cell in sizes if cell[0] in self._hidden_before or cell[0] in self._hidden_now}
        # Beside a small one, hide who stayed rather than who moved, and a step rather than what both tables have.
        stayed, steps = [way for way in self._ways if way[0] == way[1]], [cell for cell in sizes if cell[1] in STEPS]
        is_settled = False
        while not is_settled:
            shared = {cell for cell in map(_cell_of, ways) if cell in sizes}
            more_cells = matrix_cells_to_hide(sizes, smallest=smallest, also=cells | shared, preferred=steps)
            shared_ways = {way for way in self._ways if _cell_of(way) in more_cells}
            more_ways = matrix_cells_to_hide(self._ways, smallest=smallest, also=ways | shared_ways, preferred=stayed)
            is_settled = (more_ways, more_cells) == (ways, cells)
            ways, cells = more_ways, more_cells
        return ways, cells

    @property
    def hides_some(self) -> bool:
        """Whether a figure of the section is hidden."""
        ways, cells = self._hidden
        return bool(ways or cells or self._hidden_numbers)

    @property
    def columns(self) -> Sequence[tuple[str, str]]:
        """The code and the name of each column of the matrix but the last, which has those who vanished."""
        return [(each.code, each.name) for each in self.moves.by_segment]

    def matrix(self) -> Sequence[MatrixRow]:
        """A row for each segment of the run before, and one for the new customers."""
        codes = [*[each.code for each in self.moves.by_segment], None]
        names: list[Named | str] = [*[Named(each.name, each.code, "") for each in self.moves.by_segment], "new"]
        return [
            MatrixRow(name, [(self._way(start, end), start is not None and start == end) for end in codes])
            for name, start in zip(names, codes, strict=True)
        ]

    def _way(self, start: str | None, end: str | None) -> Figure:
        if start is None and end is None:
            return Figure(None)
        is_hidden = (start, end) in self._hidden[0]
        return Figure(None, instead=HIDDEN) if is_hidden else Figure(self._ways[start, end])

    def bridge(self) -> Table:
        """A row for each segment: its customers before, what each cause added or took, and its customers now."""
        header = ["segment", "before", *[head for head, _ in CAUSES.values()], "now"]
        whole = self.moves.customers
        sums = [self._sum(cause) for cause in CAUSES]
        total: list[Shown] = ["all customers", Figure(whole.before), *sums, Figure(whole.now)]
        return Table("Segments, from then to now", header, [self._row(each) for each in self.moves.by_segment], total)

    def _row(self, each: RecordedBridge) -> Sequence[Shown]:
        cells = self._hidden[1]
        before, now = self._hidden_before.get(each.code), self._hidden_now.get(each.code)
        differences = [
            Figure(None, instead=HIDDEN) if (each.code, cause) in cells else Figure(getattr(each, cause), "change")
            for cause in CAUSES
        ]
        return [
            Named(each.name, each.code, ""),
            Figure(each.before) if before is None else Figure(None, instead=before),
            *differences,
            Figure(each.now) if now is None else Figure(None, instead=now),
        ]

    def _sum(self, cause: str) -> Figure:
        if cause in (NEW, VANISHED) and cause in self._hidden_numbers:
            return Figure(None, instead=HIDDEN)
        return Figure(sum(getattr(each, cause) for each in self.moves.by_segment), "change")

    def index_note(self) -> Words:
        """The population stability index, and how it is read."""
        index = self.moves.population_stability_index
        return Words.of(
            "The population stability index of the segments is ",
            Figure(index, "index"),
            f", which is called {in_a_word(index)}: by convention, below {STABLE:g} is stable, and above {UNSTABLE:g} "
            "is a large shift.",
        )

    def settings_note(self) -> str:
        """The settings that the two runs do not share; nothing where they share all."""
        differences = [
            f"{name.replace('_', ' ')} ({_setting(values)})" for name, values in self.moves.settings_that_differ.items()
        ]
        if not differences:
            return ""
        return (
            f"Settings that differ: {'; '.join(differences)}. What they did counts as past data, and what another "
            "window did as time passed."
        )


def _cell_of(way: Way) -> tuple[str, str] | None:
    """The cell of the bridge with the same customers as a way: those who are new in a segment, or vanished from it."""
    start, end = way
    if start is None and end is not None:
        return end, NEW
    return (start, VANISHED) if start is not None and end is None else None


def _setting(values: Any) -> str:
    """A setting then and now, where it is short."""
    then, now = values if isinstance(values, list | tuple) and len(values) == 2 else (values, values)
    texts = [_text(each) for each in (then, now)]
    return f"{texts[0]} then, {texts[1]} now" if max(map(len, texts)) <= LONGEST_SETTING else "another"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)
