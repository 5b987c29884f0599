"""The arguments that speak of clusters."""

import argparse
import re
from typing import Literal, get_args

from transforms.feature_scale import KINDS

Engine = Literal["none", "spark"]
NumberOfClusters = int | Literal["auto"]

DEFAULT_K = 5
"""The workshop's number."""

DEFAULT_K_RANGE = (2, 8)
HIGHEST_K = 100


def add_feature_scale(parser: argparse.ArgumentParser) -> None:
    """The argument of the steps that write features."""
    parser.add_argument(
        "--feature-scale",
        choices=KINDS,
        help="the scale in which customers are clustered; kept in the score card. minmax: the workshop's 0..5; log: "
        "the same of logarithms, where few customers are far above all others; rank: the share of customers below "
        "(default: the card's, or minmax)",
    )


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of whoever may train: the whole pipeline, and `segments`."""
    parser.add_argument(
        "--kmeans",
        choices=get_args(Engine),
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
