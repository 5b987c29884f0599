"""``outputs``: prints the outputs of the stacks, such as the names of the buckets."""

import argparse
import json
import sys

from deploy.aws.options import Subparsers, add_deployment_options, aws_of
from deploy.aws.requests import print_request
from deploy.stacks.stacks import STACKS, describe_request, stack_outputs


def add_outputs(subparsers: Subparsers) -> None:
    """Add ``outputs`` to the commands."""
    parser = subparsers.add_parser("outputs", help="print the outputs of the stacks as JSON")
    add_deployment_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if options.dry_run:
        for name in STACKS:
            print_request(describe_request(options.prefix, name))
        return
    sys.stdout.write(json.dumps(stack_outputs(aws_of(options), options.prefix), indent=2) + "\n")
