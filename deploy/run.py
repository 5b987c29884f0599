"""``run``: starts the nightly state machine now, and follows the execution."""

import argparse
import re
import shlex
import sys
from datetime import UTC, date, datetime

from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws, print_request
from deploy.aws.waiting import wait_until_final
from deploy.job_runs import executions
from deploy.job_runs.outcomes import job_failure
from deploy.stacks.stacks import stack_outputs

NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,35}")


def add_run(subparsers: Subparsers) -> None:
    """Add ``run`` to the commands."""
    parser = subparsers.add_parser("run", help="start the nightly run now, and follow it", allow_abbrev=False)
    add_deployment_options(parser)
    parser.add_argument("--as-of", type=_date, required=True, metavar="YYYY-MM-DD", help="last day that counts")
    parser.add_argument("--input", metavar="S3", help="folder of the raw files (default: the one of `upload`)")
    parser.add_argument("--engine", choices=("glue", "emr"), help="where Spark runs (default: the setting of `up`)")
    parser.add_argument(
        "--card",
        help="current: the card of the current run (default); fit: a new one from the customers of this run; or a file "
        "in S3, or a shipped card",
    )
    parser.add_argument(
        "--name",
        type=_name,
        help="name of the execution, and part of the run ids; the same name is the same run (default: the time)",
    )
    parser.add_argument("--no-wait", action="store_true", help="start it, and do not follow it")
    parser.set_defaults(run=_run)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a date such as 2018-10-17") from None


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected up to 36 letters and digits, with single hyphens between them"
        )
    return text


def _run(options: argparse.Namespace) -> None:
    aws = aws_of(options)
    outputs = stack_outputs(aws, options.prefix)
    name = options.name or f"{datetime.now(UTC):manual-%Y%m%dt%H%M%Sz}"
    values = {"as_of": options.as_of, "input": options.input, "engine": options.engine, "card": options.card}
    execution_input = {key: value for key, value in values.items() if value}
    request = executions.start_request(outputs["MachineArn"], name=name, execution_input=execution_input)
    if options.dry_run:
        print_request(request)
        return
    execution = executions.start(aws, request)
    run_id = f"{options.as_of}-{name}"
    sys.stdout.write(f"{execution}: run {run_id}\n")
    # The same name with another input is refused, so the command repeats the whole input.
    input_options = "".join(
        f" --{key.replace('_', '-')} {shlex.quote(value)}" for key, value in execution_input.items()
    )
    follow_command = f"python -m deploy run {aws.deployment_options(options.prefix)}{input_options} --name {name}"
    if options.no_wait:
        sys.stdout.write(f"Follow it with: {follow_command}\n")
        return
    _follow(aws, execution, run_id=run_id, bucket=outputs["DataBucket"], follow_command=follow_command)


def _follow(aws: Aws, execution: str, *, run_id: str, bucket: str, follow_command: str) -> None:
    title = f"run {run_id}"
    end = wait_until_final(title, lambda: executions.state(aws, execution), resume_command=follow_command)
    if end.name == "SUCCEEDED":
        sys.stdout.write(f"{title}: complete, and in the warehouse\n")
        return
    error, cause = end.response.get("error", "no error named"), end.response.get("cause", "")
    raise job_failure(
        aws,
        bucket=bucket,
        run_ids=(run_id, f"{run_id}-segments"),
        default_message=f"{title} ended as {end.name}: {error}: {cause}",
    )
