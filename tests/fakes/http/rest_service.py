"""A service that speaks AWS's REST protocol in JSON, which botocore uses for EMR Serverless; see `JsonService`."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.json_service import JsonService, service_model
from tests.fakes.http.service import Answer, Asked, HttpService
from tests.fakes.http.shapes import as_json, faults_of

Operation = Callable[[dict[str, Any]], Mapping[str, Any] | None]


class RestService(HttpService):
    """A service made of functions."""

    def __init__(self, name: str, operations: Mapping[str, Operation]) -> None:
        super().__init__()
        self.model = service_model(name)
        assert self.model.metadata["protocols"] == ["rest-json"], self.model.metadata
        self.signing_name = self.model.signing_name
        self._operations = dict(operations)
        handler: Any = self._server.RequestHandlerClass
        handler.do_GET = handler.do_DELETE = handler.do_POST
        self._paths = {}
        for operation in operations:
            http = self.model.operation_model(operation).http
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/?]+)", re.escape(http["requestUri"]))
            self._paths[operation] = (http["method"], re.compile(pattern + r"(\?.*)?"))

    def operation_of(self, asked: Asked) -> str:
        """The operation whose method and path these are."""
        fitting = (
            name for name, (verb, path) in self._paths.items() if asked.method == verb and path.fullmatch(asked.path)
        )
        return next(fitting, "")

    def request_of(self, operation: str, asked: Asked) -> dict[str, Any]:
        """The members in the path and in the body."""
        assert operation, f"this stand-in has no {asked.method} {asked.path}"
        found = self._paths[operation][1].fullmatch(asked.path)
        assert found is not None
        request = {name: unquote(value) for name, value in found.groupdict().items()}
        request |= json.loads(asked.body or b"{}")
        faults = faults_of(request, self.model.operation_model(operation).input_shape)
        if faults:
            raise ServiceError("ValidationException", "; ".join(faults))
        return request

    def carry_out(self, operation: str, request: dict[str, Any]) -> Answer:
        """Call the operation's function."""
        shape = self.model.operation_model(operation).output_shape
        members = dict(self._operations[operation](request) or {})
        faults = faults_of(members, shape)
        assert not faults, faults
        return _answer(200, as_json(members, shape))

    def error_answer(self, error: ServiceError) -> Answer:
        """An error, its code in a header."""
        return _answer(error.status, {"message": error.message}, {"x-amzn-ErrorType": error.code})


class Json10Service(JsonService):
    """The JSON protocol in version 1.0, which Step Functions speaks."""

    def __init__(self, name: str, operations: Mapping[str, Operation]) -> None:
        HttpService.__init__(self)
        self.model = service_model(name)
        assert self.model.metadata["jsonVersion"] == "1.0"
        self.signing_name = self.model.signing_name
        self._operations = dict(operations)


def _answer(status: int, members: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(members).encode())
