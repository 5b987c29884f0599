"""What the commands of ``python -m deploy`` have in common on the command line."""

import argparse
import re
from typing import Any, Protocol

PREFIX = re.compile(r"[a-z][a-z0-9-]{1,18}[a-z0-9]")
DEFAULT_PREFIX = "olist-rfm"


class Commands(Protocol):
    """What a command is added to."""

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        """Add a command."""


def add_aws_options(parser: argparse.ArgumentParser) -> None:
    """Add what says whose stacks are meant, and ``--dry-run``."""
    parser.add_argument(
        "--prefix",
        type=_prefix,
        default=DEFAULT_PREFIX,
        help=f"what the names of all its resources start with (default: {DEFAULT_PREFIX}); another one is another set",
    )
    parser.add_argument("--region", help="AWS region (default: AWS_REGION, or the profile's)")
    parser.add_argument("--profile", help="profile of the AWS configuration (default: AWS_PROFILE, or the default one)")
    parser.add_argument("--dry-run", action="store_true", help="print the exact requests, and change nothing")


def _prefix(text: str) -> str:
    if not PREFIX.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no prefix (expected 3 to 20 lower-case letters, digits and hyphens, such as {DEFAULT_PREFIX})"
        )
    return text
