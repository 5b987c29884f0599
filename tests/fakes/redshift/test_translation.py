"""Translation of Redshift's SQL: the expected figures are from Redshift's manual, or worked out by hand."""

from typing import Any

import psycopg
import pytest

from tests.fakes.redshift.errors import RedshiftError
from tests.fakes.redshift.translation import parameters_in, translate


@pytest.fixture(scope="module")
def first_row(postgres_server: Any) -> Any:
    with postgres_server.database() as conninfo, psycopg.connect(conninfo, autocommit=True) as connection:

        def execute(*sqls: str) -> Any:
            for sql in sqls:
                cursor = connection.execute(translate(sql).sql.encode())
            return cursor.fetchone() if cursor.description else None

        yield execute


@pytest.mark.parametrize(
    ("unit", "start", "end", "boundaries"),
    [
        ("week", "2024-01-06", "2024-01-07", 1),  # a Saturday and a Sunday
        ("week", "2024-01-07", "2024-01-08", 0),
        ("week", "2009-01-01", "2009-12-31", 52),  # the manual's example
        ("week", "2016-09-04", "2021-11-17", 271),  # the workshop's maximum
        ("week", "1969-12-31", "1970-01-04", 1),
        ("day", "2024-01-01 23:00:00", "2024-01-02 01:00:00", 1),
        ("day", "2024-01-02", "2024-01-01", -1),
        ("month", "2024-01-31", "2024-02-01", 1),
        ("quarter", "1998-07-01", "2008-07-01", 40),  # the manual's example
        ("year", "2023-12-31", "2024-01-01", 1),
    ],
)
def test_datediff_counts_boundaries(first_row: Any, unit: str, start: str, end: str, boundaries: int) -> None:
    assert first_row(f"select datediff({unit}, timestamp '{start}', timestamp '{end}')") == (boundaries,)


def test_keys_are_not_enforced_and_storage_clauses_have_no_effect(first_row: Any) -> None:
    first_row(
        'create table "Keyed" (id varchar(4) encode zstd, n integer not null, other varchar, amount numeric, '
        "primary key (id), unique (n)) diststyle key distkey (id) compound sortkey (id, n)",
        "insert into keyed values ('a', 1, null, 1.4), ('a', 1, null, 1.6)",
    )
    assert first_row("select count(*), min(amount), max(amount) from KEYED") == (2, 1, 2)
    assert first_row(
        "select character_maximum_length from information_schema.columns "
        "where table_name = 'keyed' and column_name = 'other'"
    ) == (256,)


def test_a_copy_of_a_tables_columns_a_view_and_a_lock(first_row: Any) -> None:
    first_row("create schema if not exists old", "create table old.t (x integer not null) diststyle even sortkey (x)")
    first_row(
        "create temp table s (like old.t)", "insert into s values (3)", "create view old.v as select x from old.t"
    )
    first_row("create or replace view old.v as select x, 1 as one from old.t with no schema binding")
    assert first_row("select x / 2, nvl(null, x), 'a\\\\b' from s") == (1, 3, "a\\b")
    assert translate('lock table old.t, "U";').sql == 'LOCK TABLE old.t, "u" IN ACCESS EXCLUSIVE MODE'


def test_getdate_is_a_timestamp_without_a_zone_in_whole_seconds(first_row: Any) -> None:
    time = first_row("select getdate()")[0]
    assert (time.tzinfo, time.microsecond) == (None, 0)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("selec 1", "syntax error"),
        ("select 1; drop table t", "cannot insert multiple commands"),
        ("vacuum t", "VACUUM cannot run inside a transaction block"),
        ("alter table a.b append from c", "ALTER TABLE APPEND cannot run inside a transaction block"),
        ("call x()", 'syntax error at or near "call"'),
        ("", "the statement is empty"),
    ],
)
def test_a_statement_that_redshift_rejects_is_rejected(sql: str, message: str) -> None:
    with pytest.raises(RedshiftError) as rejection:
        translate(sql)
    assert message in str(rejection.value)


def test_parameters_are_found_outside_of_literals_names_and_comments() -> None:
    sql = """select :a, x::int, ':b', '\\':c', ":d" from t -- :e
    where /* :f */ y = :g"""
    assert parameters_in(sql) == {"a", "g"}
    translation = translate("select :a::integer, :b, :a")
    assert (translation.sql, translation.parameters) == ("SELECT CAST($1 AS INT), $2, $3", ("a", "b", "a"))
