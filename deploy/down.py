"""``down``: names what will be lost, asks, empties the buckets, deletes the stacks, and waits until they are gone."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence

from deploy.aws.files import bucket_exists, empty_bucket, object_versions
from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws
from deploy.job_runs.emr_serverless import stop_application
from deploy.job_runs.executions import stop_executions
from deploy.stacks.stacks import STACKS, Stack, delete_stack, describe_stack, stack_name
from jobs.errors import ConfigurationError

BUCKETS = ("DataBucket", "ArtifactsBucket", "AccessLogsBucket")
CONTENTS = {
    "nightly": "the schedule, the alarms, the state machine and the history of its executions",
    "jobs": "the Glue jobs, the EMR application and the roles",
    "warehouse": "the warehouse with all its tables, its network, and the administrator's secret",
    "storage": "all raw files, runs, models and logs, in every version, and (after 30 days) the key that encrypts them",
}


def add_down(subparsers: Subparsers) -> None:
    """Add ``down`` to the commands."""
    parser = subparsers.add_parser("down", help="delete everything of a prefix, data included", allow_abbrev=False)
    add_deployment_options(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    aws, prefix = aws_of(options), options.prefix
    # The last stack first: each uses outputs of those before it.
    stacks = {name: stack for name in reversed(STACKS) if (stack := describe_stack(aws, prefix, name)) is not None}
    if not stacks:
        sys.stdout.write(f"{prefix}: no stacks in {aws.region}; nothing to take down\n")
        return
    buckets = _buckets(aws, stacks)
    _print_losses(aws, prefix, stacks, buckets)
    if not options.dry_run and not options.yes:
        _confirm(prefix)
    for name, stack in stacks.items():
        if name == "nightly" and "MachineArn" in stack.outputs:
            stop_executions(aws, prefix, stack.outputs["MachineArn"])
        if name == "jobs" and "ApplicationId" in stack.outputs:
            stop_application(aws, prefix, stack.outputs["ApplicationId"], verb="down")
        if name == "storage":
            for bucket in buckets:
                empty_bucket(aws, bucket)
        delete_stack(aws, prefix, name)


def _buckets(aws: Aws, stacks: Mapping[str, Stack]) -> list[str]:
    outputs = stacks["storage"].outputs if "storage" in stacks else {}
    return [outputs[name] for name in BUCKETS if name in outputs and bucket_exists(aws, outputs[name])]


def _print_losses(aws: Aws, prefix: str, stacks: Iterable[str], buckets: Sequence[str]) -> None:
    sys.stdout.write(f"This will be deleted from {aws.region}, and cannot be restored:\n")
    for name in stacks:
        sys.stdout.write(f"  {stack_name(prefix, name)}: {CONTENTS[name]}\n")
    for bucket in buckets:
        versions = sum(len(page) for page in object_versions(aws, bucket))
        sys.stdout.write(f"    {bucket}: {versions:,} versions of objects\n")


def _confirm(prefix: str) -> None:
    sys.stdout.write(f"Type {prefix} to continue: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != prefix:
        raise ConfigurationError("down: not confirmed, so nothing was taken down. Type the prefix, or give --yes")
