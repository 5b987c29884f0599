"""The table of a benchmark, for a terminal and for a document."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from statistics import median

import psutil

from benchmarks.contenders import OURS, Contender
from benchmarks.measurement import Measurement
from jobs.cli.console import summary

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
    summary(title, HEADER, rows, text_columns=TEXT_COLUMNS)
    print()
    print("\n".join(markdown(title, rows)))


def markdown(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table with a line above it that says what it is of."""
    rules = ["---" if position < TEXT_COLUMNS else "---:" for position in range(len(HEADER))]
    return [f"{title}.", "", *(f"| {' | '.join(cells)} |" for cells in (HEADER, rules, *rows))]


def _row(contender: Contender, runs: Runs) -> tuple[str, ...]:
    own = runs[contender.name]
    wall, cpu = (median(map(of, own)) for of in (_wall, _cpu))
    peak = median(run.peak_bytes for run in own) / MEGABYTE
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


def _ratio(runs: Runs, contender: Contender, of: Callable[[Measurement], float]) -> str:
    """Ours to this one: the ratio of the medians, and the smallest and largest of the same round's."""
    if OURS not in runs or contender.name == OURS:
        return ""
    ours, theirs = list(map(of, runs[OURS])), list(map(of, runs[contender.name]))
    pairs = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    ratio = f"{median(ours) / median(theirs):.2f}"
    return ratio if len(pairs) == 1 else f"{ratio} ({min(pairs):.2f}..{max(pairs):.2f})"


def _wall(run: Measurement) -> float:
    return run.wall_seconds


def _cpu(run: Measurement) -> float:
    return run.cpu_seconds


def machine() -> str:
    """What the figures were measured on."""
    memory = psutil.virtual_memory().total / 2**30
    versions = f"Spark {version('pyspark')}, DuckDB {version('duckdb')}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {versions}"
