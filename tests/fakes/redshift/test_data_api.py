"""The Data API's stand-in through boto3, against statements written by hand."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.fakes.conftest import WORKGROUP
from tests.fakes.redshift.data_api import DataApi

MAKE_T = "create table t (x integer not null, y varchar(8)) diststyle all sortkey (x)"


pytestmark = pytest.mark.usefixtures("data_api")


def test_a_batch_runs_and_its_results_can_be_read(batch: Any, client: Any) -> None:
    found = batch(
        MAKE_T,
        "insert into t values (1, 'a'), (2, null)",
        "select x, y, x / 2 as half, cast(x as numeric(18,4)) as d, x > 1 as b, timestamp '2018-01-01 10:00:00' as at, "
        "0.5::double precision as f from t order by x",
    )
    assert (found["Status"], found["HasResultSet"], found["ExecutionMode"]) == ("FINISHED", True, "TRANSACTION")
    assert [(s["Id"], s["Status"], s["ResultRows"], s["HasResultSet"]) for s in found["SubStatements"]] == [
        (f"{found['Id']}:1", "FINISHED", -1, False),
        (f"{found['Id']}:2", "FINISHED", 2, False),
        (f"{found['Id']}:3", "FINISHED", 2, True),
    ]
    result = client.get_statement_result(Id=f"{found['Id']}:3")
    texts = ("2018-01-01 10:00:00",)
    assert result["Records"] == [
        [{"longValue": 1}, {"stringValue": "a"}, {"longValue": 0}, {"stringValue": "1.0000"}, {"booleanValue": False}]
        + [{"stringValue": text} for text in texts]
        + [{"doubleValue": 0.5}],
        [{"longValue": 2}, {"isNull": True}, {"longValue": 1}, {"stringValue": "2.0000"}, {"booleanValue": True}]
        + [{"stringValue": text} for text in texts]
        + [{"doubleValue": 0.5}],
    ]
    names = [(column["name"], column["typeName"]) for column in result["ColumnMetadata"]]
    assert names[:4] == [("x", "int4"), ("y", "varchar"), ("half", "int4"), ("d", "numeric")]


def test_long_results_come_page_by_page(data_api: DataApi, batch: Any, client: Any) -> None:
    data_api.page_rows = 2
    found = batch(MAKE_T, "insert into t values (1), (2), (3)", "select x from t order by x")
    pages = client.get_paginator("get_statement_result").paginate(Id=f"{found['Id']}:3")
    assert [[row[0]["longValue"] for row in page["Records"]] for page in pages] == [[1, 2], [3]]


def test_a_failed_statement_takes_the_batch_with_it(batch: Any, look: Any) -> None:
    batch(MAKE_T)
    found = batch("insert into t values (1)", "select 1/0", "insert into t values (2)")
    assert found["Status"] == "FAILED"
    assert found["Error"] == "Query #2 failed with ERROR: division by zero"
    assert [s["Status"] for s in found["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert look("select * from t") == []


def test_with_auto_commit_a_failed_statement_stays_alone(batch: Any, look: Any) -> None:
    found = batch(MAKE_T, "select 1/0", "insert into t values (2)", ExecutionMode="AUTO_COMMIT")
    assert (found["Status"], [s["Status"] for s in found["SubStatements"]]) == (
        "FAILED",
        ["FINISHED", "FAILED", "FINISHED"],
    )
    assert look("select x from t") == [(2,)]


def test_a_cast_of_bad_text_does_not_say_the_text(batch: Any) -> None:
    found = batch("select cast('orders: 3 rows, expected 4' as integer)")
    assert found["Error"] == "Query #1 failed with ERROR: Invalid digit, Value 'o', Pos 0, Type: Integer"
    found = batch("select cast('2018-13-01' as date)")
    assert found["Error"] == "Query #1 failed with ERROR: Error converting text to date"


def test_truncate_commits_what_came_before_it_as_in_redshift(batch: Any, look: Any) -> None:
    batch(MAKE_T, "create table u (x integer)", "insert into u values (7)")
    assert batch("insert into t values (1)", "truncate u", "select 1/0")["Status"] == "FAILED"
    assert (look("select x from t"), look("select x from u")) == ([(1,)], [])


def test_temporary_tables_end_with_their_batch(batch: Any) -> None:
    batch(MAKE_T)
    found = batch("create temp table s (like t)", "insert into s values (1)", "select * from s")
    assert found["Status"] == "FINISHED"
    assert 'relation "s" does not exist' in batch("select * from s")["Error"]


def test_parameters_are_bound_and_never_pasted(batch: Any, look: Any) -> None:
    batch(
        MAKE_T,
        "insert into t values (:x, :y)",
        "insert into t values (:x::integer + 1, ':y')",
        Parameters=[{"name": "x", "value": "1"}, {"name": "y", "value": "a'); --"}],
    )
    assert look("select x, y from t order by x") == [(1, "a'); --"), (2, ":y")]


REFUSED: list[tuple[list[str], dict[str, Any], str]] = [
    (["select 1"], {"Parameters": [{"name": "x", "value": "1"}]}, "Unused parameters: [x]"),
    (["select :x"], {}, "Cannot find parameter: x"),
    (["select '" + "x" * 200_000 + "'"], {}, "exceeds the limit of 200 KB"),
    (["select 1"], {"WorkgroupName": "other"}, "Redshift endpoint doesn't exist in this region."),
    (["select 1"], {"ClusterIdentifier": "segments-cluster"}, "exactly one of"),
    (["select 1"], {"DbUser": "admin"}, "DbUser is not supported"),
    (["select 1"] * 41, {}, "at most 40, found 41"),
]


def test_what_the_service_refuses_is_refused_at_once(client: Any, data_api: DataApi) -> None:
    for sqls, members, words in REFUSED:
        with pytest.raises(client.exceptions.ValidationException) as refused:
            client.batch_execute_statement(Sqls=sqls, **{**WORKGROUP, **members})
        assert words in str(refused.value)
    assert data_api.executions == []


def test_a_cluster_and_a_workgroups_arn_are_known_too(client: Any) -> None:
    arn = "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/team/segments"
    for target in ({"ClusterIdentifier": "segments-cluster", "DbUser": "etl"}, {"WorkgroupName": arn}):
        started = client.execute_statement(Sql="select 1 as one", Database="dev", WaitTimeSeconds=20, **target)
        assert started["Status"] == "FINISHED"
        assert client.get_statement_result(Id=started["Id"])["Records"] == [[{"longValue": 1}]]


def test_an_unknown_database_fails_the_statement(client: Any) -> None:
    started = client.execute_statement(Sql="select 1", WorkgroupName="segments", Database="prod", WaitTimeSeconds=20)
    assert client.describe_statement(Id=started["Id"])["Error"] == 'FATAL: database "prod" does not exist'


def test_the_same_token_is_the_same_execution_for_eight_hours(data_api: DataApi, batch: Any, look: Any) -> None:
    batch(MAKE_T)
    insert = "insert into t values (1)"
    first = batch(insert, ClientToken="run-1")
    data_api.clock.ahead = timedelta(hours=7, minutes=59)
    assert batch(insert, ClientToken="run-1")["Id"] == first["Id"]
    assert look("select x from t") == [(1,)]
    data_api.clock.ahead = timedelta(hours=8, minutes=1)
    assert batch(insert, ClientToken="run-1")["Id"] != first["Id"]
    assert look("select x from t") == [(1,), (1,)]


def test_a_batch_whose_answer_is_lost_was_committed_once(data_api: DataApi, batch: Any, look: Any) -> None:
    batch(MAKE_T)
    data_api.drop_after_commit()
    found = batch("insert into t values (1)", ClientToken="run-1")  # botocore asks again by itself
    assert found["Status"] == "FINISHED"
    assert look("select x from t") == [(1,)]
    data_api.service.faults.drop_before("BatchExecuteStatement", times=3)
    with pytest.raises(ConnectionClosedError):
        batch("insert into t values (2)")
    assert look("select x from t") == [(1,)]


def test_statements_fail_where_they_were_asked_to(data_api: DataApi, batch: Any, look: Any) -> None:
    batch(MAKE_T)
    data_api.fail_statement(2, "ERROR: out of memory")
    assert batch("insert into t values (1)", "select 1")["Error"] == "Query #2 failed with ERROR: out of memory"
    data_api.fail_commit("ERROR: the leader node restarted")
    assert batch("insert into t values (1)")["Error"] == "ERROR: the leader node restarted"
    assert look("select x from t") == []
    assert batch("insert into t values (1)")["Status"] == "FINISHED"


def test_nothing_is_seen_of_a_held_batch_until_it_commits(
    data_api: DataApi, client: Any, batch: Any, look: Any
) -> None:
    batch(MAKE_T)
    hold = data_api.hold_statement(2)
    started = client.batch_execute_statement(Sqls=["insert into t values (1)", "select 1"], **WORKGROUP)
    assert hold.reached.wait(20)
    found = client.describe_statement(Id=started["Id"])
    assert (found["Status"], [s["Status"] for s in found["SubStatements"]]) == ("STARTED", ["FINISHED", "STARTED"])
    assert look("select x from t") == []
    hold.release()
    assert client.describe_statement(Id=started["Id"], WaitTimeSeconds=20)["Status"] == "FINISHED"
    assert look("select x from t") == [(1,)]


def test_a_cancelled_batch_leaves_nothing(data_api: DataApi, client: Any, batch: Any, look: Any) -> None:
    batch(MAKE_T)
    hold = data_api.hold_statement(2)
    started = client.batch_execute_statement(Sqls=["insert into t values (1)", "select 1"], **WORKGROUP)
    assert hold.reached.wait(20)
    assert client.cancel_statement(Id=started["Id"])["Status"] is True
    assert client.describe_statement(Id=started["Id"])["Status"] == "ABORTED"
    assert look("select x from t") == []
    with pytest.raises(client.exceptions.ValidationException, match="already in ABORTED state"):
        client.cancel_statement(Id=started["Id"])


def test_executions_are_listed_the_newest_first(client: Any, batch: Any) -> None:
    batch("select 1", StatementName="load-1")
    batch("select 1/0", StatementName="load-2")
    listed = client.list_statements(StatementName="load")["Statements"]
    assert [(s["StatementName"], s["Status"], s["QueryStrings"]) for s in listed] == [
        ("load-2", "FAILED", ["select 1/0"]),
        ("load-1", "FINISHED", ["select 1"]),
    ]
    assert len(client.list_statements(Status="FAILED")["Statements"]) == 1
