"""The contenders of the feature step: how each one is started, and where it writes its tables."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

AS_OF = date(2018, 10, 17)
CHECKED_RUN = f"{AS_OF}-checked"
OURS = "ours"

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
    """One way to run the feature step, as a process of its own.

    Attributes:
        name: Its name for ``--only``.
        description: Its name in the table of figures.
        tables: The tables that it writes, each one a folder of Parquet files.
        command: Its command line for an output folder with the checked run and a new folder for results.
        tables_in: The folder of its tables, inside the folder for results.
    """

    name: str
    description: str
    tables: tuple[str, ...]
    command: Callable[[Path, Path], list[str]]
    tables_in: Callable[[Path], Path]


def ours() -> Contender:
    """The feature step of this project, started as a user starts it."""
    return Contender(OURS, "ours (python -m jobs.features)", ALL_TABLES, _our_command, _our_tables)


def peer(module: str, variant: str, description: str, tables: tuple[str, ...]) -> Contender:
    """A variant of a module of this package, which runs the workshop's SQL."""

    def command(output: Path, results: Path) -> list[str]:
        checked = output / "runs" / CHECKED_RUN
        arguments = ContenderArguments(variant=variant, as_of=AS_OF, tables=checked, results=results)
        return [sys.executable, "-m", f"benchmarks.{module}", *arguments.as_argv()]

    return Contender(f"{module.removeprefix('in_')}-{variant}", description, tables, command, lambda results: results)


def _our_command(output: Path, results: Path) -> list[str]:
    # The step writes into an output folder of its own, with a link to the checked run. So the data's folder keeps its
    # runs and its pointer.
    (results / "runs").mkdir()
    (results / "runs" / CHECKED_RUN).symlink_to(output / "runs" / CHECKED_RUN)
    options = ["--as-of", AS_OF.isoformat(), "--output", str(results), "--checked-run", CHECKED_RUN]
    return [sys.executable, "-m", "jobs.features", *options]


def _our_tables(results: Path) -> Path:
    run_id = json.loads((results / "current.json").read_text())["run_id"]
    return results / "runs" / str(run_id)


CONTENDERS = (
    ours(),
    peer("notebook", "plan-twice", "notebook, plan run twice", RFM),
    peer("notebook", "cached", "notebook, measures cached", RFM),
    peer("notebook", "staged", "notebook, tables staged", ALL_TABLES),
    peer("in_duckdb", "rfm", "DuckDB, rfm written", RFM),
    peer("in_duckdb", "all", "DuckDB, all tables written", ALL_TABLES),
)
