"""The tables of figures of all steps: what each contender took, and the seconds of each step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.contenders import Contender
from benchmarks.figures import MEGABYTE, machine, measured, ratio, show_both
from benchmarks.measurement import Measurement
from benchmarks.pipelines import DUCKDB, OTHER
from benchmarks.run_record import RunRecord

HEADER = (
    *("contender", "to rfm s", "all s", "CPU s", "peak MB", "written MB", "shuffled MB", "spilled MB", "Spark jobs"),
    *("to rfm/DuckDB", "all/DuckDB", "all/other"),
)
BEFORE, AFTER = "(before the first step)", "(between and after the steps)"


@dataclass(frozen=True)
class Round:
    """What a contender took in one round.

    Attributes:
        measurement: Of its process.
        record: What a run of the pipeline tells of itself; None of the peer, which ends with rfm.
    """

    measurement: Measurement
    record: RunRecord | None

    @property
    def seconds(self) -> float:
        """Seconds of the whole process."""
        return self.measurement.wall_seconds

    @property
    def seconds_to_rfm(self) -> float:
        """Seconds from the start of the process until rfm is written."""
        return self.seconds if self.record is None else self.record.seconds_to_rfm


@dataclass
class Figures:
    """The rounds of each contender, by its name."""

    rounds: dict[str, list[Round]] = field(default_factory=dict)

    def add(self, name: str, measurement: Measurement, record: RunRecord | None) -> None:
        """Add what a contender took in a round."""
        self.rounds.setdefault(name, []).append(Round(measurement, record))


def show(contenders: Sequence[Contender], figures: Figures, *, what: str, rounds: int) -> None:
    """Print the figures of all contenders and of the steps, each as a table and as Markdown.

    Args:
        contenders: In the order of the rows.
        figures: Their rounds.
        what: The input.
        rounds: The number of rounds.
    """
    title = f"All steps over {what}, {measured(rounds)}; {machine()}"
    show_both(title, HEADER, [row(contender, figures) for contender in contenders], text_columns=1)
    of_runs = [each for each in contenders if each.name != DUCKDB]
    if of_runs:
        header = ("step, seconds", *(contender.description for contender in of_runs))
        show_both(f"Steps over {what}, {measured(rounds)}", header, step_rows(of_runs, figures), text_columns=1)


def row(contender: Contender, figures: Figures) -> tuple[str, ...]:
    """The figures of a contender, as texts of `HEADER`. A figure that it does not have is empty."""
    rounds = figures.rounds[contender.name]
    spark = [each.record.spark for each in rounds if each.record]
    return (
        contender.description,
        f"{median(each.seconds_to_rfm for each in rounds):.1f}",
        f"{median(each.seconds for each in rounds):.1f}" if spark else "",
        f"{median(each.measurement.cpu_seconds for each in rounds):.1f}",
        _megabytes([each.measurement.peak_bytes for each in rounds]),
        _megabytes([each.measurement.written_bytes for each in rounds]),
        _megabytes([each.shuffled_bytes for each in spark]),
        _megabytes([each.spilled_bytes for each in spark]),
        f"{median(each.jobs for each in spark):.0f}" if spark else "",
        _ratio(figures, contender, DUCKDB, lambda each: each.seconds_to_rfm),
        _ratio(figures, contender, DUCKDB, lambda each: each.seconds),
        _ratio(figures, contender, OTHER, lambda each: each.seconds) if spark else "",
    )


def step_rows(contenders: Sequence[Contender], figures: Figures) -> list[tuple[str, ...]]:
    """The median seconds of each step, and of what is before, between and after them, by contender."""
    columns = [_step_seconds(figures.rounds[contender.name]) for contender in contenders]
    names = list(dict.fromkeys(name for column in columns for name in column if name not in (BEFORE, AFTER)))
    return [
        (name, *(f"{column[name]:.1f}" if name in column else "" for column in columns))
        for name in (BEFORE, *names, AFTER)
    ]


def _step_seconds(rounds: Sequence[Round]) -> dict[str, float]:
    records = [each.record for each in rounds if each.record]
    steps = {name: median(record.steps[name] for record in records) for name in records[0].steps}
    rest = [
        each.seconds - each.record.seconds_to_start - sum(each.record.steps.values()) for each in rounds if each.record
    ]
    return {BEFORE: median(record.seconds_to_start for record in records), **steps, AFTER: median(rest)}


def _megabytes(amounts: Sequence[int | None]) -> str:
    counted = [amount for amount in amounts if amount is not None]
    return f"{median(counted) / MEGABYTE:,.0f}" if counted else ""


def _ratio(figures: Figures, contender: Contender, other: str, seconds: Callable[[Round], float]) -> str:
    if other not in figures.rounds or contender.name == other:
        return ""
    return ratio([seconds(each) for each in figures.rounds[contender.name]], [*map(seconds, figures.rounds[other])])
