"""A run derived again from its own files, in DuckDB and without Spark: every score, segment, change, total and key."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.cli import console
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.errors import DataError
from jobs.storage.store import RunStore
from jobs.verifying.checks import Check, Result, Verification
from jobs.verifying.verification import verify_run

EPILOG = """\
what it cannot tell:
  whether the files that were read were right. It compares a run with itself, and with the run before.

A check that lacks what it needs, such as a run before that was pruned, is "not checked", and fails nothing.

exit codes:
  0 all passed   2 bad arguments or configuration   3 something is off   4 a file cannot be read, or memory is short
"""


@dataclass(frozen=True)
class VerifyConfig:
    """Which run is verified.

    Attributes:
        output: folder that holds the runs.
        run: the run; None for the current one.
        as_json: whether the result is printed as JSON.
    """

    output: str
    run: str | None = None
    as_json: bool = False

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "VerifyConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was done yet.
        """
        parser = OneLineParser(
            prog="python -m jobs.verify",
            description="Derive a run again from its own files, by other code than the run's, and say which row is "
            "off. Nothing is written.",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("run", nargs="?", metavar="RUN", help="the run to verify (default: the current one)")
        parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept")
        parser.add_argument("--json", action="store_true", help="print every check as JSON")
        add_version(parser)
        arguments = parser.parse_step(argv)
        return cls(arguments.output, arguments.run, arguments.json)


def main(argv: Sequence[str] | None = None) -> int:
    """Verify a run; see ``--help``."""
    return run_main("verify", lambda: _run(VerifyConfig.from_argv(argv)))


def _run(config: VerifyConfig) -> None:
    store = RunStore(config.output)
    manifest = store.find_manifest(config.run, missing="nothing to verify", advice="Run jobs.pipeline first")
    verification = verify_run(store, manifest)
    if config.as_json:
        sys.stdout.write(json.dumps(verification.as_json(), indent=2) + "\n")
    else:
        _show(verification)
    _raise_if_off(verification)


def _show(verification: Verification) -> None:
    """Print a table of the checks, and below it the rows that are off."""
    counts = ", ".join(f"{len(verification.having(result))} {result}" for result in Result)
    console.show_table(
        f"Run {verification.run_id}, as of {verification.as_of}: {counts}",
        ("check", "compared", "rows", "result"),
        [
            (check.name, check.compared, f"{check.rows:,}" if check.rows else "", _result(check))
            for check in verification.checks
        ],
        notes=_notes(verification.checks),
        text_columns=2,
    )


def _result(check: Check) -> str:
    return f"{check.off:,} off" if check.result is Result.FAILED else check.result.value


def _notes(checks: Sequence[Check]) -> list[str]:
    """What is to be said below the table: the rows that are off, and why something was not checked."""
    lines = []
    for check in checks:
        if check.result is Result.FAILED:
            lines += [f"{check.name}: {check.note}"] if check.note else []
            lines += [f"{check.name}: {fault}" for fault in check.faults]
            more = check.off - len(check.faults)
            lines += [f"{check.name}: and {more:,} more"] if more > 0 and check.faults else []
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.note and check.result is not Result.FAILED:
            reasons.setdefault(f"{check.result}: {check.note}", []).append(check.name)
    return lines + [f"{reason} ({', '.join(names)})" for reason, names in reasons.items()]


def _raise_if_off(verification: Verification) -> None:
    """End with the exit code of data that is not right.

    Raises:
        DataError: A check failed.
    """
    failed = verification.having(Result.FAILED)
    if failed:
        done = [check for check in verification.checks if check.result is not Result.NOT_CHECKED]
        raise DataError(
            f"run {verification.run_id}: {len(failed)} of {len(done)} checks failed, the first of them "
            f"{failed[0].name}; expected none. Do not use the run: restore its files, or run the pipeline again"
        )


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
