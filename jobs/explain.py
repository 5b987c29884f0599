"""One customer explained: scores, segment, history, and what moved them since the run before."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.cli.printable import printable
from jobs.errors import ConfigurationError
from jobs.explaining.explained_runs import find_runs
from jobs.explaining.explanation import explain_customer
from jobs.explaining.facts import facts_of
from jobs.explaining.records import SHORTEST_PREFIX
from jobs.explaining.story import story
from jobs.storage.store import RunStore

EPILOG = f"""\
what is explained:
  The measures, scores, segment, history and cluster of one customer; and each step between two runs: past data, new
  purchases, time, cut points, segment map (docs/explain.md). It reads the files of the runs with DuckDB, and starts no
  Spark. Ids are matched exactly, or else by their first {SHORTEST_PREFIX} characters or more, if one customer alone has
  such an id.

exit codes:
  0 done   2 bad arguments or no such customer   3 a file of a run is damaged, or says another thing   4 a disk or a
  service failed
"""


@dataclass(frozen=True)
class ExplainConfig:
    """Which customer is explained, by which runs.

    Attributes:
        customer: the id, or the beginning of one.
        output: folder that holds the runs.
        run: the run; None for the current one.
        between: two runs, the earlier one first; None for the run and the one before it.
        as_json: whether the facts are printed as JSON, in place of sentences.
    """

    customer: str
    output: str
    run: str | None = None
    between: tuple[str, str] | None = None
    as_json: bool = False

    def __post_init__(self) -> None:
        if not self.customer.strip():
            raise ConfigurationError("invalid CUSTOMER '': expected the customer_unique_id of a customer")
        if self.run is not None and self.between is not None:
            raise ConfigurationError("--run with --between: the later run of --between is explained. Give one of them")

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None) -> "ExplainConfig":
        """Read the command line.

        Raises:
            ConfigurationError: An argument is missing or invalid; nothing was read yet.
        """
        parser = OneLineParser(
            prog="python -m jobs.explain",
            description="Explain one customer: scores, segment, history, and what moved them since the run before.",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("customer", metavar="CUSTOMER", help="the customer_unique_id, or its beginning")
        parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept")
        parser.add_argument("--run", metavar="ID", help="the run to explain the customer by (default: the current one)")
        parser.add_argument(
            "--between",
            nargs=2,
            metavar=("EARLIER", "LATER"),
            help="two runs, in place of a run and the one before it",
        )
        parser.add_argument("--json", action="store_true", help="print the same facts as JSON")
        add_version(parser)
        arguments = parser.parse_args(argv)
        between = (arguments.between[0], arguments.between[1]) if arguments.between else None
        return cls(arguments.customer, arguments.output, arguments.run, between, arguments.json)


def main(argv: Sequence[str] | None = None) -> int:
    """Explain a customer; see ``--help``."""
    return run_main("explain", lambda: _run(ExplainConfig.from_argv(argv)))


def _run(config: ExplainConfig) -> None:
    store = RunStore(config.output)
    runs = find_runs(store, run_id=config.run, between=config.between)
    explanation = explain_customer(store, runs, config.customer)
    if config.as_json:
        text = json.dumps(facts_of(explanation), indent=2)
    else:
        text = "\n".join(map(printable, story(explanation)))
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
