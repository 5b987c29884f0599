"""The tables of a run in the Glue Data Catalog, for Athena and whoever else reads it, as a step of its own."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.cli import interruptions
from jobs.cli.arguments import add_catalogue_argument, add_log_arguments
from jobs.cli.logs import LOG_FORMATS, configure_logs
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.registering.leaving import open_catalogue, show_registered
from jobs.registering.registration import register
from jobs.storage.store import RunStore

EPILOG = """\
what a registration does:
  Each table of the run gets a partition in DATABASE.<table>, with its place in S3. Partitions of runs that are gone are
  removed. Then DATABASE.<table>_current is moved to the run that current.json names. Each table changes at once, but
  not all of them together. The same command repeats a registration that failed. No row is read or copied.

exit codes:
  0 done   2 bad arguments or no such database   3 a manifest or current.json is damaged   4 the catalogue failed
"""


@dataclass(frozen=True)
class CatalogueConfig:
    """Which run is registered, and where.

    Attributes:
        output: folder that holds the runs, in S3.
        catalogue: database of the Glue Data Catalog.
        run: id of the run; None takes the current one.
        log_format: form of the log lines.
    """

    output: str
    catalogue: str
    run: str | None = None
    log_format: str = LOG_FORMATS[0]

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "CatalogueConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was done yet.
        """
        parser = OneLineParser(
            prog="python -m jobs.catalogue",
            description="Register the tables of a run in the Glue Data Catalog, where Athena and others find them.",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept, in S3")
        parser.add_argument("--run", metavar="ID", help="the run to register (default: the current one)")
        add_catalogue_argument(parser, is_required=True)
        add_log_arguments(parser)
        add_version(parser)
        arguments = parser.parse_step(argv)
        return cls(arguments.output, arguments.catalogue, arguments.run, arguments.log_format)


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("catalogue", lambda: _run(CatalogueConfig.from_argv(argv)))


def _run(config: CatalogueConfig) -> None:
    configure_logs(config.log_format)
    catalogue = open_catalogue(config.catalogue, output=config.output)
    store = RunStore(config.output)
    run_id = config.run or store.find_manifest(None, missing="nothing to register", advice="Name a run").run_id
    interruptions.state_is("a part of it may be registered; the same command registers the rest")
    show_registered(register(store, catalogue, run_id), catalogue)


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
