"""``python -m deploy``: the commands that bring the pipeline to AWS."""

import sys
from collections.abc import Sequence

from deploy.arguments import parser
from jobs.cli.main import run_main


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; see ``--help``."""
    return run_main("deploy", lambda: run(argv))


def run(argv: Sequence[str] | None) -> None:
    """Find the command and run it.

    Raises:
        ConfigurationError: An argument is none of the command's, and the command hands none on to a job.
    """
    commands = parser()
    given, others = commands.parse_known_args(argv)
    if others and not hasattr(given, "job_arguments"):
        commands.error(f"unrecognized arguments: {' '.join(others)}")
    given.job_arguments = others
    given.run(given)


if __name__ == "__main__":
    sys.exit(main())
