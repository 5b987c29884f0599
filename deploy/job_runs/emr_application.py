"""The application of EMR Serverless at rest: it can be changed and deleted only while it is stopped.

It stops by itself when it was idle for a while, and starts by itself for the next job.
"""

from typing import Any

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.job_runs.waiting import State, follow
from jobs.errors import ConfigurationError

AT_REST = {"CREATED", "STOPPED", "TERMINATED"}
UNFINISHED = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING")


def come_to_rest(aws: Aws, prefix: str, application: str, *, is_wanted: bool) -> None:
    """Stop the application, and wait until it has stopped; nothing where it is gone.

    Args:
        aws: the account.
        prefix: of the stacks.
        application: its id.
        is_wanted: whether what it runs is wanted. If not, it is cancelled.

    Raises:
        ConfigurationError: It runs something that is wanted.
    """
    running = _unfinished(aws, application)
    if running and is_wanted:
        raise ConfigurationError(
            f"EMR Serverless application {application} runs {', '.join(running)}, and can be changed at rest alone. "
            "Wait for it, then run `up` again; nothing was changed in its stack"
        )
    for job_run in running:
        aws.change(Request("emr-serverless", "cancel_job_run", {"applicationId": application, "jobRunId": job_run}))
    if aws.is_dry_run:
        aws.change(_stop(application))
        return

    def look_for_runs() -> State:
        left = _unfinished(aws, application)
        return State("busy" if left else "idle", is_final=not left, note=", ".join(left))

    def look() -> State:
        found = _state(aws, application)
        if found == "STARTED":
            aws.change(_stop(application))
        return State(found, is_final=found in AT_REST)

    again = f"python -m deploy {'up' if is_wanted else 'down'} {aws.options(prefix)}"
    title = f"application {application}"
    follow(f"runs of {title}", look_for_runs, how_to_follow=again)
    follow(title, look, how_to_follow=again)


def _stop(application: str) -> Request:
    return Request("emr-serverless", "stop_application", {"applicationId": application})


def _unfinished(aws: Aws, application: str) -> list[str]:
    asked: dict[str, Any] = {"applicationId": application, "states": list(UNFINISHED), "maxResults": 50}
    try:
        return [str(run["id"]) for run in aws.ask(Request("emr-serverless", "list_job_runs", asked))["jobRuns"]]
    except RefusedError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return []


def _state(aws: Aws, application: str) -> str:
    try:
        found = aws.ask(Request("emr-serverless", "get_application", {"applicationId": application}))
    except RefusedError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return "TERMINATED"
    return str(found["application"]["state"])
