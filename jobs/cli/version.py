"""The version of the project, as ``--version`` prints it. Imports no Spark, so that every command line has it."""

import configparser
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "olist-rfm-segments"
SETUP = Path(__file__).resolve().parents[2] / "setup.cfg"


def version() -> str:
    """The version of the installed distribution, or of ``setup.cfg`` in a checkout that is not installed.

    Raises:
        PackageNotFoundError: The code was copied without its metadata, which no build of the project does.
    """
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        setup = configparser.ConfigParser()
        setup.read(SETUP, encoding="utf-8")
        if not setup.has_option("metadata", "version"):
            raise
        return setup["metadata"]["version"]
