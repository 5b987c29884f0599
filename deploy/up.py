"""``up``: package the code, make or change the four stacks, and let the loading role into the warehouse."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.aws.options import Commands, add_aws_options
from deploy.aws.requests import Aws
from deploy.job_runs.executions import see_that_none_runs
from deploy.package import FOLDER, Bundle, build
from deploy.packaging.targets import EMR, GLUE, MACHINES
from deploy.stacks.change_sets import bring_up
from deploy.stacks.release import keys_of, upload_release
from deploy.stacks.stacks import NAMES, Stack, outputs_of, parameters_of, stack, stack_name
from deploy.stacks.warehouse_grant import let_publish_in
from jobs.errors import ConfigurationError

INTERNAL = {"Prefix", "CodeKey", "GlueDependenciesKey", "EmrDependenciesKey", "EmrArchitecture"}


def add_up(commands: Commands) -> None:
    """Add ``up`` to the commands."""
    parser = commands.add_parser(
        "up",
        help="make the stacks, or change what changed; run it again after every change of code or settings",
        epilog=f"settings: {', '.join(f'{name}={_default(said)}' for name, said in sorted(settings().items()))}",
        allow_abbrev=False,
    )
    add_aws_options(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the stacks; what is not set keeps the value that it has, or gets the default",
    )
    parser.add_argument("--arch", choices=tuple(MACHINES), help="machines of EMR (default: what it has, or x86_64)")
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help=f"for what is packaged (default: {FOLDER})")
    parser.set_defaults(run=_run)


def settings() -> dict[str, Mapping[str, object]]:
    """What a user may set: the parameters of the stacks that are not made by one for another."""
    found = {name: said for stack in NAMES for name, said in parameters_of(stack).items() if "Default" in said}
    return {name: said for name, said in found.items() if name not in INTERNAL}


def _default(said: Mapping[str, object]) -> str:
    return str(said["Default"]) or "''"


def _settings(given: list[str]) -> dict[str, str]:
    known = settings()
    chosen = {}
    for text in given:
        name, is_set, value = text.partition("=")
        if not is_set or name not in known:
            raise ConfigurationError(f"--set {text}: expected NAME=VALUE, NAME one of {', '.join(sorted(known))}")
        chosen[name] = value
    return chosen


def _run(given: argparse.Namespace) -> None:
    chosen = _settings(given.set)
    aws = Aws(region=given.region, profile=given.profile, dry_run=given.dry_run)
    region = aws.region
    nightly = None if given.dry_run else stack(aws, given.prefix, "nightly")
    if nightly is not None and "MachineArn" in nightly.outputs:
        see_that_none_runs(aws, nightly.outputs["MachineArn"])
    glue = build(GLUE, architecture="x86_64", folder=given.folder)
    emr = build(EMR, architecture=given.arch or _architecture(aws, given.prefix), folder=given.folder)
    known = bring_up_all(aws, given.prefix, given=chosen, glue=glue, emr=emr)
    let_publish_in(aws, prefix=given.prefix, workgroup=known["Workgroup"], database=known["Database"])
    if not given.dry_run:
        sys.stdout.write(
            f"{given.prefix} is up in {region}. Next: python -m deploy upload DATA {aws.options(given.prefix)}, then "
            f"python -m deploy run {aws.options(given.prefix)} --as-of YYYY-MM-DD\n"
        )


def _architecture(aws: Aws, prefix: str) -> str:
    """The machines that the EMR application has; the default where there is none yet."""
    made = stack(aws, prefix, "jobs")
    return made.parameters.get("EmrArchitecture", "X86_64").lower() if made is not None else "x86_64"


def bring_up_all(aws: Aws, prefix: str, *, given: Mapping[str, str], glue: Bundle, emr: Bundle) -> dict[str, str]:
    """Make or change the stacks in their order, each with what those before it give out.

    Returns:
        What all give out. In a dry run, what a stack that is not there would give out stands as ``<its name>``.
    """
    known: dict[str, str] = keys_of(glue, emr)
    for name in NAMES:
        made = bring_up(aws, prefix, name, given=given, known=known)
        known |= made.outputs if made is not None else _unknown(prefix, name)
        if name == "storage":
            upload_release(aws, bucket=known["ArtifactsBucket"], glue=glue, emr=emr)
        _tell(aws, prefix, name, made)
    return known


def _unknown(prefix: str, name: str) -> dict[str, str]:
    return {output: f"<{output} of {stack_name(prefix, name)}>" for output in outputs_of(name)}


def _tell(aws: Aws, prefix: str, name: str, made: Stack | None) -> None:
    if not aws.is_dry_run and made is not None:
        sys.stderr.write(f"{stack_name(prefix, name)}: {made.status}\n")
