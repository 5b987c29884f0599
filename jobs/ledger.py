"""The mapping of a ledger: a first one, proposed by the file itself."""

import argparse
import sys
from collections.abc import Sequence

from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version
from jobs.proposing.mapping_text import propose

EPILOG = """\
example:
  python -m jobs.ledger propose ledger.csv > mapping.yaml

FILE is CSV (plain or gzip), Parquet, or a folder of either: a path, or an s3:// URI. Up to 10,000 rows of its first
files are looked at. The mapping is a proposal: "# ?" marks what the file cannot tell, so correct it.

exit codes:
  0 done   2 bad arguments or configuration   3 the file is no ledger   4 another system failed
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Propose a mapping; see ``--help``."""
    return run_main("ledger", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> None:
    parser = _parser()
    arguments = parser.parse_args(argv)
    # In UTF-8 wherever it is written to, as the mapping is read.
    sys.stdout.buffer.write(propose(arguments.file).encode())


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="python -m jobs.ledger",
        description="Write a first mapping of a ledger to stdout.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=OneLineParser)
    proposing = commands.add_parser(
        "propose",
        help="write a first mapping of an export",
        description="Write a first mapping of a ledger to stdout, by its header and the first of its rows.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    proposing.add_argument("file", metavar="FILE", help="an export of the ledger")
    return parser


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
