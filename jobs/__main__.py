"""``olist-rfm STEP``: every step under one name, as ``python -m jobs`` too."""

import sys
from collections.abc import Sequence
from importlib import import_module

from jobs.cli import interruptions
from jobs.cli.main import run_main
from jobs.cli.version import version
from jobs.errors import ConfigurationError

STEPS = {
    "run": ("pipeline", "all steps in one run, from CSV files to clusters"),
    "ingest": ("ingest", "raw CSV files to checked tables"),
    "replay": ("replay", "quarantined rows of an earlier run, validated again"),
    "features": ("features", "checked tables to transactions, purchases and RFM"),
    "segments": ("segments", "customers of an earlier run to clusters"),
    "backfill": ("backfill", "a run as of each of some days, over tables that are checked once"),
    "publish": ("publish", "the tables of a run into a warehouse"),
    "catalogue": ("catalogue", "the tables of a run in the Glue Data Catalog"),
    "report": ("report", "the page of a run, made again or opened"),
    "verify": ("verify", "a run derived again from its files by DuckDB; says which row is off"),
    "export": ("export", "the list of an audience, full or what changed, with a holdout"),
    "explain": ("explain", "one customer: scores, segment, history, and what moved them"),
    "lift": ("lift", "a campaign: those written to beside those held back, in a later run"),
    "prune": ("prune", "old runs and what killed runs left, removed"),
    "ledger": ("ledger", "a first mapping of a ledger of yours, proposed by its file"),
    "sample": ("sample", "an Olist-shaped data set to try it on"),
}
"""By the word on the command line: the module of the step, and its help."""

USAGE = "usage: olist-rfm STEP ..., with STEP one of:\n" + "".join(
    f"  {word:<9} {text}\n" for word, (_, text) in STEPS.items()
)
USAGE += "olist-rfm STEP --help has the arguments of a step; olist-rfm --version prints the version\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step that the first argument names, with the arguments that follow."""
    if argv is None:
        interruptions.for_the_whole_process()
    arguments = list(sys.argv[1:] if argv is None else argv)
    word = arguments[0] if arguments else "--help"
    if word in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    if word == "--version":
        sys.stdout.write(f"olist-rfm {version()}\n")
        return 0
    if word not in STEPS:
        return run_main("olist-rfm", lambda: _raise_unknown(word))
    # Imported when it is named: a step brings Spark, and --help must not wait for that.
    step_main = import_module(f"jobs.{STEPS[word][0]}").main
    return int(step_main(arguments[1:]))


def _raise_unknown(word: str) -> None:
    raise ConfigurationError(f"invalid step {word!r}: expected one of {', '.join(STEPS)} (see olist-rfm --help)")


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
