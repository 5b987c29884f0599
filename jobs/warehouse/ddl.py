"""Names and texts inside SQL: the one place where either becomes part of a statement."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pyspark.sql.types import (
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from transforms.schemas import CUSTOMERS, KEYS, ORDERS, PAYMENTS, PURCHASES

NAME = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST_NAME = 127
"""Redshift's longest identifier, in bytes."""


def is_name(text: str) -> bool:
    """Whether a text can name a schema, table or column here: lower case, since Redshift folds even quoted names."""
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


def identifier(name: str) -> str:
    """A name as SQL has it, in quotes, so that no reserved word is in the way.

    Raises:
        ValueError: It is no name; whoever asked a person for it has not checked it.
    """
    if not is_name(name):
        raise ValueError(f"{name!r} is no identifier")
    return f'"{name}"'


def qualified(schema: str, name: str) -> str:
    """A table or view by its schema and name."""
    return f"{identifier(schema)}.{identifier(name)}"


def listed(names: list[str]) -> str:
    """Names, quoted, with commas between them."""
    return ", ".join(map(identifier, names))


def literal(text: str) -> str:
    """A text as SQL has it, in quotes.

    Redshift reads a backslash as the start of an escape and PostgreSQL does not; so none is let in.

    Raises:
        ValueError: There is a backslash or a control character in it.
    """
    if "\\" in text or not text.isprintable():
        raise ValueError(f"{text!r} has a backslash or a control character in it")
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


PIPELINE_RUNS = "pipeline_runs"
PIPELINE_LOCK = "pipeline_lock"

PIPELINE_RUNS_SCHEMA = StructType(
    [
        StructField("load_number", LongType()),
        StructField("load_id", StringType()),
        StructField("run_id", StringType()),
        StructField("as_of", DateType()),
        StructField("loaded_at", TimestampType()),
        StructField("configuration_hash", StringType()),
        StructField("tables", StringType()),
    ]
)
"""One row per load, the last of which is what the tables hold. ``tables`` is JSON: rows and money by table."""

PIPELINE_LOCK_SCHEMA = StructType(PIPELINE_RUNS_SCHEMA.fields[:1])
"""Nobody reads or writes it: a load locks it, so that two loads come one after the other, and no reader waits."""

TYPES: Mapping[type[DataType], str] = MappingProxyType(
    {
        IntegerType: "integer",
        LongType: "bigint",
        DoubleType: "double precision",
        TimestampType: "timestamp",
        DateType: "date",
    }
)
"""What both engines call the same. COPY takes a Parquet column for the type of just its width: int32 for integer, int64
for bigint, a double for double precision."""

VARCHAR_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "customer_id": 64,
        "customer_unique_id": 64,
        "order_id": 64,
        "zip_code": 16,
        "state": 16,
        "order_status": 32,
        "payment_type": 32,
        "configuration_hash": 64,
        "load_id": 64,
        "tables": 16_384,
    }
)
"""Redshift's length of a text, in bytes of UTF-8; a longer text fails the load. The planner sets memory aside by it, so
that it is near what there is: Olist's identifiers have 32 bytes, a bank's may have more."""

ANY_TEXT_BYTES = 256


@dataclass(frozen=True)
class Layout:
    """How Redshift lays a table out.

    Attributes:
        distribution: rows of one value of this column are on one slice, so that joins on it move nothing.
        sort: blocks are sorted by these, so that a filter on them reads few.
    """

    distribution: str
    sort: tuple[str, ...]


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        # Whoever asks by state joins customers to rfm, transactions or segments, which are a person's; orders carry the
        # other identifier, and transactions have that join done already.
        "customers": Layout("customer_unique_id", ("customer_id",)),
        # The largest two, joined to each other; read by the day.
        "orders": Layout("order_id", ("order_purchase_time",)),
        "payments": Layout("order_id", ("order_id",)),
        # Added up by customer, read by the day.
        "transactions": Layout("customer_unique_id", ("order_purchase_time",)),
        "purchases": Layout("customer_unique_id", ("order_purchase_time",)),
    }
)
"""Tables that are not here, one row per customer, are laid out by their key."""


def layout_of(table: str) -> Layout:
    """The layout of a table."""
    return LAYOUTS.get(table, Layout(KEYS[table][0], KEYS[table]))


def redshift_column(field: StructField) -> str:
    """A column's name and type for Redshift."""
    return f"{identifier(field.name)} {redshift_type(field)}"


def duckdb_column(field: StructField) -> str:
    """A column's name and type for DuckDB."""
    return f"{identifier(field.name)} {duckdb_type(field)}"


def duckdb_type(field: StructField) -> str:
    """A column's type for DuckDB, whose texts have no length."""
    return "varchar" if isinstance(field.dataType, StringType) else _type(field.dataType)


def redshift_type(field: StructField) -> str:
    """A column's type for Redshift."""
    if isinstance(field.dataType, StringType):
        return f"varchar({VARCHAR_BYTES.get(field.name, ANY_TEXT_BYTES)})"
    return _type(field.dataType)


def _type(kind: DataType) -> str:
    return f"decimal({kind.precision}, {kind.scale})" if isinstance(kind, DecimalType) else TYPES[type(kind)]


def create_redshift_table(table: str, columns: StructType, *, schema: str) -> str:
    """The statement that makes one of our tables in Redshift.

    Redshift enforces no key and its planner trusts the one it is told of: it drops a ``distinct`` for it. So these are
    true keys, which the data contracts check in every run.
    """
    key, layout = KEYS[table], layout_of(table)
    lines = [*_column_lines(columns, key=key), f"primary key ({listed(list(key))})"]
    return (
        f"create table if not exists {qualified(schema, table)} (\n  " + ",\n  ".join(lines) + "\n)\n"
        f"diststyle key distkey ({identifier(layout.distribution)}) sortkey ({listed(list(layout.sort))})"
    )


def create_redshift_staging(table: str, columns: StructType, *, name: str) -> str:
    """The statement that makes a staging table: just the columns of the files, where its rows will be in the end."""
    lines = _column_lines(columns, key=KEYS[table])
    return (
        f"create temp table {identifier(name)} (\n  " + ",\n  ".join(lines) + "\n)\n"
        f"diststyle key distkey ({identifier(layout_of(table).distribution)})"
    )


def create_redshift_record(name: str, columns: StructType, *, schema: str, diststyle: str = "all") -> str:
    """The statement that makes a table without a key: a small one of the loader's own, or a raw one."""
    lines = [redshift_column(field) for field in columns]
    return (
        f"create table if not exists {qualified(schema, name)} (\n  "
        + ",\n  ".join(lines)
        + f"\n)\ndiststyle {diststyle}"
    )


def create_duckdb_table(table: str, columns: StructType, *, schema: str) -> str:
    """The statement that makes one of our tables in DuckDB, in place of the last run's.

    Without a primary key: DuckDB would keep an index in memory for it, and no query here is the faster for one.
    """
    required = KEYS[table]
    lines = [duckdb_column(field) + (" not null" if field.name in required else "") for field in columns]
    return f"create or replace table {qualified(schema, table)} (\n  " + ",\n  ".join(lines) + "\n)"


def create_duckdb_record(name: str, columns: StructType, *, schema: str) -> str:
    """The statement that makes a small table of the loader's own."""
    lines = [duckdb_column(field) for field in columns]
    return f"create table if not exists {qualified(schema, name)} (\n  " + ",\n  ".join(lines) + "\n)"


def _column_lines(columns: StructType, *, key: tuple[str, ...]) -> list[str]:
    return [redshift_column(field) + (" not null" if field.name in key else "") for field in columns]


VIEWS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "customers_1": ("customers", tuple(CUSTOMERS.fieldNames())),
        "orders_1": ("orders", tuple(ORDERS.fieldNames())),
        "payments_1": ("payments", tuple(PAYMENTS.fieldNames())),
        "transactions_1": ("transactions", ("order_id", "customer_unique_id", "order_purchase_time", "payment_value")),
        "rfm_input_1": ("purchases", tuple(PURCHASES.fieldNames())),
        "rfm_input_2": ("rfm", ("customer_unique_id", "recency", "frequency", "monetary")),
    }
)
"""By the workshop's name: our table, and the columns that the workshop's has, in its order."""


def create_view(view: str, *, schema: str, tables_schema: str) -> str:
    """The statement that makes or renews one of the views.

    Args:
        view: the workshop's name.
        schema: where the view is.
        tables_schema: where our tables are.
    """
    table, columns = VIEWS[view]
    return (
        f"create or replace view {qualified(schema, view)} as\n"
        f"select {listed(list(columns))}\nfrom {qualified(tables_schema, table)}"
    )
