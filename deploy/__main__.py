"""``python -m deploy``: the commands that bring the pipeline to AWS."""

import argparse
import sys
from collections.abc import Sequence

from deploy.doctor import add_doctor
from deploy.down import add_down
from deploy.emr import add_emr
from deploy.glue import add_glue
from deploy.outputs import add_outputs
from deploy.package import add_package
from deploy.quicksight.commands import add_quicksight
from deploy.run import add_run
from deploy.sagemaker.commands import add_sagemaker
from deploy.up import add_up
from deploy.upload import add_upload
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version

EPILOG = """\
exit codes:
  0 done   2 bad arguments or configuration   3 the data is not fit to use   4 AWS or another system failed
"""

ADD_COMMANDS = (
    add_doctor,
    add_up,
    add_upload,
    add_package,
    add_glue,
    add_emr,
    add_sagemaker,
    add_run,
    add_quicksight,
    add_outputs,
    add_down,
)
"""Each verb adds its own parser. Help lists the verbs in this order."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``--help`` lists the commands."""
    return run_main("deploy", lambda: run(argv))


def run(argv: Sequence[str] | None) -> None:
    """Parse a command line and run its command.

    Raises:
        ConfigurationError: The command has no such argument, and does not pass arguments on to a job.
    """
    parser = command_parser()
    options, unknown_arguments = parser.parse_known_args(argv)
    if unknown_arguments and not hasattr(options, "job_arguments"):
        parser.error(f"unrecognized arguments: {' '.join(unknown_arguments)}")
    options.job_arguments = unknown_arguments
    options.run(options)


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = OneLineParser(
        prog="python -m deploy",
        description="Bring the pipeline to AWS: package it, create its stacks, run it, take it down.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=OneLineParser)
    for add_command in ADD_COMMANDS:
        add_command(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
