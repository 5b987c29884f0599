"""Loads into the fake Redshift, through boto3 and HTTP: one run at a time, in one transaction."""

from typing import Any

import psycopg
import pytest

from jobs.storage.s3 import S3Folder
from tests.frames import money
from tests.jobs.warehouse.conftest import FEBRUARY_TABLES, JUNE_TABLES, RedshiftPublication
from tests.jobs.warehouse.small_runs import FEBRUARY_RUN, JUNE, JUNE_RUN, WORKSHOP_JOIN, edit_manifest
from tests.log_lines import without_logs


def test_the_tables_hold_the_run_and_staging_is_empty(warehouse: RedshiftPublication) -> None:
    assert warehouse.publish() == 0
    assert warehouse.tables() == JUNE_TABLES
    assert warehouse.staged_keys() == []
    [(number, run, as_of, payments)] = warehouse.query(
        "select load_number, run_id, as_of::text, tables::json->'payments' from rfm.pipeline_runs"
    )
    assert (number, run, as_of, payments) == (1, JUNE_RUN, "2018-06-30", {"rows": 4, "money": "40.5000"})


def test_a_run_that_is_loaded_twice_has_its_rows_once_and_another_replaces_it(warehouse: RedshiftPublication) -> None:
    assert warehouse.publish() == warehouse.publish() == 0
    assert warehouse.tables() == JUNE_TABLES
    assert warehouse.publish("--run", FEBRUARY_RUN) == 0
    assert warehouse.tables() == FEBRUARY_TABLES
    # The service still remembers the client token of the first load of June.
    assert warehouse.publish("--run", JUNE_RUN) == 0
    assert warehouse.tables() == JUNE_TABLES
    assert warehouse.runs() == [JUNE_RUN, JUNE_RUN, FEBRUARY_RUN, JUNE_RUN]


def test_a_cluster_is_loaded_like_serverless(warehouse: RedshiftPublication) -> None:
    assert warehouse.publish(to="redshift+cluster://segments-cluster/dev/rfm?db_user=loader") == 0
    assert warehouse.tables() == JUNE_TABLES
    assert warehouse.loads()[0].request["DbUser"] == "loader"


def test_grants_survive_and_a_second_load_creates_nothing(warehouse: RedshiftPublication) -> None:
    assert warehouse.publish() == 0
    warehouse.execute("grant select on rfm.rfm, rfm_workshop.rfm_input_2 to public")
    warehouse.api.executions.clear()
    assert warehouse.publish("--run", FEBRUARY_RUN) == 0
    granted = "select table_name from information_schema.role_table_grants where grantee = 'PUBLIC' and table_schema "
    assert warehouse.query(f"{granted} in ('rfm', 'rfm_workshop') order by 1") == [("rfm",), ("rfm_input_2",)]
    sent = [statement.sql for execution in warehouse.api.executions for statement in execution.statements]
    assert not [sql for sql in sent if sql.startswith(("create table", "create schema", "create or", "alter", "drop"))]


def test_a_missing_column_is_added_and_a_readers_own_column_stays(warehouse: RedshiftPublication) -> None:
    assert warehouse.publish("--run", FEBRUARY_RUN) == 0
    warehouse.execute("alter table rfm.rfm drop column monetary cascade")
    warehouse.execute("alter table rfm.rfm add column note text")
    assert warehouse.publish() == 0
    rows = warehouse.query("select customer_unique_id, monetary, note from rfm.rfm order by 1")
    assert rows == [("ann", 5.0, None), ("bob", 0.0, None)]


def test_the_workshops_sql_runs_on_its_table_names(warehouse: RedshiftPublication) -> None:
    assert warehouse.publish() == 0
    with psycopg.connect(warehouse.conninfo, options="-c search_path=rfm_workshop") as connection:
        joined = connection.execute(WORKSHOP_JOIN.encode()).fetchall()
        assert [row[3] for row in joined] == [money("10"), money("5.5"), money("5"), money("20")]
        assert joined == connection.execute("select * from transactions_1 order by 3, 4 desc").fetchall()
        assert len(connection.execute("select * from rfm_input_1").fetchall()) == len(JUNE["purchases"])
        normalised = connection.execute("select * from rfm_input_2 order by 1").fetchall()
    assert normalised == [("ann", 0.0, 5.0, 5.0), ("bob", 5.0, 0.0, 0.0)]


def test_only_the_files_of_the_run_are_loaded(warehouse: RedshiftPublication) -> None:
    stray = f"staging/{JUNE_RUN}"
    warehouse.s3.put_object(Bucket=warehouse.bucket, Key=stray, Body=b"these are no rows")
    assert warehouse.publish() == 0
    assert warehouse.tables() == JUNE_TABLES
    assert warehouse.staged_keys() == [stray]


def copy_run_to_s3(warehouse: RedshiftPublication) -> None:
    """Copy the June run into the bucket, and write the ETags of its files into its manifest."""
    lake = S3Folder(warehouse.bucket, "lake")
    for name in JUNE:
        lake.copy_in(warehouse.output / "runs" / JUNE_RUN / name, "runs", JUNE_RUN, name)
    listed = warehouse.s3.list_objects_v2(Bucket=warehouse.bucket, Prefix="lake/")["Contents"]
    outputs: dict[str, list[dict[str, Any]]] = {name: [] for name in JUNE}
    for entry in listed:
        *_, table, file = entry["Key"].split("/")
        if not file.startswith("."):
            outputs[table].append({"file": file, "size": entry["Size"], "etag": entry["ETag"].strip('"')})
    edit_manifest(warehouse.output, JUNE_RUN, outputs=outputs)
    for name in (f"runs/{JUNE_RUN}/manifest.json", "current.json"):
        lake.write_text((warehouse.output / name).read_text(), *name.split("/"))


def test_a_run_in_s3_is_loaded_without_a_copy(warehouse: RedshiftPublication) -> None:
    copy_run_to_s3(warehouse)
    before = warehouse.staged_keys()
    assert warehouse.publish("--output", f"s3://{warehouse.bucket}/lake") == 0
    assert warehouse.tables() == JUNE_TABLES
    assert warehouse.staged_keys() == before


def test_a_file_in_s3_that_was_overwritten_is_not_loaded(
    warehouse: RedshiftPublication, capfd: pytest.CaptureFixture[str]
) -> None:
    copy_run_to_s3(warehouse)
    key = f"lake/runs/{JUNE_RUN}/rfm/part-0.snappy.parquet"
    warehouse.s3.put_object(Bucket=warehouse.bucket, Key=key, Body=b"others")
    assert warehouse.publish("--output", f"s3://{warehouse.bucket}/lake") == 3
    assert "table rfm: part-0.snappy.parquet was changed: found 6 bytes, ETag" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        ("redshift://nowhere/dev/rfm", "endpoint doesn't exist in this region). Check --warehouse"),
        ("redshift://segments/prod/rfm", 'database "prod" does not exist'),
    ],
)
def test_a_missing_warehouse_or_database_is_reported(
    warehouse: RedshiftPublication, to: str, problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert warehouse.publish(to=to) == 4
    error = capfd.readouterr().err
    assert "could not list tables and columns" in error
    assert problem in error
    assert len(without_logs(error)) == 1
