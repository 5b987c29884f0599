"""The configuration of a backfill: typed, frozen, and validated before anything is read or written."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from jobs.cli.arguments import parser_of
from jobs.cli.config import ClustersConfig, FeaturesConfig, RunOptions, SourceOptions
from jobs.cli.option_names import without_glues_own
from jobs.cli.schedule import Schedule
from jobs.errors import ConfigurationError

OLIST = SourceOptions()

OF_THE_BEGINNING = ("--input", "--source", "--mapping", "--match", "--compare", "--start-at", "--checked-run")
"""The options that a command which continues lacks, or has with another value."""


@dataclass(frozen=True)
class BackfillConfig:
    """A run as of each of some days, all from the same checked tables.

    Attributes:
        schedule: the days.
        run: the options of each run; as of the last day, and without an id.
        features: how features are computed. ``compare`` is for the first day alone.
        clusters: how customers are clustered. ``match`` is for the first day alone.
        input: folder of the raw files, which are checked once; None where ``checked_run`` has the tables.
        source: which kind of source ``input`` is.
        checked_run: the run whose checked tables are read.
        repeated: the words of the command line that a command which continues repeats.
    """

    schedule: Schedule
    run: RunOptions
    features: FeaturesConfig
    clusters: ClustersConfig
    input: str | None = None
    source: SourceOptions = OLIST
    checked_run: str | None = None
    repeated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.input is None and self.checked_run is None:
            raise ConfigurationError(
                "no tables to read: expected --input FOLDER, whose tables are checked once, or --checked-run RUN_ID of "
                "a run that has checked them. Give one of them"
            )
        if self.input is not None and self.checked_run is not None:
            raise ConfigurationError(
                "--input with --checked-run: a backfill reads one of them. Leave --input out to read what "
                f"run {self.checked_run} has checked"
            )
        if self.checked_run is not None and self.source != OLIST:
            raise ConfigurationError(
                f"--source with --checked-run: run {self.checked_run} has kept its source. Leave --source and "
                "--mapping out"
            )

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "BackfillConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was done yet.
        """
        words = without_glues_own(sys.argv[1:] if argv is None else argv)
        arguments = parser_of("backfill").parse_step(words)
        arguments.as_of, arguments.run_id = arguments.last_day, None
        return cls(
            schedule=Schedule(arguments.first_day, arguments.last_day, arguments.every, arguments.start_at),
            run=RunOptions.of(arguments),
            features=FeaturesConfig.of(arguments),
            clusters=ClustersConfig.of(arguments),
            input=arguments.input,
            source=SourceOptions.of(arguments),
            checked_run=arguments.checked_run,
            repeated=_without(words, OF_THE_BEGINNING),
        )

    def options_of_run(self, day: date, *, becomes_current: bool) -> RunOptions:
        """The options of the run as of a day."""
        return replace(self.run, as_of=day, becomes_current=becomes_current)

    def command_from(self, day: date, *, checked_run: str) -> str:
        """The command that goes on with a day."""
        words = [*self.repeated, "--start-at", f"{day}", "--checked-run", checked_run]
        return f"python -m jobs.backfill {shlex.join(words)}"


def _without(words: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """A command line without some options and their values."""
    kept, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        name, separator, _ = word.partition("=")
        if name not in names:
            kept.append(word)
        elif not separator and rest:
            rest.pop(0)
    return tuple(kept)
