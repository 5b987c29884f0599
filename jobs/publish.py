"""The tables of a run into a warehouse, whole or not at all: by itself, or as the last step of the pipeline."""

import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.cli import console
from jobs.cli.arguments import add_warehouse_arguments
from jobs.cli.main import program
from jobs.cli.parser import OneLineParser
from jobs.errors import ConfigurationError
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3
from jobs.warehouse.load_plan import RunToLoad, Warehouse, raw_to_load, run_to_load
from jobs.warehouse.target import DuckDBAddress, Target

EPILOG = """\
what a load does:
  The files of the run are compared with its manifest. Then, in one transaction, the tables of the run take the place of
  those of the run before; rows and money are compared with the manifest once more; pipeline_runs gets a row. Readers
  see one run or the other. What fails leaves the warehouse as it was.

exit codes:
  0 done   2 bad arguments or configuration   3 what arrived is not what the run wrote   4 the warehouse failed
"""


@dataclass(frozen=True)
class PublishConfig:
    """What is published, and where.

    Attributes:
        output: folder that holds the runs.
        target: the warehouse.
        run: id of the run; None takes the current one.
        raw_copy: whether the raw CSV files go into tables of their own too.
        input: folder that holds them.
        ignored_arguments: names of arguments that are none of ours (Glue adds its own).
    """

    output: str
    target: Target
    run: str | None = None
    raw_copy: bool = False
    input: str | None = None
    ignored_arguments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.target.address, DuckDBAddress) and (is_in_s3(self.output) or is_in_s3(self.input)):
            raise ConfigurationError(
                f"--warehouse {self.target.address}: found a run in S3, expected a local one, since DuckDB reads local "
                "files here. Load it into Redshift, or copy the run's folder (aws s3 sync) and name that as --output"
            )
        if self.raw_copy != (self.input is not None):
            raise ConfigurationError(
                "--raw-copy and --input: found one of them, expected both or neither. --raw-copy loads the files that "
                "are in --input"
            )

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "PublishConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or is not what it has to be; nothing was done yet.
        """
        parser = OneLineParser(
            prog="python -m jobs.publish",
            description="Put the tables of a run into a warehouse, in place of those of the run before.",
            epilog=EPILOG,
            allow_abbrev=False,
            formatter_class=RawDescriptionHelpFormatter,
        )
        parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept")
        parser.add_argument("--run", metavar="ID", help="which run (default: the current one)")
        add_warehouse_arguments(parser, is_required=True)
        parser.add_argument(
            "--raw-copy",
            action="store_true",
            help="also load the CSV files as they are into customers_raw, orders_raw and payments_raw, as the workshop "
            "does; but a row that does not fit ends the load, where the workshop drops it",
        )
        parser.add_argument("--input", metavar="FOLDER", help="for --raw-copy: the CSV files that the run read")
        known, ignored = parser.parse_ours(argv)
        return cls(
            output=known.output,
            target=Target.of(known),
            run=known.run,
            raw_copy=known.raw_copy,
            input=known.input,
            ignored_arguments=ignored,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return program("publish", lambda: publish(PublishConfig.from_argv(argv)))


def publish(config: PublishConfig) -> None:
    """Load a run into the warehouse, and say so.

    Raises:
        ConfigurationError: There is no such run.
        DataError: Its files, or what arrived of them, are not what the run wrote.
        OutsideSystemError: The warehouse failed.
    """
    warehouse = config.target.opened()
    store = RunStore(config.output)
    run = run_to_load(store, config.run)
    raw = raw_to_load(config.input, store, run.run_id) if config.input is not None else None
    _load(warehouse, run, config)
    if raw is not None:
        warehouse.load_raw(raw)
        console.summary("Raw files", ("table", "rows"), [(table.name, f"{table.rows:,}") for table in raw.tables])


def _load(warehouse: Warehouse, run: RunToLoad, config: PublishConfig) -> None:
    loaded = warehouse.load(run)
    console.summary(
        f"In {config.target.address}: run {run.run_id}, load {loaded.load_id}",
        ("table", "rows", "money"),
        [
            (table.name, f"{table.total.rows:,}", "" if table.total.money is None else f"{table.total.money:,.2f}")
            for table in run.tables
        ],
        notes=[f"not understood, and ignored: {name}" for name in config.ignored_arguments],
    )


if __name__ == "__main__":
    sys.exit(main())
