"""The three measures on the page: how customers are distributed, and where scores are cut. And purchases by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from jobs.reports.bins import Bin, bins_of
from jobs.reports.charts import Spec, count_chart, month_chart, value_chart
from jobs.reports.customers import Customers, Month, SmallCells
from jobs.reports.figures import NAMES, Day, Figure, Shown, Table, Words, band, money
from jobs.reports.reported_run import ReportedRun
from transforms.rfm.scores import Bands

MOST_NAMED = 6
"""Months without purchases, or with far fewer than others, that are named."""

FEW = 0.1
"""The share of the middle month's purchases below which a month is named."""


@dataclass(frozen=True)
class MeasureSection:
    """One measure on the page.

    Attributes:
        name: the measure's.
        notes: what there is to say of it.
        chart: its distribution.
        table: the same in figures.
        scores: each score, and which values have it, in words.
    """

    name: str
    notes: Sequence[Words | str]
    chart: Spec
    table: Table
    scores: Sequence[tuple[int, Words]]


def measure_sections(run: ReportedRun, customers: Customers, small_cells: SmallCells) -> list[MeasureSection]:
    """The measures that are scored."""
    return [
        _section(run, bands, bins_of(bands, customers.ranges.get(letter, {}), small_cells=small_cells), small_cells)
        for letter, bands in run.card.scored_by.bands.items()
    ]


def _section(run: ReportedRun, bands: Bands, bins: Sequence[Bin], small_cells: SmallCells) -> MeasureSection:
    letter, name = bands.measure.letter, NAMES[bands.measure.letter]
    notes: list[Words | str] = [*_degeneracy(bands, run.customers, small_cells)]
    if letter == "f":
        chart = count_chart(bins)
        notes.append("The scale is logarithmic.")
    else:
        drawn = [each for each in bins if each.low > 0 or letter != "m"]
        chart = value_chart(drawn, title=name, bands=bands)
        if letter == "m":
            notes.append("The scale is logarithmic, so that the few large amounts do not press all others together.")
        if len(drawn) < len(bins):
            notes.append("Amounts of 0 and below have no place on it; they are in the table.")
    if letter != "f" and any(each.customers.value is None for each in bins):
        notes.append(f"A dashed box is a range of fewer than {small_cells.smallest} customers, or is hidden for one.")
    table = Table(f"Customers by {name}", [name, "customers"], [[each.label, each.customers] for each in bins])
    scores = [(score, band(bands, position)) for position, score in enumerate(bands.scores)]
    return MeasureSection(name, notes, chart, table, sorted(scores, key=lambda each: -each[0]))


def _degeneracy(bands: Bands, customers: int, small_cells: SmallCells) -> list[Words]:
    """Why a measure cannot tell customers apart, and what was done; nothing if it can."""
    degeneracy = bands.degeneracy
    if degeneracy is None:
        return []
    if degeneracy.fallback == "counts":
        fallback = "scores are given by number, and 5 or more scores 5."
    elif len(bands.scores) == 1:
        fallback = f"all customers have the score {bands.scores[0]}."
    else:
        fallback = f"the {len(bands.scores)} bands that are left have the scores {', '.join(map(str, bands.scores))}."
    value = Figure(degeneracy.commonest_value, "amount" if bands.measure.decimals else "count")
    with_it = round(degeneracy.commonest_share * customers)
    shared: tuple[Figure | str, ...] = (
        Figure(round(degeneracy.commonest_share, 3), "share"),
        " of customers have the value ",
        value,
    )
    if small_cells.is_few(with_it) or small_cells.is_few(customers - with_it):
        shared = ("many customers have one value",)
    return [Words.of("Degenerate: ", *shared, ". Percentiles coincide, so they make no five bands. Instead ", fallback)]


@dataclass(frozen=True)
class MonthSection:
    """The purchases by month.

    Attributes:
        notes: what there is to say of them.
        chart: their money.
        table: the same in figures.
    """

    notes: Sequence[Words | str]
    chart: Spec
    table: Table


def month_section(customers: Customers, small_cells: SmallCells) -> MonthSection:
    """The purchases of each month, from the first one on."""
    hidden = small_cells.hidden({month.first_day: month.customers for month in customers.months}, is_disjoint=False)
    shown = [_month(month, hidden.get(month.first_day)) for month in customers.months]
    empty = [month for month in customers.months if not month.customers]
    notes = []
    if empty:
        counts = "No purchase in ", Figure(len(empty)), " of ", Figure(len(shown)), " months: "
        notes.append(Words.of(*counts, *_named(empty), " Are files missing?"))
    fewer = _far_fewer(customers.months)
    if fewer:
        notes.append(Words.of("Far fewer purchases than in other months: ", *_named(fewer)))
    rows: list[list[Shown]] = [[Day(month.first_day, "month"), purchases, paid] for month, purchases, paid in shown]
    return MonthSection(notes, month_chart(shown), Table("Purchases by month", ["month", "purchases", "money"], rows))


def _named(months: Sequence[Month]) -> list[str | Day]:
    """The first of some months, as the end of a sentence."""
    names = [part for month in months[:MOST_NAMED] for part in (", ", Day(month.first_day, "month"))]
    return [*names[1:], " and more." if len(months) > MOST_NAMED else "."]


def _far_fewer(months: Sequence[Month]) -> list[Month]:
    """The months with purchases, but with fewer than a tenth of those of the middle month."""
    counts = [month.purchases for month in months if month.purchases]
    middle = median(counts) if counts else 0
    return [month for month in months if 0 < month.purchases < middle * FEW]


def _month(month: Month, instead: str | None) -> tuple[Month, Figure, Figure]:
    if instead is not None:
        return month, Figure(None, instead=instead), money(None)
    return month, Figure(month.purchases), money(month.money if month.customers else Decimal(0))
