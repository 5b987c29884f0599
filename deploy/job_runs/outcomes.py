"""What a job run leaves behind: the error of a run that failed, and its log."""

import json
import sys
from collections.abc import Sequence

from deploy.aws.requests import Aws, RefusedError, Request, UnreachableError, print_request
from jobs.errors import OutsideSystemError, PipelineError

LARGEST_FAILURE = 100_000
"""Bytes of ``failure.json`` that are read at most: an exit code and one line."""

LONGEST_ERROR = 1000


class JobFailedError(PipelineError):
    """A job run failed; the exit code is the job's own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def job_failure(aws: Aws, *, bucket: str, run_ids: Sequence[str], default_message: str) -> PipelineError:
    """The error of a job run that failed: the one in its ``failure.json``, with the job's exit code.

    A job that was killed, or failed before its run had a folder, wrote no such file. Its error is then an
    `OutsideSystemError` with the default message.

    Args:
        aws: the account.
        bucket: the bucket of the runs.
        run_ids: the runs that the job makes. The first that has the file counts; none for a job that makes no run.
        default_message: the message if no run has the file.
    """
    for run_id in run_ids:
        key = f"output/runs/{run_id}/failure.json"
        try:
            response = aws.read(Request("s3", "get_object", {"Bucket": bucket, "Key": key}))
        except (RefusedError, UnreachableError):
            continue
        failure = _failure_in(response["Body"].read(LARGEST_FAILURE))
        if failure is not None:
            return failure
    return OutsideSystemError(default_message)


def _failure_in(content: bytes) -> JobFailedError | None:
    """The error that a ``failure.json`` states; None if no job wrote the file so."""
    try:
        failure = json.loads(content)
    except (ValueError, RecursionError):
        return None
    error = failure.get("error") if isinstance(failure, dict) else None
    exit_code = failure.get("exit_code") if isinstance(failure, dict) else None
    if not isinstance(error, str) or type(exit_code) is not int or not 0 < exit_code < 256:
        return None
    line = "".join(char for char in " ".join(error.split()) if char.isprintable())
    return JobFailedError(line[:LONGEST_ERROR], exit_code)


def log_request(group: str, stream_prefix: str) -> Request:
    """The request for the first page of a log."""
    return Request("logs", "filter_log_events", {"logGroupName": group, "logStreamNamePrefix": stream_prefix})


def print_logs(aws: Aws, groups: Sequence[str], stream_prefix: str, *, earlier_groups: Sequence[str] = ()) -> None:
    """Print all lines of the log streams whose names start with a prefix. A dry run prints the requests.

    Args:
        aws: the account.
        groups: the log groups.
        stream_prefix: the beginning of the streams' names.
        earlier_groups: where else, or in an earlier version, the log may be; they are read if the groups have no line.

    Raises:
        OutsideSystemError: None of the log groups exists yet.
    """
    lines, missing = _print_groups(aws, groups, stream_prefix)
    others = list(dict.fromkeys(group for group in earlier_groups if group not in groups))
    if not lines and others:
        _, missing_others = _print_groups(aws, others, stream_prefix)
        missing += missing_others
    if missing and len(missing) == len({*groups, *earlier_groups}):
        raise OutsideSystemError(
            f"no log group {' or '.join(groups)} yet: a job creates it with its first line. Try again later"
        )


def _print_groups(aws: Aws, groups: Sequence[str], stream_prefix: str) -> tuple[int, list[str]]:
    """Print the lines of some groups, and return their number and the groups that do not exist."""
    lines, missing = 0, []
    for group in groups:
        request = log_request(group, stream_prefix)
        if aws.is_dry_run:
            print_request(request)
            continue
        try:
            lines += _print_pages(aws, request)
        except RefusedError as error:
            if error.code != "ResourceNotFoundException":
                raise
            missing.append(group)
    return lines, missing


def _print_pages(aws: Aws, request: Request) -> int:
    token: dict[str, str] = {}
    lines = 0
    while True:
        parameters = {**request.parameters, **token}
        page = aws.read(Request(request.service, request.operation, parameters))
        sys.stdout.writelines(f"{event['message'].rstrip()}\n" for event in page["events"])
        lines += len(page["events"])
        if "nextToken" not in page:
            return lines
        token = {"nextToken": page["nextToken"]}
