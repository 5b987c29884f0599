"""The contenders of all steps: the pipeline by its engines and of another checkout, and the peer in DuckDB."""

import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders import ALL_TABLES, AS_OF, COMET, Contender, tables_of_run
from benchmarks.contract_sql import script
from benchmarks.event_log import logging_environment
from benchmarks.workshop_sql import CHECKED_TABLES
from jobs.errors import ConfigurationError

SPARK, DUCKDB, OTHER = "spark", "duckdb", "other"
TABLES = (*CHECKED_TABLES, *ALL_TABLES)
OUTPUT, SCRIPT = "output", "script.sql"


def pipeline(
    name: str,
    description: str,
    *,
    engine: str | None = None,
    folder: Path | None = None,
    python: str = sys.executable,
) -> Contender:
    """All steps of this project, started as a user starts them.

    Args:
        name: Its name for ``--only``.
        description: Its name in the table of figures.
        engine: What ``--engine`` says; None for the default.
        folder: The checkout in which it runs; None for this repository.
        python: The Python that it runs with.
    """

    def command(files: Path, results: Path) -> list[str]:
        where = ["--input", str(files), "--output", str(results / OUTPUT)]
        options = ["--as-of", AS_OF.isoformat(), *where, "--log-format", "json"]
        return [python, "-m", "jobs.pipeline", *options, *(["--engine", engine] if engine else [])]

    return Contender(
        name,
        description,
        TABLES,
        command,
        tables_in=lambda results: tables_of_run(results / OUTPUT),
        folder=folder,
        environment=logging_environment,
    )


def in_duckdb() -> Contender:
    """The peer: the rules of our contracts as one script, and then the workshop's SQL."""

    def command(files: Path, results: Path) -> list[str]:
        (results / SCRIPT).write_text(script(files, results))
        options = ["--script", str(results / SCRIPT), "--as-of", AS_OF.isoformat(), "--results", str(results)]
        return [sys.executable, "-m", "benchmarks.script_in_duckdb", *options]

    return Contender(DUCKDB, "DuckDB, one script to rfm", TABLES, command, lambda results: results)


def other_checkout(folder: Path, python: str | None) -> Contender:
    """All steps of another checkout of this project, such as an earlier commit.

    Args:
        folder: The checkout.
        python: The Python that it runs with; None for its own environment, or this one if it has none.

    Raises:
        ConfigurationError: The folder is no checkout of this project.
    """
    checkout = folder.resolve()
    if not (checkout / "jobs" / "pipeline.py").is_file():
        raise ConfigurationError(f"invalid --other {folder}: found no jobs/pipeline.py, expected a checkout of it")
    own = checkout / ".venv" / "bin" / "python"
    chosen = python or (str(own) if own.exists() else sys.executable)
    return pipeline(OTHER, f"other ({checkout.name})", folder=checkout, python=chosen)


CONTENDERS = (
    pipeline(SPARK, "ours (python -m jobs.pipeline)"),
    replace(pipeline(COMET, "ours, --engine comet", engine=COMET), is_default=False),
    in_duckdb(),
)
