"""The warehouse that a command line asks for, checked before anything is done."""

import re
from argparse import Namespace
from dataclasses import dataclass
from importlib import import_module

from jobs.errors import ConfigurationError
from jobs.warehouse.address import Address, DuckDBAddress, parse_address
from jobs.warehouse.loaded import Warehouse

DEFAULT_ROLE = "default"
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
STAGING = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[\w!.*()/=+@-]*))?", re.ASCII)


@dataclass(frozen=True)
class Target:
    """A warehouse, and what loading it needs.

    Attributes:
        address: where it is.
        iam_role: for Redshift, the role that COPY reads S3 with: its ARN, or ``default`` for the warehouse's own.
        staging: for Redshift, a folder in S3 that the run's files are put into for the time of the load.
    """

    address: Address
    iam_role: str = DEFAULT_ROLE
    staging: str | None = None

    def __post_init__(self) -> None:
        if self.iam_role != DEFAULT_ROLE and not ROLE.fullmatch(self.iam_role):
            raise ConfigurationError(
                f"--iam-role {self.iam_role!r}: expected arn:aws:iam::<account>:role/<name>, or {DEFAULT_ROLE}"
            )
        if self.staging is not None and not STAGING.fullmatch(self.staging):
            raise ConfigurationError(
                f"--staging {self.staging!r}: expected s3://bucket/prefix, of letters, digits and _ ! . * ( ) / = + @ -"
            )
        if isinstance(self.address, DuckDBAddress) == (self.staging is not None):
            raise ConfigurationError(
                f"--warehouse {self.address}: found {'a' if self.staging else 'no'} --staging, expected one for "
                "Redshift, which loads from S3 alone, and none for DuckDB"
            )

    @classmethod
    def of(cls, arguments: Namespace) -> "Target":
        """The target that parsed arguments name.

        Raises:
            ConfigurationError: One of them is not what it has to be.
        """
        return cls(parse_address(arguments.warehouse), arguments.iam_role, arguments.staging)

    def opened(self) -> Warehouse:
        """The warehouse itself.

        Raises:
            ConfigurationError: What it needs is not installed.
        """
        engine = "in_duckdb" if isinstance(self.address, DuckDBAddress) else "redshift"
        # Imported when it is asked for: each brings a library that who uses the other may do without.
        try:
            opened: Warehouse = import_module(f"jobs.warehouse.{engine}").opened(self)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"--warehouse {self.address}: the package {error.name} is not there. Install it, or name no warehouse"
            ) from None
        return opened
