"""The SQL that Redshift is sent: each statement with a name, which follows "could not" in an error.

Names are quoted by `ddl.identifier`, texts by `ddl.literal`, and figures are written by `ddl.number`. Bound parameters
would be better, but boto3 1.42 on AWS Glue 6.0 binds none in a batch, and only a batch makes a load one transaction.
Every literal is validated before: a date, a hash, an id of our own, an ARN, or the URL of an object. Single queries
bind their values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql.types import StructType

from jobs.runs.totals import NO_MONEY
from jobs.warehouse.ddl import (
    AUDIENCES_TABLE,
    PIPELINE_LOCK,
    PIPELINE_LOCK_SCHEMA,
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    WORKSHOP_VIEWS,
    create_redshift_staging,
    create_redshift_table,
    create_redshift_unkeyed,
    create_workshop_view,
    identifier,
    identifier_list,
    literal,
    number,
    qualified_name,
    redshift_column,
)
from jobs.warehouse.load_plan import ExpectedTotal, RawTable, RunToLoad, TableToLoad
from jobs.warehouse.members import AudienceToLoad
from jobs.warehouse.target import DEFAULT_ROLE, RedshiftAddress
from transforms.schemas import AUDIENCES, TABLES


@dataclass(frozen=True)
class Statement:
    """A statement and its name, which follows "could not" in an error."""

    name: str
    sql: str


ExistingColumns = Mapping[tuple[str, str], Sequence[str]]
"""The columns of each table and view in the warehouse, by schema and name."""

LIST_COLUMNS = Statement(
    "list tables and columns",
    "select cast(table_schema as varchar(128)), cast(table_name as varchar(128)), cast(column_name as varchar(128))\n"
    "from information_schema.columns\n"
    "where table_schema in (:tables_schema, :views_schema)\n"
    "order by table_schema, table_name, ordinal_position",
)

SUM_TOTALS = "add up rows and money"
CHECK_TOTALS = "compare rows and money with the run's manifest"
"""The names of two statements: if the check fails, the rows of the sum tell which totals differ."""

COUNT_MEMBERS = "count the members"
CHECK_MEMBERS = "compare the members with the audience's record"
"""The same of an audience. The statement before a check is the one whose rows it compares."""


def preparation_statements(address: RedshiftAddress, existing: ExistingColumns) -> list[Statement]:
    """Statements that create what the warehouse lacks for a load: schemas, tables, columns and views.

    Nothing is dropped, so grants stay. If nothing is missing the list is empty, so a user without the right to create
    tables can still load.
    """
    schema, views_schema = address.schema, address.views_schema
    tables = [
        Statement(f"create table {table}", create_redshift_table(table, columns, schema=schema))
        for table, columns in TABLES.items()
        if (schema, table) not in existing
    ]
    columns = [
        Statement(
            f"add column {field.name} to {table}",
            f"alter table {qualified_name(schema, table)} add column {redshift_column(field)}",
        )
        for table, fields in TABLES.items()
        for field in fields
        if field.name not in existing.get((schema, table), fields.fieldNames())
    ]
    own_tables = [
        Statement(f"create table {name}", create_redshift_unkeyed(name, fields, schema=schema))
        for name, fields in ((PIPELINE_RUNS, PIPELINE_RUNS_SCHEMA), (PIPELINE_LOCK, PIPELINE_LOCK_SCHEMA))
        if (schema, name) not in existing
    ]
    views = [
        Statement(f"create view {name}", create_workshop_view(name, schema=views_schema, tables_schema=schema))
        for name, view in WORKSHOP_VIEWS.items()
        if tuple(existing.get((views_schema, name), ())) != view.columns
    ]
    return [
        *_missing_schema(schema, existing),
        *tables,
        *columns,
        *own_tables,
        *(_missing_schema(views_schema, existing) if views else ()),
        *views,
    ]


def raw_preparation_statements(tables: Sequence[RawTable], schema: str, existing: ExistingColumns) -> list[Statement]:
    """Statements that create the raw tables that the warehouse lacks."""
    return [
        Statement(
            f"create table {table.name}",
            create_redshift_unkeyed(table.name, table.columns, schema=schema, diststyle="even"),
        )
        for table in tables
        if (schema, table.name) not in existing
    ]


def audience_preparation_statements(schema: str, existing: ExistingColumns) -> list[Statement]:
    """The statement that creates the table of audiences; none if it exists."""
    if (schema, AUDIENCES_TABLE) in existing:
        return []
    return [
        Statement(f"create table {AUDIENCES_TABLE}", create_redshift_table(AUDIENCES_TABLE, AUDIENCES, schema=schema))
    ]


def last_load_query(schema: str) -> Statement:
    """The query for the id of the load that the tables hold."""
    return Statement(
        "find the last load",
        f"select load_id from {qualified_name(schema, PIPELINE_RUNS)} order by load_number desc limit 1",
    )


def load_statements(
    run: RunToLoad, *, load_id: str, schema: str, copies: Mapping[str, str], iam_role: str
) -> list[Statement]:
    """The statements of the transaction that loads a run.

    The lock comes first. Redshift takes a transaction's snapshot at its first read or write, and by then the previous
    load is committed. TRUNCATE and ALTER TABLE APPEND are faster than DELETE and INSERT, but commit by themselves.

    Args:
        run: the run to load.
        load_id: the id of the load.
        schema: the schema of the tables.
        copies: by table, the S3 URL of the COPY manifest; a table without files has none.
        iam_role: the ARN of the role that COPY reads with, or ``default``.
    """
    replacements = [
        statement
        for table in run.tables
        for statement in _replace(table, schema=schema, manifest=copies.get(table.name), iam_role=iam_role)
    ]
    return [
        _lock(schema),
        *replacements,
        *_check([table.expected for table in run.tables], schema=schema),
        _record(run, load_id=load_id, schema=schema),
    ]


def raw_load_statements(
    tables: Sequence[RawTable], *, schema: str, copies: Mapping[str, str], iam_role: str
) -> list[Statement]:
    """The statements of the transaction that loads the raw files: the workshop's COPY, but a bad row fails it.

    Args:
        tables: the raw tables to load.
        schema: the schema of the tables.
        copies: by raw table, the S3 URL of the COPY manifest; ``<table>.gz`` for gzipped files.
        iam_role: the ARN of the role that COPY reads with, or ``default``.
    """
    replacements = []
    for table in tables:
        target = qualified_name(schema, table.name)
        replacements.append(Statement(f"delete {table.name}", f"delete from {target}"))
        replacements += [
            Statement(
                f"copy files into {table.name}",
                f"copy {target} ({identifier_list(table.header)})\n{_copy_source(copies[name], iam_role)}\n"
                f"manifest csv ignoreheader 1 maxerror 0{option}",
            )
            for name, option in ((table.name, ""), (f"{table.name}.gz", " gzip"))
            if name in copies
        ]
    return [_lock(schema), *replacements, *_check([table.expected for table in tables], schema=schema)]


def audience_load_statements(audience: AudienceToLoad, *, schema: str, manifest: str, iam_role: str) -> list[Statement]:
    """The statements of the transaction that loads an audience in place of its own rows.

    Rows of another audience in the file are not inserted, so that the check finds them missing.

    Args:
        audience: the audience to load.
        schema: the schema of the table.
        manifest: the S3 URL of the COPY manifest.
        iam_role: the ARN of the role that COPY reads with, or ``default``.
    """
    target, staging = qualified_name(schema, AUDIENCES_TABLE), f"staging_{AUDIENCES_TABLE}"
    columns = identifier_list(AUDIENCES.fieldNames())
    return [
        _lock(schema),
        *_copy_into_staging(AUDIENCES_TABLE, AUDIENCES, name=staging, manifest=manifest, iam_role=iam_role),
        Statement("delete the audience", f"delete from {target}\nwhere {audience.filter}"),
        Statement(
            "insert the audience",
            f"insert into {target} ({columns})\nselect {columns}\nfrom {identifier(staging)}\nwhere {audience.filter}",
        ),
        Statement(COUNT_MEMBERS, audience.count_query(schema)),
        Statement(CHECK_MEMBERS, audience.check_query(schema)),
    ]


def _missing_schema(schema: str, existing: ExistingColumns) -> list[Statement]:
    """The statement that creates a schema; none if the schema holds a table or view already."""
    if any(name == schema for name, _ in existing):
        return []
    return [Statement(f"create schema {schema}", f"create schema if not exists {identifier(schema)}")]


def _lock(schema: str) -> Statement:
    """The statement at which a second load waits until the first is committed."""
    return Statement("wait for other loads", f"lock table {qualified_name(schema, PIPELINE_LOCK)}")


def _replace(table: TableToLoad, *, schema: str, manifest: str | None, iam_role: str) -> list[Statement]:
    """Statements that replace a table's rows by those of the run; without a COPY manifest, by no rows."""
    target, staging = qualified_name(schema, table.name), f"staging_{table.name}"
    columns = identifier_list(table.columns_of_files.fieldNames())
    delete = Statement(f"delete {table.name}", f"delete from {target}")
    if manifest is None:
        return [delete]
    return [
        *_copy_into_staging(table.name, table.columns_of_files, name=staging, manifest=manifest, iam_role=iam_role),
        delete,
        Statement(
            f"insert {table.name}",
            f"insert into {target} ({columns})\nselect {columns}\nfrom {identifier(staging)}",
        ),
    ]


def _copy_into_staging(table: str, columns: StructType, *, name: str, manifest: str, iam_role: str) -> list[Statement]:
    """Statements that create a staging table and copy the files of a table into it."""
    return [
        Statement(f"create staging for {table}", create_redshift_staging(table, columns, name=name)),
        Statement(
            f"copy {table} into staging",
            f"copy {identifier(name)}\n{_copy_source(manifest, iam_role)}\nformat as parquet manifest",
        ),
    ]


def _copy_source(manifest: str, iam_role: str) -> str:
    role = DEFAULT_ROLE if iam_role == DEFAULT_ROLE else literal(iam_role)
    return f"from {literal(manifest)}\niam_role {role}"


def _check(expected: Sequence[ExpectedTotal], *, schema: str) -> list[Statement]:
    """Two statements: one returns the totals, the other fails if they are not the expected ones.

    An error cannot carry the totals, since Redshift does not quote the text of a failed cast.
    """
    totals = [
        f"select cast({literal(table.table)} as varchar(128)) as table_name, count(*) as row_count, "
        f"{_money(table)} as money\nfrom {qualified_name(schema, table.table)}"
        for table in expected
    ]
    differing = [
        f"  select count(*) as row_count from {qualified_name(schema, table.table)}\n"
        f"  having count(*) <> {number(table.total.rows)}"
        + (f" or coalesce({_money(table)}, 0) <> {number(table.total.money or NO_MONEY)}" if table.money_column else "")
        for table in expected
    ]
    union_all = "\n  union all\n".join(differing)
    return [
        Statement(SUM_TOTALS, "\nunion all\n".join(totals)),
        Statement(
            CHECK_TOTALS,
            "select 1 / (case when count(*) = 0 then 1 else 0 end) as is_whole\n"
            "-- Divides by zero if a table differs from the manifest, which rolls the transaction back.\n"
            f"from (\n{union_all}\n) as differing",
        ),
    ]


def _money(table: ExpectedTotal) -> str:
    amount = f"sum({identifier(table.money_column)})" if table.money_column else "null"
    return f"cast({amount} as decimal(38, 4))"


def _record(run: RunToLoad, *, load_id: str, schema: str) -> Statement:
    """The statement that adds the load's row to `pipeline_runs`."""
    table = qualified_name(schema, PIPELINE_RUNS)
    values = [
        "coalesce(max(load_number), 0) + 1",
        literal(load_id),
        literal(run.run_id),
        f"cast({literal(run.as_of.isoformat())} as date)",
        "getdate()",
        literal(run.configuration_hash),
        literal(run.totals_as_text()),
    ]
    return Statement(
        "record the load",
        f"insert into {table} ({identifier_list(PIPELINE_RUNS_SCHEMA.fieldNames())})\nselect "
        + ",\n  ".join(values)
        + f"\nfrom {table}",
    )
