"""How a command line that cannot be read is told; imports little, so that what runs without Spark has it too."""

import argparse
from typing import NoReturn

from jobs.errors import ConfigurationError


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and are raised."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, without its usage lines."""
        raise ConfigurationError(f"{message} (see {self.prog} --help)")
