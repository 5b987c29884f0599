"""Two batches that write the same table concurrently: one commits, the other fails with a serialization error."""

from typing import Any

import pytest

from tests.fakes.environment import WORKGROUP
from tests.fakes.redshift.data_api import DataApi

CREATE_T = "create table if not exists t (x integer)"
REPLACE = ["select count(*) from t", "delete from t", "insert into t values ({})"]


class TwoWriters:
    """Two callers that send the same statements, the second one while the first one is held."""

    def __init__(self, data_api: DataApi, client: Any) -> None:
        self.data_api, self.client = data_api, client

    def start(self, statements: list[str], value: int) -> str:
        sqls = [statement.format(value) for statement in statements]
        return str(self.client.batch_execute_statement(Sqls=sqls, **WORKGROUP)["Id"])

    def run(
        self, statements: list[str], *, first_held_at: int, second_held_at: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start the second batch while the first one is held, then end the first one, then the second one."""
        first_hold = self.data_api.hold_statement(first_held_at)
        first = self.start(statements, 1)
        assert first_hold.reached.wait(20)
        second_hold = self.data_api.hold_statement(second_held_at)
        second = self.start(statements, 2)
        assert second_hold.reached.wait(20)
        first_hold.release()
        first_end = self.client.describe_statement(Id=first, WaitTimeSeconds=20)
        second_hold.release()
        return first_end, self.client.describe_statement(Id=second, WaitTimeSeconds=20)


@pytest.fixture
def writers(data_api: DataApi, client: Any) -> TwoWriters:
    return TwoWriters(data_api, client)


def test_the_second_batch_to_delete_the_same_rows_fails_with_error_1023(
    writers: TwoWriters, batch: Any, query: Any
) -> None:
    batch(CREATE_T, "insert into t values (0)")
    first, second = writers.run(REPLACE, first_held_at=3, second_held_at=2)
    assert first["Status"] == "FINISHED"
    assert second["Error"].startswith("Query #2 failed with ERROR: 1023")
    assert query("select x from t") == [(1,)]


def test_an_empty_table_is_not_filled_twice(writers: TwoWriters, batch: Any, query: Any) -> None:
    batch(CREATE_T)
    first, second = writers.run([*REPLACE, "select 1"], first_held_at=4, second_held_at=4)
    assert first["Status"] == "FINISHED"
    assert second["Error"].startswith("ERROR: 1023")  # the commit fails
    assert query("select x from t") == [(1,)]


def test_a_table_is_created_once(writers: TwoWriters, query: Any) -> None:
    first, second = writers.run([CREATE_T, *REPLACE], first_held_at=2, second_held_at=1)
    assert (first["Status"], second["Status"]) == (
        "FINISHED",
        "FINISHED",
    )  # the second one finds the table of the first one
    assert query("select x from t") == [(2,)]
