"""``run``: starts the nightly state machine now, and follows the execution."""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime

from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws, print_request
from deploy.aws.waiting import State, wait_until_final
from deploy.job_runs import executions
from deploy.job_runs.outcomes import job_failure
from deploy.stacks.stacks import stack_outputs
from jobs.errors import ConfigurationError

NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,35}")
FILE_IN_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]")


def add_run(subparsers: Subparsers) -> None:
    """Add ``run`` to the commands."""
    parser = subparsers.add_parser("run", help="start the nightly run now, and follow it")
    add_deployment_options(parser)
    parser.add_argument("--as-of", type=_date, required=True, metavar="YYYY-MM-DD", help="last day that counts")
    parser.add_argument("--input", metavar="S3", help="folder of the raw files (default: the one of `upload`)")
    parser.add_argument("--engine", choices=("glue", "emr"), help="where Spark runs (default: the setting of `up`)")
    parser.add_argument(
        "--kmeans",
        choices=("spark", "sagemaker"),
        help="where customers are clustered (default: the setting of `up`)",
    )
    parser.add_argument(
        "--source",
        choices=("olist", "ledger"),
        help="what the raw files are: Olist's, or one table of transactions (default: the setting of `up`)",
    )
    parser.add_argument(
        "--mapping",
        type=_file_in_s3,
        metavar="S3",
        help="the file that describes the columns of a ledger, in the folder of the raw files (default: the setting of "
        "`up`)",
    )
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


def _file_in_s3(text: str) -> str:
    if not FILE_IN_S3.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a file in S3, such as s3://shop-data/raw/ledger.yml")
    return text


def _run(options: argparse.Namespace) -> None:
    if options.mapping and options.source == "olist":
        raise ConfigurationError("--mapping with --source olist: only a ledger has one. Give one of them")
    aws = aws_of(options)
    outputs = stack_outputs(aws, options.prefix)
    name = options.name or f"{datetime.now(UTC):manual-%Y%m%dt%H%M%Sz}"
    settings = ("as_of", "input", "engine", "kmeans", "source", "mapping", "card")
    execution_input = {key: value for key in settings if (value := getattr(options, key))}
    request = executions.start_request(outputs["MachineArn"], name=name, execution_input=execution_input)
    if options.dry_run:
        print_request(request)
        return
    # With SageMaker's k-means the step of the segments makes a second run, which is the complete one.
    run_ids = [f"{options.as_of}-{name}"]
    if (options.kmeans or outputs["Kmeans"]) == "sagemaker":
        run_ids.append(f"{run_ids[0]}-segments")
    execution = executions.start(aws, request)
    sys.stdout.write(f"{execution}: run {run_ids[0]}\n")
    # The same name with another input is refused, so the command repeats the whole input.
    input_options = "".join(
        f" --{key.replace('_', '-')} {shlex.quote(value)}" for key, value in execution_input.items()
    )
    follow_command = f"python -m deploy run {aws.deployment_options(options.prefix)}{input_options} --name {name}"
    if options.no_wait:
        sys.stdout.write(f"Follow it with: {follow_command}\n")
        return
    _follow(aws, execution, run_ids=run_ids, bucket=outputs["DataBucket"], follow_command=follow_command)


def _follow(aws: Aws, execution: str, *, run_ids: Sequence[str], bucket: str, follow_command: str) -> None:
    title = f"run {run_ids[0]}"
    end = wait_until_final(title, lambda: executions.state(aws, execution), resume_command=follow_command)
    if end.name == "SUCCEEDED":
        sys.stdout.write(f"run {run_ids[-1]}: complete{_places(end)}\n")
        return
    error, cause = end.response.get("error", "no error named"), end.response.get("cause", "")
    raise job_failure(
        aws,
        bucket=bucket,
        run_ids=run_ids,
        default_message=f"{title} ended as {end.name}: {error}: {cause}",
    )


def _places(end: State) -> str:
    """Where else the run can be seen, as the output of its execution states it."""
    output = json.loads(end.response.get("output", "{}"))
    if "workgroup" not in output:  # an execution of an earlier version, which does not state it
        return ""
    warehouse = ", and in the warehouse" if output["workgroup"] else "; there is no warehouse to load it into"
    dashboard = {
        "refreshed": "; the dashboard shows it",
        "not refreshed": "; the dashboard was not refreshed: the message to the topic says why",
    }
    return warehouse + dashboard.get(output.get("dashboard"), "")
