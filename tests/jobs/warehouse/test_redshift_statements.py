"""The SQL that Redshift is sent: as in the golden files, valid in Redshift's grammar, and safe with hostile values.

``python -m tests.jobs.warehouse.test_redshift_statements`` rewrites the golden files. Read the diff before you commit.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from pyspark.sql.types import StringType, StructField, StructType
from sqlglot import exp

from jobs.audiences.member_counts import MemberCounts
from jobs.errors import DataError
from jobs.runs.totals import Total
from jobs.storage.store import RunStore
from jobs.storage.table_files import TableFile
from jobs.warehouse.data_api import MAX_STATEMENTS
from jobs.warehouse.ddl import identifier, literal, number, qualified_name
from jobs.warehouse.load_plan import RawTable, RunToLoad, TableToLoad, run_to_load
from jobs.warehouse.members import AudienceToLoad
from jobs.warehouse.redshift_statements import (
    LIST_COLUMNS,
    Statement,
    audience_load_statements,
    audience_preparation_statements,
    last_load_query,
    load_statements,
    preparation_statements,
    raw_load_statements,
    raw_preparation_statements,
)
from jobs.warehouse.staging import StagedFile, copy_manifest
from jobs.warehouse.target import RedshiftAddress
from tests.frames import money
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, edit_manifest, write_run
from transforms.schemas import ADDED_AFTER_0_1, MONEY_COLUMNS, TABLES

GOLDEN = Path(__file__).parent / "golden"
ADDRESS = RedshiftAddress(database="dev", schema="segments", workgroup="analytics")
ROLE = "arn:aws:iam::123456789012:role/segments-copy"
STAGING = "s3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d"
FILES = (TableFile("part-0.snappy.parquet", 1234),)

RUN = RunToLoad(
    run_id="2018-06-30-june",
    as_of=date(2018, 6, 30),
    configuration_hash="0123456789abcdef",
    tables=tuple(
        TableToLoad(name, FILES, Total(len(JUNE[name]), money("40.50") if name in MONEY_COLUMNS else None))
        for name in JUNE
    ),
)
LOAD = load_statements(
    RUN,
    load_id="00d1ce5a1ad0f00d",
    schema="segments",
    copies={name: f"{STAGING}/{name}.manifest" for name in JUNE},
    iam_role=ROLE,
)
COLUMNS = StructType([StructField("order_id", StringType()), StructField("payment_type", StringType())])
RAW = [RawTable("payments", COLUMNS, ("payment_type", "order_id"), FILES, 4)]
AUDIENCE = AudienceToLoad("5b1a9", TableFile("members.parquet", 1234), MemberCounts(3, 3, 2, 1))
AUDIENCE_LOAD = audience_load_statements(
    AUDIENCE, schema="segments", manifest=f"{STAGING}/audiences.manifest", iam_role=ROLE
)

STATEMENTS_BY_FILE: dict[str, Sequence[Statement]] = {
    "first_preparation.sql": [LIST_COLUMNS, *preparation_statements(ADDRESS, {})],
    "load.sql": [last_load_query("segments"), *LOAD],
    "raw_copy.sql": [
        *raw_preparation_statements(RAW, "segments", {}),
        *raw_load_statements(
            RAW,
            schema="segments",
            copies={name: f"{STAGING}/{name}.manifest" for name in ("payments_raw", "payments_raw.gz")},
            iam_role="default",
        ),
    ],
    "audience.sql": [*audience_preparation_statements("segments", {}), *AUDIENCE_LOAD],
}


def as_text(statements: Sequence[Statement]) -> str:
    return "\n".join(f"-- {statement.name}\n{statement.sql};\n" for statement in statements)


@pytest.mark.parametrize("name", STATEMENTS_BY_FILE)
def test_the_statements_are_those_of_the_golden_file(name: str) -> None:
    assert as_text(STATEMENTS_BY_FILE[name]) == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", STATEMENTS_BY_FILE)
def test_every_statement_parses_as_redshift_sql(name: str) -> None:
    for statement in STATEMENTS_BY_FILE[name]:
        # sqlglot does not parse LOCK, and returns a Command for what it does not parse.
        if not statement.sql.startswith("lock table "):
            [tree] = sqlglot.parse(statement.sql, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
            assert tree is not None
            assert not list(tree.find_all(exp.Command)), statement.sql


def test_a_load_is_one_batch_with_unique_statement_names() -> None:
    names = [statement.name for statement in LOAD]
    assert len(LOAD) <= MAX_STATEMENTS
    assert len(set(names)) == len(names)
    assert names[0] == "wait for other loads"
    assert names[-1] == "record the load"
    assert max(len(statement.sql.encode()) for statement in LOAD) < 200_000


def test_nothing_in_a_load_commits_by_itself() -> None:
    for statement in (*LOAD, *AUDIENCE_LOAD):
        assert not statement.sql.lower().startswith(("truncate", "alter", "vacuum", "commit", "begin", "drop"))


def test_columns_that_the_files_of_an_earlier_release_lack_are_neither_copied_nor_filled() -> None:
    [table] = [replace(table, lacks=ADDED_AFTER_0_1["rfm"]) for table in RUN.tables if table.name == "rfm"]
    old = replace(RUN, tables=(table,))
    statements = {
        each.name: each.sql
        for each in load_statements(old, load_id="1", schema="s", copies={"rfm": f"{STAGING}/rfm"}, iam_role=ROLE)
    }
    columns = (
        '"customer_unique_id", "last_purchase_time", "recency_weeks", "purchase_count", "average_purchase_value", '
        '"total_value", "recency", "frequency", "monetary"'
    )
    assert statements["insert rfm"].startswith(f'insert into "s"."rfm" ({columns})\nselect {columns}\n')
    assert "segment" not in statements["create staging for rfm"]


def test_a_table_that_the_run_lacks_is_emptied() -> None:
    [table] = [table for table in RUN.tables if table.name == "rfm"]
    without = RunToLoad("r", date(2018, 6, 30), "h", (TableToLoad("rfm", (), Total(0)),))
    statements = load_statements(without, load_id="l", schema="segments", copies={}, iam_role=ROLE)
    assert table.files
    assert [statement.name for statement in statements if "rfm" in statement.name] == ["delete rfm"]


def test_existing_tables_are_not_created_again() -> None:
    existing: dict[tuple[str, str], list[str]] = {
        ("segments", name): list(schema.fieldNames()) for name, schema in TABLES.items()
    }
    names = [statement.name for statement in preparation_statements(ADDRESS, existing)]
    assert not [name for name in names if name.endswith(tuple(f"table {table}" for table in TABLES))]
    existing["segments", "rfm"].remove("monetary")
    assert "add column monetary to rfm" in [statement.name for statement in preparation_statements(ADDRESS, existing)]


HOSTILE = "x'; drop table segments.rfm; --"


def test_a_hostile_value_stays_within_its_quotes() -> None:
    run = RunToLoad(HOSTILE, date(2018, 6, 30), HOSTILE, RUN.tables)
    statements = load_statements(
        run, load_id=HOSTILE, schema="segments", copies={"rfm": f"s3://b/{HOSTILE}.manifest"}, iam_role=HOSTILE
    )
    quoted = HOSTILE.replace("'", "''")
    for statement in statements:
        assert HOSTILE not in statement.sql.replace(quoted, "")
        if not statement.sql.startswith("lock table "):
            assert len(sqlglot.parse(statement.sql, read="redshift")) == 1


INJECTED = f"0 or 1=1) as x; grant all on schema public to public; {HOSTILE}"


@pytest.mark.parametrize("figure", [INJECTED, "3", True, 3.0, None, Decimal("NaN"), Decimal("Infinity"), [3]])
def test_only_a_number_is_written_as_a_number(figure: Any) -> None:
    with pytest.raises(ValueError, match="invalid SQL number"):
        number(figure)
    table = TableToLoad("rfm", FILES, Total(figure, money("40.50")))
    with pytest.raises(ValueError, match="invalid SQL number"):
        load_statements(replace(RUN, tables=(table,)), load_id="l", schema="segments", copies={}, iam_role=ROLE)


def test_numbers_are_written_in_digits() -> None:
    assert [number(7), number(-(2**63)), number(Decimal("16008872.1200")), number(Decimal("1E+5"))] == [
        *("7", "-9223372036854775808", "16008872.1200", "100000")
    ]


@pytest.mark.parametrize("text", [INJECTED, "x\\'; --", "\0", "1" * 5000, "é", "runs/2018-06-30-june/../../x"])
@pytest.mark.parametrize(
    "place",
    [
        *(("totals", "rfm", "rows"), ("totals", "rfm", "money"), ("tables", "rfm"), ("run_id",), ("as_of",)),
        *(("configuration_hash",), ("outputs", "rfm", 0, "file"), ("outputs", "rfm", 0, "size")),
        *(("outputs", "rfm", 0, "sha256"), ("inputs", "features_run")),
    ],
    ids=str,
)
def test_a_text_in_a_figure_a_path_or_an_id_of_the_manifest_stops_before_any_statement(
    tmp_path: Path, place: tuple[str | int, ...], text: str
) -> None:
    write_run(tmp_path, JUNE_RUN, JUNE)
    path = tmp_path / "runs" / JUNE_RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    part: Any = manifest
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = text
    path.write_text(json.dumps(manifest))
    with pytest.raises(DataError) as error:
        run_to_load(RunStore(str(tmp_path)), JUNE_RUN)
    assert len(str(error.value)) < 500
    assert str(error.value).isprintable()


def test_a_table_whose_money_the_manifest_lacks_is_not_loaded_as_worth_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, JUNE_RUN, JUNE)
    edit_manifest(tmp_path, JUNE_RUN, totals={"rfm": {"rows": 2}})
    with pytest.raises(DataError, match="the manifest of run 2018-06-30-june states no money of table rfm"):
        run_to_load(RunStore(str(tmp_path)), JUNE_RUN)


@pytest.mark.parametrize("schema", [HOSTILE, 'a"; drop schema public cascade; --', "Segments", ""])
def test_a_hostile_schema_becomes_no_statement(schema: str) -> None:
    with pytest.raises(ValueError, match="invalid identifier"):
        load_statements(RUN, load_id="l", schema=schema, copies={}, iam_role=ROLE)


@pytest.mark.parametrize("name", ["", HOSTILE, 'a"b', "A", "1a", "a.b", "a\n", "a" * 128])
def test_an_invalid_name_becomes_no_identifier(name: str) -> None:
    with pytest.raises(ValueError, match="invalid identifier"):
        identifier(name)


def test_names_are_quoted_and_texts_have_their_quotes_doubled() -> None:
    assert qualified_name("public", "user") == '"public"."user"'
    assert literal(HOSTILE) == "'x''; drop table segments.rfm; --'"
    with pytest.raises(ValueError, match="no backslash"):
        literal("\\' or 1=1 --")


def test_a_copy_manifest_lists_each_file_as_mandatory_with_its_size() -> None:
    text = copy_manifest([StagedFile("s3://b/a.parquet", 17), StagedFile("s3://b/c.parquet", 4)])
    assert text == (
        '{"entries": [{"url": "s3://b/a.parquet", "mandatory": true, "meta": {"content_length": 17}}, '
        '{"url": "s3://b/c.parquet", "mandatory": true, "meta": {"content_length": 4}}]}'
    )


if __name__ == "__main__":
    for file, statements in STATEMENTS_BY_FILE.items():
        (GOLDEN / file).write_text(as_text(statements), encoding="utf-8")
