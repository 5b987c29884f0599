"""``emr submit|status|logs``: runs a step on EMR Serverless or on the user's own cluster, and follows it."""

import argparse
import json
import sys
from dataclasses import replace

from deploy.aws.options import Subparsers, aws_of
from deploy.aws.requests import Aws, print_request
from deploy.aws.waiting import State, wait_until_final
from deploy.job_runs.arguments import add_job_parsers, add_step, check_step_options, job_arguments
from deploy.job_runs.emr_cluster import Cluster
from deploy.job_runs.emr_serverless import Application
from deploy.job_runs.outcomes import job_failure, print_logs
from deploy.stacks.stacks import StackOutputs, stack_outputs
from jobs.errors import ConfigurationError

SUCCEEDED = ("SUCCESS", "COMPLETED")


def add_emr(subparsers: Subparsers) -> None:
    """Add ``emr`` to the commands."""
    parsers = add_job_parsers(subparsers, "EMR", submit=_submit, status=_status, logs=_logs)
    add_step(parsers.submit, note="; publish is for glue alone")
    for parser in (parsers.submit, parsers.status):
        parser.add_argument("--cluster", metavar="ID", help="a cluster of EMR on EC2 (j-...), not EMR Serverless")
    parsers.status.add_argument(
        "job_run", metavar="JOB_RUN_ID", help="the job run's id; with --cluster, the id of the step"
    )
    parsers.logs.add_argument("run_id", metavar="RUN_ID", help="the run that the job makes")


def _platform_of(options: argparse.Namespace, aws: Aws, outputs: StackOutputs) -> Application | Cluster:
    if options.cluster:
        return Cluster(aws, options.prefix, outputs, options.cluster)
    return Application(aws, options.prefix, outputs, outputs.job_tags)


def _submit(options: argparse.Namespace) -> None:
    check_step_options(options, on_glue=False)
    aws, prefix = aws_of(options), options.prefix
    outputs = stack_outputs(aws, prefix)
    if options.step == "publish":
        load_command = f"python -m deploy glue submit --step publish {aws.deployment_options(prefix)} --run RUN_ID"
        raise ConfigurationError(
            "emr submit --step publish: EMR Serverless reaches Redshift's Data API only through a network of its own, "
            f"and YARN fails a job that starts no Spark. Load the run on Glue: {load_command}"
        )
    job = job_arguments(options.step, options.job_arguments, outputs)
    platform = _platform_of(options, aws, outputs)
    request = platform.start_request(job)
    if options.dry_run:
        print_request(request)
        return
    job_run = platform.start(request)
    title = f"{prefix}-{job.step} {job_run}"
    sys.stdout.write(f"{title}: {job.name}\n")
    follow_command = platform.follow_command(job_run)
    if options.no_wait:
        sys.stdout.write(f"Follow it with: {follow_command}\n")
        return
    end = wait_until_final(title, lambda: platform.state(job_run), resume_command=follow_command)
    log_command = platform.log_command(job_run, job.name)
    _raise_if_failed(aws, title, replace(end, run_id=job.name), bucket=job.bucket, log_command=log_command)


def _status(options: argparse.Namespace) -> None:
    aws, job_run = aws_of(options), options.job_run
    outputs = stack_outputs(aws, options.prefix)
    platform = _platform_of(options, aws, outputs)
    if options.dry_run:
        print_request(platform.describe_request(job_run))
        return
    if options.wait:
        resume_command = platform.follow_command(job_run)
        state = wait_until_final(job_run, lambda: platform.state(job_run), resume_command=resume_command)
    else:
        state = platform.state(job_run)
    status = {"id": job_run, "state": state.name, "details": state.detail}
    sys.stdout.write(json.dumps(status, indent=2) + "\n")
    log_command = platform.log_command(job_run, state.run_id)
    _raise_if_failed(aws, job_run, state, bucket=outputs["DataBucket"], log_command=log_command)


def _raise_if_failed(aws: Aws, title: str, state: State, *, bucket: str, log_command: str) -> None:
    """Raise the error of a job run that failed.

    Raises:
        PipelineError: The job run failed. The exit code is the job's own if the run's folder has it.
    """
    if not state.is_final or state.name in SUCCEEDED:
        return
    raise job_failure(
        aws,
        bucket=bucket,
        run_ids=(state.run_id,) if state.run_id else (),
        default_message=f"{title} ended as {state.name}: {state.detail}. Its log: {log_command}",
    )


def _logs(options: argparse.Namespace) -> None:
    aws = aws_of(options)
    print_logs(aws, (stack_outputs(aws, options.prefix)["EmrLogGroup"],), options.run_id)
