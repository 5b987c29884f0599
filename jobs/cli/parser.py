"""Parsers whose errors are one line. Imports little, so that what runs without Spark has it too."""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from jobs.cli.option_names import unknown_option, without_glues_own
from jobs.cli.version import version
from jobs.errors import ConfigurationError


class PrintVersion(argparse.Action):
    """Prints the version and ends the program; looks it up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: object) -> None:
        """Print it."""
        sys.stdout.write(f"{parser.prog} {version()}\n")
        parser.exit()


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and are raised. An option has to be named in full.

    Attributes:
        passes_others_on: whether unknown options are for somebody else; all other parsers refuse them by name.
    """

    passes_others_on = False

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, without its usage lines."""
        raise ConfigurationError(f"{_reworded(message)} (see {self.prog} --help)")

    # argparse calls this for the parsers of subcommands too, so that each refuses what it lacks.
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse, but first refuse an option that no parser here has: argparse would name a missing one instead."""
        arguments = list(sys.argv[1:] if args is None else args)
        if not self.passes_others_on:
            self._refuse_unknown(arguments)
        return super().parse_known_args(arguments, namespace)

    def parse_step(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """Parse the command line of a step. The options that Glue adds to every job are passed over.

        Args:
            argv: the command line; None for that of the process.

        Raises:
            ConfigurationError: An argument is unknown or missing, does not parse or is empty.
        """
        arguments: argparse.Namespace = self.parse_args(without_glues_own(sys.argv[1:] if argv is None else argv))
        for name, value in vars(arguments).items():
            if value == "" and name != "run_id":  # an empty run id is told by its own check
                raise ConfigurationError(f"invalid --{name.replace('_', '-')} '': expected a value")
        return arguments

    def _refuse_unknown(self, arguments: Sequence[str]) -> None:
        known, rest = self._option_string_actions, list(arguments)
        has_commands = any(action.nargs == argparse.PARSER for action in self._actions)
        while rest:
            argument = rest.pop(0)
            name, separator, _ = argument.partition("=")
            if argument == "--" or (has_commands and not argument.startswith("-")):
                return
            if name in known:
                if known[name].nargs is None and not separator and rest:
                    rest.pop(0)
            elif argument.startswith("-") and argument != "-":
                self.error(unknown_option(name, known))


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
