"""The commands of ``python -m deploy``, each added by the module that carries it out."""

import argparse
from typing import NoReturn

from deploy.package import add_package
from jobs.errors import ConfigurationError

EPILOG = """\
exit codes:
  0 done   2 bad arguments or configuration   3 the data is not fit to use   4 AWS or another system failed
"""


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and are raised."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, without its usage lines."""
        raise ConfigurationError(f"{message} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    commands = OneLineParser(
        prog="python -m deploy",
        description="Bring the pipeline to AWS: package it, make its stacks, run it, take it down.",
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tree = commands.add_subparsers(required=True, metavar="COMMAND", parser_class=OneLineParser)
    add_package(tree)
    return commands
