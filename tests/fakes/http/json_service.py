"""A service that speaks AWS's JSON protocol 1.1, which botocore uses for ``redshift-data`` and ``sagemaker``.

Every request is checked against botocore's model and answered with ValidationException when it is not of it; an
answer that is not of it is a defect of the stand-in, which ends the test. An operation is a function: members in,
members out.

    service = JsonService("sagemaker", {"DescribeModel": describe_model})
    with service.running():
        boto3.client("sagemaker", endpoint_url=service.url).describe_model(ModelName="m")
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from tests.fakes.http.faults import ServiceError, invalid
from tests.fakes.http.service import Answer, Asked, HttpService
from tests.fakes.http.shapes import as_json, faults_of

Operation = Callable[[dict[str, Any]], Mapping[str, Any] | None]


@cache
def service_model(name: str) -> ServiceModel:
    """What botocore knows of a service."""
    model: ServiceModel = botocore.session.get_session().get_service_model(name)
    return model


def echoed(service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Those members of an earlier request that an operation's answer has too."""
    members = service_model(service).operation_model(operation).output_shape.members
    return {name: value for name, value in request.items() if name in members}


class JsonService(HttpService):
    """A service made of functions.

    Faults of answers that are ``tolerated`` are those that the real service is known for.
    """

    def __init__(
        self, name: str, operations: Mapping[str, Operation], *, tolerated: frozenset[str] = frozenset()
    ) -> None:
        super().__init__()
        self.model = service_model(name)
        protocols = self.model.metadata["protocols"], self.model.metadata["jsonVersion"]
        assert protocols == (["json"], "1.1"), f"botocore now speaks {protocols} with {name}"
        self.signing_name = self.model.signing_name
        self._operations = dict(operations)
        self._tolerated = tolerated
        unknown = set(operations) - set(self.model.operation_names)
        assert not unknown, f"{name} has no {unknown}"

    def operation_of(self, asked: Asked) -> str:
        """The second half of the target header."""
        return asked.headers.get("X-Amz-Target", "").removeprefix(f"{self.model.metadata['targetPrefix']}.")

    def request_of(self, operation: str, asked: Asked) -> dict[str, Any]:
        """The body's members."""
        if operation not in self.model.operation_names:
            raise ServiceError("UnknownOperationException", f"{self.model.service_name} has no {operation!r}")
        try:
            request: dict[str, Any] = json.loads(asked.body)
        except ValueError as error:
            raise ServiceError("SerializationException", str(error)) from None
        shape = self.model.operation_model(operation).input_shape
        faults = faults_of(request, shape) if shape else []
        if faults:
            noun = "error" if len(faults) == 1 else "errors"
            raise invalid(f"{len(faults)} validation {noun} detected: {'; '.join(faults)}")
        return request

    def carry_out(self, operation: str, request: dict[str, Any]) -> Answer:
        """Call the operation's function."""
        function = self._operations.get(operation)
        assert function is not None, f"this stand-in has no {operation}"
        shape = self.model.operation_model(operation).output_shape
        members = dict(function(request) or {})
        if shape is None:
            return self._encoded(200, {})
        faults = [fault for fault in faults_of(members, shape) if fault not in self._tolerated]
        assert not faults, f"an answer that the model does not know: {faults}"
        return self._encoded(200, as_json(members, shape))

    def error_answer(self, error: ServiceError) -> Answer:
        """An error, its code in the body."""
        return self._encoded(error.status, {"__type": error.code, "message": error.message})

    def _encoded(self, status: int, members: Mapping[str, Any]) -> Answer:
        return Answer(status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(members).encode())
