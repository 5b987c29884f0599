"""``down``: say what will be lost, ask, empty the buckets, delete the stacks, and wait until they are gone."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from deploy.aws.options import Commands, add_aws_options
from deploy.aws.requests import Aws, RefusedError, Request
from deploy.job_runs.emr_application import come_to_rest
from deploy.job_runs.executions import stop_all
from deploy.job_runs.waiting import State, follow
from deploy.stacks.stacks import GONE, NAMES, Stack, stack, stack_name
from jobs.errors import ConfigurationError, OutsideSystemError

BUCKETS = ("DataBucket", "ArtifactsBucket", "AccessLogsBucket")
LOST = {
    "nightly": "the schedule, the alarms, the state machine and the history of its executions",
    "jobs": "the Glue jobs, the EMR application and the roles",
    "warehouse": "the warehouse with all its tables, its network, and the administrator's secret",
    "storage": "all raw files, runs, models and logs, in every version, and (after 30 days) the key that encrypts them",
}


def add_down(commands: Commands) -> None:
    """Add ``down`` to the commands."""
    parser = commands.add_parser("down", help="take everything of a prefix down, data included", allow_abbrev=False)
    add_aws_options(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile, dry_run=given.dry_run)
    made = {name: found for name in reversed(NAMES) if (found := stack(aws, given.prefix, name)) is not None}
    if not made:
        sys.stdout.write(f"{given.prefix}: no stacks in {aws.region}; nothing to take down\n")
        return
    buckets = _buckets(aws, made)
    _say_what_is_lost(aws, given.prefix, made, buckets)
    if not given.dry_run and not given.yes:
        _ask(given.prefix)
    for name, found in made.items():
        if name == "nightly" and "MachineArn" in found.outputs:
            stop_all(aws, given.prefix, found.outputs["MachineArn"])
        if name == "jobs" and "ApplicationId" in found.outputs:
            come_to_rest(aws, given.prefix, found.outputs["ApplicationId"], is_wanted=False)
        if name == "storage":
            for bucket in buckets:
                empty(aws, bucket)
        delete(aws, given.prefix, name)


def _buckets(aws: Aws, made: dict[str, Stack]) -> list[str]:
    given_out = made["storage"].outputs if "storage" in made else {}
    return [given_out[name] for name in BUCKETS if name in given_out and _exists(aws, given_out[name])]


def _exists(aws: Aws, bucket: str) -> bool:
    try:
        aws.ask(Request("s3", "head_bucket", {"Bucket": bucket}))
    except RefusedError as error:
        if error.code in {"404", "NoSuchBucket"}:
            return False
        raise
    return True


def _say_what_is_lost(aws: Aws, prefix: str, made: dict[str, Stack], buckets: Sequence[str]) -> None:
    sys.stdout.write(f"This will be gone from {aws.region}, and cannot be brought back:\n")
    for name in made:
        sys.stdout.write(f"  {stack_name(prefix, name)}: {LOST[name]}\n")
    for bucket in buckets:
        versions = sum(len(page) for page in versions_of(aws, bucket))
        sys.stdout.write(f"    {bucket}: {versions:,} versions of objects\n")


def _ask(prefix: str) -> None:
    sys.stdout.write(f"Type {prefix} to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != prefix:
        raise ConfigurationError("down: not confirmed, so nothing was taken down. Type the prefix, or give --yes")


def versions_of(aws: Aws, bucket: str) -> Iterator[list[dict[str, str]]]:
    """Every version and delete marker of a bucket, in pages of up to 1,000."""
    marker: dict[str, Any] = {}
    while True:
        page = aws.ask(Request("s3", "list_object_versions", {"Bucket": bucket, **marker}))
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        if not page.get("IsTruncated"):
            return
        marker = {"KeyMarker": page["NextKeyMarker"]}
        if page.get("NextVersionIdMarker"):
            marker["VersionIdMarker"] = page["NextVersionIdMarker"]


def empty(aws: Aws, bucket: str) -> None:
    """Delete every version of every object of a bucket.

    Raises:
        OutsideSystemError: S3 kept some.
    """
    for page in versions_of(aws, bucket):
        asked = {"Bucket": bucket, "Delete": {"Objects": page, "Quiet": True}}
        answer = aws.change(Request("s3", "delete_objects", asked))
        kept = answer.get("Errors", []) if answer else []
        if kept:
            first = kept[0]
            raise OutsideSystemError(
                f"bucket {bucket}: {len(kept)} objects could not be deleted, such as {first['Key']} ({first['Code']}). "
                "Mend the cause, then run `down` again"
            )


def delete(aws: Aws, prefix: str, name: str) -> None:
    """Delete a stack and wait until it is gone.

    Raises:
        OutsideSystemError: CloudFormation could not delete it.
    """
    called = stack_name(prefix, name)
    if aws.change(Request("cloudformation", "delete_stack", {"StackName": called})) is None:
        return

    def look() -> State:
        found = stack(aws, prefix, name)
        status = GONE if found is None else found.status
        return State(status, is_final=not status.endswith("_IN_PROGRESS"), note=found.reason if found else "")

    end = follow(f"stack {called}", look, how_to_follow=f"python -m deploy down {aws.options(prefix)}")
    if end.name != GONE:
        raise OutsideSystemError(f"stack {called} ended as {end.name}: {end.note}. Mend it, then run `down` again")
