"""``quicksight --workshop``: writes the files with which the workshop's last part is done in QuickSight's console."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.aws.files import MISSING_OBJECT, object_keys
from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws, RefusedError, Request
from deploy.quicksight.workshop import FEATURES, manifest, model_schema
from deploy.stacks.stacks import stack_outputs
from jobs.errors import ConfigurationError, DataError, OutsideSystemError

RUNS, POINTER = "output/runs", "output/current.json"
SCORE = "kmeans/score"
"""Where a run with ``--kmeans none`` has its features, with the customer's id before them."""
SEGMENTS = "-segments"
"""How the id of a nightly run with segments ends. The features are in the run before it, without this ending."""

MANIFEST, SCHEMA = "quicksight-manifest.json", "sagemaker-schema.json"


def add_quicksight(subparsers: Subparsers) -> None:
    """Add ``quicksight`` to the commands."""
    description = "write the S3 manifest and the model schema of a run for QuickSight's console"
    parser = subparsers.add_parser("quicksight", help=description, description=description)
    parser.add_argument(
        "--workshop", action="store_true", required=True, help="the workshop's way; `up --only bi` makes a dashboard"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder of the two files")
    parser.add_argument("--run", metavar="RUN_ID", dest="run_id", help="a run with --kmeans none (default: current)")
    add_deployment_options(parser)
    parser.set_defaults(run=_run)


def feature_uris(aws: Aws, bucket: str, run_id: str, *, prefix: str) -> list[str]:
    """The CSV files of a run's features, in S3.

    Args:
        aws: the account.
        bucket: the bucket of the runs.
        run_id: the run, or the run with its segments.
        prefix: of the stacks, for the message.

    Raises:
        ConfigurationError: There is no such run, or it has no such files.
    """
    for name in dict.fromkeys((run_id, run_id.removesuffix(SEGMENTS))):
        keys = object_keys(aws, bucket, key_prefix=f"{RUNS}/{name}/{SCORE}/")
        if uris := sorted(f"s3://{bucket}/{key}" for key in keys if key.endswith(".csv")):
            return uris
    if next(object_keys(aws, bucket, key_prefix=f"{RUNS}/{run_id}/"), None) is None:
        raise ConfigurationError(
            f"--run {run_id}: no such run in s3://{bucket}/{RUNS}. `aws s3 ls s3://{bucket}/{RUNS}/` lists them"
        )
    raise ConfigurationError(
        f"run {run_id}: no CSV in {SCORE}/, expected the features that a run with --kmeans none writes. Make one with: "
        f"python -m deploy glue submit {aws.deployment_options(prefix)} --as-of YYYY-MM-DD --kmeans none "
        "--becomes-current no; then name it with --run"
    )


def _run(options: argparse.Namespace) -> None:
    aws = aws_of(options)
    bucket = stack_outputs(aws, options.prefix)["DataBucket"]
    run_id = options.run_id or _current_run(aws, bucket)
    uris = feature_uris(aws, bucket, run_id, prefix=options.prefix)
    files = {MANIFEST: manifest(uris), SCHEMA: model_schema()}
    if options.dry_run:
        sys.stdout.write(json.dumps(files, indent=2) + "\n")
        return
    _write(options.output, files)
    sys.stdout.write(
        f"{options.output / MANIFEST}  {len(uris)} files of {uris[0].rpartition('/')[0]}\n"
        "  QuickSight: Datasets, New dataset, S3, Upload. Name the columns "
        f"customer_unique_id, {', '.join(FEATURES)}; the last three are Decimal\n"
        f"{options.output / SCHEMA}  the columns of the model\n"
        "  QuickSight: Augment with SageMaker, the model, Upload schema\n"
        "docs/dashboard.md has every step\n"
    )


def _current_run(aws: Aws, bucket: str) -> str:
    """The id of the current run.

    Raises:
        ConfigurationError: There is none.
        DataError: ``current.json`` names none.
    """
    try:
        response = aws.read(Request("s3", "get_object", {"Bucket": bucket, "Key": POINTER}))
    except RefusedError as error:
        if error.code not in MISSING_OBJECT:
            raise
        raise ConfigurationError(
            f"s3://{bucket}/{POINTER}: no such file, expected that of a run that ended well. Make a run first"
        ) from None
    try:
        return str(json.loads(response["Body"].read())["run_id"])
    except (ValueError, KeyError, TypeError):
        raise DataError(f's3://{bucket}/{POINTER}: no "run_id" in it. Name the run: --run RUN_ID') from None


def _write(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Write JSON files, in UTF-8 without a byte order mark.

    Raises:
        OutsideSystemError: The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutsideSystemError(
            f"--output {folder}: cannot be written ({error.strerror}). Give another one"
        ) from error
