"""How a command line that cannot be read is told; imports little, so that what runs without Spark has it too."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from jobs.errors import ConfigurationError


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and are raised."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, without its usage lines."""
        raise ConfigurationError(f"{message} (see {self.prog} --help)")

    def parse_ours(self, argv: Sequence[str] | None) -> tuple[argparse.Namespace, tuple[str, ...]]:
        """What is ours on a command line, and the names of what is not: Glue puts its own beside ours.

        Their names and not their values, which may be anything. None is the program's own command line.
        """
        known, ignored = self.parse_known_args(argv)
        return known, tuple(part.partition("=")[0] for part in ignored if part.startswith("-"))


def at_least_one(text: str) -> int:
    """A whole number, 1 or more, as the ``type`` of an argument."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number, at least 1")
    return int(text)
