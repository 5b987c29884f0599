"""The Redshift Data API through boto3, with handwritten statements."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.fakes.environment import WORKGROUP
from tests.fakes.redshift.data_api import DataApi

CREATE_T = "create table t (x integer not null, y varchar(8)) diststyle all sortkey (x)"


pytestmark = pytest.mark.usefixtures("data_api")


def test_a_batch_runs_and_its_results_can_be_read(batch: Any, client: Any) -> None:
    description = batch(
        CREATE_T,
        "insert into t values (1, 'a'), (2, null)",
        "select x, y, x / 2 as half, cast(x as numeric(18,4)) as d, x > 1 as b, timestamp '2018-01-01 10:00:00' as at, "
        "0.5::double precision as f from t order by x",
    )
    assert (description["Status"], description["HasResultSet"], description["ExecutionMode"]) == (
        "FINISHED",
        True,
        "TRANSACTION",
    )
    assert [(s["Id"], s["Status"], s["ResultRows"], s["HasResultSet"]) for s in description["SubStatements"]] == [
        (f"{description['Id']}:1", "FINISHED", -1, False),
        (f"{description['Id']}:2", "FINISHED", 2, False),
        (f"{description['Id']}:3", "FINISHED", 2, True),
    ]
    result = client.get_statement_result(Id=f"{description['Id']}:3")
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
    description = batch(CREATE_T, "insert into t values (1), (2), (3)", "select x from t order by x")
    pages = client.get_paginator("get_statement_result").paginate(Id=f"{description['Id']}:3")
    assert [[row[0]["longValue"] for row in page["Records"]] for page in pages] == [[1, 2], [3]]


def test_a_failed_statement_rolls_the_batch_back(batch: Any, query: Any) -> None:
    batch(CREATE_T)
    description = batch("insert into t values (1)", "select 1/0", "insert into t values (2)")
    assert description["Status"] == "FAILED"
    assert description["Error"] == "Query #2 failed with ERROR: division by zero"
    assert [s["Status"] for s in description["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert query("select * from t") == []


def test_with_auto_commit_a_failed_statement_fails_alone(batch: Any, query: Any) -> None:
    description = batch(CREATE_T, "select 1/0", "insert into t values (2)", ExecutionMode="AUTO_COMMIT")
    assert (description["Status"], [s["Status"] for s in description["SubStatements"]]) == (
        "FAILED",
        ["FINISHED", "FAILED", "FINISHED"],
    )
    assert query("select x from t") == [(2,)]


def test_the_error_of_a_bad_cast_does_not_contain_the_text(batch: Any) -> None:
    description = batch("select cast('orders: 3 rows, expected 4' as integer)")
    assert description["Error"] == "Query #1 failed with ERROR: Invalid digit, Value 'o', Pos 0, Type: Integer"
    description = batch("select cast('2018-13-01' as date)")
    assert description["Error"] == "Query #1 failed with ERROR: Error converting text to date"


def test_truncate_commits_the_statements_before_it_as_in_redshift(batch: Any, query: Any) -> None:
    batch(CREATE_T, "create table u (x integer)", "insert into u values (7)")
    assert batch("insert into t values (1)", "truncate u", "select 1/0")["Status"] == "FAILED"
    assert (query("select x from t"), query("select x from u")) == ([(1,)], [])


def test_temporary_tables_end_with_their_batch(batch: Any) -> None:
    batch(CREATE_T)
    description = batch("create temp table s (like t)", "insert into s values (1)", "select * from s")
    assert description["Status"] == "FINISHED"
    assert 'relation "s" does not exist' in batch("select * from s")["Error"]


def test_parameters_are_bound_and_never_inserted_into_the_text(batch: Any, query: Any) -> None:
    batch(
        CREATE_T,
        "insert into t values (:x, :y)",
        "insert into t values (:x::integer + 1, ':y')",
        Parameters=[{"name": "x", "value": "1"}, {"name": "y", "value": "a'); --"}],
    )
    assert query("select x, y from t order by x") == [(1, "a'); --"), (2, ":y")]


REJECTED: list[tuple[list[str], dict[str, Any], str]] = [
    (["select 1"], {"Parameters": [{"name": "x", "value": "1"}]}, "Unused parameters: [x]"),
    (["select :x"], {}, "Cannot find parameter: x"),
    (["select '" + "x" * 200_000 + "'"], {}, "exceeds the limit of 200 KB"),
    (["select 1"], {"WorkgroupName": "other"}, "Redshift endpoint doesn't exist in this region."),
    (["select 1"], {"ClusterIdentifier": "segments-cluster"}, "exactly one of"),
    (["select 1"], {"DbUser": "admin"}, "DbUser is not supported"),
    (["select 1"] * 41, {}, "at most 40, found 41"),
]


def test_an_invalid_request_is_rejected_at_once(client: Any, data_api: DataApi) -> None:
    for sqls, members, message in REJECTED:
        with pytest.raises(client.exceptions.ValidationException) as rejection:
            client.batch_execute_statement(Sqls=sqls, **{**WORKGROUP, **members})
        assert message in str(rejection.value)
    assert data_api.executions == []


def test_a_cluster_and_the_arn_of_a_workgroup_are_targets_too(client: Any) -> None:
    arn = "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/team/segments"
    for target in ({"ClusterIdentifier": "segments-cluster", "DbUser": "etl"}, {"WorkgroupName": arn}):
        response = client.execute_statement(Sql="select 1 as one", Database="dev", WaitTimeSeconds=20, **target)
        assert response["Status"] == "FINISHED"
        assert client.get_statement_result(Id=response["Id"])["Records"] == [[{"longValue": 1}]]


def test_an_unknown_database_fails_the_statement(client: Any) -> None:
    response = client.execute_statement(Sql="select 1", WorkgroupName="segments", Database="prod", WaitTimeSeconds=20)
    assert client.describe_statement(Id=response["Id"])["Error"] == 'FATAL: database "prod" does not exist'


def test_the_same_token_is_the_same_execution_for_eight_hours(data_api: DataApi, batch: Any, query: Any) -> None:
    batch(CREATE_T)
    insert = "insert into t values (1)"
    first = batch(insert, ClientToken="run-1")
    data_api.clock.ahead = timedelta(hours=7, minutes=59)
    assert batch(insert, ClientToken="run-1")["Id"] == first["Id"]
    assert query("select x from t") == [(1,)]
    data_api.clock.ahead = timedelta(hours=8, minutes=1)
    assert batch(insert, ClientToken="run-1")["Id"] != first["Id"]
    assert query("select x from t") == [(1,), (1,)]


def test_a_batch_whose_response_is_lost_is_committed_once(data_api: DataApi, batch: Any, query: Any) -> None:
    batch(CREATE_T)
    data_api.drop_after_commit()
    description = batch("insert into t values (1)", ClientToken="run-1")  # botocore retries by itself
    assert description["Status"] == "FINISHED"
    assert query("select x from t") == [(1,)]
    data_api.service.faults.drop_before("BatchExecuteStatement", times=3)
    with pytest.raises(ConnectionClosedError):
        batch("insert into t values (2)")
    assert query("select x from t") == [(1,)]


def test_statements_and_commits_fail_as_injected(data_api: DataApi, batch: Any, query: Any) -> None:
    batch(CREATE_T)
    data_api.fail_statement(2, "ERROR: out of memory")
    assert batch("insert into t values (1)", "select 1")["Error"] == "Query #2 failed with ERROR: out of memory"
    data_api.fail_commit("ERROR: the leader node restarted")
    assert batch("insert into t values (1)")["Error"] == "ERROR: the leader node restarted"
    assert query("select x from t") == []
    assert batch("insert into t values (1)")["Status"] == "FINISHED"


def test_a_held_batch_is_invisible_until_it_commits(data_api: DataApi, client: Any, batch: Any, query: Any) -> None:
    batch(CREATE_T)
    hold = data_api.hold_statement(2)
    response = client.batch_execute_statement(Sqls=["insert into t values (1)", "select 1"], **WORKGROUP)
    assert hold.reached.wait(20)
    description = client.describe_statement(Id=response["Id"])
    assert (description["Status"], [s["Status"] for s in description["SubStatements"]]) == (
        "STARTED",
        ["FINISHED", "STARTED"],
    )
    assert query("select x from t") == []
    hold.release()
    assert client.describe_statement(Id=response["Id"], WaitTimeSeconds=20)["Status"] == "FINISHED"
    assert query("select x from t") == [(1,)]


def test_a_cancelled_batch_is_rolled_back(data_api: DataApi, client: Any, batch: Any, query: Any) -> None:
    batch(CREATE_T)
    hold = data_api.hold_statement(2)
    response = client.batch_execute_statement(Sqls=["insert into t values (1)", "select 1"], **WORKGROUP)
    assert hold.reached.wait(20)
    assert client.cancel_statement(Id=response["Id"])["Status"] is True
    assert client.describe_statement(Id=response["Id"])["Status"] == "ABORTED"
    assert query("select x from t") == []
    with pytest.raises(client.exceptions.ValidationException, match="already in ABORTED state"):
        client.cancel_statement(Id=response["Id"])


def test_executions_are_listed_the_newest_first(client: Any, batch: Any) -> None:
    batch("select 1", StatementName="load-1")
    batch("select 1/0", StatementName="load-2")
    entries = client.list_statements(StatementName="load")["Statements"]
    assert [(s["StatementName"], s["Status"], s["QueryStrings"]) for s in entries] == [
        ("load-2", "FAILED", ["select 1/0"]),
        ("load-1", "FINISHED", ["select 1"]),
    ]
    assert len(client.list_statements(Status="FAILED")["Statements"]) == 1
