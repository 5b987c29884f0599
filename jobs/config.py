"""`RunConfig`: what a run is asked to do, typed and validated, from the command line."""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NoReturn, get_args

from expectations.contracts import ORDER_STATUSES
from jobs.errors import ConfigurationError

Step = Literal["ingest", "features", "pipeline"]
PurchaseValue = Literal["sum", "any"]

ALL_STATUSES = "all"
MAX_QUARANTINED = 0.01
RUN_ID = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[A-Za-z0-9._-]*")

DESCRIPTIONS: dict[Step, str] = {
    "ingest": "Read the three Olist CSV files, put each row into its table or into quarantine with the reasons, and "
    "account for every one. The tables are a run of their own; `features` goes on from it.",
    "features": "Compute transactions, purchases and normalised RFM from the checked tables of an earlier run, and "
    "make the result the current run.",
    "pipeline": "The whole way in one session: CSV files to checked tables to transactions, purchases and normalised "
    "RFM; then make the result the current run.",
}
EPILOG = """\
what is written:
  OUTPUT/runs/<run_id>/<table>/      Parquet; written once, never edited
  OUTPUT/runs/<run_id>/manifest.json what went in, what came out, rows and money at every boundary
  OUTPUT/runs/<run_id>/quality.json  every rule of every table, and how often it was broken
  OUTPUT/runs/<run_id>/quality/      Data Docs (data_docs/index.html), also when the run was stopped
  OUTPUT/current.json                which run to read; moves last, so a run that dies changes nothing

exit codes:
  0 done   2 bad arguments or configuration   3 the data is not fit to use   4 Spark or another system failed
"""


@dataclass(frozen=True)
class RunConfig:
    """One run's settings.

    Attributes:
        step: what runs.
        as_of: last day that counts, inclusive.
        output: folder that holds the runs.
        input: folder that holds the three CSV files; None for `features`, which reads an earlier run's tables.
        checked_run: for `features`, the run whose checked tables it reads; None for the current one.
        card: a shipped card's name or a card file's path; None fits a card from the data.
        purchase_value: whether payments of one purchase are added, or one is kept as in the workshop.
        order_statuses: statuses that count, sorted; None counts all.
        rules: file with rules of the user's own; None for the contracts as they are.
        max_quarantined: share of a table's rows, 0 to 1, that may be set aside before the run is stopped.
        replay: for `ingest`, the run whose quarantined rows are tried again; None checks all rows.
        run_id: the new run's id; None makes one.
        ignored_arguments: what stood on the command line and is none of ours (Glue adds its own).
    """

    step: Step
    as_of: date
    output: str
    input: str | None = None
    checked_run: str | None = None
    card: str | None = None
    purchase_value: PurchaseValue = "sum"
    order_statuses: tuple[str, ...] | None = None
    rules: str | None = None
    max_quarantined: float = MAX_QUARANTINED
    replay: str | None = None
    run_id: str | None = None
    ignored_arguments: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for name in ("input", "output", "checked_run", "card", "rules", "replay"):
            if getattr(self, name) == "":
                raise ConfigurationError(f"--{name.replace('_', '-')}: found nothing, expected a value")
        if self.run_id is not None and not RUN_ID.fullmatch(self.run_id):
            raise ConfigurationError(
                f"--run-id {self.run_id!r}: expected the as-of date and then letters, digits, '.', '_' or '-', "
                f"such as {self.as_of}-nightly"
            )
        if self.run_id is not None and not self.run_id.startswith(self.as_of.isoformat()):
            raise ConfigurationError(f"--run-id {self.run_id!r} does not start with the as-of date {self.as_of}")

    @classmethod
    def from_argv(cls, argv: Sequence[str] | None, *, step: Step) -> "RunConfig":
        """Read the command line of a step.

        Arguments that nobody here knows are left alone, since Glue puts its own beside ours; their names are kept in
        ``ignored_arguments``, and not their values, which may be anything.

        Raises:
            ConfigurationError: An argument is missing or does not parse; nothing was done yet.
        """
        known, ignored = _parser(step).parse_known_args(sys.argv[1:] if argv is None else list(argv))
        names = tuple(part.partition("=")[0] for part in ignored if part.startswith("-"))
        return cls(step=step, ignored_arguments=names, **vars(known))

    def meaning(self) -> dict[str, Any]:
        """The settings that a customer's measures depend on."""
        statuses = ALL_STATUSES if self.order_statuses is None else list(self.order_statuses)
        return {"as_of": self.as_of.isoformat(), "order_statuses": statuses, "purchase_value": self.purchase_value}


def hash_of(settings: Any) -> str:
    """A hash of settings that does not depend on the order in which they are written down."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, and are raised."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, without its usage lines."""
        raise ConfigurationError(f"{message} (see {self.prog} --help)")


def _parser(step: Step) -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=f"python -m jobs.{step}",
        description=DESCRIPTIONS[step],
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--as-of",
        type=_day,
        required=True,
        metavar="YYYY-MM-DD",
        help="last day that counts, inclusive. Purchases after it are left out and counted in the manifest; recency "
        "is measured back from it. No default: a run must give the same rows next week.",
    )
    parser.add_argument("--output", required=True, metavar="FOLDER", help="where runs are kept; made if missing")
    parser.add_argument(
        "--run-id", metavar="ID", help="id of the new run; starts with the as-of date (default: date, time, random)"
    )
    if step in ("ingest", "pipeline"):
        parser.add_argument(
            "--input",
            required=True,
            metavar="FOLDER",
            help="folder with olist_customers_dataset.csv, olist_orders_dataset.csv and "
            "olist_order_payments_dataset.csv: plain, gzipped (.csv.gz), or each a folder of part files",
        )
        parser.add_argument(
            "--max-quarantined",
            type=_share,
            default=MAX_QUARANTINED,
            metavar="SHARE",
            help="stop the run when more than this share of a table's rows is quarantined; rows that merely follow "
            f"quarantined rows they refer to do not count (default: {MAX_QUARANTINED})",
        )
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="YAML file that changes the rules of the tables, and adds to them (see docs/data-quality.md)",
    )
    if step == "ingest":
        parser.add_argument(
            "--replay",
            metavar="RUN_ID",
            help="take the accepted rows of this run as they are, and try its quarantined rows again, as they now "
            "stand in --input",
        )
    if step in ("features", "pipeline"):
        _add_feature_arguments(parser, step)
    return parser


def _add_feature_arguments(parser: argparse.ArgumentParser, step: Step) -> None:
    if step == "features":
        parser.add_argument(
            "--checked-run", metavar="ID", help="the run whose checked tables are read (default: the current run)"
        )
    parser.add_argument(
        "--card",
        metavar="NAME|FILE",
        help="apply this score card's bounds: a file that an earlier run wrote (score_card.json), or a card that is "
        "shipped: workshop-2021. Default: fit bounds to this run's customers",
    )
    parser.add_argument(
        "--purchase-value",
        choices=get_args(PurchaseValue),
        default="sum",
        help="what a purchase paid in several parts is worth: the sum of its payments (default), or any one of "
        "them, as the workshop has it (this loses money; the manifest says how much)",
    )
    parser.add_argument(
        "--order-statuses",
        type=_statuses,
        metavar="LIST",
        help=f"statuses that count, separated by commas, of: {', '.join(ORDER_STATUSES)} (default: all)",
    )


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{text!r} is no date (expected YYYY-MM-DD, such as 2018-10-17)")
    return day


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share (expected 0 to 1, such as {MAX_QUARANTINED})")
    return share


def _statuses(text: str) -> tuple[str, ...] | None:
    if text == ALL_STATUSES:
        return None
    statuses = sorted({part.strip() for part in text.split(",")})
    unknown = [status for status in statuses if status not in ORDER_STATUSES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no order status {', '.join(map(repr, unknown))} (expected some of: {', '.join(ORDER_STATUSES)}; or all)"
        )
    return tuple(statuses)
