"""``python -m deploy``: the commands that bring the pipeline to AWS."""

import sys
from collections.abc import Sequence

from deploy.arguments import parser
from jobs.program import program


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; see ``--help``."""
    return program("deploy", lambda: run(argv))


def run(argv: Sequence[str] | None) -> None:
    """Find the command and run it."""
    given = parser().parse_args(argv)
    given.run(given)


if __name__ == "__main__":
    sys.exit(main())
