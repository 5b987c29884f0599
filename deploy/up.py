"""``up``: builds the bundles, creates or changes the stacks, and lets the publish role into the warehouse."""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import Aws
from deploy.job_runs.executions import check_none_in_progress
from deploy.packaging.bundle import FOLDER, Bundle, build_bundle
from deploy.packaging.platforms import ARCHITECTURES, EMR, GLUE
from deploy.stacks.change_sets import StackOptions, create_or_update
from deploy.stacks.choice import add_only, check_needs, chosen_stacks
from deploy.stacks.release import release_keys, upload_release
from deploy.stacks.settings import check_key, check_settings, default_settings, parse_settings, shared_settings
from deploy.stacks.stacks import STACKS, Stack, describe_stacks, stack_name, template_outputs
from deploy.stacks.tags import parse_tag
from deploy.stacks.usage_limit import RPU_HOURS, parse_rpu_hours, set_usage_limit
from deploy.stacks.warehouse_grant import grant_publish_role
from jobs.errors import ConfigurationError

ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")


@dataclass(frozen=True)
class _Plan:
    """What a call does.

    Attributes:
        chosen: the stacks that it creates or changes.
        existing: the stacks that exist.
        bundles: those for Glue and for EMR; None if no stack of the call has code.
        options: what the user asks of the stacks.
    """

    chosen: Sequence[str]
    existing: Mapping[str, Stack]
    bundles: tuple[Bundle, Bundle] | None
    options: StackOptions


def add_up(subparsers: Subparsers) -> None:
    """Add ``up`` to the commands."""
    defaults = ", ".join(f"{name}={default or repr('')}" for name, default in sorted(default_settings().items()))
    parser = subparsers.add_parser(
        "up",
        help="create the stacks, or change what changed; run it again after each change of code or settings",
        epilog=f"settings: {defaults}",
    )
    add_deployment_options(parser)
    add_only(
        parser, help_text="these stacks alone (default: all, but network and bi only if they exist), in this order"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the stacks; a setting that is not given keeps its value, or gets its default",
    )
    parser.add_argument(
        "--tag",
        action="append",
        type=parse_tag,
        default=[],
        metavar="NAME=VALUE",
        help="a tag of the stacks, their resources and the jobs on EMR; a tag that is not given stays",
    )
    parser.add_argument(
        "--service-role",
        type=_role,
        metavar="ARN",
        help="role with which CloudFormation makes and deletes the resources (default: the one that a stack has, else "
        "your own rights)",
    )
    parser.add_argument(
        "--arch", choices=tuple(ARCHITECTURES), help="architecture of EMR (default: its present one, or x86_64)"
    )
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help=f"folder of the bundles (default: {FOLDER})")
    parser.set_defaults(run=_run)


def _role(text: str) -> str:
    if not ROLE_ARN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected the ARN of a role, such as arn:aws:iam::123456789012:role/cloudformation"
        )
    return text


def _run(options: argparse.Namespace) -> None:
    settings = parse_settings(options.set)
    if options.only is not None:
        check_settings(settings, chosen_stacks(options.only, ()))
    aws, prefix = aws_of(options), options.prefix
    region = aws.region
    existing = describe_stacks(aws, prefix)
    chosen = chosen_stacks(options.only, existing)
    check_settings(settings, chosen)
    check_key(settings, existing)
    if options.arch and "jobs" not in chosen:
        raise ConfigurationError(
            f"--arch {options.arch}: of the stack jobs, expected it in --only. Add jobs, or drop it"
        )
    shared = shared_settings(existing)
    check_needs(aws, prefix, chosen=chosen, existing=existing, settings={**shared, **settings})
    nightly = existing.get("nightly")
    if nightly is not None and "MachineArn" in nightly.outputs and not options.dry_run:
        check_none_in_progress(aws, nightly.outputs["MachineArn"])
    bundles = _bundles(options, existing) if "jobs" in chosen else None
    stack_options = StackOptions(settings, shared, dict(options.tag), options.service_role or "")
    _create_or_update_all(aws, prefix, _Plan(chosen, existing, bundles, stack_options))
    if not options.dry_run:
        sys.stdout.write(
            f"{prefix} is up in {region}. Next: {_next_command(aws.deployment_options(prefix), {*existing, *chosen})}\n"
        )


def _bundles(options: argparse.Namespace, existing: Mapping[str, Stack]) -> tuple[Bundle, Bundle]:
    """The bundles for Glue and for EMR, for the architecture of the application, or the default one."""
    present = existing["jobs"].parameters.get("EmrArchitecture", "X86_64") if "jobs" in existing else "X86_64"
    return (
        build_bundle(GLUE, architecture="x86_64", folder=options.folder),
        build_bundle(EMR, architecture=options.arch or present.lower(), folder=options.folder),
    )


def _create_or_update_all(aws: Aws, prefix: str, plan: _Plan) -> None:
    """Create or change the stacks of a call in their order, each with the outputs of those before it.

    A stack that exists and is not of the call lends its outputs. In a dry run, ``<its name>`` stands for an output that
    does not exist yet.
    """
    bundles = plan.bundles
    outputs = release_keys(*bundles) if bundles is not None else {}
    for name in STACKS:
        stack = plan.existing.get(name)
        if name in plan.chosen:
            stack = create_or_update(aws, prefix, name, options=plan.options, outputs=outputs)
            outputs |= _placeholders(prefix, name) if aws.is_dry_run else {}
            if not aws.is_dry_run and stack is not None:
                sys.stderr.write(f"{stack_name(prefix, name)}: {stack.status}\n")
        if stack is not None:
            # An output that a stack gives no more, such as that of a catalogue that was turned off, is withdrawn.
            withdrawn = {} if aws.is_dry_run else dict.fromkeys(template_outputs(name), "")
            outputs |= {**withdrawn, **stack.outputs}
        if name == "storage" and bundles is not None:
            upload_release(aws, bucket=outputs["ArtifactsBucket"], glue=bundles[0], emr=bundles[1])
        if name == "warehouse" and name in plan.chosen:
            _prepare_warehouse(aws, prefix, outputs, settings=plan.options.settings, is_new=name not in plan.existing)


def _prepare_warehouse(
    aws: Aws, prefix: str, outputs: Mapping[str, str], *, settings: Mapping[str, str], is_new: bool
) -> None:
    hours = parse_rpu_hours(settings.get(RPU_HOURS))
    limit = set_usage_limit(aws, workgroup_arn=outputs["WorkgroupArn"], hours=hours, is_new=is_new)
    if not aws.is_dry_run:
        sys.stderr.write(f"{stack_name(prefix, 'warehouse')}: {limit} ({RPU_HOURS})\n")
    grant_publish_role(aws, prefix=prefix, outputs=outputs)


def _placeholders(prefix: str, name: str) -> dict[str, str]:
    return {output: f"<{output} of {stack_name(prefix, name)}>" for output in template_outputs(name)}


def _next_command(deployment: str, stacks: set[str]) -> str:
    upload = f"python -m deploy upload DATA {deployment}"
    if "jobs" not in stacks:
        return f"python -m deploy up {deployment} --only jobs"
    if "nightly" not in stacks:
        return f"{upload}, then python -m deploy glue submit {deployment} --as-of YYYY-MM-DD"
    return f"{upload}, then python -m deploy run {deployment} --as-of YYYY-MM-DD"
