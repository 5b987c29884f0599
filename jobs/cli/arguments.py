"""The command lines of the steps: what may be asked for, in words and in types."""

import argparse
import re
from datetime import date
from typing import Literal, get_args

from expectations.contracts.olist import ORDER_STATUSES
from jobs.cli.parser import OneLineParser
from transforms.rfm.feature_scale import SCALE_KINDS

Step = Literal["ingest", "features", "segments", "pipeline"]
PurchaseValue = Literal["sum", "any"]

ALL_STATUSES = "all"
MAX_QUARANTINED = 0.01

DESCRIPTIONS: dict[Step, str] = {
    "ingest": "Read the three Olist CSV files, put each row into its table or into quarantine with the reasons, and "
    "account for every one. The tables are a run of their own; `features` goes on from it.",
    "features": "Compute transactions, purchases and normalised RFM from the checked tables of an earlier run, and "
    "make the result the current run.",
    "segments": "Put each customer of an earlier run into a cluster (KMeans by Spark, an earlier run's clusters, or "
    "what SageMaker assigned), give the clusters numbers that last and names, and make the result the current run.",
    "pipeline": "The whole way in one session: CSV files to checked tables to transactions, purchases, normalised RFM "
    "and clusters of customers; then make the result the current run.",
}
EPILOG = """\
what is written:
  OUTPUT/runs/<run_id>/<table>/      Parquet; written once, never edited
  OUTPUT/runs/<run_id>/kmeans/       CSV: features to train on and to score, and who was assigned to which cluster
  OUTPUT/runs/<run_id>/manifest.json what went in, what came out, rows and money at every boundary
  OUTPUT/runs/<run_id>/quality.json  every rule of every table, and how often it was broken
  OUTPUT/runs/<run_id>/quality/      Data Docs (data_docs/index.html), also when the run was stopped
  OUTPUT/current.json                which run to read; moves last, so a run that dies changes nothing

FOLDER and FILE are paths, or s3:// URIs (docs/s3.md has the settings).

exit codes:
  0 done   2 bad arguments or configuration   3 the data is not fit to use   4 Spark or another system failed
"""


def parser_of(step: Step) -> OneLineParser:
    """The parser of a step's command line."""
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
        required=step != "segments",
        metavar="YYYY-MM-DD",
        help="last day that counts, inclusive. Purchases after it are left out and counted in the manifest; recency "
        "is measured back from it. No default: a run must give the same rows next week."
        + (" (segments: that of the features run, and no other.)" if step == "segments" else ""),
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
    if step != "ingest":
        parser.add_argument(
            "--becomes-current",
            type=_yes_or_no,
            default=True,
            metavar="yes|no",
            help="whether readers are pointed to the new run (default: yes). With no it is whole and there, and a "
            "later step goes on from it by its id",
        )
    if step in ("features", "pipeline"):
        _add_feature_arguments(parser, step)
    if step == "pipeline":
        add_warehouse_arguments(parser, is_required=False)
    if step == "segments":
        add_segments_arguments(parser)
    if step in ("segments", "pipeline"):
        add_cluster_arguments(parser)
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
    add_feature_scale(parser)
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


def add_warehouse_arguments(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    """Add what says which warehouse a run is loaded into, and how."""
    parser.add_argument(
        "--warehouse",
        required=is_required,
        metavar="ADDRESS",
        help="load the run's tables there: duckdb:PATH, redshift://workgroup/database/schema, or "
        "redshift+cluster://cluster/database/schema with ?db_user=NAME or ?secret_arn=ARN",
    )
    parser.add_argument(
        "--staging",
        metavar="S3",
        help="for Redshift: s3://bucket/prefix. While it loads, the lists of what COPY reads are there, and the run's "
        "files if they are on a local disk",
    )
    parser.add_argument(
        "--iam-role",
        default="default",
        metavar="ARN",
        help="for Redshift: the role that COPY reads S3 with (default: the warehouse's default role)",
    )


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


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


KMeansOption = Literal["none", "spark"]
NumberOfClusters = int | Literal["auto"]

DEFAULT_K = 5
"""The workshop's number."""

DEFAULT_K_RANGE = (2, 8)
HIGHEST_K = 100


def add_feature_scale(parser: argparse.ArgumentParser) -> None:
    """The argument of the steps that write features."""
    parser.add_argument(
        "--feature-scale",
        choices=SCALE_KINDS,
        help="the scale in which customers are clustered; kept in the score card. minmax: the workshop's 0..5; log: "
        "the same of logarithms, where few customers are far above all others; rank: the share of customers below "
        "(default: the card's, or minmax)",
    )


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of whoever may train: the whole pipeline, and `segments`."""
    parser.add_argument(
        "--kmeans",
        choices=get_args(KMeansOption),
        default="spark",
        help="who clusters the customers: Spark ML, here and now (default), or none: the features are left for "
        "SageMaker, and jobs.segments --assignments takes what it says",
    )
    parser.add_argument(
        "--k",
        type=_number_of_clusters,
        default=DEFAULT_K,
        metavar="N|auto",
        help=f"how many clusters: a number from 2 to {HIGHEST_K}, or auto: the number in --k-range that separates "
        f"best, and {DEFAULT_K} where none does better than chance (default: {DEFAULT_K})",
    )
    low, high = DEFAULT_K_RANGE
    parser.add_argument(
        "--k-range",
        type=_range,
        default=DEFAULT_K_RANGE,
        metavar="LOW-HIGH",
        help=f"what --k auto tries (default: {low}-{high})",
    )
    parser.add_argument(
        "--match",
        metavar="RUN_ID",
        help="the run to whose clusters the new ones are matched, so that they keep its numbers; none begins anew "
        "(default: the last current run that had clusters)",
    )
    parser.add_argument(
        "--max-drift",
        type=_drift,
        metavar="X",
        help="stop, and leave the current run as it is, when the clusters moved further than this since that run: "
        "the mean of one by this part of the scale, or this share of the customers (default: no limit)",
    )


def add_segments_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `segments` by itself."""
    parser.add_argument(
        "--features-run", metavar="ID", help="the run whose customers are put into clusters (default: the current run)"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--assignments",
        metavar="FOLDER",
        help="what SageMaker's batch transform wrote (*.out): id, features, cluster, distance. Nothing is trained",
    )
    source.add_argument(
        "--score-with", metavar="RUN_ID", help="apply the clusters of this run as they are. Nothing is trained"
    )
    parser.add_argument(
        "--model-artifact",
        metavar="FILE",
        help="the model.tar.gz of SageMaker's training job, for the centroids (default: computed from --assignments)",
    )


def _number_of_clusters(text: str) -> NumberOfClusters:
    if text == "auto":
        return "auto"
    if not text.isascii() or not text.isdigit() or not 2 <= int(text) <= HIGHEST_K:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of clusters (expected 2 to {HIGHEST_K}, or auto)")
    return int(text)


def _range(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3})", text)
    low, high = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 2 <= low <= high <= HIGHEST_K:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of numbers of clusters (expected such as 2-8)")
    return low, high


def _drift(text: str) -> float:
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no limit of drift (expected a number from 0, such as 0.1)")
    return limit
