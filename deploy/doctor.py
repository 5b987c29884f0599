"""``doctor``: checks that this machine, the credentials and the region fit `up`, and shows what `up` would change.

It changes nothing itself.
"""

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

from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws, RefusedError, Request, print_request
from deploy.packaging.platforms import EMR, GLUE
from deploy.stacks.stacks import STACKS, STUCK, describe_stack, stack_name, template_body, template_parameters
from jobs.errors import ConfigurationError

FIRST_PYTHON, FIRST_UNSUPPORTED_PYTHON = (3, 11), (3, 14)
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
"""One action for each kind of resource that `up` creates, and the actions of the other commands."""


COMET_JAR = "comet-spark-spark4.1_2.13-1.2.0.jar"
"""The jar that `jobs.spark` pins. It has native code for Linux on x86_64 and on arm64."""

COMET_GLIBC = 30
"""Minor version of the glibc 2 that the native code asks for."""


@dataclass(frozen=True)
class Quota:
    """A quota of a service that must allow a setting.

    Attributes:
        service: the service's code in Service Quotas.
        name_part: a part of the quota's name; ``{}`` stands for the value of ``machine``.
        setting: the setting that must fit into it; None for one machine.
        machine: the setting that names the machine; None if the quota's name has no machine.
        engine: the engine that needs it; None for every run.
    """

    service: str
    name_part: str
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
    """The result of one check."""

    check: str
    verdict: Literal["ok", "note", "fault"]
    detail: str


def add_doctor(subparsers: Subparsers) -> None:
    """Add ``doctor`` to the commands."""
    parser = subparsers.add_parser(
        "doctor", help="check whether `up` would succeed, and what it would change", allow_abbrev=False
    )
    add_deployment_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if options.dry_run:
        for request in _dry_run_requests(options.prefix):
            print_request(request)
        return
    findings = list(run_checks(aws_of(options), options.prefix))
    table = Table(box=None)
    for column in ("check", "", "found"):
        table.add_column(column)
    for finding in findings:
        table.add_row(finding.check, finding.verdict, finding.detail)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, soft_wrap=True, width=200)
    console.print(table)
    faults = [finding.check for finding in findings if finding.verdict == "fault"]
    if faults:
        raise ConfigurationError(
            f"doctor: faults in {', '.join(faults)}, expected none. Correct them, then run `doctor` again"
        )


def _dry_run_requests(prefix: str) -> Iterator[Request]:
    yield IDENTITY
    yield simulation_request("<your ARN>")
    for service in dict.fromkeys(quota.service for quota in QUOTAS):
        yield quota_request(service)
    for name in STACKS:
        yield template_request(prefix, name)


IDENTITY = Request("sts", "get_caller_identity", {})


def simulation_request(principal: str) -> Request:
    """The request that asks IAM whether a principal is allowed each of `ACTIONS`."""
    parameters = {"PolicySourceArn": principal, "ActionNames": list(ACTIONS)}
    return Request("iam", "simulate_principal_policy", parameters)


def quota_request(service: str) -> Request:
    """The request for the first page of a service's quotas."""
    return Request("service-quotas", "list_service_quotas", {"ServiceCode": service, "MaxResults": 100})


def role_request(name: str) -> Request:
    """The request for a role. Its ARN may have a path, which the ARN of its session lacks."""
    return Request("iam", "get_role", {"RoleName": name})


def jar_request(bucket: str, key: str) -> Request:
    """The request for the head of Comet's jar."""
    return Request("s3", "head_object", {"Bucket": bucket, "Key": key})


def template_request(prefix: str, name: str) -> Request:
    """The request for the present template of a stack."""
    parameters = {"StackName": stack_name(prefix, name), "TemplateStage": "Original"}
    return Request("cloudformation", "get_template", parameters)


def run_checks(aws: Aws, prefix: str) -> Iterator[Finding]:
    """Run every check. One that AWS refuses is a note.

    Raises:
        ConfigurationError: There are no credentials or no region, so no other check is possible.
    """
    yield _check_python()
    identity = aws.read(IDENTITY)
    yield Finding("credentials", "ok", f"{identity['Arn']} in account {identity['Account']}")
    yield _check_region(aws.region)
    yield _note_if_refused("permissions", partial(_check_permissions, aws, identity["Arn"]))
    settings, quotas = _Settings(aws, prefix), cache(partial(_quotas, aws))
    for quota in QUOTAS:
        yield _note_if_refused(f"quota of {quota.service}", partial(_check_quota, quotas, settings, quota))
    yield _note_if_refused("native engine", partial(_check_comet, aws, settings, prefix))
    for name in STACKS:
        yield _note_if_refused(f"stack {stack_name(prefix, name)}", partial(_check_stack, aws, prefix, name))


def _note_if_refused(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except RefusedError as error:
        return Finding(name, "note", f"not checked: {error}")


def _check_python() -> Finding:
    is_supported = FIRST_PYTHON <= sys.version_info[:2] < FIRST_UNSUPPORTED_PYTHON
    detail = f"{platform.python_version()}, expected 3.11 to 3.13"
    return Finding("python", "ok" if is_supported else "fault", detail)


def _check_region(region: str) -> Finding:
    regions = YAML().load(template_body("jobs"))["Mappings"]["KMeansImage"]
    if region in regions:
        return Finding("region", "ok", region)
    return Finding("region", "fault", f"{region}: not a region of the stacks, expected one of {', '.join(regions)}")


def _check_permissions(aws: Aws, arn: str) -> Finding:
    results = aws.read(simulation_request(_principal(aws, arn)))["EvaluationResults"]
    denied = [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    if denied:
        return Finding("permissions", "fault", f"not allowed: {', '.join(denied)}. Ask for them; see docs/deploy.md")
    return Finding("permissions", "ok", f"{len(results)} actions are allowed, as far as IAM can simulate them")


def _principal(aws: Aws, arn: str) -> str:
    """The principal whose policies apply: for a session of a role, the role."""
    session = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    if session is None:
        return arn
    partition, account, role = session.groups()
    try:
        return str(aws.read(role_request(role))["Role"]["Arn"])
    except RefusedError:
        return f"arn:{partition}:iam::{account}:role/{role}"


class _Settings:
    """The settings of a prefix's stacks; the defaults for stacks that do not exist."""

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._stack = cache(partial(describe_stack, aws, prefix))

    def __getitem__(self, name: str) -> str:
        owner = next(stack for stack in STACKS if name in template_parameters(stack))
        stack = self._stack(owner)
        value = stack.parameters.get(name) if stack is not None else None
        return value or str(template_parameters(owner)[name]["Default"])


def _check_comet(aws: Aws, settings: _Settings, prefix: str) -> Finding:
    """Whether the platforms can run the native engine that ``CometJar`` names, and its jar is where they read it."""
    check, key = "native engine", settings["CometJar"]
    if not key:
        return Finding(check, "ok", "none; Spark's own (CometJar is empty)")
    architecture = settings["EmrArchitecture"].lower()
    targets = {f"{GLUE.name} on x86_64": GLUE, f"{EMR.name} on {architecture}": EMR}
    unfit = [name for name, target in targets.items() if target.glibc < COMET_GLIBC]
    if unfit or not key.endswith(COMET_JAR):
        return Finding(
            check, "fault", f"{key}: expected {COMET_JAR}, and glibc 2.{COMET_GLIBC} on {', '.join(targets)}"
        )
    storage = describe_stack(aws, prefix, "storage")
    if storage is None:
        return Finding(check, "note", f"{key}: not looked for, since there is no bucket yet")
    place = f"s3://{storage.outputs['ArtifactsBucket']}/{key}"
    try:
        aws.read(jar_request(storage.outputs["ArtifactsBucket"], key))
    except RefusedError as error:
        if error.code not in ("404", "NoSuchKey"):
            raise
        return Finding(check, "fault", f"{place}: not there. Put the jar there, or set CometJar to nothing")
    return Finding(check, "ok", f"Comet, which has native code for {' and '.join(targets)}; {place}")


def _check_quota(quotas: Callable[[str], list[dict[str, Any]]], settings: _Settings, quota: Quota) -> Finding:
    check = f"quota of {quota.service}"
    name_part = quota.name_part.format(settings[quota.machine] if quota.machine else "")
    needed = float(settings[quota.setting]) if quota.setting else 1.0
    matches = [entry for entry in quotas(quota.service) if name_part in entry["QuotaName"]]
    if not matches:
        return Finding(check, "note", f"no quota of {name_part} is listed")
    detail = "; ".join(f"{entry['QuotaName']}: {entry['Value']:g}" for entry in matches)
    if all(entry["Value"] >= needed for entry in matches):
        return Finding(check, "ok", detail)
    advice = f"{quota.setting} is {needed:g}: ask for more, or set it lower" if quota.setting else "ask for 1 or more"
    if quota.engine in (None, settings["Engine"]):
        return Finding(check, "fault", f"{detail}; {advice}")
    return Finding(check, "note", f"{detail}; {advice}, before Engine is {quota.engine}")


def _quotas(aws: Aws, service: str) -> list[dict[str, Any]]:
    request, quotas = quota_request(service), []
    while True:
        page = aws.read(request)
        quotas += page["Quotas"]
        if not page.get("NextToken"):
            return quotas
        request = replace(request, parameters={**request.parameters, "NextToken": page["NextToken"]})


def _check_stack(aws: Aws, prefix: str, name: str) -> Finding:
    check = f"stack {stack_name(prefix, name)}"
    stack = describe_stack(aws, prefix, name)
    if stack is None:
        return Finding(check, "ok", "does not exist; `up` creates it")
    if stack.status in STUCK:
        return Finding(
            check, "fault", f"{stack.status} {stack.reason}: run `down`, or repair it in the CloudFormation console"
        )
    body = aws.read(template_request(prefix, name))["TemplateBody"]
    template = "this version's" if body == template_body(name) else "another one; `up` changes it"
    return Finding(check, "ok", f"{stack.status}; its template is {template}")
