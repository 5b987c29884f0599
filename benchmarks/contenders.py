"""What a contender is, and the contenders of the feature step: how each one is started, and where its tables are."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

AS_OF = date(2018, 10, 17)
CHECKED_RUN = f"{AS_OF}-checked"
OURS = "ours"
COMET = "comet"
SAIL = "sail"
SAIL_PACKAGES = ("pysail", "pyspark", "grpc", "grpc_status", "pandas", "pyarrow", "zstandard")

RFM = ("rfm",)
ALL_TABLES = ("transactions", "purchases", "rfm")


@dataclass(frozen=True)
class ContenderArguments:
    """The arguments of a contender that is a module of this package.

    Attributes:
        variant: The variant of the contender.
        as_of: The last day that counts, inclusive.
        tables: The folder of the checked tables.
        results: The folder for the results.
    """

    variant: str
    as_of: date
    tables: Path
    results: Path

    def as_argv(self) -> list[str]:
        """The command line that `contender_arguments` parses."""
        paths = ["--tables", str(self.tables), "--results", str(self.results)]
        return [self.variant, "--as-of", self.as_of.isoformat(), *paths]


def contender_arguments(module: str, variants: Iterable[str]) -> ContenderArguments:
    """Parse the command line of a contender.

    Args:
        module: The module's full name, for the help.
        variants: The variants that it has.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", allow_abbrev=False)
    parser.add_argument("variant", choices=list(variants))
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="last day that counts, inclusive")
    parser.add_argument("--tables", type=Path, required=True, help="folder of the checked tables")
    parser.add_argument("--results", type=Path, required=True, help="folder for the results, one folder per table")
    return ContenderArguments(**vars(parser.parse_args()))


@dataclass(frozen=True)
class Contender:
    """One way to do the work, as a process of its own.

    Attributes:
        name: Its name for ``--only``.
        description: Its name in the table of figures.
        tables: The tables that it writes and that are compared, each one a folder of Parquet files.
        command: Its command line for the input and a new folder for results. The input of the feature step is an output
            folder with the checked run.
        tables_in: The folder of its tables, inside the folder for results.
        folder: The folder in which it runs; None for this repository.
        environment: Its environment variables beside those of all contenders, for the folder for results.
        is_default: Whether it runs if ``--only`` names no contenders.
    """

    name: str
    description: str
    tables: tuple[str, ...]
    command: Callable[[Path, Path], list[str]]
    tables_in: Callable[[Path], Path]
    folder: Path | None = None
    environment: Callable[[Path], Mapping[str, str]] = lambda _: {}
    is_default: bool = True


def ours() -> Contender:
    """The feature step of this project, started as a user starts it."""
    return Contender(OURS, "ours (python -m jobs.features)", ALL_TABLES, partial(_our_command, ()), tables_of_run)


def ours_on_comet() -> Contender:
    """The same with Spark's plans run by Comet."""
    command = partial(_our_command, ("--engine", COMET))
    return Contender(COMET, "ours, --engine comet", ALL_TABLES, command, tables_of_run, is_default=False)


def peer(
    module: str, variant: str, description: str, tables: tuple[str, ...], *, python: str = sys.executable
) -> Contender:
    """A variant of a module of this package, in the environment of a Python."""

    def command(output: Path, results: Path) -> list[str]:
        checked = output / "runs" / CHECKED_RUN
        arguments = ContenderArguments(variant=variant, as_of=AS_OF, tables=checked, results=results)
        return [python, "-m", f"benchmarks.{module}", *arguments.as_argv()]

    return Contender(f"{module.removeprefix('in_')}-{variant}", description, tables, command, lambda results: results)


def on_sail(python: str) -> Contender:
    """The transforms of this project on Sail, without checks, in the environment of a Python that has it."""
    return replace(peer("on_sail", "all", "our transforms on Sail", ALL_TABLES, python=python), name=SAIL)


def has_sail(python: str) -> bool:
    """Whether a Python has Sail, Spark and what a client of Spark Connect needs. Importing them takes seconds."""
    code = f"import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, {SAIL_PACKAGES})))"
    try:
        return subprocess.run([python, "-c", code], check=False).returncode == 0
    except OSError:
        return False


def _our_command(engine: tuple[str, ...], output: Path, results: Path) -> list[str]:
    # The step writes into an output folder of its own, with a link to the checked run. So the data's folder keeps its
    # runs and its pointer.
    (results / "runs").mkdir()
    (results / "runs" / CHECKED_RUN).symlink_to(output / "runs" / CHECKED_RUN)
    options = ["--as-of", AS_OF.isoformat(), "--output", str(results), "--checked-run", CHECKED_RUN]
    return [sys.executable, "-m", "jobs.features", *options, *engine]


def tables_of_run(results: Path) -> Path:
    """The folder of the current run in an output folder."""
    run_id = json.loads((results / "current.json").read_text())["run_id"]
    return results / "runs" / str(run_id)


CONTENDERS = (
    ours(),
    ours_on_comet(),
    peer("notebook", "plan-twice", "notebook, plan run twice", RFM),
    peer("notebook", "cached", "notebook, measures cached", RFM),
    peer("notebook", "staged", "notebook, tables staged", ALL_TABLES),
    peer("in_duckdb", "rfm", "DuckDB, rfm written", RFM),
    peer("in_duckdb", "all", "DuckDB, all tables written", ALL_TABLES),
    on_sail(sys.executable),
)
