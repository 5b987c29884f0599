"""Parsers whose errors are one line. Imports little, so that what runs without Spark has it too."""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from jobs.cli.version import version
from jobs.errors import ConfigurationError


class PrintVersion(argparse.Action):
    """Prints the version and ends the program; looks it up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: object) -> None:
        """Print it."""
        sys.stdout.write(f"{parser.prog} {version()}\n")
        parser.exit()


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and are raised."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, without its usage lines."""
        raise ConfigurationError(f"{_reworded(message)} (see {self.prog} --help)")

    def parse_known(self, argv: Sequence[str] | None) -> tuple[argparse.Namespace, tuple[str, ...]]:
        """Parse the known arguments, and return the names of the others: Glue adds its own to every job.

        Only the names are kept. The values may be anything, secrets included.

        Args:
            argv: the command line; None for that of the process.

        Raises:
            ConfigurationError: An argument is missing, does not parse or is empty.
        """
        arguments, others = self.parse_known_args(argv)
        for name, value in vars(arguments).items():
            if value == "" and name != "run_id":  # an empty run id is told by its own check
                raise ConfigurationError(f"invalid --{name.replace('_', '-')} '': expected a value")
        return arguments, tuple(part.partition("=")[0] for part in others if part.startswith("-"))


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add ``--version``."""
    parser.add_argument("--version", action=PrintVersion, nargs=0, help="print the version and exit")


def at_least_one(text: str) -> int:
    """The ``type`` of an argument that is a whole number, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number, at least 1")
    return int(text)


def _reworded(message: str) -> str:
    """Argparse's message in the form of all others: what was found, then what was expected."""
    parts = re.fullmatch(r"argument ([^:]+): (.*)", message, re.DOTALL)
    if parts is None:
        return message
    name, complaint = parts[1], parts[2]
    choice = re.fullmatch(r"invalid choice: (.*?) \((?:choose from|maybe you meant) (.*)\)", complaint, re.DOTALL)
    if choice:
        return f"invalid {name} {choice[1]}: expected one of {choice[2]}"
    return f"invalid {name} {complaint}" if complaint.startswith(("'", '"')) else f"invalid {name}: {complaint}"
