"""The templates as data."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "cloudformation"
PATHS = sorted(FOLDER.glob("*.yaml"))


def as_list(value: Any) -> list[Any]:
    """A value, or the values of a list, as CloudFormation and IAM take either."""
    return value if isinstance(value, list) else [value]


def template(name: str) -> dict[str, Any]:
    """A template with its short forms (``!Ref``) in full."""
    return template_in(FOLDER / f"{name}.yaml")


def template_in(path: Path) -> dict[str, Any]:
    """The template in a file, for a test to change."""
    return deepcopy(_parsed(path.read_text(encoding="utf-8")))


@cache
def _parsed(body: str) -> dict[str, Any]:
    parsed: dict[str, Any] = cfn_yaml.loads(body)
    return parsed


def resources(content: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of one type, by name."""
    return {name: resource["Properties"] for name, resource in content["Resources"].items() if resource["Type"] == kind}


def statements(content: Any) -> Iterator[dict[str, Any]]:
    """Every statement of every policy in a template."""
    if isinstance(content, dict):
        if "Effect" in content and ("Action" in content or "NotAction" in content):
            yield content
        for value in content.values():
            yield from statements(value)
    elif isinstance(content, list):
        for value in content:
            yield from statements(value)


def texts(content: Any) -> Iterator[str]:
    """Every text in a template."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)
    else:
        yield str(content)
