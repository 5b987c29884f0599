from collections.abc import Callable

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from jobs.spark.java_names import keep_java_names


@pytest.fixture
def requests_to_java(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that PySpark sends to Java meanwhile."""
    client = spark._jvm._gateway_client
    send, sent = client.send_command, []

    def send_and_note(command: str, *others: bool, **named: bool) -> str:
        sent.append(command)
        return str(send(command, *others, **named))

    monkeypatch.setattr(client, "send_command", send_and_note)
    return sent


@pytest.mark.parametrize(
    ("expression", "requests"),
    [(lambda: F.col("order_id"), 1), (lambda: F.lit(1), 1), (lambda: F.upper("order_id"), 2)],
    ids=["a column", "a literal", "a function of a column"],
)
def test_an_expression_asks_java_for_itself_and_not_for_names(
    expression: Callable[[], Column], requests: int, requests_to_java: list[str]
) -> None:
    expression()
    requests_to_java.clear()
    expression()
    # What Java may forget is told to it with the garbage of Python, at any time.
    calls = [command for command in requests_to_java if not command.startswith("m\n")]
    assert len(calls) == requests, calls


def test_a_session_without_a_java_needs_nothing() -> None:
    keep_java_names(object())  # type: ignore[arg-type]  # what Spark Connect has in place of a session
