"""The settings of ``up``: parameters of the stacks that a user may set, and the usage limit of the warehouse.

A value stays. A stack that is created later gets the values that the other stacks of its prefix have.
"""

from collections.abc import Collection, Mapping, Sequence

from deploy.stacks.stacks import STACKS, Stack, template_outputs, template_parameters
from deploy.stacks.usage_limit import DEFAULT_RPU_HOURS, RPU_HOURS, parse_rpu_hours
from jobs.errors import ConfigurationError

DERIVED = frozenset({"Prefix", "CodeKey", "GlueDependenciesKey", "EmrDependenciesKey", "EmrArchitecture"})
"""Parameters of the stacks that `up` derives from its own options and from the bundles."""

OWN_KEY = "OwnKeyArn"


def setting_stacks() -> dict[str, tuple[str, ...]]:
    """The stacks that each setting is a parameter of. An output of another stack is no setting."""
    stacks: dict[str, tuple[str, ...]] = {}
    outputs: set[str] = set()
    for stack in STACKS:
        for name in template_parameters(stack):
            if name not in DERIVED | outputs:
                stacks[name] = (*stacks.get(name, ()), stack)
        outputs |= set(template_outputs(stack))
    return stacks | {RPU_HOURS: ("warehouse",)}


def default_settings() -> dict[str, str]:
    """The defaults of the settings; empty for a setting that has none."""
    defaults = {
        name: str(template_parameters(stacks[0])[name].get("Default", ""))
        for name, stacks in setting_stacks().items()
        if name != RPU_HOURS
    }
    return defaults | {RPU_HOURS: str(DEFAULT_RPU_HOURS)}


def parse_settings(texts: Sequence[str]) -> dict[str, str]:
    """The settings of a command line.

    Raises:
        ConfigurationError: A text is not ``NAME=VALUE``, or no setting has that name.
    """
    names = sorted(default_settings())
    settings = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or name not in names:
            raise ConfigurationError(f"invalid --set {text}: expected NAME=VALUE, NAME one of {', '.join(names)}")
        settings[name] = value
    parse_rpu_hours(settings.get(RPU_HOURS))
    return settings


def check_settings(settings: Collection[str], chosen: Collection[str]) -> None:
    """Check that each setting changes a stack of this call.

    Raises:
        ConfigurationError: A setting is of other stacks alone, so it would do nothing.
    """
    for name, stacks in setting_stacks().items():
        if name in settings and not set(stacks) & set(chosen):
            raise ConfigurationError(
                f"--set {name}: a setting of {' and '.join(stacks)}, expected one of {', '.join(chosen)}, since it "
                f"would do nothing here. Name {stacks[0]} in --only too, or set it in another call"
            )


def check_key(settings: Mapping[str, str], existing: Mapping[str, Stack]) -> None:
    """Check that a call does not change the key under data that are encrypted.

    Raises:
        ConfigurationError: It would. CloudFormation would delete the key that it made, and the data with it.
    """
    present = existing["storage"].parameters.get(OWN_KEY, "") if "storage" in existing else None
    if present is not None and settings.get(OWN_KEY, present) != present:
        raise ConfigurationError(
            f"--set {OWN_KEY}: the data are encrypted with {present or 'the key that the stack made'}, expected no "
            "other key. Choose the key with the first `up` of a prefix. Nothing was changed"
        )


def shared_settings(stacks: Mapping[str, Stack]) -> dict[str, str]:
    """The values that the stacks of a prefix have, for those stacks that do not have them yet."""
    return {
        name: stack.parameters[name]
        for name, owners in setting_stacks().items()
        for owner, stack in stacks.items()
        if owner in owners and stack.parameters.get(name)
    }
