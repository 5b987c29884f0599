"""What split and gate cost, beside the reading that they check and the features that follow.

    python -m benchmarks.data_quality --orders 1000000

A round is a whole run, and a copy of the same files without any check. What a run spends on its raw tables beyond the
copy and the gate is the split: checks, keys, references, counts and quarantine.
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
from benchmarks.notebook import HEAP
from benchmarks.prepared import REPOSITORY, sample_files
from expectations.contracts.olist import FILE_CONTRACTS
from jobs.cli.console import summary
from jobs.cli.main import program
from jobs.cli.parser import OneLineParser, at_least_one
from jobs.errors import OutsideSystemError

RAW_TABLES = tuple(contract.table for contract in FILE_CONTRACTS)
SHARES = (
    *("reading and writing, unchecked", "the split", "the gate, raw tables"),
    *("features", "the gate, computed tables"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; see ``--help``."""
    return program("data_quality", lambda: _benchmark(_arguments(argv)))


def _benchmark(given: argparse.Namespace) -> None:
    files = sample_files(given.orders)
    rounds = []
    for _ in range(given.runs):
        rounds.append(_one_round(files))
        print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in rounds[-1].items()))
    figures = {name: median(each[name] for each in rounds) for name in SHARES}
    whole, features = sum(figures.values()), figures["features"]
    checks = figures["the split"] + figures["the gate, raw tables"] + figures["the gate, computed tables"]
    rows = [(name, f"{seconds:.1f}", f"{seconds / whole:.0%}") for name, seconds in figures.items()]
    measured = f"medians of {given.runs} runs" if given.runs > 1 else "one run"
    summary(f"A run over {given.orders:,} orders, {measured}; {machine()}", ("what", "s", "share"), rows)
    print(f"split and gate together, to the features without them: {checks / features:.2f}")


def _one_round(files: Path) -> dict[str, float]:
    """Seconds by share."""
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
    gates = {table: found["gate_seconds"] for table, found in quality.items()}
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
    """Run a module by itself, and return the last line that it prints."""
    environment = {**os.environ, "SPARK_DRIVER_MEMORY": HEAP}
    ended = subprocess.run(
        [sys.executable, "-m", name, *options],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise OutsideSystemError(f"{name} ended with exit code {ended.returncode}")
    return ended.stdout.splitlines()[-1]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m benchmarks.data_quality",
        description="Time what the checks of the data cost, as a share of a whole run.",
        allow_abbrev=False,
    )
    parser.add_argument("--orders", type=at_least_one, default=1_000_000, help="of the sample (default: %(default)s)")
    parser.add_argument("--runs", type=at_least_one, default=3, help="rounds; medians are shown (default: %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
