"""What a contender is told on its command line."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class ContenderArguments:
    """Which variant runs, for which day, from where, to where."""

    variant: str
    as_of: date
    tables: Path
    results: Path

    def as_argv(self) -> list[str]:
        """The arguments as `contender_arguments` reads them."""
        paths = ["--tables", str(self.tables), "--results", str(self.results)]
        return [self.variant, "--as-of", self.as_of.isoformat(), *paths]


def contender_arguments(module: str, variants: Iterable[str]) -> ContenderArguments:
    """Read the command line of a contender."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", allow_abbrev=False)
    parser.add_argument("variant", choices=list(variants))
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="last day that counts, inclusive")
    parser.add_argument("--tables", type=Path, required=True, help="folder of the checked tables")
    parser.add_argument("--results", type=Path, required=True, help="where the results are put, a folder per table")
    return ContenderArguments(**vars(parser.parse_args()))
