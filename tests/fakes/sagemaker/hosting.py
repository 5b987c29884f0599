"""Models, endpoint configurations and endpoints, and the runtime that invokes an endpoint.

An endpoint is Creating at its first description and InService from then on.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tests.fakes.environment import ACCOUNT_ID
from tests.fakes.http.faults import ServiceError, validation_error
from tests.fakes.http.service import HttpRequest, HttpResponse, HttpService
from tests.fakes.sagemaker.account import Account, Buckets, bucket_and_key
from tests.fakes.sagemaker.algorithm import AlgorithmError, centroids_in, csv_lines, encoded_predictions, predictions

INVOCATIONS = re.compile(r"/endpoints/(?P<name>[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62})/invocations")


@dataclass
class Resource:
    """A named resource, with the request that created it."""

    request: dict[str, Any]
    arn: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    descriptions: int = 0


@dataclass
class Models:
    """The models, endpoint configurations and endpoints of an account."""

    account: Account
    buckets: Buckets
    models: dict[str, Resource] = field(default_factory=dict)
    configs: dict[str, Resource] = field(default_factory=dict)
    endpoints: dict[str, Resource] = field(default_factory=dict)

    def create_model(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateModel."""
        container = request.get("PrimaryContainer") or (request.get("Containers") or [{}])[0]
        self.account.check_role(request.get("ExecutionRoleArn"))
        self.account.check_image(container.get("Image"))
        uri = container.get("ModelDataUrl", "")
        if not uri or not self.buckets.exists(uri):
            raise validation_error(f"Could not find model data at {uri}.")
        return {"ModelArn": self._create(self.models, "model", request["ModelName"], request)}

    def describe_model(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        model = self._resource(self.models, "model", request["ModelName"])
        members = {name: value for name, value in model.request.items() if name != "Tags"}
        return members | {"ModelArn": model.arn, "CreationTime": model.created}

    def delete_model(self, request: dict[str, Any]) -> None:
        """DeleteModel."""
        self._resource(self.models, "model", request["ModelName"])
        del self.models[request["ModelName"]]

    def create_endpoint_config(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateEndpointConfig."""
        for variant in request["ProductionVariants"]:
            self._resource(self.models, "model", variant.get("ModelName", ""))
        name = request["EndpointConfigName"]
        return {"EndpointConfigArn": self._create(self.configs, "endpoint-config", name, request)}

    def describe_endpoint_config(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeEndpointConfig."""
        config = self._resource(self.configs, "endpoint-config", request["EndpointConfigName"])
        members = {name: value for name, value in config.request.items() if name != "Tags"}
        return members | {"EndpointConfigArn": config.arn, "CreationTime": config.created}

    def delete_endpoint_config(self, request: dict[str, Any]) -> None:
        """DeleteEndpointConfig."""
        self._resource(self.configs, "endpoint-config", request["EndpointConfigName"])
        del self.configs[request["EndpointConfigName"]]

    def create_endpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateEndpoint."""
        self._resource(self.configs, "endpoint-config", request["EndpointConfigName"])
        return {"EndpointArn": self._create(self.endpoints, "endpoint", request["EndpointName"], request)}

    def describe_endpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeEndpoint."""
        endpoint = self._resource(self.endpoints, "endpoint", request["EndpointName"])
        endpoint.descriptions += 1
        members = {
            "EndpointName": request["EndpointName"],
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.request["EndpointConfigName"],
            "EndpointStatus": "Creating" if endpoint.descriptions == 1 else "InService",
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.created,
        }
        if endpoint.descriptions > 1:
            variants = self.configs[endpoint.request["EndpointConfigName"]].request["ProductionVariants"]
            members["ProductionVariants"] = [
                {"VariantName": item["VariantName"], "CurrentInstanceCount": item.get("InitialInstanceCount", 1)}
                for item in variants
            ]
        return members

    def delete_endpoint(self, request: dict[str, Any]) -> None:
        """DeleteEndpoint."""
        self._resource(self.endpoints, "endpoint", request["EndpointName"])
        del self.endpoints[request["EndpointName"]]

    def centroids_of(self, model_name: str) -> np.ndarray:
        """The centroids in the data of a model.

        Raises:
            AlgorithmError: The data is not a model of k-means.
        """
        model = self._resource(self.models, "model", model_name)
        container = model.request.get("PrimaryContainer") or model.request["Containers"][0]
        return centroids_in(self.buckets.read(*bucket_and_key(container["ModelDataUrl"])))

    def model_served_by(self, endpoint_name: str) -> str | None:
        """The model behind an endpoint, or None if the endpoint is not in service."""
        endpoint = self.endpoints.get(endpoint_name)
        if endpoint is None or endpoint.descriptions < 2:
            return None
        config = self.configs[endpoint.request["EndpointConfigName"]]
        model_name: str = config.request["ProductionVariants"][0]["ModelName"]
        return model_name

    def _create(self, resources: dict[str, Resource], kind: str, name: str, request: dict[str, Any]) -> str:
        arn = self.account.arn(kind, name)
        if name in resources:
            raise validation_error(f'Cannot create already existing {kind.replace("-", " ")} "{arn}".')
        resources[name] = Resource(request, arn)
        return arn

    def _resource(self, resources: dict[str, Resource], kind: str, name: str) -> Resource:
        if name not in resources:
            raise validation_error(f'Could not find {kind.replace("-", " ")} "{self.account.arn(kind, name)}".')
        return resources[name]


class SageMakerRuntime(HttpService):
    """``sagemaker-runtime``: InvokeEndpoint, whose body may have any format.

    The endpoint's name is in the path, and the formats are in the headers.
    """

    signing_name = "sagemaker"

    def __init__(self, models: Models) -> None:
        super().__init__()
        self._models = models

    def operation_of(self, request: HttpRequest) -> str:
        return "InvokeEndpoint" if INVOCATIONS.fullmatch(request.path) else request.path

    def members_of(self, operation: str, request: HttpRequest) -> dict[str, Any]:
        path = INVOCATIONS.fullmatch(request.path)
        if path is None:
            raise ServiceError("UnknownOperationException", f"no such path: {operation}", 404)
        headers = {name.lower(): value for name, value in request.headers.items()}
        return {
            "EndpointName": path["name"],
            "Body": request.body,
            "ContentType": headers.get("content-type", "application/octet-stream"),
            "Accept": headers.get("accept", "application/json"),
        }

    def perform(self, operation: str, members: dict[str, Any]) -> HttpResponse:
        assert operation == "InvokeEndpoint"
        name, accept = members["EndpointName"], members["Accept"]
        model = self._models.model_served_by(name)
        if model is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")
        try:
            lines = csv_lines(members["Body"], members["ContentType"])
            text = encoded_predictions(predictions(lines, self._models.centroids_of(model)), accept)
        except AlgorithmError as error:
            message = f'Received client error (400) from primary with message "{error}"'
            raise ServiceError("ModelError", message, 424) from None
        content_type = "application/json" if accept == "*/*" else accept
        headers = {"Content-Type": content_type, "x-Amzn-Invoked-Production-Variant": "AllTraffic"}
        return HttpResponse(200, headers, text.encode())

    def error_response(self, error: ServiceError) -> HttpResponse:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
        return HttpResponse(error.status, headers, json.dumps({"Message": error.message}).encode())
