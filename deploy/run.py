"""``run``: the whole nightly run, now: start the state machine and follow it."""

import argparse
import json
import re
import shlex
import sys
from datetime import UTC, date, datetime

from deploy.aws.options import Commands, add_aws_options
from deploy.aws.requests import Aws, RefusedError, Request, show
from deploy.job_runs.waiting import State, failure_of, follow
from deploy.stacks.stacks import outputs
from jobs.errors import ConfigurationError

NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,35}")
FINAL = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def add_run(commands: Commands) -> None:
    """Add ``run`` to the commands."""
    parser = commands.add_parser("run", help="start the nightly run now, and follow it", allow_abbrev=False)
    add_aws_options(parser)
    parser.add_argument("--as-of", type=_day, required=True, metavar="YYYY-MM-DD", help="last day that counts")
    parser.add_argument("--input", metavar="S3", help="folder of the raw files (default: where `upload` puts them)")
    parser.add_argument("--engine", choices=("glue", "emr"), help="where Spark runs (default: as set by `up`)")
    parser.add_argument(
        "--name",
        type=_name,
        help="of the execution, and part of the run ids; giving one again is the same run (default: the time)",
    )
    parser.add_argument("--no-wait", action="store_true", help="start it, and do not follow it")
    parser.set_defaults(run=_run)


def start_request(machine: str, *, name: str, given: dict[str, str]) -> Request:
    """The request that starts an execution; one name starts one."""
    return Request(
        "stepfunctions", "start_execution", {"stateMachineArn": machine, "name": name, "input": json.dumps(given)}
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date (expected YYYY-MM-DD, such as 2018-10-17)") from None


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name (expected up to 36 letters and digits, single hyphens between them)"
        )
    return text


def _run(given: argparse.Namespace) -> None:
    aws = Aws(region=given.region, profile=given.profile, dry_run=given.dry_run)
    known = outputs(aws, given.prefix)
    name = given.name or f"{datetime.now(UTC):manual-%Y%m%dt%H%M%Sz}"
    asked = {"as_of": given.as_of, "input": given.input, "engine": given.engine}
    request = start_request(known["MachineArn"], name=name, given={key: value for key, value in asked.items() if value})
    if given.dry_run:
        show(request)
        return
    execution = _started(aws, request)
    run_id = f"{given.as_of}-{name}"
    sys.stdout.write(f"{execution}: run {run_id}\n")
    # The whole of what was asked for: with less, the same name would be another run.
    also = "".join(f" --{key} {shlex.quote(asked[key])}" for key in ("input", "engine") if asked[key])
    again = f"python -m deploy run {aws.options(given.prefix)} --as-of {given.as_of}{also} --name {name}"
    if given.no_wait:
        sys.stdout.write(f"Follow it with: {again}\n")
        return
    _follow(aws, execution, run_id=run_id, bucket=known["DataBucket"], again=again)


def _started(aws: Aws, request: Request) -> str:
    try:
        return str(aws.change(request)["executionArn"])
    except RefusedError as error:
        if error.code != "ExecutionAlreadyExists":
            raise
    name, machine = request.parameters["name"], str(request.parameters["stateMachineArn"])
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    begun = aws.ask(Request("stepfunctions", "describe_execution", {"executionArn": execution})).get("input", "{}")
    if json.loads(begun) != json.loads(request.parameters["input"]):
        raise ConfigurationError(
            f"--name {name}: a run of that name was started with {begun}, expected {request.parameters['input']}. "
            "Give another name, or none"
        )
    return execution


def _follow(aws: Aws, execution: str, *, run_id: str, bucket: str, again: str) -> None:
    def look() -> State:
        found = aws.ask(Request("stepfunctions", "describe_execution", {"executionArn": execution}))
        is_final = found["status"] in FINAL
        return State(found["status"], is_final, note="" if is_final else _step_of(aws, execution), answer=found)

    end = follow(f"run {run_id}", look, how_to_follow=again)
    if end.name == "SUCCEEDED":
        sys.stdout.write(f"run {run_id}: done, and in the warehouse\n")
        return
    error, cause = end.answer.get("error", "no error named"), end.answer.get("cause", "")
    raise failure_of(
        aws,
        bucket=bucket,
        run_ids=(run_id, f"{run_id}-segments"),
        otherwise=f"run {run_id} ended as {end.name}: {error}: {cause}",
    )


def _step_of(aws: Aws, execution: str) -> str:
    """The state that the execution is in."""
    asked = {"executionArn": execution, "reverseOrder": True, "maxResults": 20}
    events = aws.ask(Request("stepfunctions", "get_execution_history", asked))["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
    return entered[0] if entered else ""
