"""The report of a run, made again from the run's files."""

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.cli import console
from jobs.cli.arguments import add_log_arguments, add_report_arguments
from jobs.cli.logs import LOG_FORMATS, configure_logs
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.errors import ConfigurationError
from jobs.reports.making import REPORT, make_report
from jobs.runs.earlier import find_table
from jobs.spark.session import Workload, spark_session
from jobs.storage.store import RunStore
from jobs.storage.uris import is_in_s3

EPILOG = """\
what is written:
  OUTPUT/runs/<run_id>/report.html   one file that opens without a network

Segments and cells of fewer customers than --smallest-cell are hidden, and so are those by which they could be computed.

exit codes:
  0 done   2 bad arguments or configuration   3 a file of the run is damaged   4 Spark or another system failed
"""


@dataclass(frozen=True)
class ReportConfig:
    """Which report is made, or opened.

    Attributes:
        output: folder that holds the runs.
        run: the run; None for the current one.
        smallest_cell: the fewest customers of whom a figure is shown; None for what the run was made with.
        opens: whether a browser shows the report. It is then made only if the run has none, or for `smallest_cell`.
        log_format: form of the log lines.
    """

    output: str
    run: str | None = None
    smallest_cell: int | None = None
    opens: bool = False
    log_format: str = LOG_FORMATS[0]

    def __post_init__(self) -> None:
        if self.opens and is_in_s3(self.output):
            raise ConfigurationError(
                f"--open with --output {self.output}: a browser opens no s3:// URI. Copy report.html from the run's "
                "folder to this machine"
            )

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "ReportConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was done yet.
        """
        parser = OneLineParser(
            prog="python -m jobs.report",
            description="Make the report of a run again from the run's files: one page with segments, scores, clusters "
            "and data quality.",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept")
        parser.add_argument("--run", metavar="ID", help="the run to report on (default: the current one)")
        add_report_arguments(parser, default=None)
        parser.add_argument(
            "--open", action="store_true", help="open the report in a browser; make it only if the run has none"
        )
        add_log_arguments(parser)
        add_version(parser)
        arguments = parser.parse_step(argv)
        return cls(
            output=arguments.output,
            run=arguments.run,
            smallest_cell=arguments.smallest_cell,
            opens=arguments.open,
            log_format=arguments.log_format,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Make or open a report; see ``--help``."""
    return run_main("report", lambda: _run(ReportConfig.from_argv(argv)))


def _run(config: ReportConfig) -> None:
    configure_logs(config.log_format)
    store = RunStore(config.output)
    manifest = store.find_manifest(config.run, missing="nothing to report", advice="Run jobs.pipeline first")
    path = store.display_path(manifest.run_id, REPORT)
    is_there = store.contains(manifest.run_id, REPORT) and config.smallest_cell is None
    if not (config.opens and is_there):
        for table in ("rfm", "purchases"):
            if table in manifest.tables:
                find_table(store.folder, manifest, table)
        with spark_session("report", workload=Workload(is_in_s3(config.output))) as session:
            path = make_report(session, store, manifest.run_id, smallest_cell=config.smallest_cell)
    console.say(f"Report: {path}")
    if config.opens and not webbrowser.open(Path(path).absolute().as_uri()):
        console.say("No browser was found on this machine; open the file yourself.")


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
