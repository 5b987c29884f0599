"""``up``: builds the bundles, creates or changes the four stacks, and lets the publish role into the warehouse."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws
from deploy.job_runs.executions import check_none_in_progress
from deploy.packaging.bundle import FOLDER, Bundle, build_bundle
from deploy.packaging.platforms import ARCHITECTURES, EMR, GLUE
from deploy.stacks.change_sets import create_or_update
from deploy.stacks.release import release_keys, upload_release
from deploy.stacks.stacks import STACKS, describe_stack, stack_name, template_outputs, template_parameters
from deploy.stacks.warehouse_grant import grant_publish_role
from jobs.errors import ConfigurationError

NOT_SETTINGS = {"Prefix", "CodeKey", "GlueDependenciesKey", "EmrDependenciesKey", "EmrArchitecture"}
"""Parameters of the stacks that `up` derives from its own options and from the bundles."""


def add_up(subparsers: Subparsers) -> None:
    """Add ``up`` to the commands."""
    defaults = ", ".join(f"{name}={default or repr('')}" for name, default in sorted(default_settings().items()))
    parser = subparsers.add_parser(
        "up",
        help="create the stacks, or change what changed; run it again after each change of code or settings",
        epilog=f"settings: {defaults}",
        allow_abbrev=False,
    )
    add_deployment_options(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the stacks; a setting that is not given keeps its value, or gets its default",
    )
    parser.add_argument(
        "--arch", choices=tuple(ARCHITECTURES), help="architecture of EMR (default: its present one, or x86_64)"
    )
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help=f"folder of the bundles (default: {FOLDER})")
    parser.set_defaults(run=_run)


def default_settings() -> dict[str, str]:
    """The settings that a user may change, with their defaults: parameters that are no output of another stack."""
    return {
        name: str(declaration["Default"])
        for stack in STACKS
        for name, declaration in template_parameters(stack).items()
        if "Default" in declaration and name not in NOT_SETTINGS
    }


def _parse_settings(texts: list[str]) -> dict[str, str]:
    names = sorted(default_settings())
    settings = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or name not in names:
            raise ConfigurationError(f"invalid --set {text}: expected NAME=VALUE, NAME one of {', '.join(names)}")
        settings[name] = value
    return settings


def _run(options: argparse.Namespace) -> None:
    settings = _parse_settings(options.set)
    aws, prefix = aws_of(options), options.prefix
    region = aws.region
    nightly = None if options.dry_run else describe_stack(aws, prefix, "nightly")
    if nightly is not None and "MachineArn" in nightly.outputs:
        check_none_in_progress(aws, nightly.outputs["MachineArn"])
    glue = build_bundle(GLUE, architecture="x86_64", folder=options.folder)
    emr = build_bundle(EMR, architecture=options.arch or _emr_architecture(aws, prefix), folder=options.folder)
    outputs = create_or_update_all(aws, prefix, settings=settings, glue=glue, emr=emr)
    grant_publish_role(aws, prefix=prefix, workgroup=outputs["Workgroup"], database=outputs["Database"])
    if not options.dry_run:
        deployment = aws.deployment_options(prefix)
        sys.stdout.write(
            f"{prefix} is up in {region}. Next: python -m deploy upload DATA {deployment}, then "
            f"python -m deploy run {deployment} --as-of YYYY-MM-DD\n"
        )


def _emr_architecture(aws: Aws, prefix: str) -> str:
    """The architecture of the EMR application; the default if there is no application yet."""
    stack = describe_stack(aws, prefix, "jobs")
    return stack.parameters.get("EmrArchitecture", "X86_64").lower() if stack is not None else "x86_64"


def create_or_update_all(
    aws: Aws, prefix: str, *, settings: Mapping[str, str], glue: Bundle, emr: Bundle
) -> dict[str, str]:
    """Create or change the stacks in their order, each with the outputs of those before it.

    Returns:
        The outputs of all stacks. In a dry run, ``<its name>`` stands for an output of a stack that does not exist.
    """
    outputs = release_keys(glue, emr)
    for name in STACKS:
        stack = create_or_update(aws, prefix, name, settings=settings, outputs=outputs)
        outputs |= stack.outputs if stack is not None else _placeholders(prefix, name)
        if name == "storage":
            upload_release(aws, bucket=outputs["ArtifactsBucket"], glue=glue, emr=emr)
        if not aws.is_dry_run and stack is not None:
            sys.stderr.write(f"{stack_name(prefix, name)}: {stack.status}\n")
    return outputs


def _placeholders(prefix: str, name: str) -> dict[str, str]:
    return {output: f"<{output} of {stack_name(prefix, name)}>" for output in template_outputs(name)}
