"""The command-line options that all commands of ``python -m deploy`` share."""

import argparse
import re
from collections.abc import Callable
from typing import Any, Protocol

from deploy.aws.requests import Aws

PREFIX = re.compile(r"[a-z][a-z0-9-]{1,18}[a-z0-9]")
DEFAULT_PREFIX = "olist-rfm"


class Subparsers(Protocol):
    """The object that ``add_subparsers`` of argparse returns; its class is private."""

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        """Add the parser of a command and return it."""


def add_deployment_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--prefix``, which names a set of stacks, and the options of `add_account_options`."""
    parser.add_argument(
        "--prefix",
        type=_prefix,
        default=DEFAULT_PREFIX,
        help=f"first part of every resource name (default: {DEFAULT_PREFIX}); each prefix is a set of stacks",
    )
    add_account_options(parser)


def add_account_options(parser: argparse.ArgumentParser, *, region: Callable[[str], str] = str) -> None:
    """Add ``--region``, ``--profile`` and ``--dry-run``.

    Args:
        parser: the parser of a command.
        region: parses the region.
    """
    parser.add_argument("--region", type=region, help="AWS region (default: AWS_REGION, or the profile's)")
    parser.add_argument("--profile", help="profile of the AWS configuration (default: AWS_PROFILE, or the default one)")
    parser.add_argument("--dry-run", action="store_true", help="print the exact requests, and change nothing")


def aws_of(options: argparse.Namespace) -> Aws:
    """The account and region that a command line names."""
    return Aws(region=options.region, profile=options.profile, dry_run=options.dry_run)


def _prefix(text: str) -> str:
    if not PREFIX.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected 3 to 20 lower-case letters, digits and hyphens, such as {DEFAULT_PREFIX}"
        )
    return text
