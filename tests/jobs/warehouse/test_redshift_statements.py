"""What is said to Redshift: the golden file has all of it, and Redshift's grammar takes it.

``python -m tests.jobs.warehouse.test_redshift_statements`` writes the file anew; read its diff before you commit it.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlglot
from pyspark.sql.types import StringType, StructField, StructType
from sqlglot import exp

from jobs.runs.totals import Total
from jobs.storage.table_files import TableFile
from jobs.warehouse.data_api import MOST_STATEMENTS
from jobs.warehouse.load_plan import RawTable, RunToLoad, TableToLoad
from jobs.warehouse.redshift import COLUMNS_OF, preparation, raw_preparation
from jobs.warehouse.redshift_statements import Statement, last_load, load_statements, raw_statements
from jobs.warehouse.staging import StagedFile, copy_manifest
from jobs.warehouse.target import RedshiftAddress
from tests.frames import money
from tests.jobs.warehouse.made_runs import JUNE
from transforms.schemas import MONEY_COLUMNS, TABLES

GOLDEN = Path(__file__).parent / "golden"
ADDRESS = RedshiftAddress(database="dev", schema="segments", workgroup="analytics")
ROLE = "arn:aws:iam::123456789012:role/segments-copy"
STAGING = "s3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d"
FILES = (TableFile("part-0.snappy.parquet", 1234),)

RUN = RunToLoad(
    run_id="2018-06-30-june",
    as_of="2018-06-30",
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

FILES_OF_STATEMENTS: dict[str, Sequence[Statement]] = {
    "first_preparation.sql": [COLUMNS_OF, *preparation(ADDRESS, {})],
    "load.sql": [last_load("segments"), *LOAD],
    "raw_copy.sql": [
        *raw_preparation(RAW, "segments", {}),
        *raw_statements(
            RAW,
            schema="segments",
            copies={name: f"{STAGING}/{name}.manifest" for name in ("payments_raw", "payments_raw.gz")},
            iam_role="default",
        ),
    ],
}


def as_text(statements: Sequence[Statement]) -> str:
    return "\n".join(f"-- {statement.name}\n{statement.sql};\n" for statement in statements)


@pytest.mark.parametrize("name", FILES_OF_STATEMENTS)
def test_what_is_said_is_what_the_golden_file_has(name: str) -> None:
    assert as_text(FILES_OF_STATEMENTS[name]) == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES_OF_STATEMENTS)
def test_redshifts_grammar_takes_every_statement(name: str) -> None:
    for statement in FILES_OF_STATEMENTS[name]:
        # sqlglot has no LOCK, and says so by a Command; anything else it reads in full.
        if not statement.sql.startswith("lock table "):
            [tree] = sqlglot.parse(statement.sql, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
            assert tree is not None
            assert not list(tree.find_all(exp.Command)), statement.sql


def test_a_load_is_one_batch_and_names_every_statement_once() -> None:
    names = [statement.name for statement in LOAD]
    assert len(LOAD) <= MOST_STATEMENTS
    assert len(set(names)) == len(names)
    assert names[0] == "wait for other loads"
    assert names[-1] == "record the load"
    assert max(len(statement.sql.encode()) for statement in LOAD) < 200_000


def test_nothing_in_a_load_commits_by_itself() -> None:
    for statement in LOAD:
        assert not statement.sql.lower().startswith(("truncate", "alter", "vacuum", "commit", "begin", "drop"))


def test_of_a_table_that_the_run_does_not_have_the_rows_are_taken_away() -> None:
    [table] = [table for table in RUN.tables if table.name == "rfm"]
    without = RunToLoad("r", "2018-06-30", "h", (TableToLoad("rfm", (), Total(0)),))
    said = load_statements(without, load_id="l", schema="segments", copies={}, iam_role=ROLE)
    assert table.files
    assert [statement.name for statement in said if "rfm" in statement.name] == ["delete rfm"]


def test_what_is_there_is_not_made_again() -> None:
    existing: dict[tuple[str, str], list[str]] = {
        ("segments", name): list(schema.fieldNames()) for name, schema in TABLES.items()
    }
    said = [statement.name for statement in preparation(ADDRESS, existing)]
    assert not [name for name in said if name.endswith(tuple(f"table {table}" for table in TABLES))]
    existing["segments", "rfm"].remove("monetary")
    assert "add column monetary to rfm" in [statement.name for statement in preparation(ADDRESS, existing)]


HOSTILE = "x'; drop table segments.rfm; --"


def test_a_hostile_value_stays_within_its_quotes() -> None:
    run = RunToLoad(HOSTILE, "2018-06-30", HOSTILE, RUN.tables)
    said = load_statements(
        run, load_id=HOSTILE, schema="segments", copies={"rfm": f"s3://b/{HOSTILE}.manifest"}, iam_role=HOSTILE
    )
    quoted = HOSTILE.replace("'", "''")
    for statement in said:
        assert HOSTILE not in statement.sql.replace(quoted, "")
        if not statement.sql.startswith("lock table "):
            assert len(sqlglot.parse(statement.sql, read="redshift")) == 1


@pytest.mark.parametrize("schema", [HOSTILE, 'a"; drop schema public cascade; --', "Segments", ""])
def test_a_hostile_schema_becomes_no_statement(schema: str) -> None:
    with pytest.raises(ValueError, match="is no identifier"):
        load_statements(RUN, load_id="l", schema=schema, copies={}, iam_role=ROLE)


def test_a_manifest_lists_each_file_as_one_that_must_be_there_with_its_size() -> None:
    text = copy_manifest([StagedFile("s3://b/a.parquet", 17), StagedFile("s3://b/c.parquet", 4)])
    assert text == (
        '{"entries": [{"url": "s3://b/a.parquet", "mandatory": true, "meta": {"content_length": 17}}, '
        '{"url": "s3://b/c.parquet", "mandatory": true, "meta": {"content_length": 4}}]}'
    )


if __name__ == "__main__":
    for file, statements in FILES_OF_STATEMENTS.items():
        (GOLDEN / file).write_text(as_text(statements), encoding="utf-8")
