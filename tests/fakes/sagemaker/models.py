"""Models, and endpoints with their configurations: what SageMaker keeps by name.

An endpoint is Creating when it is first described, and InService from then on.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tests.fakes.http.faults import invalid
from tests.fakes.s3.objects import Buckets, bucket_and_key
from tests.fakes.sagemaker.account import Account
from tests.fakes.sagemaker.algorithm import centroids_in


@dataclass
class Kept:
    """A resource: what it was made with, and when."""

    request: dict[str, Any]
    arn: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    described: int = 0


@dataclass
class Models:
    """The models, endpoint configurations and endpoints of an account."""

    account: Account
    buckets: Buckets
    models: dict[str, Kept] = field(default_factory=dict)
    configs: dict[str, Kept] = field(default_factory=dict)
    endpoints: dict[str, Kept] = field(default_factory=dict)

    def create_model(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateModel."""
        container = request.get("PrimaryContainer") or (request.get("Containers") or [{}])[0]
        self.account.check_role(request.get("ExecutionRoleArn"))
        self.account.check_image(container.get("Image"))
        uri = container.get("ModelDataUrl", "")
        if not uri or not self.buckets.exists(uri):
            raise invalid(f"Could not find model data at {uri}.")
        return {"ModelArn": self._keep(self.models, "model", request["ModelName"], request)}

    def describe_model(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        model = self._kept(self.models, "model", request["ModelName"])
        members = {name: value for name, value in model.request.items() if name != "Tags"}
        return members | {"ModelArn": model.arn, "CreationTime": model.created}

    def delete_model(self, request: dict[str, Any]) -> None:
        """DeleteModel."""
        self._kept(self.models, "model", request["ModelName"])
        del self.models[request["ModelName"]]

    def create_endpoint_config(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateEndpointConfig."""
        for variant in request["ProductionVariants"]:
            self._kept(self.models, "model", variant.get("ModelName", ""))
        name = request["EndpointConfigName"]
        return {"EndpointConfigArn": self._keep(self.configs, "endpoint-config", name, request)}

    def describe_endpoint_config(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeEndpointConfig."""
        config = self._kept(self.configs, "endpoint-config", request["EndpointConfigName"])
        members = {name: value for name, value in config.request.items() if name != "Tags"}
        return members | {"EndpointConfigArn": config.arn, "CreationTime": config.created}

    def delete_endpoint_config(self, request: dict[str, Any]) -> None:
        """DeleteEndpointConfig."""
        self._kept(self.configs, "endpoint-config", request["EndpointConfigName"])
        del self.configs[request["EndpointConfigName"]]

    def create_endpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateEndpoint."""
        self._kept(self.configs, "endpoint-config", request["EndpointConfigName"])
        return {"EndpointArn": self._keep(self.endpoints, "endpoint", request["EndpointName"], request)}

    def describe_endpoint(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeEndpoint."""
        endpoint = self._kept(self.endpoints, "endpoint", request["EndpointName"])
        endpoint.described += 1
        answer = {
            "EndpointName": request["EndpointName"],
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.request["EndpointConfigName"],
            "EndpointStatus": "Creating" if endpoint.described == 1 else "InService",
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.created,
        }
        if endpoint.described > 1:
            variants = self.configs[endpoint.request["EndpointConfigName"]].request["ProductionVariants"]
            answer["ProductionVariants"] = [
                {"VariantName": item["VariantName"], "CurrentInstanceCount": item.get("InitialInstanceCount", 1)}
                for item in variants
            ]
        return answer

    def delete_endpoint(self, request: dict[str, Any]) -> None:
        """DeleteEndpoint."""
        self._kept(self.endpoints, "endpoint", request["EndpointName"])
        del self.endpoints[request["EndpointName"]]

    def centroids_of(self, model_name: str) -> np.ndarray:
        """The centroids that a model has been given.

        Raises:
            AlgorithmError: Its data is no model of k-means.
        """
        model = self._kept(self.models, "model", model_name)
        container = model.request.get("PrimaryContainer") or model.request["Containers"][0]
        return centroids_in(self.buckets.read(*bucket_and_key(container["ModelDataUrl"])))

    def model_served_by(self, endpoint_name: str) -> str | None:
        """The model behind an endpoint; None when there is no such endpoint in service."""
        endpoint = self.endpoints.get(endpoint_name)
        if endpoint is None or endpoint.described < 2:
            return None
        config = self.configs[endpoint.request["EndpointConfigName"]]
        model_name: str = config.request["ProductionVariants"][0]["ModelName"]
        return model_name

    def _keep(self, where: dict[str, Kept], kind: str, name: str, request: dict[str, Any]) -> str:
        arn = self.account.arn(kind, name)
        if name in where:
            raise invalid(f'Cannot create already existing {kind.replace("-", " ")} "{arn}".')
        where[name] = Kept(request, arn)
        return arn

    def _kept(self, where: dict[str, Kept], kind: str, name: str) -> Kept:
        if name not in where:
            raise invalid(f'Could not find {kind.replace("-", " ")} "{self.account.arn(kind, name)}".')
        return where[name]
