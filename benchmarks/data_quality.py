"""Time the split and the gate, next to the reading of the files and the features.

    python -m benchmarks.data_quality --orders 1000000

A round is a complete run, and a copy of the same files without validation. The split is the time of a run on its raw
tables, minus the copy and the gate. It validates rows, keys and references, counts them, and writes the quarantine.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.contenders import AS_OF
from benchmarks.figures import machine
from benchmarks.input_data import REPOSITORY, sample_files
from benchmarks.notebook import HEAP
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.console import show_table
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, at_least_one
from jobs.errors import OutsideSystemError

RAW_TABLES = tuple(contract.table for contract in FILE_CONTRACTS)
SHARES = (
    *("reading and writing, unchecked", "the split", "the gate, raw tables"),
    *("features", "the gate, computed tables"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return run_main("data_quality", lambda: _benchmark(_arguments(argv)))


def _benchmark(arguments: argparse.Namespace) -> None:
    files = sample_files(arguments.orders)
    rounds = []
    for _ in range(arguments.runs):
        rounds.append(_one_round(files))
        print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in rounds[-1].items()))
    figures = {name: median(each[name] for each in rounds) for name in SHARES}
    total, features = sum(figures.values()), figures["features"]
    checks = figures["the split"] + figures["the gate, raw tables"] + figures["the gate, computed tables"]
    rows = [(name, f"{seconds:.1f}", f"{seconds / total:.0%}") for name, seconds in figures.items()]
    measured = f"medians of {arguments.runs} runs" if arguments.runs > 1 else "one run"
    show_table(f"A run over {arguments.orders:,} orders, {measured}; {machine()}", ("part", "s", "share"), rows)
    print(f"split and gate together, to the features without them: {checks / features:.2f}")


def _one_round(files: Path) -> dict[str, float]:
    """Run one round, and return the seconds of each share."""
    scratch = files.parent / "quality-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    output = scratch / "output"
    options = ["--as-of", AS_OF.isoformat(), "--input", str(files), "--output", str(output), "--run-id", f"{AS_OF}-q"]
    _module("jobs.pipeline", *options)
    copied = json.loads(_module("benchmarks.plain_copy", "--input", str(files), "--results", str(scratch / "plain")))
    run = output / "runs" / f"{AS_OF}-q"
    steps = {step["step"]: step["seconds"] for step in json.loads((run / "manifest.json").read_text())["steps"]}
    quality = json.loads((run / "quality.json").read_text())["tables"]
    gates = {table: figures["gate_seconds"] for table, figures in quality.items()}
    shutil.rmtree(scratch)
    raw_gate = sum(gates[table] for table in RAW_TABLES)
    computed_gate = sum(gates.values()) - raw_gate
    unchecked = sum(copied.values())
    return {
        SHARES[0]: unchecked,
        SHARES[1]: sum(steps[table] for table in RAW_TABLES) - raw_gate - unchecked,
        SHARES[2]: raw_gate,
        SHARES[3]: sum(seconds for table, seconds in steps.items() if table not in RAW_TABLES) - computed_gate,
        SHARES[4]: computed_gate,
    }


def _module(name: str, *options: str) -> str:
    """Run a module as a process, and return the last line of its output."""
    environment = {**os.environ, "SPARK_DRIVER_MEMORY": HEAP}
    process = subprocess.run(
        [sys.executable, "-m", name, *options],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise OutsideSystemError(f"{name} ended with exit code {process.returncode}")
    return process.stdout.splitlines()[-1]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m benchmarks.data_quality",
        description="Time data quality as a share of a complete run.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--orders", type=at_least_one, default=1_000_000, help="size of the sample (default: %(default)s)"
    )
    parser.add_argument(
        "--runs",
        type=at_least_one,
        default=3,
        help="number of rounds, of which the medians are shown (default: %(default)s)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
