"""``glue submit|status|logs``: a step as a job run of Glue."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from deploy.aws.options import Commands
from deploy.aws.requests import Aws, RefusedError, Request, show
from deploy.job_runs.arguments import STEPS, JobArguments, job_arguments
from deploy.job_runs.commands import add_job_commands
from deploy.job_runs.logs import print_logs
from deploy.job_runs.waiting import State, failure_of, follow
from deploy.stacks.stacks import outputs
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError

FINAL = {"STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED"}


def add_glue(commands: Commands) -> None:
    """Add ``glue`` to the commands."""
    made = add_job_commands(commands, "Glue", submit=_submit, status=_status, logs=_logs)
    for parser in made:
        parser.add_argument("--step", choices=STEPS, default="pipeline", help="the step (default: pipeline)")
    for parser in (made.status, made.logs):
        parser.add_argument("job_run", metavar="JOB_RUN_ID")


def job_of(prefix: str, step: str) -> str:
    """The name of a step's job."""
    return f"{prefix}-{step}"


def start_request(prefix: str, job: JobArguments) -> Request:
    """The request that starts a job run."""
    return Request("glue", "start_job_run", {"JobName": job_of(prefix, job.step), "Arguments": job.as_pairs()})


def look_request(prefix: str, step: str, job_run: str) -> Request:
    """The request for how a job run stands."""
    return Request("glue", "get_job_run", {"JobName": job_of(prefix, step), "RunId": job_run})


def _submit(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile, dry_run=given.dry_run)
    job = job_arguments(given.step, given.job_arguments, outputs(aws, given.prefix))
    request = start_request(given.prefix, job)
    if given.dry_run:
        show(request)
        return
    job_run = _started(aws, given.prefix, job, request)
    sys.stdout.write(f"{job_of(given.prefix, job.step)} {job_run}: {job.name}\n")
    if given.no_wait:
        sys.stdout.write(f"Follow it with: {_again(aws, given.prefix, job.step, job_run)}\n")
        return
    found = _ended(aws, given.prefix, job.step, job_run)
    failure = _failure(aws, given.prefix, job.step, found, bucket=job.bucket)
    if failure is not None:
        raise failure


def _started(aws: Aws, prefix: str, job: JobArguments, request: Request) -> str:
    """Start a job run, unless there is one that does the same, and return its id.

    Glue has no client token. The run id among the arguments serves as one, since a job runs once at a time: whoever
    asks again, or whose answer was lost, is refused, and finds the run that he started. A run that was loaded may be
    loaded again, so that for `publish` only a job run in progress counts.
    """
    earlier = _earlier(aws, prefix, job)
    if earlier is not None:
        return earlier
    try:
        return str(aws.change(request)["JobRunId"])
    except RefusedError as error:
        if error.code != "ConcurrentRunsExceededException":
            raise
        earlier = _earlier(aws, prefix, job)
        if earlier is not None:
            return earlier
        raise OutsideSystemError(
            f"job {job_of(prefix, job.step)}: another run is in progress, and it runs once at a time. Wait for it: "
            f"aws glue get-job-runs --job-name {job_of(prefix, job.step)}"
        ) from None


def _earlier(aws: Aws, prefix: str, job: JobArguments) -> str | None:
    """The newest job run that does the same, if it is among the last 50."""
    asked = {"JobName": job_of(prefix, job.step), "MaxResults": 50}
    for found in aws.ask(Request("glue", "get_job_runs", asked)).get("JobRuns", []):
        if _is_same(found, job):
            return str(found["Id"])
    return None


def _is_same(found: Mapping[str, Any], job: JobArguments) -> bool:
    arguments = found.get("Arguments", {})
    if job.step != "publish":
        return bool(arguments.get("--run-id") == job.name)
    is_same_load = arguments.get("--run") == job.name and job.as_pairs().items() <= arguments.items()
    return is_same_load and found["JobRunState"] not in FINAL


def _ended(aws: Aws, prefix: str, step: str, job_run: str) -> Mapping[str, Any]:
    """A job run, once it is over."""

    def look() -> State:
        found = aws.ask(look_request(prefix, step, job_run))["JobRun"]
        return State(found["JobRunState"], is_final=found["JobRunState"] in FINAL, answer=found)

    again = _again(aws, prefix, step, job_run)
    return follow(f"{job_of(prefix, step)} {job_run}", look, how_to_follow=again).answer


def _again(aws: Aws, prefix: str, step: str, job_run: str) -> str:
    """The command that waits for a job run."""
    return f"python -m deploy glue status --wait {aws.options(prefix)} --step {step} {job_run}"


def _failure(aws: Aws, prefix: str, step: str, found: Mapping[str, Any], *, bucket: str) -> PipelineError | None:
    state = found["JobRunState"]
    if state == "SUCCEEDED" or state not in FINAL:
        return None
    logs = f"python -m deploy glue logs {aws.options(prefix)} --step {step} {found['Id']}"
    said = found.get("ErrorMessage", "no reason given")
    return failure_of(
        aws,
        bucket=bucket,
        run_ids=[value for name, value in found.get("Arguments", {}).items() if name == "--run-id"],
        otherwise=f"{job_of(prefix, step)} {found['Id']} ended as {state}: {said}. Its log: {logs}",
    )


def _status(given: argparse.Namespace) -> None:
    request = look_request(given.prefix, given.step, given.job_run)
    if given.dry_run:
        show(request)
        return
    aws = Aws(region=given.region, profile=given.profile)
    found = _found(aws, request)
    if given.wait:
        found = _ended(aws, given.prefix, given.step, given.job_run)
    arguments = found.get("Arguments", {})
    run_id = arguments.get("--run-id") or arguments.get("--run", "")
    said = {key: found.get(key) for key in ("Id", "JobRunState", "StartedOn", "ExecutionTime", "ErrorMessage")}
    sys.stdout.write(json.dumps({**said, "run_id": run_id}, indent=2, default=str) + "\n")
    bucket = outputs(aws, given.prefix)["DataBucket"]
    failure = _failure(aws, given.prefix, given.step, found, bucket=bucket)
    if failure is not None:
        raise failure


def _logs(given: argparse.Namespace) -> None:
    request = look_request(given.prefix, given.step, given.job_run)
    if given.dry_run:
        show(request)
        return
    aws = Aws(region=given.region, profile=given.profile)
    group = _found(aws, request).get("LogGroupName", "/aws-glue/jobs")
    print_logs(aws, (f"{group}/output", f"{group}/error"), given.job_run)


def _found(aws: Aws, request: Request) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = aws.ask(request)["JobRun"]
    except RefusedError as error:
        if error.code != "EntityNotFoundException":
            raise
        raise ConfigurationError(
            f"{request.parameters['RunId']}: {request.parameters['JobName']} has no such job run. List them: "
            f"aws glue get-job-runs --job-name {request.parameters['JobName']}"
        ) from None
    return found
