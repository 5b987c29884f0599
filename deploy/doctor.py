"""``doctor``: checks that this machine, the credentials and the region fit `up`, and shows what `up` would change.

It changes nothing itself.
"""

import argparse
import platform
import sys
from collections.abc import Collection, Iterator, Sequence
from functools import cache, partial

from rich.console import Console
from rich.table import Table

from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws, RefusedError, Request, print_request
from deploy.checks.findings import Finding, Settings, note_if_refused
from deploy.checks.native_engine import check_native_engine
from deploy.checks.permissions import all_actions, check_permissions, needed_actions, simulation_request
from deploy.checks.quotas import ON_SAGEMAKER, QUOTAS, check_quota, quota_request, read_quotas
from deploy.stacks.choice import add_only, chosen_stacks
from deploy.stacks.stacks import (
    OPTIONAL,
    STUCK,
    describe_stack,
    stack_name,
    template_body,
    template_mapping,
)
from jobs.errors import ConfigurationError

FIRST_PYTHON, FIRST_UNSUPPORTED_PYTHON = (3, 11), (3, 14)
IDENTITY = Request("sts", "get_caller_identity", {})


def add_doctor(subparsers: Subparsers) -> None:
    """Add ``doctor`` to the commands."""
    parser = subparsers.add_parser("doctor", help="check whether `up` would succeed, and what it would change")
    add_deployment_options(parser)
    add_only(parser, help_text="check what these stacks need (default: those that `up` would create or change)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if options.dry_run:
        for request in _dry_run_requests(options.prefix, chosen_stacks(options.only, ())):
            print_request(request)
        return
    findings = list(run_checks(aws_of(options), options.prefix, only=options.only))
    table = Table(box=None)
    for column in ("check", "", "found"):
        table.add_column(column)
    for finding in findings:
        table.add_row(finding.check, finding.verdict, finding.detail)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, soft_wrap=True, width=400)
    console.print(table)
    faults = dict.fromkeys(finding.check for finding in findings if finding.verdict == "fault")
    if faults:
        raise ConfigurationError(
            f"doctor: faults in {', '.join(faults)}, expected none. Correct them, then run `doctor` again"
        )


def _dry_run_requests(prefix: str, chosen: Sequence[str]) -> Iterator[Request]:
    yield IDENTITY
    yield simulation_request("<your ARN>", all_actions(chosen))
    for service in dict.fromkeys(quota.service for quota in QUOTAS if quota.stack in chosen):
        yield quota_request(service)
    for name in chosen:
        yield template_request(prefix, name)


def template_request(prefix: str, name: str) -> Request:
    """The request for the present template of a stack."""
    parameters = {"StackName": stack_name(prefix, name), "TemplateStage": "Original"}
    return Request("cloudformation", "get_template", parameters)


def run_checks(aws: Aws, prefix: str, *, only: Collection[str] | None = None) -> Iterator[Finding]:
    """Run every check. One that AWS refuses is a note.

    Args:
        aws: the account.
        prefix: of the stacks.
        only: the stacks that the user named; None for those that `up` would create or change.

    Raises:
        ConfigurationError: There are no credentials or no region, so no other check is possible.
    """
    yield _check_python()
    identity = aws.read(IDENTITY)
    yield Finding("credentials", "ok", f"{identity['Arn']} in account {identity['Account']}")
    existing = {name for name in OPTIONAL if _exists(aws, prefix, name)}
    chosen = chosen_stacks(only, existing)
    settings, lists = Settings(aws, prefix), cache(partial(read_quotas, aws))
    yield note_if_refused("region", partial(_check_region, aws, settings))

    def permissions() -> Finding:
        try:
            actions = needed_actions(chosen, settings, has_network="network" in {*chosen, *existing})
        except RefusedError:  # the settings cannot be read
            actions = all_actions(chosen)
        return check_permissions(aws, identity["Arn"], actions)

    yield note_if_refused("permissions", permissions)
    for quota in QUOTAS:
        if quota.stack in chosen:
            yield note_if_refused(f"quota of {quota.service}", partial(check_quota, aws, lists, settings, quota))
    if "jobs" in chosen:
        yield note_if_refused("native engine", partial(check_native_engine, aws, settings, prefix))
    for name in chosen:
        yield note_if_refused(f"stack {stack_name(prefix, name)}", partial(_check_stack, aws, prefix, name))


def _exists(aws: Aws, prefix: str, name: str) -> bool:
    try:
        return describe_stack(aws, prefix, name) is not None
    except RefusedError:
        return False


def _check_python() -> Finding:
    is_supported = FIRST_PYTHON <= sys.version_info[:2] < FIRST_UNSUPPORTED_PYTHON
    detail = f"{platform.python_version()}, expected 3.11 to 3.13"
    return Finding("python", "ok" if is_supported else "fault", detail)


def _check_region(aws: Aws, settings: Settings) -> Finding:
    """Whether SageMaker's KMeans is in the region, if the settings ask for it."""
    regions = template_mapping("jobs", "KMeansImage")
    if aws.region in regions:
        return Finding("region", "ok", aws.region)
    name, value = ON_SAGEMAKER
    if settings[name] != value:
        return Finding("region", "note", f"{aws.region}: without SageMaker's KMeans, which {name}={value} would need")
    return Finding(
        "region",
        "fault",
        f"{aws.region}: without SageMaker's KMeans, expected one of {', '.join(regions)}. Choose one of them, or set "
        f"{name}=spark",
    )


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
