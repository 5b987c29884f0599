"""``down``: names what will be lost, asks, empties the buckets, deletes the stacks, and waits until they are gone.

Data and warehouse are kept by choice: the buckets with their key as they are, the warehouse as a snapshot.
"""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence

from deploy.aws.files import bucket_exists, empty_bucket, object_versions
from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws
from deploy.job_runs.emr_serverless import stop_application
from deploy.job_runs.executions import stop_executions
from deploy.job_runs.glue import stop_job_runs
from deploy.stacks.snapshot import take_snapshot
from deploy.stacks.stacks import Stack, delete_stack, describe_stacks, stack_name
from jobs.errors import ConfigurationError

BUCKETS = ("DataBucket", "ArtifactsBucket", "AccessLogsBucket")
DATA, WAREHOUSE = "data", "warehouse"
CONTENTS = {
    "nightly": "the schedule, the alarms, the state machine and the history of its executions",
    "bi": "the dashboard, its data sets, and Athena's workgroup",
    "warehouse": "the warehouse with all its tables, its network, and the administrator's secret",
    "jobs": "the Glue jobs, the EMR application, the roles, the logs, and the catalogue with its tables",
    "network": "the security group and the endpoints; not your own network",
    "storage": "all raw files, runs, models and logs, in every version, and (after 30 days) the key that encrypts them",
}
CONTENTS_WITH_OWN_KEY = "all raw files, runs, models and logs, in every version; not the key, which is your own"


def add_down(subparsers: Subparsers) -> None:
    """Add ``down`` to the commands."""
    parser = subparsers.add_parser("down", help="delete everything of a prefix, data included")
    add_deployment_options(parser)
    parser.add_argument(
        "--keep",
        action="append",
        choices=(DATA, WAREHOUSE),
        default=[],
        help="data: leave the buckets and their key as they are; warehouse: take a snapshot of it first. Both: give it "
        "twice",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    aws, prefix, kept = aws_of(options), options.prefix, frozenset(options.keep)
    existing = describe_stacks(aws, prefix)
    # The last stack first: each uses outputs of those before it.
    stacks = {name: stack for name, stack in reversed(existing.items()) if name != "storage" or DATA not in kept}
    if not stacks:
        rest = f"but {stack_name(prefix, 'storage')}, which --keep {DATA} keeps; " if existing else ""
        sys.stdout.write(f"{prefix}: no stacks in {aws.region}{', ' if rest else '; '}{rest}nothing to take down\n")
        return
    _check_key(prefix, existing, kept)
    buckets = _buckets(aws, stacks)
    _print_losses(aws, prefix, stacks, buckets)
    _print_kept(prefix, existing, kept)
    if not options.dry_run and not options.yes:
        _confirm(prefix)
    for name, stack in stacks.items():
        _stop_work(aws, prefix, name, stack)
        if name == "warehouse" and WAREHOUSE in kept:
            _keep_warehouse(aws, prefix, stack)
        if name == "storage":
            for bucket in buckets:
                empty_bucket(aws, bucket)
        delete_stack(aws, prefix, name)


def _check_key(prefix: str, existing: Mapping[str, Stack], kept: Collection[str]) -> None:
    """Check that the key of a snapshot stays as long as the snapshot.

    Raises:
        ConfigurationError: The key would be deleted.
    """
    has_own_key = "storage" in existing and existing["storage"].parameters.get("OwnKeyArn")
    if WAREHOUSE in kept and DATA not in kept and not has_own_key:
        raise ConfigurationError(
            f"--keep {WAREHOUSE}: the snapshot is encrypted with the key of {stack_name(prefix, 'storage')}, which "
            f"would go, expected --keep {DATA} too. Give both; nothing was taken down"
        )


def _stop_work(aws: Aws, prefix: str, name: str, stack: Stack) -> None:
    """Stop what runs on the resources of a stack. It would write into buckets and logs that are to go."""
    if name == "nightly" and "MachineArn" in stack.outputs:
        stop_executions(aws, prefix, stack.outputs["MachineArn"])
    if name == "jobs":
        stop_job_runs(aws, prefix)
        if "ApplicationId" in stack.outputs:
            stop_application(aws, prefix, stack.outputs["ApplicationId"], verb="down")


def _keep_warehouse(aws: Aws, prefix: str, stack: Stack) -> None:
    """Take a snapshot, and say how it is restored and deleted."""
    snapshot = take_snapshot(aws, prefix, stack.outputs["Namespace"])
    if not aws.is_dry_run:
        options = f"--region {aws.region} --snapshot-name {snapshot}"
        sys.stdout.write(
            f"snapshot {snapshot} stays, and costs its storage. After `up`, restore it: aws redshift-serverless "
            f"restore-from-snapshot {options} --namespace-name {prefix} --workgroup-name {prefix}; delete it: aws "
            f"redshift-serverless delete-snapshot {options}\n"
        )


def _buckets(aws: Aws, stacks: Mapping[str, Stack]) -> list[str]:
    outputs = stacks["storage"].outputs if "storage" in stacks else {}
    return [outputs[name] for name in BUCKETS if name in outputs and bucket_exists(aws, outputs[name])]


def _print_losses(aws: Aws, prefix: str, stacks: Mapping[str, Stack], buckets: Sequence[str]) -> None:
    sys.stdout.write(f"This will be deleted from {aws.region}, and cannot be restored:\n")
    for name, stack in stacks.items():
        has_own_key = name == "storage" and stack.parameters.get("OwnKeyArn")
        contents = CONTENTS_WITH_OWN_KEY if has_own_key else CONTENTS[name]
        sys.stdout.write(f"  {stack_name(prefix, name)}: {contents}\n")
    for bucket in buckets:
        versions = sum(len(page) for page in object_versions(aws, bucket))
        sys.stdout.write(f"    {bucket}: {versions:,} versions of objects\n")


def _print_kept(prefix: str, existing: Mapping[str, Stack], kept: Collection[str]) -> None:
    lines = []
    if DATA in kept and "storage" in existing:
        lines.append(f"{stack_name(prefix, 'storage')}: the buckets with every file in them, and the key")
    if WAREHOUSE in kept and "warehouse" in existing:
        lines.append("a snapshot of the warehouse, which is taken before its stack goes")
    if lines:
        sys.stdout.write("This stays:\n" + "".join(f"  {line}\n" for line in lines))


def _confirm(prefix: str) -> None:
    sys.stdout.write(f"Type {prefix} to continue: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != prefix:
        raise ConfigurationError("down: not confirmed, so nothing was taken down. Type the prefix, or give --yes")
