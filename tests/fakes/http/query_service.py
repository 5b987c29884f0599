"""A service that speaks AWS's query protocol, which botocore uses for CloudFormation: a form in, XML out.

The counterpart of `JsonService`: requests and answers are checked against botocore's model.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, Shape, StructureShape

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.json_service import service_model
from tests.fakes.http.service import Answer, Asked, HttpService
from tests.fakes.http.shapes import faults_of

Operation = Callable[[dict[str, Any]], Mapping[str, Any] | None]


class QueryService(HttpService):
    """A service made of functions."""

    def __init__(self, name: str, operations: Mapping[str, Operation]) -> None:
        super().__init__()
        self.model = service_model(name)
        assert self.model.metadata["protocols"] == ["query"], self.model.metadata
        self.signing_name = self.model.signing_name
        self._operations = dict(operations)

    def operation_of(self, asked: Asked) -> str:
        """The form's action."""
        return dict(parse_qsl(asked.body.decode())).get("Action", "")

    def request_of(self, operation: str, asked: Asked) -> dict[str, Any]:
        """The form's members."""
        shape = self.model.operation_model(operation).input_shape
        form = dict(parse_qsl(asked.body.decode(), keep_blank_values=True))
        members = _members(form, shape, "")
        request: dict[str, Any] = members if members is not None else {}
        faults = faults_of(request, shape)
        if faults:
            raise ServiceError("ValidationError", "; ".join(faults))
        return request

    def carry_out(self, operation: str, request: dict[str, Any]) -> Answer:
        """Call the operation's function."""
        function = self._operations.get(operation)
        assert function is not None, f"this stand-in has no {operation}"
        shape = self.model.operation_model(operation).output_shape
        members = dict(function(request) or {})
        if shape is None:
            return _answer(200, f"<{operation}Response/>")
        faults = faults_of(members, shape)
        assert not faults, faults
        return _answer(
            200,
            f"<{operation}Response><{operation}Result>{_xml(members, shape)}</{operation}Result></{operation}Response>",
        )

    def error_answer(self, error: ServiceError) -> Answer:
        """An error as XML."""
        told = f"<Type>Sender</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        return _answer(error.status, f"<ErrorResponse><Error>{told}</Error></ErrorResponse>")


def _answer(status: int, body: str) -> Answer:
    return Answer(status, {"Content-Type": "text/xml"}, body.encode())


def _members(form: Mapping[str, str], shape: Shape, path: str) -> Any:
    """The value of a shape in a form; None where there is none."""
    if isinstance(shape, StructureShape):
        found = {
            name: value
            for name, member in shape.members.items()
            if (value := _members(form, member, f"{path}.{name}".lstrip("."))) is not None
        }
        return found or None
    if isinstance(shape, ListShape):
        if path in form:
            return []
        items = []
        while (item := _members(form, shape.member, f"{path}.member.{len(items) + 1}")) is not None:
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
