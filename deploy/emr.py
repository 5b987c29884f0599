"""``emr submit|status|logs``: a step as a job run of EMR Serverless, or as a step of a cluster of one's own."""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from deploy import emr_cluster
from deploy.aws import Aws, Request, show
from deploy.command_line import Commands
from deploy.job_arguments import STEPS, JobArguments, job_arguments
from deploy.job_commands import add_job_commands
from deploy.logs import print_logs
from deploy.stacks import outputs
from deploy.waiting import State, failure_of, follow

FINAL = {"SUCCESS", "FAILED", "CANCELLED"}
MINUTES = 240


def add_emr(commands: Commands) -> None:
    """Add ``emr`` to the commands."""
    made = add_job_commands(commands, "EMR", submit=_submit, status=_status, logs=_logs)
    made.submit.add_argument("--step", choices=STEPS, default="pipeline", help="the step (default: pipeline)")
    for parser in (made.submit, made.status):
        parser.add_argument("--cluster", metavar="ID", help="a cluster of EMR on EC2 (j-...), not EMR Serverless")
    made.status.add_argument("job_run", metavar="JOB_RUN_ID", help="of EMR Serverless; with --cluster, the step's id")
    made.logs.add_argument("run_id", metavar="RUN_ID", help="the run that the job makes, or loads")


def start_request(prefix: str, job: JobArguments, known: Mapping[str, str]) -> Request:
    """The request that starts a job run.

    The client token is of the run that the job makes: whoever asks again, or whose answer was lost, gets the same run.
    A load has a token of its own, which serves the second alone: a run may be loaded again.
    """
    token = hashlib.sha256(f"{known['ApplicationId']} {job.step} {job.submission}".encode()).hexdigest()
    return Request(
        "emr-serverless",
        "start_job_run",
        {
            "applicationId": known["ApplicationId"],
            "clientToken": token,
            "executionRoleArn": known[f"{job.step.capitalize()}RoleArn"],
            "executionTimeoutMinutes": MINUTES,
            "name": f"{prefix}-{job.step}",
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": f"{known['CodePath']}/{job.step}.py",
                    "entryPointArguments": list(job.arguments),
                    "sparkSubmitParameters": known["EmrSubmitParameters"],
                }
            },
            "configurationOverrides": {
                "monitoringConfiguration": {
                    "cloudWatchLoggingConfiguration": {
                        "enabled": True,
                        "logGroupName": known["EmrLogGroup"],
                        "logStreamNamePrefix": job.name,
                        "encryptionKeyArn": known["KeyArn"],
                    }
                }
            },
        },
    )


def look_request(application: str, job_run: str) -> Request:
    """The request for how a job run stands."""
    return Request("emr-serverless", "get_job_run", {"applicationId": application, "jobRunId": job_run})


def _submit(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile, dry_run=given.dry_run)
    known = outputs(aws, given.prefix)
    job = job_arguments(given.step, given.job_arguments, known)
    if given.cluster:
        request = emr_cluster.start_request(given.prefix, given.cluster, job, known)
    else:
        request = start_request(given.prefix, job, known)
    if given.dry_run:
        show(request)
        return
    if given.cluster:
        job_run = emr_cluster.started(aws, given.cluster, request)
    else:
        job_run = str(aws.change(request)["jobRunId"])
    where = f" --cluster {given.cluster}" if given.cluster else ""
    again = f"python -m deploy emr status --prefix {given.prefix}{where} {job_run}"
    sys.stdout.write(f"{given.prefix}-{job.step} {job_run}: {job.name}\n")
    if given.no_wait:
        sys.stdout.write(f"Follow it with: {again}\n")
        return
    look = _looking(aws, known["ApplicationId"], job_run, given.cluster)
    title = f"{given.prefix}-{job.step} {job_run}"
    end = follow(title, look, how_to_follow=again)
    _raise_if_failed(
        aws, given.prefix, title, replace(end, run_id=job.name, makes_run=job.makes_run), bucket=job.bucket
    )


def _raise_if_failed(aws: Aws, prefix: str, title: str, end: State, *, bucket: str) -> None:
    """End as the job ended.

    Raises:
        PipelineError: It is over, and did not succeed; with its own exit code where it left word.
    """
    if not end.is_final or end.name in ("SUCCESS", "COMPLETED"):
        return
    logs = f"python -m deploy emr logs --prefix {prefix} {end.run_id or 'RUN_ID'}"
    raise failure_of(
        aws,
        bucket=bucket,
        run_id=end.run_id if end.makes_run else "",
        otherwise=f"{title} ended as {end.name}: {end.note}. Its log: {logs}",
    )


def _looking(aws: Aws, application: str, job_run: str, cluster: str | None) -> Callable[[], State]:
    if cluster:
        return lambda: emr_cluster.state(aws, cluster, job_run)

    def look() -> State:
        found = aws.ask(look_request(application, job_run))["jobRun"]
        given = _named(found["jobDriver"]["sparkSubmit"].get("entryPointArguments", []))
        return State(
            found["state"],
            is_final=found["state"] in FINAL,
            note=found.get("stateDetails", ""),
            run_id=given.get("--run-id") or given.get("--run", ""),
            makes_run="--run-id" in given,
        )

    return look


def _named(arguments: Sequence[str]) -> dict[str, str]:
    """The values of a job's own arguments, by name."""
    return dict(pairwise(arguments))


def _status(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile)
    known = outputs(aws, given.prefix)
    application = known["ApplicationId"]
    if given.dry_run:
        step = emr_cluster.look_request(given.cluster or "", given.job_run)
        show(step if given.cluster else look_request(application, given.job_run))
        return
    found = _looking(aws, application, given.job_run, given.cluster)()
    said: dict[str, Any] = {"id": given.job_run, "state": found.name, "details": found.note}
    sys.stdout.write(json.dumps(said, indent=2) + "\n")
    _raise_if_failed(aws, given.prefix, given.job_run, found, bucket=known["DataBucket"])


def _logs(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile)
    group = outputs(aws, given.prefix)["EmrLogGroup"]
    if given.dry_run:
        asked = {"logGroupName": group, "logStreamNamePrefix": given.run_id}
        show(Request("logs", "filter_log_events", asked))
        return
    print_logs(aws, (group,), given.run_id)
