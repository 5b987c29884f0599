"""The warehouse that the command line names: its address, and the settings that a load into it needs."""

import re
from argparse import Namespace
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jobs.errors import ConfigurationError
from jobs.storage.uris import local_path
from jobs.warehouse.ddl import WORKSHOP_SCHEMA, is_identifier
from jobs.warehouse.load_plan import Warehouse

ADDRESS_FORMS = (
    "duckdb:PATH, redshift://workgroup/database/schema, or redshift+cluster://cluster/database/schema with "
    "?db_user=NAME or ?secret_arn=ARN"
)
DEFAULT_ROLE = "default"

WORKGROUP = re.compile(r"[a-z0-9-]{3,63}")
CLUSTER = re.compile(r"(?=.{1,63}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")
DATABASE = re.compile(r"[a-z0-9_-]{1,64}")
DATABASE_USER = re.compile(r"[A-Za-z0-9_.@:+-]{1,128}")
SECRET_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+", re.ASCII)
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
STAGING_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w!.*()/=+@-]*)?", re.ASCII)


@dataclass(frozen=True)
class DuckDBAddress:
    """A DuckDB file. The first load creates it."""

    path: Path

    def __str__(self) -> str:
        return f"duckdb:{self.path}"


@dataclass(frozen=True)
class RedshiftAddress:
    """A schema of a Redshift database, reached through the Data API.

    Attributes:
        database: the database's name.
        schema: the schema that holds the tables.
        workgroup: the workgroup of Redshift Serverless; None for a cluster.
        cluster: the identifier of a provisioned cluster; None for Serverless.
        db_user: for a cluster, the database user that gets temporary credentials.
        secret_arn: for a cluster, the secret that holds user and password.
    """

    database: str
    schema: str
    workgroup: str | None = None
    cluster: str | None = None
    db_user: str | None = None
    secret_arn: str | None = None

    @property
    def views_schema(self) -> str:
        """The schema that holds the views with the workshop's names."""
        return f"{self.schema}_{WORKSHOP_SCHEMA}"

    def __str__(self) -> str:
        scheme, name = ("redshift", self.workgroup) if self.workgroup else ("redshift+cluster", self.cluster)
        return f"{scheme}://{name}/{self.database}/{self.schema}"


Address = DuckDBAddress | RedshiftAddress


@dataclass(frozen=True)
class WarehouseTarget:
    """A warehouse, and the settings that a load into it needs.

    Attributes:
        address: the warehouse's address.
        iam_role: for Redshift, the ARN of the role that COPY reads S3 with, or ``default`` for the warehouse's own.
        staging: for Redshift, the S3 folder that holds the run's files during the load.
    """

    address: Address
    iam_role: str = DEFAULT_ROLE
    staging: str | None = None

    def __post_init__(self) -> None:
        if self.iam_role != DEFAULT_ROLE and not ROLE_ARN.fullmatch(self.iam_role):
            raise ConfigurationError(
                f"invalid --iam-role {self.iam_role!r}: expected arn:aws:iam::<account>:role/<name>, or {DEFAULT_ROLE}"
            )
        if self.staging is not None and not STAGING_URI.fullmatch(self.staging):
            raise ConfigurationError(
                f"invalid --staging {self.staging!r}: expected s3://bucket/prefix, "
                "of letters, digits and _ ! . * ( ) / = + @ -"
            )
        if isinstance(self.address, DuckDBAddress) and self.staging is not None:
            raise ConfigurationError(
                f"--warehouse {self.address}: found --staging {self.staging}, expected none. Only Redshift takes "
                "--staging; remove it"
            )
        if isinstance(self.address, RedshiftAddress) and self.staging is None:
            raise ConfigurationError(
                f"--warehouse {self.address}: found no --staging, expected one. Redshift loads from S3 only; "
                "add --staging s3://bucket/prefix"
            )

    @classmethod
    def from_arguments(cls, arguments: Namespace) -> "WarehouseTarget":
        """Read the target from the parsed ``--warehouse``, ``--iam-role`` and ``--staging``.

        Raises:
            ConfigurationError: An argument is invalid, or they do not fit together.
        """
        return cls(parse_address(arguments.warehouse), arguments.iam_role, arguments.staging)

    def open_warehouse(self) -> Warehouse:
        """Return the engine for this address. Nothing is loaded, and a DuckDB file is not opened yet.

        Raises:
            ConfigurationError: The engine's package is not installed.
        """
        engine = "duckdb" if isinstance(self.address, DuckDBAddress) else "redshift"
        # Imported here because each engine needs a package that users of the other may lack.
        try:
            module = import_module(f"jobs.warehouse.{engine}")
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"--warehouse {self.address}: the package {error.name} is not installed. Install it, or leave "
                "--warehouse out"
            ) from None
        warehouse: Warehouse = module.open_warehouse(self)
        return warehouse


def parse_address(text: str) -> Address:
    """Parse the value of ``--warehouse``.

    Raises:
        ConfigurationError: The text is not an address. The message lists the forms.
    """
    scheme, _, rest = text.partition(":")
    if scheme == "duckdb":
        return _parse_duckdb(text, rest)
    if scheme in ("redshift", "redshift+cluster"):
        return _parse_redshift(text)
    raise _invalid(text, f"found {scheme}:" if rest else "found no scheme")


def _parse_duckdb(text: str, name: str) -> DuckDBAddress:
    if not name or not name.isprintable():
        raise _invalid(text, "found no path after duckdb:")
    try:
        path = local_path(name).absolute()
    except ValueError as error:
        raise _invalid(text, str(error)) from None
    # DuckDB reads a question mark as the end of the path, and a backslash as a slash.
    for character, word in (("?", "question mark"), ("\\", "backslash")):
        if character in str(path):
            raise _invalid(text, f"found a {word} in the path, which DuckDB cannot open")
    return DuckDBAddress(path)


def _parse_redshift(text: str) -> RedshiftAddress:
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _invalid(text, f"not a URL ({error})") from None
    is_serverless = parts.scheme == "redshift"
    path = parts.path.split("/")
    if len(path) != 3 or parts.fragment:
        raise _invalid(text, "found other parts than a name, a database and a schema")
    name, database, schema = parts.netloc, path[1], path[2]
    if not (WORKGROUP if is_serverless else CLUSTER).fullmatch(name):
        raise _invalid(text, f"{name!r} is not the name of a {'workgroup' if is_serverless else 'cluster'}")
    if not DATABASE.fullmatch(database):
        raise _invalid(text, f"{database!r} is not the name of a database")
    if not is_identifier(schema) or not is_identifier(f"{schema}_{WORKSHOP_SCHEMA}"):
        raise _invalid(text, f"{schema!r} is not the name of a schema (lower-case letters, digits and _)")
    if is_serverless:
        if options:
            raise _invalid(text, f"found {', '.join(options)}, which only redshift+cluster:// takes")
        return RedshiftAddress(database=database, schema=schema, workgroup=name)
    _check_cluster_options(text, options)
    return RedshiftAddress(database=database, schema=schema, cluster=name, **options)


def _check_cluster_options(text: str, options: dict[str, str]) -> None:
    """Require one of the two ways to authenticate, and no other option."""
    if set(options) not in ({"db_user"}, {"secret_arn"}):
        raise _invalid(text, f"found {', '.join(options) or 'no option'}, expected one of db_user and secret_arn")
    [(option, value)] = options.items()
    if not (DATABASE_USER if option == "db_user" else SECRET_ARN).fullmatch(value):
        raise _invalid(text, f"{value!r} is not a valid {option}")


def _invalid(text: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"invalid --warehouse {text!r}: {problem}. Expected {ADDRESS_FORMS}")
