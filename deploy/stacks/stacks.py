"""The four stacks: their names, their templates, and how they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML

from deploy.aws.requests import Aws, RefusedError, Request
from jobs.errors import ConfigurationError

NAMES = ("storage", "warehouse", "jobs", "nightly")
"""In the order in which they are made: each needs what those before it give out."""

GONE = "DELETE_COMPLETE"
NEVER_MADE = {"REVIEW_IN_PROGRESS"}
STUCK = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"}


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
