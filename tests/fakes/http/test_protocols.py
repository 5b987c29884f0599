"""The protocol layer, through boto3 as its client."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService

TIME = datetime(2018, 10, 17, 8, 30, tzinfo=UTC)
ID = "d9b6c0c9-0747-4bf4-b142-e8883122f766"


def describe(request: dict[str, Any]) -> dict[str, Any]:
    if request["Id"] != ID:
        raise ServiceError("ResourceNotFoundException", "Query does not exist.")
    return {"Id": ID, "Status": "FINISHED", "CreatedAt": TIME}


pytestmark = pytest.mark.usefixtures("service")


@pytest.fixture
def service(aws: pytest.MonkeyPatch) -> Iterator[JsonService]:
    service = JsonService("redshift-data", {"DescribeStatement": describe})
    with service.running():
        aws.setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", service.url)
        yield service


@pytest.fixture
def client() -> Any:
    return boto3.client("redshift-data")


@pytest.fixture
def unvalidated_client() -> Any:
    """A client that sends its requests without validating them."""
    return boto3.client("redshift-data", config=Config(parameter_validation=False))


def test_a_function_responds_through_botocore(service: JsonService, client: Any) -> None:
    assert client.describe_statement(Id=ID)["CreatedAt"] == TIME
    assert [(c.operation, c.request, c.outcome, c.region) for c in service.calls] == [
        ("DescribeStatement", {"Id": ID}, "ok", "eu-west-1")
    ]


def test_an_error_has_its_code_message_and_status(client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Query does not exist"):
        client.describe_statement(Id=ID.replace("d", "e"))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, 'Missing required parameter in input: "Id"'),
        ({"Id": 7}, "Invalid type for parameter Id"),
        ({"Id": "x"}, "regular expression pattern"),
        ({"Id": ID, "WaitTimeSeconds": 0}, "min"),
        ({"Id": ID, "WaitTimeSeconds": 31}, "at most 30"),
    ],
)
def test_a_request_that_violates_the_model_is_rejected(
    unvalidated_client: Any, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match="ValidationException") as rejection:
        unvalidated_client.describe_statement(**members)
    assert message in str(rejection.value)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Sqls": ["s"] * 41}, "at most 40, found 41"),
        ({"Sqls": ["s"], "ExecutionMode": "MAYBE"}, "one of [TRANSACTION"),
    ],
)
def test_lengths_and_enumerations_are_validated_which_botocore_leaves_to_the_service(
    client: Any, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(client.exceptions.ValidationException) as rejection:
        client.batch_execute_statement(**members)
    assert message in str(rejection.value)


@pytest.mark.parametrize("fault", ["fail", "throttle", "drop_before", "drop_after"])
def test_botocore_retries_after_a_transient_fault(service: JsonService, client: Any, fault: str) -> None:
    getattr(service.faults, fault)("DescribeStatement", times=2)
    assert client.describe_statement(Id=ID)["Status"] == "FINISHED"
    assert service.count("DescribeStatement") == 3


@pytest.mark.parametrize(("fault", "code"), [("deny", "AccessDeniedException"), ("expire", "ExpiredTokenException")])
def test_a_permanent_error_reaches_the_caller_at_once(service: JsonService, client: Any, fault: str, code: str) -> None:
    getattr(service.faults, fault)("DescribeStatement")
    with pytest.raises(ClientError, match=code):
        client.describe_statement(Id=ID)
    assert service.count("DescribeStatement") == 1


def test_a_connection_that_drops_at_every_retry_is_a_connection_error(service: JsonService, client: Any) -> None:
    service.faults.drop_before("DescribeStatement", times=3)
    with pytest.raises(ConnectionClosedError):
        client.describe_statement(Id=ID)


def test_a_response_that_violates_the_model_fails_the_test() -> None:
    service = JsonService("redshift-data", {"DescribeStatement": lambda _: {"Id": ID, "Status": "GOING WELL"}})

    def call() -> None:
        with service.running():
            boto3.client("redshift-data", endpoint_url=service.url).describe_statement(Id=ID)

    with pytest.raises(ClientError, match="defect in the fake"):
        call()
    assert "GOING WELL" in service.defects[0]
