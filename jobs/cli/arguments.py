"""The arguments of the steps: their help, their types and their defaults."""

import argparse
from typing import Literal, get_args

from expectations.contracts.olist import ORDER_STATUSES
from jobs.cli.argument_types import (
    HIGHEST_K,
    MAX_QUARANTINED,
    day,
    days,
    drift,
    months,
    number_of_clusters,
    percentiles,
    range_of_clusters,
    share,
    statuses,
    yes_or_no,
)
from jobs.cli.logs import LOG_FORMATS
from jobs.cli.parser import OneLineParser, add_version, at_least_one
from jobs.cli.schedule import add_day_arguments
from transforms.rfm.feature_scale import SCALE_KINDS
from transforms.small_cells import SMALLEST_CELL

Step = Literal["ingest", "replay", "features", "segments", "pipeline", "backfill"]
PurchaseValue = Literal["sum", "any"]
KMeansOption = Literal["none", "spark"]
Engine = Literal["spark", "comet"]
SourceKind = Literal["olist", "ledger"]

FITTED_CARD = "fit"
CURRENT_CARD = "current"

DEFAULT_K = 5
"""The workshop's number."""
DEFAULT_K_RANGE = (2, 8)

DESCRIPTIONS: dict[Step, str] = {
    "ingest": "Read the raw tables: Olist's three, or a ledger. Each row goes into its table, or into quarantine with "
    "the reasons; every row is accounted for. The tables are a run of their own, from which `features` continues.",
    "replay": "Validate the quarantined rows of an earlier run again, as they now stand in --input. Its accepted rows "
    "are reused as they are. The tables are a run of their own, from which `features` continues.",
    "features": "Compute transactions, purchases, normalised RFM, scores and segments from the checked tables of an "
    "earlier run, and make the result the current run.",
    "segments": "Assign each customer of an earlier run to a cluster: by Spark's KMeans, by the clusters of another "
    "run, or by what SageMaker assigned. Clusters keep stable ids and get names. The result becomes the current run.",
    "pipeline": "Run all steps in one session: raw tables, checked tables, transactions, purchases, normalised RFM "
    "with scores and segments, and clusters of customers. The result becomes the current run.",
    "backfill": "Make a run of all steps as of each of some days, in their order and in one session. The raw tables "
    "are checked once, and every run reads the checked ones. A run becomes the current run unless that one is as of a "
    "later day.",
}
EPILOG = """\
what is written:
  OUTPUT/runs/<run_id>/<table>/      Parquet; written once, never edited
  OUTPUT/runs/<run_id>/kmeans/       with --kmeans none: features for SageMaker, as CSV
  OUTPUT/runs/<run_id>/report.html   the page to open: segments, scores, clusters, quality (from features on)
  OUTPUT/runs/<run_id>/figures/      the figures of that page as JSON, for a dashboard
  OUTPUT/runs/<run_id>/manifest.json inputs, outputs, rows and money at every boundary
  OUTPUT/runs/<run_id>/quality.json  every rule of every table, and how many rows failed it
  OUTPUT/runs/<run_id>/quality/      Data Docs (data_docs/index.html), also of a run that was stopped
  OUTPUT/current.json                the run to read; moves last, so a run that dies changes nothing

FOLDER and FILE are paths, or s3:// URIs (docs/s3.md has the settings).

exit codes:
  0 done   2 bad arguments or configuration   3 the data is not fit to use   4 Spark or another system failed
"""
CONTINUES_FROM_FEATURES = " (segments: only the as-of date of the features run; default: that date)"


def parser_of(step: Step) -> OneLineParser:
    """The parser of a step's command line."""
    parser = OneLineParser(
        prog=f"python -m jobs.{step}",
        description=DESCRIPTIONS[step],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_run_arguments(parser, step)
    if step == "backfill":
        add_day_arguments(parser)
    if step in ("ingest", "replay", "pipeline", "backfill"):
        _add_input_arguments(parser, is_required=step != "backfill")
    if step == "ingest":
        parser.add_argument("--replay", metavar="RUN_ID", help="the same as jobs.replay --replayed-run RUN_ID")
    if step == "replay":
        parser.add_argument(
            "--replayed-run",
            required=True,
            metavar="RUN_ID",
            help="the run whose quarantined rows are validated again: one of jobs.ingest, jobs.pipeline or jobs.replay",
        )
    if step in ("features", "segments", "pipeline", "backfill"):
        parser.add_argument(
            "--becomes-current",
            type=yes_or_no,
            default=True,
            metavar="yes|no",
            help="whether readers are pointed to the new run (default: yes). With no it is complete, and a later step "
            "continues from it by its id",
        )
        add_report_arguments(parser)
    if step in ("features", "pipeline", "backfill"):
        _add_feature_arguments(parser, step)
    if step == "pipeline":
        add_warehouse_arguments(parser, is_required=False)
    if step in ("segments", "pipeline"):
        add_catalogue_argument(parser, is_required=False)
    if step == "segments":
        _add_assignment_arguments(parser)
    if step in ("features", "segments", "pipeline", "backfill"):
        _add_kmeans_argument(parser)
    if step in ("segments", "pipeline", "backfill"):
        _add_cluster_arguments(parser)
    add_log_arguments(parser)
    add_version(parser)
    return parser


def _add_run_arguments(parser: argparse.ArgumentParser, step: Step) -> None:
    if step != "backfill":
        _add_name_arguments(parser, step)
    parser.add_argument("--output", required=True, metavar="FOLDER", help="folder of the runs; made if missing")
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="YAML file that changes and adds rules (docs/data-quality.md has the format)",
    )
    parser.add_argument(
        "--engine",
        choices=get_args(Engine),
        help="what runs Spark's plans: Spark's own code, or Comet, which is native and gives the same rows "
        "(docs/engines.md). Default: what the job was submitted with on a platform, and spark elsewhere",
    )


def _add_name_arguments(parser: argparse.ArgumentParser, step: Step) -> None:
    """Add the arguments that date and name a run."""
    parser.add_argument(
        "--as-of",
        type=day,
        required=step != "segments",
        metavar="YYYY-MM-DD",
        help="last day that counts, inclusive. Later purchases are excluded and counted in the manifest; recency is "
        "measured back from it. No default: a run must give the same rows next week."
        + (CONTINUES_FROM_FEATURES if step == "segments" else ""),
    )
    parser.add_argument(
        "--run-id", metavar="ID", help="id of the new run; starts with the as-of date (default: date, time, random)"
    )


def _add_input_arguments(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    parser.add_argument(
        "--input",
        required=is_required,
        metavar="FOLDER",
        help="folder with olist_customers_dataset.csv, olist_orders_dataset.csv and "
        "olist_order_payments_dataset.csv: plain, gzipped (.csv.gz), Parquet, or each a folder of part files. Of a "
        "ledger: its file or its folder. table:NAME is a table of Spark's catalogue (table:DATABASE for Olist's three)",
    )
    parser.add_argument(
        "--source",
        choices=get_args(SourceKind),
        default="olist",
        help="what --input is: Olist's three tables (default), or one table of transactions, which --mapping describes",
    )
    parser.add_argument(
        "--mapping",
        metavar="FILE",
        help="for --source ledger: YAML file that names the ledger's columns and what they mean (docs/ledger.md)",
    )
    parser.add_argument(
        "--max-quarantined",
        type=share,
        default=MAX_QUARANTINED,
        metavar="SHARE",
        help="stop the run when more than this share of a table's rows is quarantined; cascaded rejections do not "
        f"count (default: {MAX_QUARANTINED})",
    )


def _add_feature_arguments(parser: argparse.ArgumentParser, step: Step) -> None:
    if step in ("features", "backfill"):
        default = "the current run" if step == "features" else "a new one, from --input"
        parser.add_argument(
            "--checked-run", metavar="ID", help=f"the run whose checked tables are read (default: {default})"
        )
    parser.add_argument(
        "--card",
        metavar="fit|current|NAME|FILE",
        help="what turns measures into scores: fit, a new score card from this run's customers (default); current, the "
        "card of the current run, so that nobody moves because others did, and a new one if there is no current run; a "
        "file that an earlier run wrote (score_card.json); or a shipped card: workshop-2021",
    )
    parser.add_argument(
        "--segments",
        metavar="FILE",
        help="YAML file with a segment map of your own (docs/segments.md has the format). Default: that of the card; a "
        "new card takes recency x frequency, or recency x monetary where percentiles of purchase_count coincide",
    )
    parser.add_argument(
        "--score-percentiles",
        type=percentiles,
        metavar="LIST",
        help="the four percentiles at which a new card cuts each measure into five bands (default: 20,40,60,80)",
    )
    parser.add_argument(
        "--window-months",
        type=months,
        metavar="N",
        help="count purchases of the last N months up to --as-of alone; those before are excluded, and counted in the "
        "manifest. Default: that of the card; a new card takes all history",
    )
    parser.add_argument(
        "--feature-scale",
        choices=SCALE_KINDS,
        help="scale of the features that are clustered; kept in the score card. minmax: the workshop's 0..5; log: 0..5 "
        "of logarithms, for data in which few customers are far above all others; rank: the share of customers below "
        "(default: the card's, or minmax)",
    )
    parser.add_argument(
        "--purchase-value",
        choices=get_args(PurchaseValue),
        default="sum",
        help="value of a purchase that was paid in several parts: the sum of its payments (default), or any one of "
        "them, as in the workshop (this loses money; the manifest says how much)",
    )
    parser.add_argument(
        "--order-statuses",
        type=statuses,
        metavar="LIST",
        help=f"statuses that count, separated by commas, of: {', '.join(ORDER_STATUSES)} (default: all)",
    )
    _add_arguments_about_time(parser)


def _add_arguments_about_time(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--compare",
        metavar="RUN_ID",
        help="the run before this one: segments are compared with its segments, and its history is carried on "
        "(docs/history.md); none begins the history anew (default: the last run as of an earlier day)",
    )
    parser.add_argument(
        "--max-segment-drift",
        type=drift,
        metavar="X",
        help="stop, and leave the current run as it is, when the population stability index of the segments since the "
        "run before is above this; 0.25 is customary (default: no limit)",
    )
    parser.add_argument(
        "--validate-days",
        type=days,
        metavar="N",
        help="see whether the segments predict: score customers as of N days before --as-of, by what they had bought "
        "by then, and count who bought again in the N days, by segment (docs/validation.md). Default: no validation",
    )


def _add_kmeans_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kmeans",
        choices=get_args(KMeansOption),
        default="spark",
        help="who trains: Spark ML (default), or none: the features are written as CSV for SageMaker, and "
        "jobs.segments --assignments reads its result",
    )


def _add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--k",
        type=number_of_clusters,
        default=DEFAULT_K,
        metavar="N|auto",
        help=f"number of clusters: 2 to {HIGHEST_K}, or auto: the number in --k-range that separates best, and "
        f"{DEFAULT_K} where none does better than chance (default: {DEFAULT_K})",
    )
    low, high = DEFAULT_K_RANGE
    parser.add_argument(
        "--k-range",
        type=range_of_clusters,
        default=DEFAULT_K_RANGE,
        metavar="LOW-HIGH",
        help=f"the numbers that --k auto tries (default: {low}-{high})",
    )
    parser.add_argument(
        "--match",
        metavar="RUN_ID",
        help="the run whose stable cluster ids are kept: the new clusters are matched to its clusters; none starts new "
        "ids (default: the last current run that had clusters)",
    )
    parser.add_argument(
        "--max-drift",
        type=drift,
        metavar="X",
        help="stop, and leave the current run as it is, when the clusters drifted further than this since that run: "
        "the mean of one by this part of the scale, or this share of the customers (default: no limit)",
    )


def _add_assignment_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--features-run", metavar="ID", help="the run whose customers are assigned to clusters (default: current run)"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--assignments",
        metavar="FOLDER",
        help="output of SageMaker's batch transform (*.out): id, features, cluster, distance. Nothing is trained",
    )
    source.add_argument(
        "--score-with", metavar="RUN_ID", help="apply the clusters of this run as they are. Nothing is trained"
    )
    parser.add_argument(
        "--model-artifact",
        metavar="FILE",
        help="the model.tar.gz of SageMaker's training job, for the centroids (default: computed from --assignments)",
    )


def add_warehouse_arguments(
    parser: argparse.ArgumentParser, *, is_required: bool, what: str = "the run's tables"
) -> None:
    """Add the arguments that name the warehouse and how it is loaded."""
    parser.add_argument(
        "--warehouse",
        required=is_required,
        metavar="ADDRESS",
        help=f"load {what} there: duckdb:PATH, redshift://workgroup/database/schema, or "
        "redshift+cluster://cluster/database/schema with ?db_user=NAME or ?secret_arn=ARN",
    )
    parser.add_argument(
        "--staging",
        metavar="S3",
        help="for Redshift: s3://bucket/prefix. During the load it holds the lists that COPY reads, and the run's "
        "files if they are on a local disk",
    )
    parser.add_argument(
        "--iam-role",
        default="default",
        metavar="ARN",
        help="for Redshift: the role with which COPY reads S3 (default: the warehouse's default role)",
    )


def add_catalogue_argument(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    """Add the argument that names the database of the Glue Data Catalog."""
    parser.add_argument(
        "--catalogue",
        required=is_required,
        metavar="DATABASE",
        help="register the run's tables in this database of the Glue Data Catalog, for Athena (docs/catalogue.md); for "
        "runs in S3 only",
    )


def add_report_arguments(parser: argparse.ArgumentParser, *, default: int | None = SMALLEST_CELL) -> None:
    """Add the argument that says what the report hides."""
    parser.add_argument(
        "--smallest-cell",
        type=at_least_one,
        default=default,
        metavar="N",
        help="the report hides figures of fewer customers than this, so that nobody is singled out (default: "
        f"{'that of the run' if default is None else default})",
    )


def add_log_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument that chooses the form of log lines."""
    parser.add_argument(
        "--log-format",
        choices=LOG_FORMATS,
        default=LOG_FORMATS[0],
        help="form of the log lines that are written to stderr where it is no terminal (default: %(default)s)",
    )
