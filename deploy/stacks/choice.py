"""Which stacks a call is about: those that ``--only`` names, else all but the optional ones that do not exist."""

import argparse
from collections.abc import Collection, Mapping, Sequence

from deploy.aws.requests import Aws
from deploy.stacks.settings import DERIVED, setting_stacks
from deploy.stacks.stacks import OPTIONAL, STACKS, Stack, stack_name, template_outputs, template_parameters
from jobs.errors import ConfigurationError


def add_only(parser: argparse.ArgumentParser, *, help_text: str) -> None:
    """Add ``--only``."""
    parser.add_argument("--only", type=_stacks, metavar="STACK,...", help=f"{help_text}: {', '.join(STACKS)}")


def chosen_stacks(only: Collection[str] | None, existing: Collection[str]) -> tuple[str, ...]:
    """The stacks of a call, in the order of their creation.

    Args:
        only: those that the user named; None for the usual ones.
        existing: those that exist.
    """
    if only is not None:
        return tuple(name for name in STACKS if name in only)
    return tuple(name for name in STACKS if name not in OPTIONAL or name in existing)


def check_needs(
    aws: Aws, prefix: str, *, chosen: Sequence[str], existing: Mapping[str, Stack], settings: Mapping[str, str]
) -> None:
    """Check that each stack of a call gets what it takes from the user or from a stack before it.

    Raises:
        ConfigurationError: A setting or a stack is missing. Nothing was changed yet.
    """
    lacking: list[str] = []
    needed = list(chosen)
    # The list grows meanwhile: a stack that is missing may need others.
    for name in needed:
        for parameter in _required(name, existing, settings):
            if parameter in setting_stacks():
                if name in chosen:
                    raise ConfigurationError(
                        f"stack {stack_name(prefix, name)} needs a value of {parameter}, and has none. Give it: --set "
                        f"{parameter}=VALUE. Nothing was changed"
                    )
                continue
            giver = next(stack for stack in reversed(STACKS) if parameter in template_outputs(stack))
            if giver not in needed and parameter not in (existing[giver].outputs if giver in existing else ()):
                state = "which does not have it yet" if giver in existing else "which does not exist"
                lacking.append(f"{stack_name(prefix, name)} needs {parameter} of {stack_name(prefix, giver)}, {state}")
                needed.append(giver)
    if lacking:
        command = f"python -m deploy up {aws.deployment_options(prefix)}"
        only = ",".join(name for name in STACKS if name in needed)
        raise ConfigurationError(
            f"stack {'; '.join(lacking)}. Create all: {command} --only {only}. Nothing was changed"
        )


def _required(name: str, existing: Mapping[str, Stack], settings: Mapping[str, str]) -> list[str]:
    """The parameters of a stack that have no value yet."""
    present = existing[name].parameters if name in existing else {}
    return [
        parameter
        for parameter, declaration in template_parameters(name).items()
        if parameter not in DERIVED | settings.keys() | present.keys() and "Default" not in declaration
    ]


def _stacks(text: str) -> frozenset[str]:
    names = frozenset(filter(None, (name.strip() for name in text.split(","))))
    unknown = sorted(names - set(STACKS))
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected names from {', '.join(STACKS)}, separated by commas, such as storage,jobs"
        )
    return names
