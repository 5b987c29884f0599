"""Where a warehouse is, as ``--warehouse`` says it."""

import re
from argparse import Namespace
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jobs.errors import ConfigurationError
from jobs.warehouse.ddl import LONGEST_NAME, is_name
from jobs.warehouse.load_plan import Warehouse

WORKSHOP = "workshop"
FORMS = (
    "duckdb:PATH, redshift://workgroup/database/schema, or redshift+cluster://cluster/database/schema with "
    "?db_user=NAME or ?secret_arn=ARN"
)

WORKGROUP = re.compile(r"[a-z0-9-]{3,63}")
CLUSTER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
DATABASE = re.compile(r"[a-z0-9_-]{1,64}")
DATABASE_USER = re.compile(r"[A-Za-z0-9_.@:+-]{1,128}")
SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+", re.ASCII)


@dataclass(frozen=True)
class DuckDBAddress:
    """A DuckDB file; made if missing."""

    path: Path

    def __str__(self) -> str:
        return f"duckdb:{self.path}"


@dataclass(frozen=True)
class RedshiftAddress:
    """A schema of a Redshift database, reached through the Data API.

    Attributes:
        workgroup: of Redshift Serverless; None for a cluster.
        cluster: a provisioned cluster's identifier; None for Serverless.
        database: its database.
        schema: where the tables are. The workshop's views are in ``<schema>_workshop``.
        db_user: for a cluster, the database user that temporary credentials are made for.
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
        """Where the workshop's names are."""
        return f"{self.schema}_{WORKSHOP}"

    def __str__(self) -> str:
        kind, name = ("redshift", self.workgroup) if self.workgroup else ("redshift+cluster", self.cluster)
        return f"{kind}://{name}/{self.database}/{self.schema}"


Address = DuckDBAddress | RedshiftAddress


def parse_address(text: str) -> Address:
    """The warehouse that ``--warehouse`` names.

    Raises:
        ConfigurationError: It is none of the forms; the message names them.
    """
    scheme, _, rest = text.partition(":")
    if scheme == "duckdb":
        return _duckdb(text, rest)
    if scheme in ("redshift", "redshift+cluster"):
        return _redshift(text)
    raise _refused(text, f"found {scheme}:" if rest else "found no kind of warehouse in it")


def _duckdb(text: str, path: str) -> DuckDBAddress:
    if not path or not path.isprintable():
        raise _refused(text, "found no path after duckdb:")
    # DuckDB takes a question mark for the end of the name.
    if "?" in path:
        raise _refused(text, "found a question mark in the path, which DuckDB does not open")
    return DuckDBAddress(Path(path).expanduser().absolute())


def _redshift(text: str) -> RedshiftAddress:
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _refused(text, f"it cannot be taken apart ({error})") from None
    is_serverless = parts.scheme == "redshift"
    names = parts.path.split("/")
    if len(names) != 3 or parts.fragment:
        raise _refused(text, "found other parts than a name, a database and a schema")
    name, database, schema = parts.netloc, names[1], names[2]
    if not (WORKGROUP if is_serverless else CLUSTER).fullmatch(name) or len(name) > 63:
        raise _refused(text, f"{name!r} is no name of a {'workgroup' if is_serverless else 'cluster'}")
    if not DATABASE.fullmatch(database):
        raise _refused(text, f"{database!r} is no name of a database")
    if not is_name(schema) or len(schema) > LONGEST_NAME - len(WORKSHOP) - 1:
        raise _refused(text, f"{schema!r} is no name of a schema (lower-case letters, digits and _)")
    if is_serverless:
        if options:
            raise _refused(text, f"found {', '.join(options)}, which only redshift+cluster:// takes")
        return RedshiftAddress(database=database, schema=schema, workgroup=name)
    _check_options(text, options)
    return RedshiftAddress(database=database, schema=schema, cluster=name, **options)


def _check_options(text: str, options: dict[str, str]) -> None:
    """A cluster is opened in one of two ways, and by nothing else."""
    if set(options) not in ({"db_user"}, {"secret_arn"}):
        raise _refused(text, f"found {', '.join(options) or 'neither'}, expected one of db_user and secret_arn")
    [(option, value)] = options.items()
    if not (DATABASE_USER if option == "db_user" else SECRET).fullmatch(value):
        raise _refused(text, f"{value!r} is no {option}")


def _refused(text: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"--warehouse {text!r}: {why}. Expected {FORMS}")


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
        engine = "duckdb" if isinstance(self.address, DuckDBAddress) else "redshift"
        # Imported when it is asked for: each brings a library that who uses the other may do without.
        try:
            opened: Warehouse = import_module(f"jobs.warehouse.{engine}").opened(self)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"--warehouse {self.address}: the package {error.name} is not there. Install it, or name no warehouse"
            ) from None
        return opened
