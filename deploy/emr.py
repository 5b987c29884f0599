"""``emr submit|status|logs``: a step as a job run of EMR Serverless, or as a step of a cluster of one's own."""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from deploy.aws.options import Commands
from deploy.aws.requests import Aws, Request, show
from deploy.job_runs import emr_cluster
from deploy.job_runs.arguments import STEPS, JobArguments, job_arguments, run_id_in
from deploy.job_runs.commands import add_job_commands
from deploy.job_runs.logs import print_logs
from deploy.job_runs.waiting import State, failure_of, follow
from deploy.stacks.stacks import outputs
from jobs.errors import ConfigurationError

FINAL = {"SUCCESS", "FAILED", "CANCELLED"}
MINUTES = 240
LOAD = "python -m deploy glue submit --step publish"


def add_emr(commands: Commands) -> None:
    """Add ``emr`` to the commands."""
    made = add_job_commands(commands, "EMR", submit=_submit, status=_status, logs=_logs)
    step = "the step (default: pipeline); publish is for glue alone"
    made.submit.add_argument("--step", choices=STEPS, default="pipeline", help=step)
    for parser in (made.submit, made.status):
        parser.add_argument("--cluster", metavar="ID", help="a cluster of EMR on EC2 (j-...), not EMR Serverless")
    made.status.add_argument("job_run", metavar="JOB_RUN_ID", help="of EMR Serverless; with --cluster, the step's id")
    made.logs.add_argument("run_id", metavar="RUN_ID", help="the run that the job makes")


def start_request(prefix: str, job: JobArguments, known: Mapping[str, str]) -> Request:
    """The request that starts a job run.

    The client token is of the run that the job makes: whoever asks again, or whose answer was lost, gets the same run.
    """
    token = hashlib.sha256(f"{known['ApplicationId']} {job.step} {job.name}".encode()).hexdigest()
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
    if given.step == "publish":
        raise ConfigurationError(
            "emr submit --step publish: EMR Serverless reaches Redshift's Data API only through a network of its own, "
            f"and YARN takes a program that starts no Spark for a failed one. Load the run on Glue: {LOAD} "
            f"{aws.options(given.prefix)} --run RUN_ID"
        )
    job = job_arguments(given.step, given.job_arguments, known)
    if given.cluster:
        request = emr_cluster.start_request(given.prefix, given.cluster, job, known, region=aws.region)
    else:
        request = start_request(given.prefix, job, known)
    if given.dry_run:
        show(request)
        return
    if given.cluster:
        job_run = emr_cluster.started(aws, given.cluster, request)
    else:
        job_run = str(aws.change(request)["jobRunId"])
    again = _again(aws, given, job_run)
    sys.stdout.write(f"{given.prefix}-{job.step} {job_run}: {job.name}\n")
    if given.no_wait:
        sys.stdout.write(f"Follow it with: {again}\n")
        return
    look = _looking(aws, known["ApplicationId"], job_run, given.cluster)
    title = f"{given.prefix}-{job.step} {job_run}"
    end = follow(title, look, how_to_follow=again)
    end = replace(end, run_id=job.name)
    _raise_if_failed(aws, title, end, bucket=job.bucket, logs=_logs_of(aws, given, job_run, end))


def _again(aws: Aws, given: argparse.Namespace, job_run: str) -> str:
    """The command that waits for a job run."""
    where = f" --cluster {given.cluster}" if given.cluster else ""
    return f"python -m deploy emr status --wait {aws.options(given.prefix)}{where} {job_run}"


def _logs_of(aws: Aws, given: argparse.Namespace, job_run: str, end: State) -> str:
    """The command that shows the log of a job run, or where a cluster has it."""
    if given.cluster:
        return f"aws emr describe-step --region {aws.region} --cluster-id {given.cluster} --step-id {job_run} (LogFile)"
    return f"python -m deploy emr logs {aws.options(given.prefix)} {end.run_id or 'RUN_ID'}"


def _raise_if_failed(aws: Aws, title: str, end: State, *, bucket: str, logs: str) -> None:
    """End as the job ended.

    Raises:
        PipelineError: It is over, and did not succeed; with its own exit code where it left word.
    """
    if not end.is_final or end.name in ("SUCCESS", "COMPLETED"):
        return
    raise failure_of(
        aws,
        bucket=bucket,
        run_ids=(end.run_id,) if end.run_id else (),
        otherwise=f"{title} ended as {end.name}: {end.note}. Its log: {logs}",
    )


def _looking(aws: Aws, application: str, job_run: str, cluster: str | None) -> Callable[[], State]:
    if cluster:
        return lambda: emr_cluster.state(aws, cluster, job_run)

    def look() -> State:
        found = aws.ask(look_request(application, job_run))["jobRun"]
        return State(
            found["state"],
            is_final=found["state"] in FINAL,
            note=found.get("stateDetails", ""),
            run_id=run_id_in(found["jobDriver"]["sparkSubmit"].get("entryPointArguments", [])),
        )

    return look


def _status(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile)
    known = outputs(aws, given.prefix)
    application = known["ApplicationId"]
    if given.dry_run:
        step = emr_cluster.look_request(given.cluster or "", given.job_run)
        show(step if given.cluster else look_request(application, given.job_run))
        return
    look = _looking(aws, application, given.job_run, given.cluster)
    again = _again(aws, given, given.job_run)
    found = follow(given.job_run, look, how_to_follow=again) if given.wait else look()
    said: dict[str, Any] = {"id": given.job_run, "state": found.name, "details": found.note}
    sys.stdout.write(json.dumps(said, indent=2) + "\n")
    logs = _logs_of(aws, given, given.job_run, found)
    _raise_if_failed(aws, given.job_run, found, bucket=known["DataBucket"], logs=logs)


def _logs(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile)
    group = outputs(aws, given.prefix)["EmrLogGroup"]
    if given.dry_run:
        asked = {"logGroupName": group, "logStreamNamePrefix": given.run_id}
        show(Request("logs", "filter_log_events", asked))
        return
    print_logs(aws, (group,), given.run_id)
