"""What has to be there before a run can be loaded into Redshift, and the statements that make what is missing."""

from collections.abc import Mapping, Sequence

from jobs.warehouse.address import RedshiftAddress
from jobs.warehouse.ddl import (
    PIPELINE_LOCK,
    PIPELINE_LOCK_SCHEMA,
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    create_redshift_record,
    create_redshift_table,
    redshift_column,
)
from jobs.warehouse.identifiers import identifier, qualified
from jobs.warehouse.raw_files import RawTable
from jobs.warehouse.redshift_statements import Statement
from jobs.warehouse.workshop_views import VIEWS, create_view
from transforms.schemas import TABLES

Existing = Mapping[tuple[str, str], Sequence[str]]
"""Columns of what there is, by schema and name."""

COLUMNS_OF = Statement(
    "list tables and columns",
    "select cast(table_schema as varchar(128)), cast(table_name as varchar(128)), cast(column_name as varchar(128))\n"
    "from information_schema.columns\n"
    "where table_schema in (:tables_schema, :views_schema)\n"
    "order by table_schema, table_name, ordinal_position",
)


def preparation(address: RedshiftAddress, existing: Existing) -> list[Statement]:
    """What is missing before a run can be loaded: schemas, tables, columns and views.

    Nothing is dropped, so that grants stay. Where nothing is missing nothing is said, so that a loader that may make no
    table still loads.
    """
    schema, views = address.schema, address.views_schema
    tables = [
        Statement(f"create table {table}", create_redshift_table(table, columns, schema=schema))
        for table, columns in TABLES.items()
        if (schema, table) not in existing
    ]
    columns = [
        Statement(
            f"add column {field.name} to {table}",
            f"alter table {qualified(schema, table)} add column {redshift_column(field)}",
        )
        for table, schema_of_table in TABLES.items()
        for field in schema_of_table
        if field.name not in existing.get((schema, table), schema_of_table.fieldNames())
    ]
    records = [
        Statement(f"create table {name}", create_redshift_record(name, columns_of_record, schema=schema))
        for name, columns_of_record in ((PIPELINE_RUNS, PIPELINE_RUNS_SCHEMA), (PIPELINE_LOCK, PIPELINE_LOCK_SCHEMA))
        if (schema, name) not in existing
    ]
    made = [
        Statement(f"create view {view}", create_view(view, schema=views, tables_schema=schema))
        for view, (_, names) in VIEWS.items()
        if tuple(existing.get((views, view), ())) != names
    ]
    return [
        *missing_schema(schema, existing),
        *tables,
        *columns,
        *records,
        *(missing_schema(views, existing) if made else ()),
        *made,
    ]


def missing_schema(schema: str, existing: Existing) -> list[Statement]:
    """The statement that makes a schema, unless something is known to be in it."""
    if any(name == schema for name, _ in existing):
        return []
    return [Statement(f"create schema {schema}", f"create schema if not exists {identifier(schema)}")]


def raw_preparation(tables: Sequence[RawTable], schema: str, existing: Existing) -> list[Statement]:
    """The statements that make the raw tables that are missing."""
    return [
        Statement(
            f"create table {table.name}",
            create_redshift_record(table.name, table.columns, schema=schema, diststyle="even"),
        )
        for table in tables
        if (schema, table.name) not in existing
    ]
