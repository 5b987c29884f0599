"""AWS's protocols: JSON 1.0 and 1.1, REST with JSON, and the query protocol.

Every request is validated against botocore's model, and rejected if it violates the model. A response that violates the
model is a defect of the fake and fails the test. An operation is a function: members in, members out.

    service = JsonService("sagemaker", {"DescribeModel": describe_model})
    with service.running():
        boto3.client("sagemaker", endpoint_url=service.url).describe_model(ModelName="m")
"""

import json
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.service import HttpRequest, HttpResponse, HttpService
from tests.fakes.http.shapes import as_json, service_model, violations_of

Operation = Callable[[dict[str, Any]], Mapping[str, Any] | None]


class ModelledService(HttpService):
    """A service made of functions, whose requests and responses follow botocore's model."""

    protocol: str
    rejection = "ValidationException"

    def __init__(
        self, name: str, operations: Mapping[str, Operation], *, tolerated: frozenset[str] = frozenset()
    ) -> None:
        """Create the service.

        Args:
            name: The service's name in botocore.
            operations: The function of each operation that the fake has.
            tolerated: Violations in responses for which the real service is known.
        """
        super().__init__()
        self.model = service_model(name)
        protocols = self.model.metadata["protocols"]
        assert protocols == [self.protocol], f"botocore speaks {protocols} with {name}, expected {self.protocol}"
        unknown = set(operations) - set(self.model.operation_names)
        assert not unknown, f"{name} has no {unknown}"
        self.signing_name = self.model.signing_name
        self._operations = dict(operations)
        self._tolerated = tolerated

    def members_of(self, operation: str, request: HttpRequest) -> dict[str, Any]:
        if operation not in self.model.operation_names:
            raise ServiceError("UnknownOperationException", f"{self.model.service_name} has no {operation!r}")
        shape = self.model.operation_model(operation).input_shape
        members = self._parsed(operation, request)
        violations = violations_of(members, shape) if shape else []
        if violations:
            noun = "error" if len(violations) == 1 else "errors"
            message = f"{len(violations)} validation {noun} detected: {'; '.join(violations)}"
            raise ServiceError(self.rejection, message)
        return members

    def perform(self, operation: str, members: dict[str, Any]) -> HttpResponse:
        function = self._operations.get(operation)
        assert function is not None, f"the fake has no {operation}"
        shape = self.model.operation_model(operation).output_shape
        result = dict(function(members) or {})
        if shape is None:
            return self._encoded({}, shape)
        violations = [violation for violation in violations_of(result, shape) if violation not in self._tolerated]
        assert not violations, f"the response violates botocore's model: {violations}"
        return self._encoded(result, shape)

    @abstractmethod
    def _parsed(self, operation: str, request: HttpRequest) -> dict[str, Any]:
        """The members of a request, not yet checked against the model."""

    @abstractmethod
    def _encoded(self, result: Mapping[str, Any], shape: Shape | None) -> HttpResponse:
        """A result in the format of the protocol."""


class JsonService(ModelledService):
    """A service of the JSON protocol: the operation in a header, all members in the body."""

    protocol = "json"

    def operation_of(self, request: HttpRequest) -> str:
        return request.headers.get("X-Amz-Target", "").removeprefix(f"{self.model.metadata['targetPrefix']}.")

    def _parsed(self, operation: str, request: HttpRequest) -> dict[str, Any]:
        try:
            members: dict[str, Any] = json.loads(request.body)
        except ValueError as error:
            raise ServiceError("SerializationException", f"{operation}: {error}") from None
        return members

    def _encoded(self, result: Mapping[str, Any], shape: Shape | None) -> HttpResponse:
        return self._response(200, as_json(result, shape) if shape else {})

    def error_response(self, error: ServiceError) -> HttpResponse:
        return self._response(error.status, {"__type": error.code, "message": error.message})

    def _response(self, status: int, members: Mapping[str, Any]) -> HttpResponse:
        content_type = f"application/x-amz-json-{self.model.metadata['jsonVersion']}"
        return HttpResponse(status, {"Content-Type": content_type}, json.dumps(members).encode())


class RestService(ModelledService):
    """A service of the REST protocol in JSON: the operation is the method and the path."""

    protocol = "rest-json"

    def __init__(self, name: str, operations: Mapping[str, Operation]) -> None:
        super().__init__(name, operations)
        self._routes: dict[str, tuple[str, re.Pattern[str]]] = {}
        for operation in self.model.operation_names:
            http = self.model.operation_model(operation).http
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/?]+)", re.escape(http["requestUri"]))
            self._routes[operation] = (http["method"], re.compile(pattern + r"(\?.*)?"))

    def operation_of(self, request: HttpRequest) -> str:
        operations = (
            operation
            for operation, (method, path) in self._routes.items()
            if request.method == method and path.fullmatch(request.path)
        )
        return next(operations, f"{request.method} {request.path}")

    def _parsed(self, operation: str, request: HttpRequest) -> dict[str, Any]:
        route = self._routes[operation][1].fullmatch(request.path)
        assert route is not None
        in_path = {name: unquote(value) for name, value in route.groupdict().items()}
        return in_path | json.loads(request.body or b"{}")

    def _encoded(self, result: Mapping[str, Any], shape: Shape | None) -> HttpResponse:
        body = json.dumps(as_json(result, shape) if shape else {}).encode()
        return HttpResponse(200, {"Content-Type": "application/json"}, body)

    def error_response(self, error: ServiceError) -> HttpResponse:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
        return HttpResponse(error.status, headers, json.dumps({"message": error.message}).encode())


class QueryService(ModelledService):
    """A service of the query protocol: a form in, XML out."""

    protocol = "query"
    rejection = "ValidationError"

    def operation_of(self, request: HttpRequest) -> str:
        return dict(parse_qsl(request.body.decode())).get("Action", "")

    def _parsed(self, operation: str, request: HttpRequest) -> dict[str, Any]:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        members: dict[str, Any] | None = _form_value(form, self.model.operation_model(operation).input_shape, "")
        return members or {}

    def _encoded(self, result: Mapping[str, Any], shape: Shape | None) -> HttpResponse:
        if shape is None:
            return _xml_response(200, "<Response/>")
        # botocore reads the element in this wrapper, and ignores the name of the root.
        wrapper = shape.serialization["resultWrapper"]
        return _xml_response(200, f"<Response><{wrapper}>{_xml(result, shape)}</{wrapper}></Response>")

    def error_response(self, error: ServiceError) -> HttpResponse:
        members = f"<Type>Sender</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        return _xml_response(error.status, f"<ErrorResponse><Error>{members}</Error></ErrorResponse>")


def _form_value(form: Mapping[str, str], shape: Shape, path: str) -> Any:
    """The value of a shape in a form, or None if the form has none."""
    if isinstance(shape, StructureShape):
        members = {
            name: value
            for name, member in shape.members.items()
            if (value := _form_value(form, member, f"{path}.{name}".lstrip("."))) is not None
        }
        return members or None
    if isinstance(shape, ListShape):
        if path in form:
            return []
        items = []
        while (item := _form_value(form, shape.member, f"{path}.member.{len(items) + 1}")) is not None:
            items.append(item)
        return items or None
    return _scalar(form[path], shape) if path in form else None


def _scalar(text: str, shape: Shape) -> bool | int | str:
    if shape.type_name == "boolean":
        return text == "true"
    return int(text) if shape.type_name == "integer" else text


def _xml(value: Any, shape: Shape) -> str:
    if isinstance(shape, StructureShape):
        return "".join(f"<{name}>{_xml(item, shape.members[name])}</{name}>" for name, item in value.items())
    if isinstance(shape, ListShape):
        return "".join(f"<member>{_xml(item, shape.member)}</member>" for item in value)
    assert not isinstance(shape, MapShape)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(value.isoformat() if hasattr(value, "isoformat") else str(value))


def _xml_response(status: int, body: str) -> HttpResponse:
    return HttpResponse(status, {"Content-Type": "text/xml"}, body.encode())
