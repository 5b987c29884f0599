"""The result of a check, and the settings that a check compares an account with."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

from deploy.aws.requests import Aws, RefusedError
from deploy.stacks.stacks import STACKS, describe_stack, template_parameters


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    check: str
    verdict: Literal["ok", "note", "fault"]
    detail: str


def note_if_refused(name: str, check: Callable[[], Finding]) -> Finding:
    """Run a check. One that AWS refuses is a note."""
    try:
        return check()
    except RefusedError as error:
        return Finding(name, "note", f"not checked: {error}")


class Settings:
    """The settings of a prefix's stacks; the defaults for stacks that do not exist."""

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._stack = cache(partial(describe_stack, aws, prefix))

    def __getitem__(self, name: str) -> str:
        owner = next(stack for stack in STACKS if name in template_parameters(stack))
        stack = self._stack(owner)
        value = stack.parameters.get(name) if stack is not None else None
        return value or str(template_parameters(owner)[name].get("Default", ""))
