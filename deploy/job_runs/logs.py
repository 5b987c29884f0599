"""What a job wrote to its log, from CloudWatch."""

import sys

from deploy.aws.requests import Aws, RefusedError, Request
from jobs.errors import OutsideSystemError


def print_logs(aws: Aws, groups: tuple[str, ...], streams: str) -> None:
    """Print all lines of the streams whose name starts so.

    Raises:
        OutsideSystemError: None of the groups is there yet.
    """
    missing = []
    for group in groups:
        token: dict[str, str] = {}
        while True:
            asked = {"logGroupName": group, "logStreamNamePrefix": streams, **token}
            try:
                page = aws.ask(Request("logs", "filter_log_events", asked))
            except RefusedError as error:
                if error.code != "ResourceNotFoundException":
                    raise
                missing.append(group)
                break
            sys.stdout.writelines(f"{event['message'].rstrip()}\n" for event in page["events"])
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
    if len(missing) == len(groups):
        raise OutsideSystemError(f"no log group {' or '.join(groups)} yet. A job makes it when it starts to log")
