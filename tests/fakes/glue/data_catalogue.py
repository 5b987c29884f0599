"""The Glue Data Catalog: moto's, behind what moto lacks.

Requests are checked against botocore's model with its limits. Partitions come in pages. A table has a version, and a
change to another version than the present one is refused, as Glue does. Faults can be injected, and a test can have
something happen before a call.
"""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.fakes.environment import CREDENTIALS
from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService

PAGE = 2
"""Partitions in one answer."""

OPERATIONS = {
    "CreateTable": "create_table",
    "GetTables": "get_tables",
    "UpdateTable": "update_table",
    "GetPartitions": "get_partitions",
    "BatchCreatePartition": "batch_create_partition",
    "BatchUpdatePartition": "batch_update_partition",
    "BatchDeletePartition": "batch_delete_partition",
}


class DataCatalogue(JsonService):
    """The service.

    Attributes:
        moto: a client of moto, with which a test reads what the catalogue has.
    """

    def __init__(self, endpoint: str) -> None:
        self.moto: Any = boto3.client("glue", endpoint_url=endpoint, **CREDENTIALS)
        self._before: list[tuple[str, Callable[[], object]]] = []
        super().__init__("glue", {name: self._operation(name) for name in OPERATIONS})

    def before(self, operation: str, happens: Callable[[], object]) -> None:
        """Have something happen once, before the next call of an operation is performed."""
        self._before.append((operation, happens))

    def _operation(self, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def perform(request: dict[str, Any]) -> dict[str, Any]:
            for each in [each for each in self._before if each[0] == name][:1]:
                self._before.remove(each)
                each[1]()
            if name == "UpdateTable":
                self._check_version(request)
            return self._page(name, request)

        return perform

    def _check_version(self, request: dict[str, Any]) -> None:
        name = request["TableInput"]["Name"]
        present = self.moto.get_table(DatabaseName=request["DatabaseName"], Name=name)["Table"]["VersionId"]
        if request.pop("VersionId", present) != present:
            message = "Update table failed due to concurrent modifications."
            raise ServiceError("ConcurrentModificationException", message)

    def _page(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        start = int(request.pop("NextToken", 0))
        try:
            answer = getattr(self.moto, OPERATIONS[name])(**request)
        except ClientError as error:
            raise ServiceError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from None
        answer.pop("ResponseMetadata")
        if name == "GetPartitions":
            every = answer["Partitions"]
            rest = {"NextToken": f"{start + PAGE}"} if len(every) > start + PAGE else {}
            return {"Partitions": every[start : start + PAGE], **rest}
        return dict(answer)
