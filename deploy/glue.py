"""``glue submit|status|logs``: runs a step as a job run of Glue, and follows it."""

import argparse
import json
import sys
from itertools import chain

from deploy.aws.options import Subparsers, aws_of
from deploy.aws.requests import print_request
from deploy.job_runs.arguments import add_job_parsers, add_step, check_step_options, job_arguments
from deploy.job_runs.glue import GlueJob
from deploy.job_runs.outcomes import print_logs
from deploy.stacks.stacks import stack_outputs

STATUS_MEMBERS = ("Id", "JobRunState", "StartedOn", "ExecutionTime", "ErrorMessage")


def add_glue(subparsers: Subparsers) -> None:
    """Add ``glue`` to the commands."""
    parsers = add_job_parsers(subparsers, "Glue", submit=_submit, status=_status, logs=_logs)
    for parser in parsers:
        add_step(parser)
    for parser in (parsers.status, parsers.logs):
        parser.add_argument("job_run", metavar="JOB_RUN_ID")


def _job_of(options: argparse.Namespace) -> GlueJob:
    return GlueJob(aws_of(options), options.prefix, options.step)


def _submit(options: argparse.Namespace) -> None:
    check_step_options(options, on_glue=True)
    job = _job_of(options)
    arguments = job_arguments(options.step, options.job_arguments, stack_outputs(job.aws, options.prefix))
    if options.dry_run:
        print_request(job.start_request(arguments))
        return
    job_run = job.start(arguments)
    sys.stdout.write(f"{job.name} {job_run}: {arguments.name}\n")
    if options.no_wait:
        sys.stdout.write(f"Follow it with: {job.follow_command(job_run)}\n")
        return
    failure = job.failure(job.wait(job_run), bucket=arguments.bucket)
    if failure is not None:
        raise failure


def _status(options: argparse.Namespace) -> None:
    job = _job_of(options)
    if options.dry_run:
        print_request(job.describe_request(options.job_run))
        return
    description = job.describe(options.job_run)
    if options.wait:
        description = job.wait(options.job_run)
    arguments = description.get("Arguments", {})
    status = {member: description.get(member) for member in STATUS_MEMBERS}
    status["run_id"] = arguments.get("--run-id") or arguments.get("--run", "")
    sys.stdout.write(json.dumps(status, indent=2, default=str) + "\n")
    failure = job.failure(description, bucket=stack_outputs(job.aws, options.prefix)["DataBucket"])
    if failure is not None:
        raise failure


def _logs(options: argparse.Namespace) -> None:
    job = _job_of(options)
    if options.dry_run:
        print_request(job.describe_request(options.job_run))
        return
    description = job.describe(options.job_run)
    outputs = stack_outputs(job.aws, options.prefix)
    # With a security configuration Glue adds the role to the prefix that the job names. Job runs of an earlier version
    # wrote into the groups that they name themselves, or into Glue's own.
    stack_prefixes = [outputs.get(f"{options.step.capitalize()}LogPrefix"), outputs.get("GlueLogPrefix")]
    prefixes = [*filter(None, stack_prefixes), description.get("LogGroupName", "/aws-glue/jobs")]
    first, *others = ((f"{prefix}/output", f"{prefix}/error") for prefix in prefixes)
    print_logs(job.aws, first, options.job_run, earlier_groups=list(chain.from_iterable(others)))
