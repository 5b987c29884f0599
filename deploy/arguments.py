"""The commands of ``python -m deploy``, each added by the module that carries it out."""

import argparse

from deploy.doctor import add_doctor
from deploy.down import add_down
from deploy.emr import add_emr
from deploy.glue import add_glue
from deploy.outputs import add_outputs
from deploy.package import add_package
from deploy.run import add_run
from deploy.sagemaker.commands import add_sagemaker
from deploy.up import add_up
from deploy.upload import add_upload
from jobs.cli.parser import OneLineParser

EPILOG = """\
exit codes:
  0 done   2 bad arguments or configuration   3 the data is not fit to use   4 AWS or another system failed
"""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    commands = OneLineParser(
        prog="python -m deploy",
        description="Bring the pipeline to AWS: package it, make its stacks, run it, take it down.",
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tree = commands.add_subparsers(required=True, metavar="COMMAND", parser_class=OneLineParser)
    for add in (
        add_doctor,
        add_up,
        add_upload,
        add_package,
        add_glue,
        add_emr,
        add_sagemaker,
        add_run,
        add_outputs,
        add_down,
    ):
        add(tree)
    return commands
