"""The table of figures of the feature step, for a terminal and as Markdown."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from statistics import median

import psutil

from benchmarks.contenders import OURS, Contender
from benchmarks.measurement import Measurement
from jobs.cli.console import show_table

MEGABYTE = 1_000_000
HEADER = ("contender", "writes", "wall s", "CPU s", "peak MB", "ours/this, wall", "ours/this, CPU")
TEXT_COLUMNS = 2

Runs = Mapping[str, Sequence[Measurement]]


def show(contenders: Sequence[Contender], runs: Runs, *, orders: int) -> None:
    """Print the figures of all contenders, as a table and as Markdown."""
    rows = [_row(contender, runs) for contender in contenders]
    rounds = len(runs[contenders[0].name])
    measured = f"medians of {rounds} runs" if rounds > 1 else "one run"
    title = f"Feature step over {orders:,} orders, {measured}; {machine()}"
    show_table(title, HEADER, rows, text_columns=TEXT_COLUMNS)
    print()
    print("\n".join(markdown(title, rows)))


def markdown(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table, with its title above it."""
    rules = ["---" if position < TEXT_COLUMNS else "---:" for position in range(len(HEADER))]
    return [f"{title}.", "", *(f"| {' | '.join(cells)} |" for cells in (HEADER, rules, *rows))]


def _row(contender: Contender, runs: Runs) -> tuple[str, ...]:
    measurements = runs[contender.name]
    wall, cpu = (median(map(seconds, measurements)) for seconds in (_wall, _cpu))
    peak = median(run.peak_bytes for run in measurements) / MEGABYTE
    writes = "all tables" if len(contender.tables) > 1 else contender.tables[0]
    return (
        contender.description,
        writes,
        f"{wall:.1f}",
        f"{cpu:.1f}",
        f"{peak:,.0f}",
        _ratio(runs, contender, _wall),
        _ratio(runs, contender, _cpu),
    )


def _ratio(runs: Runs, contender: Contender, seconds: Callable[[Measurement], float]) -> str:
    """The ratio of the medians, ours to the contender's, and the smallest and largest ratio within a round."""
    if OURS not in runs or contender.name == OURS:
        return ""
    ours, theirs = list(map(seconds, runs[OURS])), list(map(seconds, runs[contender.name]))
    ratios = [our_seconds / their_seconds for our_seconds, their_seconds in zip(ours, theirs, strict=True)]
    ratio = f"{median(ours) / median(theirs):.2f}"
    return ratio if len(ratios) == 1 else f"{ratio} ({min(ratios):.2f}..{max(ratios):.2f})"


def _wall(run: Measurement) -> float:
    return run.wall_seconds


def _cpu(run: Measurement) -> float:
    return run.cpu_seconds


def machine() -> str:
    """The machine and the versions with which the figures were measured."""
    memory = psutil.virtual_memory().total / 2**30
    versions = f"Spark {version('pyspark')}, DuckDB {version('duckdb')}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {versions}"
