"""Remove old runs that nothing needs any more, and what killed runs left. Without ``--yes`` it lists them only."""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.cli import console, interruptions
from jobs.cli.arguments import add_log_arguments
from jobs.cli.logs import LOG_FORMATS, configure_logs, log_event
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.errors import OutsideSystemError
from jobs.runs.retention import RemovableRun, Retention, removable_runs
from jobs.storage.store import RunStore

log = logging.getLogger("jobs.prune")  # also when it is run as __main__

KEEP, OLDER_THAN = 10, 30
LARGEST_NUMBER = 36_500
"""Of runs, and of days: a century."""

EPILOG = """\
what stays, whatever the arguments are:
  the current run; runs whose tables, clusters or score card a run that stays has taken over; runs that a run that
  stays was started from; runs without a time of their end; what has no run's name.

A damaged current.json or manifest.json stops the command before anything is removed. Remove runs when no other run
works: it may be about to read one of them.

exit codes:
  0 done   2 bad arguments or configuration   3 a pointer or manifest is damaged   4 something cannot be removed
"""


@dataclass(frozen=True)
class PruneConfig:
    """Which runs are removed, and whether they are.

    Attributes:
        output: folder that holds the runs.
        retention: what is kept.
        removes: whether the runs are removed; else they are listed.
        log_format: form of the log lines.
    """

    output: str
    retention: Retention
    removes: bool = False
    log_format: str = LOG_FORMATS[0]

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "PruneConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing, invalid or unknown; nothing was done yet.
        """
        parser = OneLineParser(
            prog="python -m jobs.prune",
            description="List old runs that nothing needs any more, with their sizes; with --yes remove them.",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept")
        parser.add_argument(
            "--keep",
            type=_number,
            default=KEEP,
            metavar="N",
            help="the newest complete runs that stay, whatever their age (default: %(default)s)",
        )
        parser.add_argument(
            "--older-than",
            type=_number,
            default=OLDER_THAN,
            metavar="DAYS",
            help="remove only runs that were finished more days ago than this (default: %(default)s)",
        )
        parser.add_argument(
            "--wrecks",
            action="store_true",
            help="also remove folders of runs without a manifest, in which nothing has changed for a day",
        )
        parser.add_argument("--yes", action="store_true", help="remove what would be listed without this")
        add_log_arguments(parser)
        add_version(parser)
        arguments = parser.parse_args(argv)
        return cls(
            output=arguments.output,
            retention=Retention(arguments.keep, arguments.older_than, arguments.wrecks),
            removes=arguments.yes,
            log_format=arguments.log_format,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("prune", lambda: _run(PruneConfig.from_argv(argv)))


def _run(config: PruneConfig) -> None:
    configure_logs(config.log_format)
    prune(config)


def prune(config: PruneConfig) -> None:
    """List the runs that nothing needs any more, and remove them if the configuration says so.

    Raises:
        ConfigurationError: There are no runs there, or the current one is not complete.
        DataError: The pointer or a manifest is damaged; nothing was removed.
        OutsideSystemError: A run cannot be removed, or the runs changed meanwhile.
    """
    store, now = RunStore(config.output), datetime.now(UTC)
    runs = removable_runs(store, config.retention, now=now)
    if config.removes:
        # Sizes take a while. A run that ended meanwhile may need what nothing needed before.
        if _ids(removable_runs(store, config.retention, now=now)) != _ids(runs):
            raise OutsideSystemError(
                f"--output {config.output}: another run ended or was removed meanwhile, so nothing was removed here. "
                "Run again when no other run works"
            )
        _remove(store, runs)
    notes = ["nothing is old enough, or all that is old is still needed"] if not runs else []
    if runs and not config.removes:
        notes = ["nothing was removed; the same command with --yes removes these runs"]
    console.show_table(
        "Removed" if config.removes else "To remove",
        ("run", "state", "since", "bytes"),
        [*map(_row, runs), ("total", "", "", f"{sum(run.size for run in runs):,}")],
        notes=notes,
        text_columns=3,
    )


def _remove(store: RunStore, runs: Sequence[RemovableRun]) -> None:
    for number, run in enumerate(runs):
        interruptions.state_is(
            f"{number} of {len(runs)} runs were removed, and perhaps a part of {run.run_id}; the others stay whole"
        )
        store.remove_run(run.run_id)
        log_event(log, "run removed", run_id=run.run_id, complete=run.is_complete, bytes=run.size)
    interruptions.state_is(f"{len(runs)} of {len(runs)} runs were removed; the others stay whole")


def _ids(runs: Sequence[RemovableRun]) -> list[str]:
    return [run.run_id for run in runs]


def _row(run: RemovableRun) -> tuple[str, str, str, str]:
    state = "complete" if run.is_complete else "no manifest"
    return run.run_id, state, run.since.isoformat(sep=" ", timespec="minutes"), f"{run.size:,}"


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > LARGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 0 to {LARGEST_NUMBER:,}")
    return int(text)


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
