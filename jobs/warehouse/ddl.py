"""The DDL of both warehouses, from the table schemas: types, layouts, statements, and the quoting that SQL needs.

Every name, text and figure that becomes part of a statement passes through `identifier`, `literal` or `number`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
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

from expectations.contracts.olist import FILE_CONTRACTS
from transforms.schemas import CUSTOMERS, KEYS, MAX_BYTES, ORDERS, PAYMENTS, PURCHASES

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
MAX_IDENTIFIER_BYTES = 127
"""Redshift's limit."""

PIPELINE_RUNS = "pipeline_runs"
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
"""Grain: one row per load. The tables hold the load with the highest number. ``tables`` is JSON: rows and money."""

PIPELINE_LOCK = "pipeline_lock"
PIPELINE_LOCK_SCHEMA = StructType(PIPELINE_RUNS_SCHEMA.fields[:1])
"""An empty table that each load locks. Loads wait for each other there, and no reader waits, since nobody reads it."""

AUDIENCES_TABLE = "audiences"
"""The members of exported audiences (`transforms.schemas.AUDIENCES`). A load of a run leaves it as it is."""

KEYS_IN_WAREHOUSE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {**KEYS, AUDIENCES_TABLE: ("audience_id", "customer_unique_id")}
)

SQL_TYPES: Mapping[type[DataType], str] = MappingProxyType(
    {
        IntegerType: "integer",
        LongType: "bigint",
        DoubleType: "double precision",
        TimestampType: "timestamp",
        DateType: "date",
    }
)
"""Types with one name in both engines. COPY requires the exact width of the Parquet column: int32 fits integer only."""

VARCHAR_BYTES: Mapping[str, int] = MappingProxyType(
    {
        **MAX_BYTES,
        **{
            contract.source_name(column): MAX_BYTES[column]
            for contract in FILE_CONTRACTS
            for column in contract.schema.fieldNames()
            if column in MAX_BYTES
        },
        "run_id": 256,
        "configuration_hash": 64,
        "load_id": 64,
        "tables": 16_384,
        "audience_id": 64,
        "campaign": 800,
        "change": 16,
        "arm": 16,
    }
)
"""Length of text columns in Redshift, in bytes of UTF-8: of tables, of raw tables, and of the loader's own."""


@dataclass(frozen=True)
class Layout:
    """How Redshift stores a table.

    Attributes:
        distribution: the column that assigns rows to slices, so that joins on it move no rows.
        sort: the columns that order the blocks, so that a filter on them reads few blocks.
    """

    distribution: str
    sort: tuple[str, ...]


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        # Queries by state join customers to rfm, transactions or segments, which have one id per person. The join of
        # orders to customers is already in transactions.
        "customers": Layout("customer_unique_id", ("customer_id",)),
        # The two largest tables join each other. Queries filter orders by day.
        "orders": Layout("order_id", ("order_purchase_time",)),
        "payments": Layout("order_id", ("order_id",)),
        # Queries add these up by customer and filter by day.
        "transactions": Layout("customer_unique_id", ("order_purchase_time",)),
        "purchases": Layout("customer_unique_id", ("order_purchase_time",)),
        # Queries take one audience and join its members to rfm.
        AUDIENCES_TABLE: Layout("customer_unique_id", ("audience_id",)),
    }
)
"""Tables with one row per customer are missing here: `layout_of` stores them by their key."""


@dataclass(frozen=True)
class WorkshopView:
    """A view with a table name of the workshop.

    Attributes:
        table: the table that it reads.
        columns: the columns of the workshop's table, in its order.
    """

    table: str
    columns: tuple[str, ...]


WORKSHOP_SCHEMA = "workshop"
"""The schema of the views in DuckDB, and the suffix of that schema in Redshift."""

WORKSHOP_VIEWS: Mapping[str, WorkshopView] = MappingProxyType(
    {
        "customers_1": WorkshopView("customers", tuple(CUSTOMERS.fieldNames())),
        "orders_1": WorkshopView("orders", tuple(ORDERS.fieldNames())),
        "payments_1": WorkshopView("payments", tuple(PAYMENTS.fieldNames())),
        "transactions_1": WorkshopView(
            "transactions", ("order_id", "customer_unique_id", "order_purchase_time", "payment_value")
        ),
        "rfm_input_1": WorkshopView("purchases", tuple(PURCHASES.fieldNames())),
        "rfm_input_2": WorkshopView("rfm", ("customer_unique_id", "recency", "frequency", "monetary")),
    }
)


def create_redshift_table(table: str, columns: StructType, *, schema: str) -> str:
    """The statement that creates a table of the run, or that of audiences, in Redshift.

    Redshift does not enforce a primary key, and its planner trusts the declaration: it drops a ``distinct`` on the
    key. The keys of a run are true, since the data contracts check them. Of audiences each load counts the distinct
    customers, so nothing is declared that the planner could take for the count.
    """
    layout = layout_of(table)
    primary_key = [f"primary key ({identifier_list(KEYS[table])})"] if table in KEYS else []
    lines = [*_redshift_columns(columns, key=KEYS_IN_WAREHOUSE[table]), *primary_key]
    return (
        f"create table if not exists {qualified_name(schema, table)} {_in_parentheses(lines)}\n"
        f"diststyle key distkey ({identifier(layout.distribution)}) sortkey ({identifier_list(layout.sort)})"
    )


def create_redshift_staging(table: str, columns: StructType, *, name: str) -> str:
    """The statement that creates a staging table: the columns of the files, distributed as in the table itself."""
    lines = _redshift_columns(columns, key=KEYS_IN_WAREHOUSE[table])
    return (
        f"create temp table {identifier(name)} {_in_parentheses(lines)}\n"
        f"diststyle key distkey ({identifier(layout_of(table).distribution)})"
    )


def create_redshift_unkeyed(name: str, columns: StructType, *, schema: str, diststyle: str = "all") -> str:
    """The statement that creates a table without a key in Redshift: a raw table, or one of the loader's own."""
    return (
        f"create table if not exists {qualified_name(schema, name)} {_in_parentheses(_redshift_columns(columns))}\n"
        f"diststyle {diststyle}"
    )


def replace_duckdb_table(name: str, columns: StructType, *, schema: str) -> str:
    """The statement that creates a table in DuckDB in place of the last load's: a table of the run, or a raw table.

    It declares no primary key. DuckDB would hold an index in memory for it, and no query here would be faster.
    """
    # A raw table has no key: the run that read it may have rejected some of its rows.
    lines = _duckdb_columns(columns, key=KEYS.get(name, ()))
    return f"create or replace table {qualified_name(schema, name)} {_in_parentheses(lines)}"


def create_duckdb_table(name: str, columns: StructType, *, schema: str) -> str:
    """The statement that creates a table that loads add to in DuckDB, unless it exists."""
    lines = _duckdb_columns(columns, key=KEYS_IN_WAREHOUSE.get(name, ()))
    return f"create table if not exists {qualified_name(schema, name)} {_in_parentheses(lines)}"


def create_workshop_view(view: str, *, schema: str, tables_schema: str) -> str:
    """The statement that creates or replaces a view with one of the workshop's names.

    Args:
        view: the workshop's name, a key of `WORKSHOP_VIEWS`.
        schema: the schema of the view.
        tables_schema: the schema of the run's tables.
    """
    source = WORKSHOP_VIEWS[view]
    return (
        f"create or replace view {qualified_name(schema, view)} as\n"
        f"select {identifier_list(source.columns)}\nfrom {qualified_name(tables_schema, source.table)}"
    )


def layout_of(table: str) -> Layout:
    """The layout of a table in Redshift."""
    return LAYOUTS[table] if table in LAYOUTS else Layout(KEYS[table][0], KEYS[table])


def redshift_column(field: StructField) -> str:
    """A column's quoted name and its type in Redshift, as in ``create table``."""
    return f"{identifier(field.name)} {redshift_type(field)}"


def redshift_type(field: StructField) -> str:
    """A column's type in Redshift. The length of a text depends on the column's name."""
    if isinstance(field.dataType, StringType):
        return f"varchar({VARCHAR_BYTES[field.name]})"
    return _sql_type(field.dataType)


def duckdb_type(field: StructField) -> str:
    """A column's type in DuckDB, where a text has no length."""
    return "varchar" if isinstance(field.dataType, StringType) else _sql_type(field.dataType)


def qualified_name(schema: str, name: str) -> str:
    """The quoted name of a table or view with its schema."""
    return f"{identifier(schema)}.{identifier(name)}"


def identifier_list(names: Iterable[str]) -> str:
    """Quoted names, with commas between them."""
    return ", ".join(map(identifier, names))


def identifier(name: str) -> str:
    """A name in double quotes, so that a reserved word is a valid name too.

    Raises:
        ValueError: The name is invalid. Names that a user gives are checked earlier, with `is_identifier`.
    """
    if not is_identifier(name):
        raise ValueError(f"invalid identifier {name!r}: expected lower-case letters, digits and _")
    return f'"{name}"'


def is_identifier(text: str) -> bool:
    """Whether a text can name a schema, table or column. Upper case cannot, since Redshift folds even quoted names."""
    return len(text) <= MAX_IDENTIFIER_BYTES and IDENTIFIER.fullmatch(text) is not None


def literal(text: str) -> str:
    r"""A text in single quotes.

    Redshift reads ``\`` as the start of an escape, while PostgreSQL does not. A text with one is therefore invalid.

    Raises:
        ValueError: The text has a backslash or a control character.
    """
    if "\\" in text or not text.isprintable():
        raise ValueError(f"invalid SQL text {text!r}: expected no backslash and no control character")
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def number(value: int | Decimal) -> str:
    """A number in digits. A text, or anything else that is no number, is no figure of SQL.

    Raises:
        ValueError: The value is not a whole number, nor a finite decimal.
    """
    if type(value) not in (int, Decimal) or (isinstance(value, Decimal) and not value.is_finite()):
        raise ValueError(f"invalid SQL number {value!r}: expected a whole number or a finite decimal")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _redshift_columns(columns: StructType, *, key: tuple[str, ...] = ()) -> list[str]:
    return [redshift_column(field) + _nullability(field, key) for field in columns]


def _duckdb_columns(columns: StructType, *, key: tuple[str, ...] = ()) -> list[str]:
    return [f"{identifier(field.name)} {duckdb_type(field)}{_nullability(field, key)}" for field in columns]


def _nullability(field: StructField, key: tuple[str, ...]) -> str:
    return " not null" if field.name in key else ""


def _in_parentheses(lines: Iterable[str]) -> str:
    return "(\n  " + ",\n  ".join(lines) + "\n)"


def _sql_type(data_type: DataType) -> str:
    if isinstance(data_type, DecimalType):
        return f"decimal({data_type.precision}, {data_type.scale})"
    return SQL_TYPES[type(data_type)]
