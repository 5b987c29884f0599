"""Figures of contenders: ratios, tables for a terminal and as Markdown, and the machine."""

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
    """Print the figures of all contenders of the feature step, as a table and as Markdown."""
    rows = [_row(contender, runs) for contender in contenders]
    title = f"Feature step over {orders:,} orders, {measured(len(runs[contenders[0].name]))}; {machine()}"
    show_both(title, HEADER, rows, text_columns=TEXT_COLUMNS)


def show_both(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int) -> None:
    """Print a table, and the same as Markdown."""
    show_table(title, header, rows, text_columns=text_columns)
    print()
    print("\n".join(markdown(title, header, rows, text_columns=text_columns)))
    print()


def markdown(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int) -> list[str]:
    """The lines of a Markdown table, with its title above it."""
    rules = ["---" if position < text_columns else "---:" for position in range(len(header))]
    return [f"{title}.", "", *(f"| {' | '.join(cells)} |" for cells in (header, rules, *rows))]


def measured(rounds: int) -> str:
    """What the figures are of so many rounds."""
    return f"medians of {rounds} runs" if rounds > 1 else "one run"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The ratio of the medians, and the smallest and largest ratio within a round."""
    ratios = [our_seconds / their_seconds for our_seconds, their_seconds in zip(ours, theirs, strict=True)]
    text = f"{median(ours) / median(theirs):.2f}"
    return text if len(ratios) == 1 else f"{text} ({min(ratios):.2f}..{max(ratios):.2f})"


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
        _ours_to_this(runs, contender, _wall),
        _ours_to_this(runs, contender, _cpu),
    )


def _ours_to_this(runs: Runs, contender: Contender, seconds: Callable[[Measurement], float]) -> str:
    if OURS not in runs or contender.name == OURS:
        return ""
    return ratio([seconds(run) for run in runs[OURS]], [seconds(run) for run in runs[contender.name]])


def _wall(run: Measurement) -> float:
    return run.wall_seconds


def _cpu(run: Measurement) -> float:
    return run.cpu_seconds


def machine() -> str:
    """The machine and the versions with which the figures were measured."""
    memory = psutil.virtual_memory().total / 2**30
    versions = f"Spark {version('pyspark')}, DuckDB {version('duckdb')}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {versions}"
