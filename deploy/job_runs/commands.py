"""``submit``, ``status`` and ``logs``: the commands that every platform has for its job runs."""

import argparse
from collections.abc import Callable
from typing import NamedTuple

from deploy.aws.options import Commands, add_aws_options

Action = Callable[[argparse.Namespace], None]


class JobCommands(NamedTuple):
    """The three parsers of a platform, for it to add what only it has."""

    submit: argparse.ArgumentParser
    status: argparse.ArgumentParser
    logs: argparse.ArgumentParser


def add_job_commands(commands: Commands, platform: str, *, submit: Action, status: Action, logs: Action) -> JobCommands:
    """Add a platform to the commands.

    Args:
        commands: what it is added to.
        platform: its name; in small letters it is its word on the command line.
        submit: starts a job run.
        status: says how one stands.
        logs: prints what one wrote.
    """
    name = platform.lower()
    branch = commands.add_parser(name, help=f"run a step on {platform}, and look at runs", allow_abbrev=False)
    actions: Commands = branch.add_subparsers(required=True, metavar="ACTION", parser_class=type(branch))
    start = "start a step and follow it; all other arguments are the step's own, such as --as-of"
    made = JobCommands(
        submit=actions.add_parser("submit", help=start, allow_abbrev=False),
        status=actions.add_parser("status", help="how a job run stands", allow_abbrev=False),
        logs=actions.add_parser("logs", help="print the log of a job run", allow_abbrev=False),
    )
    made.submit.add_argument("--no-wait", action="store_true", help="start it, and do not follow it")
    made.submit.set_defaults(job_arguments=None)
    made.status.add_argument("--wait", action="store_true", help="follow it until it is over")
    for parser, carry_out in zip(made, (submit, status, logs), strict=True):
        parser.set_defaults(run=carry_out)
        add_aws_options(parser)
    return made
