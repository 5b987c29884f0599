"""``sagemaker-runtime``: InvokeEndpoint, which is no JSON protocol but a path, headers, and a body as it is."""

import json
import re
from typing import Any

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.service import Answer, Asked, HttpService
from tests.fakes.sagemaker.algorithm import AlgorithmError
from tests.fakes.sagemaker.inference import as_accepted, lines_of_request, predictions
from tests.fakes.sagemaker.models import Models

PATH = re.compile(r"/endpoints/(?P<name>[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62})/invocations")


class SageMakerRuntime(HttpService):
    """The endpoints that are in service."""

    signing_name = "sagemaker"

    def __init__(self, models: Models) -> None:
        super().__init__()
        self._models = models

    def operation_of(self, asked: Asked) -> str:
        """There is but one here."""
        return "InvokeEndpoint" if PATH.fullmatch(asked.path) else asked.path

    def request_of(self, operation: str, asked: Asked) -> dict[str, Any]:
        """The endpoint's name, the body, and what the headers say of it."""
        found = PATH.fullmatch(asked.path)
        if found is None:
            raise ServiceError("UnknownOperationException", f"no such path: {operation}", 404)
        headers = {name.lower(): value for name, value in asked.headers.items()}
        return {
            "EndpointName": found["name"],
            "Body": asked.body,
            "ContentType": headers.get("content-type", "application/octet-stream"),
            "Accept": headers.get("accept", "application/json"),
        }

    def carry_out(self, operation: str, request: dict[str, Any]) -> Answer:
        """Answer as the container does."""
        assert operation == "InvokeEndpoint"
        name = request["EndpointName"]
        model = self._models.model_served_by(name)
        if model is None:
            message = f"Endpoint {name} of account {self._models.account.number} not found."
            raise ServiceError("ValidationError", message)
        try:
            lines = lines_of_request(request["Body"], request["ContentType"])
            text = as_accepted(predictions(lines, self._models.centroids_of(model)), request["Accept"])
        except AlgorithmError as error:
            message = f'Received client error (400) from primary with message "{error}"'
            raise ServiceError("ModelError", message, 424) from None
        kind = "application/json" if request["Accept"] == "*/*" else request["Accept"]
        return Answer(200, {"Content-Type": kind, "x-Amzn-Invoked-Production-Variant": "AllTraffic"}, text.encode())

    def error_answer(self, error: ServiceError) -> Answer:
        """An error, its code in a header."""
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
        return Answer(error.status, headers, json.dumps({"Message": error.message}).encode())
