"""The page: its sections from the figures of a run, put into one file of HTML that needs no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.reports.charts import Spec, flow_chart, shares_chart, trend_chart
from jobs.reports.clusters import cluster_shares, cluster_table, drift_note
from jobs.reports.customers import Customers, SmallCells
from jobs.reports.earlier_runs import MOST_RUNS, Trend
from jobs.reports.figures import NAMES, Day, Figure, Shown, Words, money
from jobs.reports.made import command_of, inputs_table, settings_of
from jobs.reports.measures import MeasureSection, MonthSection, measure_sections, month_section
from jobs.reports.outcomes import OutcomeSection, outcome_section
from jobs.reports.quality import QualitySection, quality_section
from jobs.reports.reported_run import ReportedRun
from jobs.reports.segments import SegmentSection

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Report:
    """What the page tells of a run.

    Attributes:
        run: the run's files.
        output: where runs are kept, for the command that makes the run again.
        customers: counted.
        trend: the runs to compare with.
        small_cells: what may not be shown.
    """

    run: ReportedRun
    output: str
    customers: Customers
    trend: Trend
    small_cells: SmallCells

    @cached_property
    def segments(self) -> SegmentSection:
        """The segments of the run."""
        return SegmentSection(self.run, self.customers, self.trend, self.small_cells)

    @cached_property
    def outcomes(self) -> OutcomeSection | None:
        """Whether the segments predict; None for a run that was not validated."""
        return outcome_section(self.run.manifest.validation, self.small_cells)

    def to_html(self, *, scripts: str) -> str:
        """The page.

        Args:
            scripts: the JavaScript that draws Vega-Lite charts.
        """
        pages = Environment(
            loader=PackageLoader("jobs.reports", "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return pages.get_template(TEMPLATE).render(self._context(), scripts=scripts)

    def _context(self) -> Mapping[str, object]:
        run, segments = self.run, self.segments
        measures = measure_sections(run, self.customers, self.small_cells)
        months, quality = month_section(self.customers, self.small_cells), quality_section(run)
        return {
            "run": run,
            "as_of": Day(run.as_of),
            "small": self.small_cells,
            "is_hidden": segments.all_hidden,
            "lead": segments.leading(),
            "headline": self._headline(segments),
            "verdicts": self._verdicts(quality),
            "segments": segments,
            "changes": segments.changes,
            "measures": measures,
            "months": months,
            "sufficiency": self._sufficiency(),
            "trend": self.trend,
            "trend_notes": self._trend_notes(),
            "clusters": cluster_table(run, self.small_cells) if run.clusters else None,
            "drift": drift_note(run.manifest.kmeans.drift) if run.manifest.kmeans else "",
            "outcomes": self.outcomes,
            "quality": quality,
            "settings": settings_of(run),
            "inputs": inputs_table(run),
            "command": command_of(run, output=self.output),
            "charts": {} if segments.all_hidden else self._charts(segments, measures, months, quality),
        }

    def _charts(
        self,
        segments: SegmentSection,
        measures: Sequence[MeasureSection],
        months: MonthSection,
        quality: QualitySection,
    ) -> Mapping[str, Spec]:
        """The specification of each chart, by the name of its place."""
        charts = {"segments": shares_chart(segments.shares, of="segment"), "months": months.chart}
        charts |= {f"measure-{number}": measure.chart for number, measure in enumerate(measures)}
        charts["flow"] = flow_chart(quality.stages)
        if self.run.clusters:
            charts["clusters"] = shares_chart(cluster_shares(self.run, self.small_cells), of="cluster")
        if self.outcomes and self.outcomes.chart:
            charts["outcomes"] = self.outcomes.chart
        if self.trend.previous:
            trends = segments.trends
            highest = max([share.value or 0 for _, points in trends for _, share in points], default=1)
            charts |= {
                f"trend-{number}": trend_chart(name, points, highest=float(highest))
                for number, (name, points) in enumerate(trends)
            }
        return charts

    def _headline(self, segments: SegmentSection) -> Sequence[tuple[str, Shown, str]]:
        """Four figures, each with the section that tells more."""
        whole, fewer = self.customers.all, self.small_cells.fewer
        is_hidden = segments.all_hidden
        return [
            ("As of", Day(self.run.as_of), "made"),
            ("Customers", Figure(None, instead=fewer) if is_hidden else Figure(whole.customers), "segments"),
            ("Purchases", Figure(None, instead="hidden") if is_hidden else Figure(whole.purchases), "measures"),
            (
                f"Money, {self.run.currency}" if self.run.currency else "Money",
                money(None, instead="hidden") if is_hidden else money(whole.revenue),
                "quality",
            ),
        ]

    def _verdicts(self, quality: QualitySection) -> Sequence[tuple[str, str, str]]:
        """The verdicts about quality, sufficiency and degenerate measures, each with its section."""
        sufficiency, degenerate = self.run.sufficiency, self.run.card.scored_by.degenerate
        enough = (
            "sufficient" if sufficiency.verdict == "sufficient" else "limited: " + ", ".join(sufficiency.shortfalls)
        )
        names = " and ".join(NAMES[bands.measure.letter] for bands in degenerate)
        return [
            ("Quality", quality.verdict, "quality"),
            ("Data", enough, "measures"),
            (
                "Scores",
                f"{names} cannot tell customers apart" if names else "all three measures tell customers apart",
                "measures",
            ),
        ]

    def _sufficiency(self) -> Words:
        """How much data there is, and what there is too little of."""
        stated, few = self.run.sufficiency, self.small_cells
        repeaters = round(stated.share_of_repeat_buyers * self.run.customers)
        came_back: tuple[Figure | str, ...] = (
            Figure(_rounded_down(stated.share_of_repeat_buyers), "share"),
            " of customers",
        )
        if few.is_few(repeaters) or few.is_few(self.run.customers - repeaters):
            came_back = ("few customers" if few.is_few(repeaters) else "nearly all customers",)
        limits = f" That is limited: {', '.join(stated.shortfalls)}." if stated.shortfalls else ""
        return Words.of(
            Figure(stated.months_of_history, "decimal"),
            " months of history, the newest purchase ",
            Figure(stated.days_since_newest_purchase),
            " days before the as-of date, ",
            *came_back,
            f" came back.{limits}",
        )

    def _trend_notes(self) -> list[str]:
        trend, notes = self.trend, []
        if trend.previous is None:
            notes.append(
                "No run as of an earlier day has this segment map. The next run as of a later day begins the trend."
            )
        if trend.other_maps:
            notes.append(f"{_runs(trend.other_maps)} with another segment map cannot be compared.")
        if trend.unreadable:
            notes.append(f"{_runs(trend.unreadable)} could not be read.")
        if trend.not_read:
            notes.append(f"{_runs(trend.not_read)} before the newest {MOST_RUNS} were not read.")
        return notes


def _rounded_down(share: float) -> float:
    """A share as the summary has it: one below a limit is never shown as the limit."""
    return floor(share * 1000) / 1000


def _runs(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"
