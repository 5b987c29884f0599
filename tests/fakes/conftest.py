"""A client of the Data API's stand-in, a batch run to its end, and a reader beside it."""

from collections.abc import Callable
from typing import Any

import boto3
import psycopg
import pytest

WORKGROUP = {"WorkgroupName": "segments", "Database": "dev"}


@pytest.fixture
def client() -> Any:
    return boto3.client("redshift-data")


@pytest.fixture
def batch(client: Any) -> Callable[..., dict[str, Any]]:
    """Run statements to their end and describe them."""

    def run(*sqls: str, **members: Any) -> dict[str, Any]:
        started = client.batch_execute_statement(Sqls=list(sqls), **WORKGROUP, **members)
        return client.describe_statement(Id=started["Id"], WaitTimeSeconds=20)

    return run


@pytest.fixture
def look(database: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """What another reader sees."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database) as connection:
            return connection.execute(sql).fetchall()

    return rows
