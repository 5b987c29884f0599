"""Two batches that write the same table at once: one is whole, the other is told to come again."""

from typing import Any

import pytest

from tests.fakes.conftest import WORKGROUP
from tests.fakes.redshift.data_api import DataApi

MAKE_T = "create table if not exists t (x integer)"
REPLACE = ["select count(*) from t", "delete from t", "insert into t values ({})"]


class TwoWriters:
    """The same statements from two callers, the second started while the first is held."""

    def __init__(self, data_api: DataApi, client: Any) -> None:
        self.data_api, self.client = data_api, client

    def start(self, statements: list[str], value: int) -> str:
        sqls = [statement.format(value) for statement in statements]
        return str(self.client.batch_execute_statement(Sqls=sqls, **WORKGROUP)["Id"])

    def run(
        self, statements: list[str], *, first_held_at: int, second_held_at: int
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Let the second begin while the first is held, end the first, then the second."""
        first_hold = self.data_api.hold_statement(first_held_at)
        first = self.start(statements, 1)
        assert first_hold.reached.wait(20)
        second_hold = self.data_api.hold_statement(second_held_at)
        second = self.start(statements, 2)
        assert second_hold.reached.wait(20)
        first_hold.release()
        ended = self.client.describe_statement(Id=first, WaitTimeSeconds=20)
        second_hold.release()
        return ended, self.client.describe_statement(Id=second, WaitTimeSeconds=20)


@pytest.fixture
def writers(data_api: DataApi, client: Any) -> TwoWriters:
    return TwoWriters(data_api, client)


def test_the_second_to_delete_what_the_first_deleted_meets_error_1023(
    writers: TwoWriters, batch: Any, look: Any
) -> None:
    batch(MAKE_T, "insert into t values (0)")
    first, second = writers.run(REPLACE, first_held_at=3, second_held_at=2)
    assert first["Status"] == "FINISHED"
    assert second["Error"].startswith("Query #2 failed with ERROR: 1023")
    assert look("select x from t") == [(1,)]


def test_an_empty_table_is_not_filled_twice(writers: TwoWriters, batch: Any, look: Any) -> None:
    batch(MAKE_T)
    first, second = writers.run([*REPLACE, "select 1"], first_held_at=4, second_held_at=4)
    assert first["Status"] == "FINISHED"
    assert second["Error"].startswith("ERROR: 1023")  # it is the commit that fails
    assert look("select x from t") == [(1,)]


def test_a_table_is_made_once(writers: TwoWriters, look: Any) -> None:
    first, second = writers.run([MAKE_T, *REPLACE], first_held_at=2, second_held_at=1)
    assert (first["Status"], second["Status"]) == ("FINISHED", "FINISHED")  # the second found what the first had made
    assert look("select x from t") == [(2,)]
