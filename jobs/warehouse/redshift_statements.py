"""What is said to Redshift, as text: each statement with a name that says the table and what is done to it.

Names are quoted by `identifiers.identifier` and values by `identifiers.literal`. Bound parameters would be better, and
the newest SDK takes them for a batch; but that of AWS Glue 6.0 (boto3 1.42.84) does not, and a batch is what makes a
load one transaction. What is written as a literal is checked before: a date, hashes and identifiers of our own making,
an ARN, the address of an object. Questions of one statement bind their values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.runs.totals import Total
from jobs.warehouse.ddl import (
    PIPELINE_LOCK,
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    create_redshift_staging,
    identifier,
    listed,
    literal,
    qualified,
)
from jobs.warehouse.load_plan import RawTable, RunToLoad, TableToLoad

FIGURES = "add up rows and money"
CHECK = "compare rows and money with the run's manifest"


@dataclass(frozen=True)
class Statement:
    """A statement and its name, which follows "could not" in an error."""

    name: str
    sql: str


@dataclass(frozen=True)
class ExpectedTotal:
    """What a table must hold at the end of the transaction.

    Attributes:
        table: its name.
        total: its rows, and its money.
        money: the column whose sum that is; None for a table without.
    """

    table: str
    total: Total
    money: str | None = None


def last_load(schema: str) -> Statement:
    """The question which load the warehouse holds."""
    return Statement(
        "find the last load",
        f"select load_id from {qualified(schema, PIPELINE_RUNS)} order by load_number desc limit 1",
    )


def load_statements(
    run: RunToLoad, *, load_id: str, schema: str, copies: Mapping[str, str], iam_role: str
) -> list[Statement]:
    """One load, as one transaction: all of it is seen, or nothing.

    The lock comes first: Redshift takes a transaction's view of the tables at its first read or write, and by then the
    load before is committed. TRUNCATE and ALTER TABLE APPEND are faster than DELETE, and commit by themselves.

    Args:
        run: what is loaded.
        load_id: the load's own name.
        schema: where the tables are.
        copies: the manifest in S3 of each table that the run has.
        iam_role: the role that COPY reads with, or ``default``.
    """
    replaced = [
        statement
        for table in run.tables
        for statement in _replace(table, schema=schema, manifest=copies.get(table.name), iam_role=iam_role)
    ]
    expected = [ExpectedTotal(table.name, table.total, table.money) for table in run.tables]
    return [lock(schema), *replaced, *compared(expected, schema=schema), _record(run, load_id=load_id, schema=schema)]


def raw_statements(
    tables: Sequence[RawTable], *, schema: str, copies: Mapping[str, str], iam_role: str
) -> list[Statement]:
    """The raw files, as one transaction: the workshop's COPY, but that no bad row is passed over.

    Args:
        tables: what is loaded.
        schema: where the tables are.
        copies: the manifest in S3 of each raw table's files; ``<table>.gz`` for those that are gzipped.
        iam_role: the role that COPY reads with, or ``default``.
    """
    statements = []
    for table in tables:
        target = qualified(schema, table.name)
        statements.append(Statement(f"delete {table.name}", f"delete from {target}"))
        statements += [
            Statement(
                f"copy files into {table.name}",
                f"copy {target} ({listed(list(table.header))})\nfrom {literal(copies[name])}\n{role_clause(iam_role)}\n"
                f"manifest csv ignoreheader 1 maxerror 0{option}",
            )
            for name, option in ((table.name, ""), (f"{table.name}.gz", " gzip"))
            if name in copies
        ]
    expected = [ExpectedTotal(table.name, Total(table.rows)) for table in tables]
    return [lock(schema), *statements, *compared(expected, schema=schema)]


def lock(schema: str) -> Statement:
    """The statement at which a second load waits for the first."""
    return Statement("wait for other loads", f"lock table {qualified(schema, PIPELINE_LOCK)}")


def role_clause(iam_role: str) -> str:
    """How COPY is told what to read with."""
    return "iam_role default" if iam_role == "default" else f"iam_role {literal(iam_role)}"


def compared(expected: Sequence[ExpectedTotal], *, schema: str) -> list[Statement]:
    """Two statements: one whose result are the figures, and one that fails unless they are what is expected.

    A failing cast does not tell its text, so that the figures cannot be in the failure itself.
    """
    figures = [
        f"select cast({literal(table.table)} as varchar(128)) as table_name, count(*) as row_count, "
        f"{_money(table)} as money\nfrom {qualified(schema, table.table)}"
        for table in expected
    ]
    differing = [
        f"  select count(*) as row_count from {qualified(schema, table.table)}\n"
        f"  having count(*) <> {table.total.rows}"
        + (f" or coalesce({_money(table)}, 0) <> {table.total.money}" if table.money else "")
        for table in expected
    ]
    union_all = "\n  union all\n".join(differing)
    return [
        Statement(FIGURES, "\nunion all\n".join(figures)),
        Statement(
            CHECK,
            "select 1 / (case when count(*) = 0 then 1 else 0 end) as is_whole\n"
            "-- divides by zero, and so ends the transaction, when a table is not what it must be\n"
            f"from (\n{union_all}\n) as differing",
        ),
    ]


def _money(table: ExpectedTotal) -> str:
    amount = f"sum({identifier(table.money)})" if table.money else "null"
    return f"cast({amount} as decimal(38, 4))"


def _replace(table: TableToLoad, *, schema: str, manifest: str | None, iam_role: str) -> list[Statement]:
    """A table's rows in place of those of the run before; without a manifest, no rows."""
    target, staging = qualified(schema, table.name), f"staging_{table.name}"
    columns = listed(table.schema.fieldNames())
    delete = Statement(f"delete {table.name}", f"delete from {target}")
    if manifest is None:
        return [delete]
    return [
        Statement(f"create staging for {table.name}", create_redshift_staging(table.name, table.schema, name=staging)),
        Statement(
            f"copy {table.name} into staging",
            f"copy {identifier(staging)}\nfrom {literal(manifest)}\n{role_clause(iam_role)}\n"
            "format as parquet manifest",
        ),
        delete,
        Statement(
            f"insert {table.name}",
            f"insert into {target} ({columns})\nselect {columns}\nfrom {identifier(staging)}",
        ),
    ]


def _record(run: RunToLoad, *, load_id: str, schema: str) -> Statement:
    table = qualified(schema, PIPELINE_RUNS)
    values = [
        "coalesce(max(load_number), 0) + 1",
        literal(load_id),
        literal(run.run_id),
        f"cast({literal(run.as_of)} as date)",
        "getdate()",
        literal(run.configuration_hash),
        literal(run.totals_as_text()),
    ]
    return Statement(
        "record the load",
        f"insert into {table} ({listed(PIPELINE_RUNS_SCHEMA.fieldNames())})\nselect "
        + ",\n  ".join(values)
        + f"\nfrom {table}",
    )
