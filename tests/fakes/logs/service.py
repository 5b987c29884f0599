"""CloudWatch Logs: groups of streams of lines, two lines a page. moto's does not heed the prefix of a stream."""

from typing import Any

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService

LINES_PER_PAGE = 2


class Logs(JsonService):
    """The service.

    Attributes:
        groups: The lines of each stream, by group and stream. A test fills them.
    """

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, list[str]]] = {}
        super().__init__("logs", {"FilterLogEvents": self._filter_log_events})

    def _filter_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["logGroupName"] not in self.groups:
            raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
        streams = self.groups[request["logGroupName"]].items()
        lines = [line for name, stream in streams if name.startswith(request["logStreamNamePrefix"]) for line in stream]
        start = int(request.get("nextToken", "0"))
        page: dict[str, Any] = {"events": [{"message": line} for line in lines[start : start + LINES_PER_PAGE]]}
        more = len(lines) > start + LINES_PER_PAGE
        return page | ({"nextToken": str(start + LINES_PER_PAGE)} if more else {})
