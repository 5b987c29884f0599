"""``doctor``: whether machine, credentials and region will do, and what `up` would change; it changes nothing."""

import argparse
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from deploy.aws.options import Commands, add_aws_options
from deploy.aws.requests import Aws, RefusedError, Request, show
from deploy.stacks.stacks import NAMES, STUCK, parameters_of, stack, stack_name, template_body
from jobs.errors import ConfigurationError

PYTHONS = ((3, 11), (3, 14))
ACTIONS = (
    "cloudformation:CreateChangeSet",
    "cloudformation:ExecuteChangeSet",
    "ec2:CreateVpc",
    "emr-serverless:CreateApplication",
    "glue:CreateJob",
    "iam:CreateRole",
    "iam:PassRole",
    "kms:CreateKey",
    "logs:CreateLogGroup",
    "redshift-data:ExecuteStatement",
    "redshift-serverless:CreateNamespace",
    "redshift-serverless:CreateWorkgroup",
    "s3:CreateBucket",
    "s3:PutObject",
    "scheduler:CreateSchedule",
    "sns:CreateTopic",
    "states:CreateStateMachine",
    "states:StartExecution",
)
"""One action for each kind of thing that `up` makes, and what the other commands do."""


@dataclass(frozen=True)
class Quota:
    """A quota that has to hold what a setting asks for.

    Attributes:
        service: whose it is.
        word: what its name has in it; ``{}`` stands for the value of ``machine``.
        setting: what has to fit under it; None for one machine.
        machine: the setting that names the machine; None where no name has one.
        engine: the engine that needs it; None for every run.
    """

    service: str
    word: str
    setting: str | None = None
    machine: str | None = None
    engine: str | None = None


QUOTAS = (
    Quota("emr-serverless", "vCPU", setting="EmrCpus", engine="emr"),
    Quota("glue", "DPU", setting="GlueWorkers", engine="glue"),
    Quota("sagemaker", "{} for spot training job usage", machine="TrainingInstance"),
    Quota("sagemaker", "{} for transform job usage", machine="TransformInstance"),
)


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str
    verdict: Literal["ok", "note", "fault"]
    said: str


def add_doctor(commands: Commands) -> None:
    """Add ``doctor`` to the commands."""
    parser = commands.add_parser("doctor", help="look whether `up` would work, and what it changes", allow_abbrev=False)
    add_aws_options(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    if given.dry_run:
        services = dict.fromkeys(quota.service for quota in QUOTAS)
        for request in (IDENTITY, simulation_request("<your ARN>"), *(quota_request(service) for service in services)):
            show(request)
        for name in NAMES:
            show(template_request(given.prefix, name))
        return
    findings = list(examine(Aws(region=given.region, profile=given.profile), given.prefix))
    table = Table(box=None)
    for column in ("check", "", "found"):
        table.add_column(column)
    for finding in findings:
        table.add_row(finding.check, finding.verdict, finding.said)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, soft_wrap=True, width=200)
    console.print(table)
    faults = [finding.check for finding in findings if finding.verdict == "fault"]
    if faults:
        raise ConfigurationError(f"doctor: {', '.join(faults)} will not do. Mend what is said above, then look again")


IDENTITY = Request("sts", "get_caller_identity", {})


def simulation_request(principal: str) -> Request:
    """The request that asks IAM whether somebody may do each of `ACTIONS`."""
    asked = {"PolicySourceArn": principal, "ActionNames": list(ACTIONS)}
    return Request("iam", "simulate_principal_policy", asked)


def quota_request(service: str) -> Request:
    """The request for the quotas of a service, the first page of them."""
    return Request("service-quotas", "list_service_quotas", {"ServiceCode": service, "MaxResults": 100})


def role_request(name: str) -> Request:
    """The request for a role, whose ARN may have a path that the ARN of who assumed it lacks."""
    return Request("iam", "get_role", {"RoleName": name})


def template_request(prefix: str, name: str) -> Request:
    """The request for the template that a stack was made with."""
    asked = {"StackName": stack_name(prefix, name), "TemplateStage": "Original"}
    return Request("cloudformation", "get_template", asked)


def examine(aws: Aws, prefix: str) -> Iterator[Finding]:
    """Look at everything; a check that may not be made is a note.

    Raises:
        ConfigurationError: There are no credentials, or no region; then nothing else can be looked at.
    """
    yield _python()
    identity = aws.ask(IDENTITY)
    yield Finding("credentials", "ok", f"{identity['Arn']} in account {identity['Account']}")
    yield _region(aws.region)
    yield _allowed("permissions", partial(_permissions, aws, identity["Arn"]))
    settings, quotas = _Settings(aws, prefix), cache(partial(_quotas, aws))
    for quota in QUOTAS:
        yield _allowed(f"quota of {quota.service}", partial(_quota, quotas, settings, quota))
    for name in NAMES:
        yield _allowed(f"stack {stack_name(prefix, name)}", partial(_stack, aws, prefix, name))


def _allowed(check: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except RefusedError as error:
        return Finding(check, "note", f"not looked at: {error}")


def _python() -> Finding:
    low, high = PYTHONS
    will_do = low <= sys.version_info[:2] < high
    said = f"{platform.python_version()}, expected 3.11 to 3.13"
    return Finding("python", "ok" if will_do else "fault", said)


def _region(region: str) -> Finding:
    known = YAML().load(template_body("jobs"))["Mappings"]["KMeansImage"]
    if region in known:
        return Finding("region", "ok", region)
    return Finding("region", "fault", f"{region}: the stacks do not fit there, expected one of {', '.join(known)}")


def _permissions(aws: Aws, arn: str) -> Finding:
    results = aws.ask(simulation_request(_principal(aws, arn)))["EvaluationResults"]
    denied = [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    if denied:
        return Finding("permissions", "fault", f"not allowed: {', '.join(denied)}. Ask for them; see docs/deploy.md")
    return Finding("permissions", "ok", f"{len(results)} actions are allowed, as far as IAM can simulate them")


def _principal(aws: Aws, arn: str) -> str:
    """Who is asked for: who assumed a role, as that role."""
    found = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    if found is None:
        return arn
    try:
        return str(aws.ask(role_request(found[3]))["Role"]["Arn"])
    except RefusedError:
        return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}"


class _Settings:
    """The settings as the stacks of a prefix have them; those that are not made yet will have the defaults."""

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._stack = cache(partial(stack, aws, prefix))

    def __getitem__(self, name: str) -> str:
        owner = next(each for each in NAMES if name in parameters_of(each))
        made = self._stack(owner)
        given = made.parameters.get(name) if made is not None else None
        return given or str(parameters_of(owner)[name]["Default"])


def _quota(quotas: Callable[[str], list[dict[str, Any]]], settings: _Settings, quota: Quota) -> Finding:
    check = f"quota of {quota.service}"
    word = quota.word.format(settings[quota.machine] if quota.machine else "")
    wanted = float(settings[quota.setting]) if quota.setting else 1.0
    fitting = [found for found in quotas(quota.service) if word in found["QuotaName"]]
    if not fitting:
        return Finding(check, "note", f"no quota of {word} is listed")
    said = "; ".join(f"{found['QuotaName']}: {found['Value']:g}" for found in fitting)
    if all(found["Value"] >= wanted for found in fitting):
        return Finding(check, "ok", said)
    needed = f"{quota.setting} is {wanted:g}: ask for more, or set it lower" if quota.setting else "ask for 1 or more"
    if quota.engine in (None, settings["Engine"]):
        return Finding(check, "fault", f"{said}; {needed}")
    return Finding(check, "note", f"{said}; {needed}, before Engine is {quota.engine}")


def _quotas(aws: Aws, service: str) -> list[dict[str, Any]]:
    request, found = quota_request(service), []
    while True:
        page = aws.ask(request)
        found += page["Quotas"]
        if not page.get("NextToken"):
            return found
        request = replace(request, parameters={**request.parameters, "NextToken": page["NextToken"]})


def _stack(aws: Aws, prefix: str, name: str) -> Finding:
    check = f"stack {stack_name(prefix, name)}"
    made = stack(aws, prefix, name)
    if made is None:
        return Finding(check, "ok", "not made; `up` makes it")
    if made.status in STUCK:
        return Finding(check, "fault", f"{made.status} {made.reason}: `down`, or mend it in the console")
    body = aws.ask(template_request(prefix, name))["TemplateBody"]
    is_same = body == template_body(name)
    which = "this one" if is_same else "another; `up` changes it"
    return Finding(check, "ok", f"{made.status}; its template is {which}")
