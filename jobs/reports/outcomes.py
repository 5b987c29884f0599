"""Whether the segments predict, on the page: who bought again after a cut, with what may not be shown of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.reports.charts import Spec, rate_chart
from jobs.reports.customers import SmallCells
from jobs.reports.figures import HIDDEN, Day, Figure, Named, Range, Shown, Table, Words, money
from jobs.reports.reported_validation import ReportedEstimate, ReportedValidation, SegmentOutcome

HEADER = ("segment", "customers", "bought again", "rate", "95 % interval", "lift", "revenue", "per customer")
GINI_HEADER = (
    *("ranking", "Gini", "95 % interval", "less that of recency", "95 % interval"),
    *("best fifth: of who bought again", "best fifth: of revenue"),
)

RANKINGS: Mapping[str, str] = {
    "segments": "the order of the segments",
    "score_sum": "the sum of the three scores",
    "recency": "days since the last purchase alone",
}


@dataclass(frozen=True)
class OutcomeSection:
    """Whether the segments predict.

    Attributes:
        about: the cut, the days and the verdict.
        segments: a row for each segment; None where there was nothing to score, or too few customers to show any.
        rankings: a row for each ranking; None where too few bought again.
        chart: the rates; None without the table.
        notes: what else there is to say.
    """

    about: Words
    segments: Table | None
    rankings: Table | None
    chart: Spec | None
    notes: Sequence[Words | str]


def outcome_section(stated: ReportedValidation | None, small_cells: SmallCells) -> OutcomeSection | None:
    """The section of a run's validation; None for a run without one."""
    if stated is None:
        return None
    if not stated.segments or stated.customers < small_cells.smallest:
        few = "" if not stated.segments else f"There were {small_cells.fewer} customers at the cut."
        return OutcomeSection(Words.of(few or stated.verdict), None, None, None, [])
    hidden = _Hidden(stated, small_cells)
    about = Words.of(
        "Customers were scored as of ",
        Day(stated.cut),
        ", by what they had bought by then, and followed for ",
        Figure(stated.days),
        f" days. {stated.verdict}",
    )
    caption = "Segments at the cut, and who bought again"
    rows = [_row(each, hidden) for each in stated.segments]
    return OutcomeSection(
        about=about,
        segments=Table(caption, HEADER, rows, _total(stated, hidden)),
        rankings=_rankings(stated, small_cells),
        chart=_chart(stated, hidden),
        notes=[*_about_new_customers(stated, small_cells), *stated.notes],
    )


class _Hidden:
    """What may not be shown of segments, by code.

    Who knows how many customers a segment has, and how many of them bought again, knows how many did not. So both
    numbers of a segment are hidden together, and each adds up over the segments to a total that is known.

    Attributes:
        segments: what is shown instead of the number of customers.
        outcomes: what is shown instead of what they did.
        whole: whether nothing is shown of what all of them did.
    """

    def __init__(self, stated: ReportedValidation, small_cells: SmallCells) -> None:
        self.segments = small_cells.hidden({each.code: each.customers for each in stated.segments})
        buyers = {each.code: each.repeat_buyers for each in stated.segments}
        others = {each.code: each.customers - each.repeat_buyers for each in stated.segments}
        hidden, is_settled = {*self.segments}, False
        while not is_settled:
            before = len(hidden)
            for people in (buyers, others):
                hidden |= small_cells.hidden(people, also=hidden).keys()
            is_settled = len(hidden) == before
        self.outcomes = {
            code: small_cells.fewer if small_cells.is_few(buyers[code]) else HIDDEN for code in buyers if code in hidden
        }
        self.whole = any(map(small_cells.is_few, (sum(buyers.values()), sum(others.values()))))


def _row(each: SegmentOutcome, hidden: _Hidden) -> list[Shown]:
    named = Named(each.name, each.code, "")
    customers = Figure(
        None if each.code in hidden.segments else each.customers, instead=hidden.segments.get(each.code, "")
    )
    instead = hidden.outcomes.get(each.code)
    if instead is not None:
        return [named, customers, Figure(None, instead=instead), *[Figure(None)] * 5]
    return [
        named,
        customers,
        Figure(each.repeat_buyers),
        Figure(each.repeat_rate, "rate"),
        _interval(each.repeat_rate_interval),
        Figure(each.lift, "ratio"),
        money(each.revenue),
        money(each.revenue / each.customers if each.customers else None),
    ]


def _total(stated: ReportedValidation, hidden: _Hidden) -> list[Shown]:
    start: list[Shown] = ["all customers", Figure(stated.customers)]
    if hidden.whole:
        return [*start, Figure(None, instead=HIDDEN), *[Figure(None)] * 5]
    return [
        *start,
        Figure(stated.repeat_buyers),
        Figure(stated.repeat_rate, "rate"),
        _interval(stated.repeat_rate_interval),
        Figure(1 if stated.repeat_buyers else None, "ratio"),
        money(stated.revenue),
        money(stated.revenue / stated.customers),
    ]


def _rankings(stated: ReportedValidation, small_cells: SmallCells) -> Table | None:
    """The rankings. The best fifth's shares are hidden where they would tell that few of it, or few others, bought."""
    buyers = stated.repeat_buyers
    if not buyers or small_cells.is_few(buyers) or small_cells.is_few(stated.customers - buyers):
        return None
    rows: list[list[Shown]] = []
    for name, words in RANKINGS.items():
        gini, beyond, fifth = stated.gini.get(name), stated.gini_beyond_recency.get(name), stated.best_fifth.get(name)
        row: list[Shown] = [words, *_estimate(gini), *_estimate(beyond)]
        share = None if fifth is None else fifth.repeat_buyers
        inside = 0.0 if share is None else share * buyers
        is_few = any(0 < people < small_cells.smallest for people in (inside, buyers - inside))
        if fifth is None or is_few:
            row += [Figure(None, instead=HIDDEN if is_few else ""), Figure(None, instead=HIDDEN if is_few else "")]
        else:
            row += [Figure(fifth.repeat_buyers, "share"), Figure(fifth.revenue, "share")]
        rows.append(row)
    return Table("How well rankings tell who buys again, and what the best fifth by each has", GINI_HEADER, rows)


def _estimate(estimate: ReportedEstimate | None) -> list[Shown]:
    if estimate is None:
        return [Figure(None), ""]
    ends = estimate.interval
    return [_ratio(estimate.value), Range(_ratio(ends[0]), _ratio(ends[1])) if ends else ""]


def _ratio(value: float) -> Figure:
    """A coefficient; one that would be written as -0.00 is 0."""
    return Figure(value if round(value, 2) else 0.0, "ratio")


def _interval(ends: Sequence[float] | None) -> Range | str:
    return Range(Figure(ends[0], "rate"), Figure(ends[1], "rate")) if ends else ""


def _chart(stated: ReportedValidation, hidden: _Hidden) -> Spec | None:
    rates = [_rate(each, hidden.outcomes.get(each.code)) for each in stated.segments]
    if all(rate.value is None for _, rate, _, _ in rates):
        return None
    return rate_chart(rates, whole=Figure(None if hidden.whole else stated.repeat_rate, "rate"))


def _rate(each: SegmentOutcome, instead: str | None) -> tuple[str, Figure, Figure, Figure]:
    """A segment's rate, and the ends of its interval."""
    ends = each.repeat_rate_interval
    if instead is not None or ends is None:
        return each.name, Figure(None, "rate", instead or ""), Figure(None), Figure(None)
    return each.name, Figure(each.repeat_rate, "rate"), Figure(ends[0], "rate"), Figure(ends[1], "rate")


def _about_new_customers(stated: ReportedValidation, small_cells: SmallCells) -> list[Words]:
    new = stated.new_customers
    if new is None or small_cells.is_few(new.customers):
        return []
    figures = Figure(new.customers), " customers first bought after the cut, for ", money(new.revenue)
    return [Words.of(*figures, " in all. They are in no segment at the cut.")]
