"""The four stacks, made and changed by change sets, so that nothing is touched that is as it was."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML

from deploy.aws import Aws, RefusedError, Request
from deploy.waiting import State, follow
from jobs.errors import ConfigurationError, OutsideSystemError

NAMES = ("storage", "warehouse", "jobs", "nightly")
"""In the order in which they are made: each needs what those before it give out."""

GONE = "DELETE_COMPLETE"
NEVER_MADE = {"REVIEW_IN_PROGRESS"}
STUCK = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"}
DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation knows it.

    Attributes:
        status: CloudFormation's word.
        reason: why, where it says so.
        outputs: what it gives out.
        parameters: the values that it was made with.
    """

    status: str
    reason: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


class Outputs(dict[str, str]):
    """What stacks give out; asked for what they do not, it says what to do."""

    def __missing__(self, key: str) -> str:
        """Refuse.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(f"no stack gives out {key}, expected all of this version's. Run the whole of `up`")


def stack_name(prefix: str, name: str) -> str:
    """The name of a stack of a prefix."""
    return f"{prefix}-{name}"


def template_body(name: str) -> str:
    """The text of a stack's template."""
    return (resources.files("deploy") / "cloudformation" / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def parameters_of(name: str) -> Mapping[str, Mapping[str, Any]]:
    """What a template asks for."""
    return {parameter: dict(said) for parameter, said in YAML().load(template_body(name))["Parameters"].items()}


@cache
def outputs_of(name: str) -> tuple[str, ...]:
    """What a stack gives out."""
    return tuple(YAML().load(template_body(name))["Outputs"])


def stack(aws: Aws, prefix: str, name: str) -> Stack | None:
    """A stack as it is now; None where there is none."""
    request = Request("cloudformation", "describe_stacks", {"StackName": stack_name(prefix, name)})
    try:
        (found,) = aws.ask(request)["Stacks"]
    except RefusedError as error:
        if error.code == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    if found["StackStatus"] in {GONE, *NEVER_MADE}:
        return None
    return Stack(
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
        parameters={given["ParameterKey"]: given["ParameterValue"] for given in found.get("Parameters", [])},
    )


def outputs(aws: Aws, prefix: str) -> Outputs:
    """What all stacks of a prefix give out.

    Raises:
        ConfigurationError: There is none.
    """
    found = [made for name in NAMES if (made := stack(aws, prefix, name)) is not None]
    if not found:
        raise ConfigurationError(f"--prefix {prefix}: no stacks of that name in {aws.region}. Make them with `up`")
    return Outputs((key, value) for made in found for key, value in made.outputs.items())


def change_set_request(
    prefix: str, name: str, *, given: Mapping[str, str], before: Stack | None, known: Mapping[str, str]
) -> Request:
    """The request for a change set.

    Args:
        prefix: of all names.
        name: the stack.
        given: what the user set.
        before: the stack as it is; what is neither given nor known keeps its value.
        known: what the stacks before give out, and what was packaged.
    """
    body = template_body(name)
    values: list[dict[str, Any]] = []
    for parameter, said in parameters_of(name).items():
        value = {"Prefix": prefix, **known, **given}.get(parameter)
        if value is not None:
            values.append({"ParameterKey": parameter, "ParameterValue": value})
        elif before is not None and parameter in before.parameters:
            values.append({"ParameterKey": parameter, "UsePreviousValue": True})
        elif "Default" not in said:
            raise ConfigurationError(f"{stack_name(prefix, name)}: {parameter} is not known. Run the whole of `up`")
    digest = hashlib.sha256(f"{body}\0{sorted(map(str, values))}".encode()).hexdigest()[:16]
    return Request(
        "cloudformation",
        "create_change_set",
        {
            "StackName": stack_name(prefix, name),
            "ChangeSetName": f"change-{digest}",
            "ChangeSetType": "CREATE" if before is None else "UPDATE",
            "TemplateBody": body,
            "Parameters": values,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "project", "Value": "olist-rfm-segments"}, {"Key": "prefix", "Value": prefix}],
        },
    )


def bring_up(aws: Aws, prefix: str, name: str, *, given: Mapping[str, str], known: Mapping[str, str]) -> Stack | None:
    """Make or change a stack and wait for it; None in a dry run of a stack that is not there.

    Raises:
        OutsideSystemError: CloudFormation could not make it, and put back what was there.
        ConfigurationError: It is stuck in a state that only a person can resolve.
    """
    before = stack(aws, prefix, name)
    if before is not None and before.status in STUCK:
        raise ConfigurationError(
            f"stack {stack_name(prefix, name)} is {before.status} ({before.reason}). Delete it with `down`, or mend it "
            "in the console of CloudFormation, then run `up` again"
        )
    request = change_set_request(prefix, name, given=given, before=before, known=known)
    if aws.is_dry_run:
        aws.change(request)
        return before
    if not _has_changes(aws, request):
        return before
    chosen = {key: request.parameters[key] for key in ("StackName", "ChangeSetName")}
    aws.change(
        Request(
            "cloudformation",
            "execute_change_set",
            {**chosen, "ClientRequestToken": request.parameters["ChangeSetName"]},
        )
    )
    return settled(aws, prefix, name)


def settled(aws: Aws, prefix: str, name: str) -> Stack:
    """Wait until CloudFormation is done with a stack.

    Raises:
        OutsideSystemError: It failed; the first resource that failed is named, with the reason.
    """
    called = stack_name(prefix, name)

    def look() -> State:
        found = stack(aws, prefix, name)
        status = GONE if found is None else found.status
        return State(status, is_final=not status.endswith("_IN_PROGRESS"))

    end = follow(f"stack {called}", look, how_to_follow=f"python -m deploy up --prefix {prefix}")
    made = stack(aws, prefix, name)
    if end.name not in DONE or made is None:
        raise OutsideSystemError(
            f"stack {called} ended as {end.name}: {_first_failure(aws, called)}. Mend the cause, then run `up` again"
            + (" (after `down`, since CloudFormation changes no stack in this state)" if end.name in STUCK else "")
        )
    return made


def _has_changes(aws: Aws, request: Request) -> bool:
    chosen = {key: request.parameters[key] for key in ("StackName", "ChangeSetName")}
    try:
        aws.change(request)
    except RefusedError as error:
        # Left over from an `up` that was interrupted.
        if error.code != "AlreadyExistsException":
            raise
        aws.change(Request("cloudformation", "delete_change_set", chosen))
        aws.change(request)
    described = Request("cloudformation", "describe_change_set", chosen)
    reasons: list[str] = []

    def look() -> State:
        found = aws.ask(described)
        reasons[:] = [found.get("StatusReason", "")]
        return State(found["Status"], is_final=found["Status"] in ("CREATE_COMPLETE", "FAILED"))

    end = follow(f"changes of {chosen['StackName']}", look, how_to_follow="the same command again")
    if end.name == "CREATE_COMPLETE":
        return True
    aws.change(Request("cloudformation", "delete_change_set", chosen))
    if any(text in reasons[0] for text in NO_CHANGES):
        return False
    raise OutsideSystemError(f"stack {chosen['StackName']}: CloudFormation refuses the changes: {reasons[0]}")


def _first_failure(aws: Aws, called: str) -> str:
    try:
        events = aws.ask(Request("cloudformation", "describe_stack_events", {"StackName": called}))["StackEvents"]
    except RefusedError:
        return "CloudFormation does not say why"
    failures = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    if not failures:
        return "CloudFormation does not say why"
    first = failures[-1]
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {first.get('ResourceStatusReason', 'no reason')}"
