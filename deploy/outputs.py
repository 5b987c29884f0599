"""``outputs``: what the stacks give out, such as the buckets' names."""

import argparse
import json
import sys

from deploy.aws.options import Commands, add_aws_options
from deploy.aws.requests import Aws, Request, show
from deploy.stacks.stacks import NAMES, outputs, stack_name


def add_outputs(commands: Commands) -> None:
    """Add ``outputs`` to the commands."""
    parser = commands.add_parser("outputs", help="print what the stacks give out, as JSON", allow_abbrev=False)
    add_aws_options(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    if given.dry_run:
        for name in NAMES:
            show(Request("cloudformation", "describe_stacks", {"StackName": stack_name(given.prefix, name)}))
        return
    found = outputs(Aws(region=given.region, profile=given.profile), given.prefix)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
