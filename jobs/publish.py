"""The tables of a run, or an exported audience, into a warehouse: all or nothing, and as a step of its own."""

import logging
import sys
import time
from argparse import Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.audiences.audience import read_audience
from jobs.cli import console
from jobs.cli.arguments import add_log_arguments, add_warehouse_arguments
from jobs.cli.logs import LOG_FORMATS, configure_logs, log_event
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.errors import ConfigurationError
from jobs.storage.store import RunStore
from jobs.storage.uris import folder_at, is_in_s3
from jobs.warehouse.audiences import load_audience
from jobs.warehouse.load_plan import RunToLoad, Warehouse, raw_to_load, run_to_load
from jobs.warehouse.target import DuckDBAddress, WarehouseTarget
from transforms.audiences.arms import CONTROL, TREATMENT

log = logging.getLogger("jobs.publish")  # also when it is run as __main__

EPILOG = """\
what a load does:
  It compares the run's files with its manifest. Then, in one transaction, the run's tables replace those of the run
  before, rows and money are compared with the manifest once more, and pipeline_runs gets a row. Readers see one run or
  the other. A load that fails leaves the warehouse as it was.
  With --audience, the members of the export replace the earlier rows of that audience in the table audiences. Other
  audiences and the tables of runs stay as they are.

exit codes:
  0 done   2 bad arguments or configuration   3 the loaded rows are not those of the run   4 the warehouse failed
"""


@dataclass(frozen=True)
class PublishConfig:
    """Which run is published, and where.

    Attributes:
        output: folder that holds the runs.
        target: the warehouse.
        run: id of the run; None takes the current one.
        raw_copy: whether the raw CSV files go into tables of their own too.
        input: folder that holds them.
        log_format: form of the log lines.
    """

    output: str
    target: WarehouseTarget
    run: str | None = None
    raw_copy: bool = False
    input: str | None = None
    log_format: str = LOG_FORMATS[0]

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


@dataclass(frozen=True)
class AudienceConfig:
    """Which exported audience is published, and where.

    Attributes:
        audience: folder of the export.
        target: the warehouse.
        log_format: form of the log lines.
    """

    audience: str
    target: WarehouseTarget
    log_format: str = LOG_FORMATS[0]


def read_arguments(argv: Sequence[str] | None) -> PublishConfig | AudienceConfig:
    """Read the command line.

    Raises:
        ConfigurationError: An argument is missing or invalid; nothing was done yet.
    """
    arguments = _parser().parse_step(argv)
    _require_run_or_audience(arguments)
    target = WarehouseTarget.from_arguments(arguments)
    if arguments.audience is not None:
        return AudienceConfig(arguments.audience, target, arguments.log_format)
    return PublishConfig(
        output=arguments.output,
        target=target,
        run=arguments.run,
        raw_copy=arguments.raw_copy,
        input=arguments.input,
        log_format=arguments.log_format,
    )


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="python -m jobs.publish",
        description="Load the tables of a run into a warehouse, in place of those of the run before. Or load an "
        "exported audience.",
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", metavar="FOLDER", help="where runs are kept")
    parser.add_argument("--run", metavar="ID", help="the run to load (default: the current one)")
    parser.add_argument(
        "--audience", metavar="PATH", help="in place of a run: the folder that jobs.export --to named; on a disk or S3"
    )
    add_warehouse_arguments(parser, is_required=True)
    parser.add_argument(
        "--raw-copy",
        action="store_true",
        help="also load the CSV files as they are into customers_raw, orders_raw and payments_raw, as the workshop "
        "does; but a row that does not fit ends the load, while the workshop drops it",
    )
    parser.add_argument("--input", metavar="FOLDER", help="for --raw-copy: the CSV files that the run read")
    add_log_arguments(parser)
    add_version(parser)
    return parser


def _require_run_or_audience(arguments: Namespace) -> None:
    of_run = {
        "--output": arguments.output,
        "--run": arguments.run,
        "--raw-copy": arguments.raw_copy or None,
        "--input": arguments.input,
    }
    beside = [name for name, value in of_run.items() if value is not None]
    if arguments.audience is not None and beside:
        raise ConfigurationError(
            f"--audience: found {', '.join(beside)} beside it, expected none of {', '.join(of_run)}, which are about a "
            "run. Load the run and the audience one after the other"
        )
    if arguments.audience is None and arguments.output is None:
        raise ConfigurationError(
            "--output, --audience: found neither, expected one. Name the folder of the runs, or that of an export"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run this step by itself; see ``--help``."""
    return run_main("publish", lambda: _run(read_arguments(argv)))


def _run(config: PublishConfig | AudienceConfig) -> None:
    configure_logs(config.log_format)
    if isinstance(config, AudienceConfig):
        publish_audience(config)
    else:
        publish(config)


def publish(config: PublishConfig) -> None:
    """Load a run into the warehouse, and print what was loaded.

    Raises:
        ConfigurationError: There is no such run.
        DataError: Its files, or the loaded rows, are not what the run wrote.
        OutsideSystemError: The warehouse failed.
    """
    warehouse = config.target.open_warehouse()
    store = RunStore(config.output)
    run = run_to_load(store, config.run)
    raw = raw_to_load(config.input, store, run.run_id) if config.input is not None else None
    _load(warehouse, run, config)
    if raw is not None:
        warehouse.load_raw(raw)
        console.show_table("Raw files", ("table", "rows"), [(table.name, f"{table.rows:,}") for table in raw.tables])


def publish_audience(config: AudienceConfig) -> None:
    """Load an exported audience into the warehouse, and print what was loaded.

    Raises:
        ConfigurationError: There is no such export, or it is not complete.
        DataError: Its files, or the loaded rows, are not what was exported.
        OutsideSystemError: The warehouse failed.
    """
    folder = folder_at(config.audience, argument="--audience")
    audience = read_audience(folder)
    load_audience(config.target, audience, folder)
    console.show_table(
        f"In {config.target.address}: audience {audience.audience_id}",
        ("arm", "members"),
        [(TREATMENT, f"{audience.members.treatment:,}"), (CONTROL, f"{audience.members.control:,}")],
    )


def _load(warehouse: Warehouse, run: RunToLoad, config: PublishConfig) -> None:
    log_event(log, "load started", run_id=run.run_id, warehouse=config.target.address)
    started = time.monotonic()
    try:
        loaded = warehouse.load(run)
    except BaseException:
        log_event(log, "load failed", level=logging.ERROR, run_id=run.run_id, warehouse=config.target.address)
        raise
    rows, seconds = sum(table.total.rows for table in run.tables), round(time.monotonic() - started, 2)
    log_event(log, "load complete", run_id=run.run_id, load_id=loaded.load_id, rows=rows, seconds=seconds)
    console.show_table(
        f"In {config.target.address}: run {run.run_id}, load {loaded.load_id}",
        ("table", "rows", "money"),
        [
            (table.name, f"{table.total.rows:,}", "" if table.total.money is None else f"{table.total.money:,.2f}")
            for table in run.tables
        ],
    )


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
