"""A client of the Data API, a batch that runs to its end, and a reader of the database behind it."""

from collections.abc import Callable
from typing import Any

import boto3
import psycopg
import pytest

from tests.fakes.environment import WORKGROUP


@pytest.fixture
def client() -> Any:
    return boto3.client("redshift-data")


@pytest.fixture
def batch(client: Any) -> Callable[..., dict[str, Any]]:
    """Runs statements as one batch to its end, and returns its description."""

    def run(*sqls: str, **members: Any) -> dict[str, Any]:
        response = client.batch_execute_statement(Sqls=list(sqls), **WORKGROUP, **members)
        return client.describe_statement(Id=response["Id"], WaitTimeSeconds=20)

    return run


@pytest.fixture
def query(database: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """Returns the rows that another session reads."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database) as connection:
            return connection.execute(sql).fetchall()

    return rows
