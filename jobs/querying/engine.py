"""DuckDB, as a package that not every user has, and a connection to a database in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from jobs.errors import ConfigurationError, OutsideSystemError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GB"
"""What DuckDB sorts and counts the customers of a list in; what does not fit goes to its temporary folder."""

INSTALL = "pip install 'olist-rfm-segments[duckdb]'"


def duckdb_package() -> ModuleType:
    """The package ``duckdb``.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return import_module("duckdb")
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"the package duckdb, which reads the run's tables, is not installed. Install it: {INSTALL}"
        ) from None


@contextmanager
def connected(temporary: Path) -> Iterator["DuckDBPyConnection"]:
    """A connection to an empty database in memory.

    It loads no extension from a network, and reads times as they stand in the files, whatever the machine's zone is.

    Args:
        temporary: the folder for what does not fit into memory.

    Raises:
        ConfigurationError: The package duckdb is not installed.
        OutsideSystemError: A query failed, such as for want of memory or of room on the disk.
        KeyboardInterrupt: Ctrl-C arrived, of which DuckDB makes an error of its own.
    """
    duckdb = duckdb_package()
    settings = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "temp_directory": str(temporary),
        # A query that names an order gets it; the others need not remember the order of the files.
        "preserve_insertion_order": "false",
    }
    try:
        with duckdb.connect(config=settings) as connection:
            connection.execute("set global TimeZone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise OutsideSystemError(
            f"DuckDB could not go on: {first_line(error)}. Run again with more memory or disk"
        ) from None
    except RuntimeError as error:
        if "interrupted" not in str(error).lower():
            raise
        raise KeyboardInterrupt from None


def first_line(error: Exception) -> str:
    """What an error of DuckDB's says first, without its last full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".!") if lines else type(error).__name__
