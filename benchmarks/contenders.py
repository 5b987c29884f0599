"""Who is timed: how each is started, and where it puts what it makes."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.arguments import ContenderArguments

AS_OF = date(2018, 10, 17)
CHECKED_RUN = f"{AS_OF}-checked"
OURS = "ours"

RFM = ("rfm",)
ALL_TABLES = ("transactions", "purchases", "rfm")


@dataclass(frozen=True)
class Contender:
    """One way to run the feature step, as a process of its own.

    Attributes:
        name: what ``--only`` calls it.
        description: what the table of figures calls it.
        tables: what it writes, each a folder of Parquet files.
        command: its command line, given the output folder that holds the checked run and a new folder for results.
        tables_in: where in that folder its tables are, once it is done.
    """

    name: str
    description: str
    tables: tuple[str, ...]
    command: Callable[[Path, Path], list[str]]
    tables_in: Callable[[Path], Path]


def ours() -> Contender:
    """The project's step, started as a user starts it."""
    return Contender(OURS, "ours (python -m jobs.features)", ALL_TABLES, _our_command, _our_tables)


def peer(module: str, variant: str, description: str, tables: tuple[str, ...]) -> Contender:
    """A module of this package that runs the workshop's SQL."""

    def command(output: Path, results: Path) -> list[str]:
        checked = output / "runs" / CHECKED_RUN
        arguments = ContenderArguments(variant=variant, as_of=AS_OF, tables=checked, results=results)
        return [sys.executable, "-m", f"benchmarks.{module}", *arguments.as_argv()]

    return Contender(f"{module.removeprefix('in_')}-{variant}", description, tables, command, lambda results: results)


def _our_command(output: Path, results: Path) -> list[str]:
    # An output folder of its own that holds the checked run by a link: the data's folder keeps its runs and its
    # pointer as they are.
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
