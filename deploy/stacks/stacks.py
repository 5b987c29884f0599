"""The stacks: their names, their templates, their present state, and their deletion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from ruamel.yaml import YAML

from deploy.aws.requests import Aws, RefusedError, Request
from deploy.aws.waiting import State, wait_until_final
from deploy.stacks.tags import default_tags
from jobs.errors import ConfigurationError, OutsideSystemError

STACKS = ("storage", "network", "jobs", "warehouse", "bi", "nightly")
"""In the order of their creation: each takes outputs of those before it."""

OPTIONAL = frozenset({"network", "bi"})
"""Stacks that `up` creates only by name. Once one exists, `up` changes it with the others."""

TEMPLATES = resources.files("deploy") / "cloudformation"

DELETED = "DELETE_COMPLETE"
NEVER_CREATED = "REVIEW_IN_PROGRESS"
STUCK = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"}


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it.

    Attributes:
        status: CloudFormation's status.
        reason: the reason of the status; empty if CloudFormation gives none.
        outputs: its outputs.
        parameters: the values of its template's parameters.
        tags: its tags, which its resources have too.
    """

    status: str
    reason: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


class StackOutputs(dict[str, str]):
    """The outputs of all stacks. A missing one raises an error that says what to do.

    Attributes:
        job_tags: the tags of the stack `jobs`, which the jobs that are started there get too.
    """

    def __init__(self, outputs: Mapping[str, str], *, job_tags: Mapping[str, str]) -> None:
        super().__init__(outputs)
        self.job_tags = job_tags

    def __missing__(self, key: str) -> str:
        """Raise an error for a missing output.

        Raises:
            ConfigurationError: Always.
        """
        giver = next((name for name in STACKS if key in template_outputs(name)), "")
        advice = (
            f"the stack {giver} to give it. Create or change it: `up --only {giver}`" if giver else "a stack to give it"
        )
        raise ConfigurationError(f"no stack has the output {key}, expected {advice}")


def stack_name(prefix: str, name: str) -> str:
    """The name that CloudFormation knows a stack by."""
    return f"{prefix}-{name}"


def template(name: str) -> Traversable:
    """The file of a stack's template."""
    return TEMPLATES / f"{name}.yaml"


def template_body(name: str) -> str:
    """The text of a stack's template."""
    return template(name).read_text(encoding="utf-8")


def template_parameters(name: str) -> Mapping[str, Mapping[str, Any]]:
    """The parameters of a stack's template, by name."""
    parameters = _parsed(template_body(name)).get("Parameters", {})
    return {parameter: dict(declaration) for parameter, declaration in parameters.items()}


def template_outputs(name: str) -> tuple[str, ...]:
    """The names of the outputs of a stack's template."""
    return tuple(_parsed(template_body(name)).get("Outputs", {}))


def template_mapping(name: str, mapping: str) -> Mapping[str, Any]:
    """A mapping of a stack's template, by its first key; empty if the template has none of that name."""
    content: Mapping[str, Any] = _parsed(template_body(name)).get("Mappings", {}).get(mapping, {})
    return content


@cache
def _parsed(body: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = YAML().load(body)
    return content


def describe_request(prefix: str, name: str) -> Request:
    """The request for a stack's description."""
    return Request("cloudformation", "describe_stacks", {"StackName": stack_name(prefix, name)})


def describe_stack(aws: Aws, prefix: str, name: str) -> Stack | None:
    """A stack as it is now; None if it does not exist."""
    try:
        (description,) = aws.read(describe_request(prefix, name))["Stacks"]
    except RefusedError as error:
        if error.code == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    if description["StackStatus"] in (DELETED, NEVER_CREATED):
        return None
    return Stack(
        status=description["StackStatus"],
        reason=description.get("StackStatusReason", ""),
        outputs={output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])},
        parameters={
            parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in description.get("Parameters", [])
        },
        tags={tag["Key"]: tag["Value"] for tag in description.get("Tags", [])},
    )


def describe_stacks(aws: Aws, prefix: str) -> dict[str, Stack]:
    """The stacks of a prefix that exist, in the order of their creation."""
    return {name: stack for name in STACKS if (stack := describe_stack(aws, prefix, name)) is not None}


def stack_outputs(aws: Aws, prefix: str) -> StackOutputs:
    """The outputs of all stacks of a prefix.

    Raises:
        ConfigurationError: There is no such stack.
    """
    stacks = describe_stacks(aws, prefix)
    if not stacks:
        raise ConfigurationError(f"--prefix {prefix}: no stacks of that name in {aws.region}. Create them with `up`")
    outputs = {key: value for stack in stacks.values() for key, value in stack.outputs.items()}
    job_tags = default_tags(prefix) | (dict(stacks["jobs"].tags) if "jobs" in stacks else {})
    return StackOutputs(outputs, job_tags=job_tags)


def wait_for_stack(aws: Aws, prefix: str, name: str, *, resume_command: str) -> State:
    """Wait until CloudFormation has finished with a stack. One that is gone is `DELETED`."""

    def poll() -> State:
        stack = describe_stack(aws, prefix, name)
        status = DELETED if stack is None else stack.status
        return State(status, is_final=not status.endswith("_IN_PROGRESS"), detail=stack.reason if stack else "")

    return wait_until_final(f"stack {stack_name(prefix, name)}", poll, resume_command=resume_command)


def delete_stack(aws: Aws, prefix: str, name: str) -> None:
    """Delete a stack and wait until it is gone.

    Raises:
        OutsideSystemError: CloudFormation could not delete it.
    """
    full_name = stack_name(prefix, name)
    if aws.change(Request("cloudformation", "delete_stack", {"StackName": full_name})) is None:
        return
    resume_command = f"python -m deploy down {aws.deployment_options(prefix)}"
    end = wait_for_stack(aws, prefix, name, resume_command=resume_command)
    if end.name != DELETED:
        raise OutsideSystemError(
            f"stack {full_name} ended as {end.name}, expected {DELETED}: {end.detail}. Remove the cause, then run "
            "`down` again"
        )
