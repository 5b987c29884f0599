"""Runs in Redshift's stand-in, through boto3 and HTTP: one at a time, whole or not at all."""

from typing import Any

import psycopg
import pytest

from jobs.storage.s3 import S3Folder
from tests.frames import money
from tests.jobs.warehouse.conftest import FEBRUARY_RUN, IS_FEBRUARY, IS_JUNE, JUNE_RUN, InPostgres
from tests.jobs.warehouse.made_runs import JUNE, edit_manifest


def test_the_tables_hold_the_run_and_nothing_is_left_in_s3(warehouse: InPostgres) -> None:
    assert warehouse.publish() == 0
    assert warehouse.tables() == IS_JUNE
    assert warehouse.staged() == []
    [(number, run, as_of, payments)] = warehouse.query(
        "select load_number, run_id, as_of::text, tables::json->'payments' from rfm.pipeline_runs"
    )
    assert (number, run, as_of, payments) == (1, JUNE_RUN, "2018-06-30", {"rows": 4, "money": "40.5000"})


def test_a_run_loaded_again_is_there_once_and_another_takes_its_place(warehouse: InPostgres) -> None:
    assert warehouse.publish() == warehouse.publish() == 0
    assert warehouse.tables() == IS_JUNE
    assert warehouse.publish("--run", FEBRUARY_RUN) == 0
    assert warehouse.tables() == IS_FEBRUARY
    # Within the eight hours for which the service remembers the call that loaded June.
    assert warehouse.publish("--run", JUNE_RUN) == 0
    assert warehouse.tables() == IS_JUNE
    assert warehouse.runs() == [JUNE_RUN, JUNE_RUN, FEBRUARY_RUN, JUNE_RUN]


def test_a_cluster_is_loaded_as_serverless_is(warehouse: InPostgres) -> None:
    assert warehouse.publish(to="redshift+cluster://segments-cluster/dev/rfm?db_user=loader") == 0
    assert warehouse.tables() == IS_JUNE
    assert warehouse.loads()[0].request["DbUser"] == "loader"


def test_grants_survive_and_a_second_load_makes_nothing(warehouse: InPostgres) -> None:
    assert warehouse.publish() == 0
    warehouse.execute("grant select on rfm.rfm, rfm_workshop.rfm_input_2 to public")
    warehouse.api.executions.clear()
    assert warehouse.publish("--run", FEBRUARY_RUN) == 0
    granted = "select table_name from information_schema.role_table_grants where grantee = 'PUBLIC' and table_schema "
    assert warehouse.query(f"{granted} in ('rfm', 'rfm_workshop') order by 1") == [("rfm",), ("rfm_input_2",)]
    said = [statement.sql for execution in warehouse.api.executions for statement in execution.statements]
    assert not [sql for sql in said if sql.startswith(("create table", "create schema", "create or", "alter", "drop"))]


def test_a_column_that_the_table_lacks_is_added_and_one_of_the_readers_own_stays(warehouse: InPostgres) -> None:
    assert warehouse.publish("--run", FEBRUARY_RUN) == 0
    warehouse.execute("alter table rfm.rfm drop column monetary cascade")
    warehouse.execute("alter table rfm.rfm add column note text")
    assert warehouse.publish() == 0
    found = warehouse.query("select customer_unique_id, monetary, note from rfm.rfm order by 1")
    assert found == [("ann", 5.0, None), ("bob", 0.0, None)]


WORKSHOP_JOIN = b"""
    select orders_1.order_id, customers_1.customer_unique_id, orders_1.order_purchase_time, payments_1.payment_value
    from orders_1 inner join customers_1 on orders_1.customer_id = customers_1.customer_id
    inner join payments_1 on orders_1.order_id = payments_1.order_id order by 3, 4 desc
"""


def test_the_workshops_sql_runs_on_its_own_names(warehouse: InPostgres) -> None:
    assert warehouse.publish() == 0
    with psycopg.connect(warehouse.conninfo, options="-c search_path=rfm_workshop") as connection:
        joined = connection.execute(WORKSHOP_JOIN).fetchall()
        assert [row[3] for row in joined] == [money("10"), money("5.5"), money("5"), money("20")]
        assert joined == connection.execute("select * from transactions_1 order by 3, 4 desc").fetchall()
        assert len(connection.execute("select * from rfm_input_1").fetchall()) == len(JUNE["purchases"])
        normalised = connection.execute("select * from rfm_input_2 order by 1").fetchall()
    assert normalised == [("ann", 0.0, 5.0, 5.0), ("bob", 5.0, 0.0, 0.0)]


def test_only_files_of_the_run_are_loaded_whatever_lies_beside_them(warehouse: InPostgres) -> None:
    stray = f"staging/{JUNE_RUN}"
    warehouse.s3.put_object(Bucket=warehouse.bucket, Key=stray, Body=b"these are no rows")
    assert warehouse.publish() == 0
    assert warehouse.tables() == IS_JUNE
    assert warehouse.staged() == [stray]


def put_into_s3(warehouse: InPostgres) -> None:
    """The June run in the bucket too, with the ETags of its files in its manifest."""
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


def test_a_run_in_s3_is_loaded_from_where_it_is(warehouse: InPostgres) -> None:
    put_into_s3(warehouse)
    before = warehouse.staged()
    assert warehouse.publish("--output", f"s3://{warehouse.bucket}/lake") == 0
    assert warehouse.tables() == IS_JUNE
    assert warehouse.staged() == before


def test_a_file_in_s3_that_was_written_over_is_not_loaded(
    warehouse: InPostgres, capfd: pytest.CaptureFixture[str]
) -> None:
    put_into_s3(warehouse)
    key = f"lake/runs/{JUNE_RUN}/rfm/part-0.snappy.parquet"
    warehouse.s3.put_object(Bucket=warehouse.bucket, Key=key, Body=b"others")
    assert warehouse.publish("--output", f"s3://{warehouse.bucket}/lake") == 3
    assert "table rfm: part-0.snappy.parquet was changed: found 6 bytes, ETag" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("redshift://nowhere/dev/rfm", "endpoint doesn't exist in this region). Check --warehouse"),
        ("redshift://segments/prod/rfm", 'database "prod" does not exist'),
    ],
)
def test_a_warehouse_that_is_not_there_is_said_to_be_none(
    warehouse: InPostgres, to: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert warehouse.publish(to=to) == 4
    error = capfd.readouterr().err
    assert "could not list tables and columns" in error
    assert said in error
    assert error.count("\n") == 1
