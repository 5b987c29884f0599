"""Lift: whether a campaign brought customers back, by those who were held back, in a later run."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from jobs.cli.argument_types import day
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.lifting.comparison import Comparison, find_comparison
from jobs.lifting.counting import Arms, count_arms
from jobs.lifting.sentences import sentences, show_comparison
from jobs.storage.store import RunStore
from jobs.storage.uris import folder_at

EPILOG = """\
what is compared:
  Members of the audience who were written to, with those who were held back: the share who bought again, and revenue
  per customer, from the day after the audience to the day of the run. Each member counts in the arm that was drawn.
  The verdict is about the share who bought again (docs/lift.md). It reads files with DuckDB, and starts no Spark.

exit codes:
  0 done, whatever the verdict   2 bad arguments, no holdout, or a run without these days   3 a file of the audience or
  of the run is damaged   4 a disk or a service failed
"""


@dataclass(frozen=True)
class LiftConfig:
    """Which audience is compared, in which run and which days.

    Attributes:
        audience: folder of the export.
        output: folder that holds the runs.
        run: the later run; None for the current one.
        first: the first day to measure; None for the day after that of the audience.
        last: the last day to measure; None for the day of the run.
        as_json: whether the figures are printed as JSON, in place of a table and sentences.
    """

    audience: str
    output: str
    run: str | None = None
    first: date | None = None
    last: date | None = None
    as_json: bool = False

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "LiftConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was read yet.
        """
        parser = OneLineParser(
            prog="python -m jobs.lift",
            description="Compare those of an audience who were written to with those who were held back.",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("audience", metavar="AUDIENCE", help="the folder that jobs.export --to named")
        parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept")
        parser.add_argument("--run", metavar="ID", help="the later run to compare them in (default: the current one)")
        parser.add_argument(
            "--from", dest="first", type=day, metavar="DATE", help="the first day (default: that after the audience)"
        )
        parser.add_argument(
            "--to", dest="last", type=day, metavar="DATE", help="the last day (default: that of the run)"
        )
        parser.add_argument("--json", action="store_true", help="print all figures as JSON")
        add_version(parser)
        arguments = parser.parse_args(argv)
        return cls(arguments.audience, arguments.output, arguments.run, arguments.first, arguments.last, arguments.json)


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the arms of an audience; see ``--help``."""
    return run_main("lift", lambda: _run(LiftConfig.from_argv(argv)))


def _run(config: LiftConfig) -> None:
    store = RunStore(config.output)
    folder = folder_at(config.audience, argument="AUDIENCE")
    comparison = find_comparison(store, folder, run_id=config.run, first=config.first, last=config.last)
    arms = count_arms(store, comparison)
    if config.as_json:
        sys.stdout.write(f"{json.dumps(_facts(comparison, arms), indent=2)}\n")
    else:
        show_comparison(comparison, arms)


def _facts(comparison: Comparison, arms: Arms) -> dict[str, Any]:
    """All figures of a comparison under keys that stay. Money is text, days are ISO dates, and the rest is numbers."""
    return {
        **comparison.as_json(),
        **arms.lift.as_json(),
        "absent": dict(arms.absent),
        "days_without_purchases": comparison.days_without_purchases,
        "sentences": sentences(comparison, arms),
    }


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
