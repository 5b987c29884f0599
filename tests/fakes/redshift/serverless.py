"""Redshift Serverless, as far as stacks and their removal need it: a namespace, usage limits and snapshots.

A snapshot passes through the states that a test scripts, one per description.
"""

from typing import Any

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:redshift!shop-administrator"
LIMITS_PER_USAGE_TYPE = 4
TOKEN = "page-of-limits-"


class RedshiftServerless(JsonService):
    """The service.

    Attributes:
        limits: The usage limits, oldest first.
        snapshots: The snapshots, by name, each with the states that it passes through.
        snapshot_states: The states of the next snapshot.
    """

    def __init__(self) -> None:
        self.limits: list[dict[str, Any]] = []
        self.snapshots: dict[str, list[str]] = {}
        self.snapshot_states = ["CREATING", "AVAILABLE"]
        operations = {
            "GetNamespace": lambda _: {"namespace": {"adminPasswordSecretArn": SECRET}},
            "ListUsageLimits": self._list_usage_limits,
            "CreateUsageLimit": self._create_usage_limit,
            "UpdateUsageLimit": self._update_usage_limit,
            "DeleteUsageLimit": self._delete_usage_limit,
            "CreateSnapshot": self._create_snapshot,
            "GetSnapshot": self._get_snapshot,
        }
        super().__init__("redshift-serverless", operations)

    def _list_usage_limits(self, request: dict[str, Any]) -> dict[str, Any]:
        # One limit per page, so that a reader has to follow the pages.
        limits = [limit for limit in self.limits if limit["resourceArn"] == request["resourceArn"]]
        start = int(request.get("nextToken", TOKEN).removeprefix(TOKEN) or 0)
        next_page = {"nextToken": f"{TOKEN}{start + 1}"} if start + 1 < len(limits) else {}
        # The model allows no empty list.
        return {"usageLimits": limits[start : start + 1], **next_page} if limits else {}

    def _create_usage_limit(self, request: dict[str, Any]) -> dict[str, Any]:
        if len(self.limits) == LIMITS_PER_USAGE_TYPE:
            raise ServiceError("ServiceQuotaExceededException", "Too many usage limits")
        limit = {"period": "monthly", "breachAction": "log", **request, "usageLimitId": f"limit-{len(self.limits) + 1}"}
        self.limits.append(limit)
        return {"usageLimit": limit}

    def _limit(self, request: dict[str, Any]) -> dict[str, Any]:
        return next(limit for limit in self.limits if limit["usageLimitId"] == request["usageLimitId"])

    def _update_usage_limit(self, request: dict[str, Any]) -> dict[str, Any]:
        limit = self._limit(request)
        limit |= request
        return {"usageLimit": limit}

    def _delete_usage_limit(self, request: dict[str, Any]) -> dict[str, Any]:
        limit = self._limit(request)
        self.limits.remove(limit)
        return {"usageLimit": limit}

    def _create_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["snapshotName"]
        if name in self.snapshots:
            raise ServiceError("ConflictException", f"Snapshot {name} already exists")
        self.snapshots[name] = list(self.snapshot_states)
        return {"snapshot": {"snapshotName": name, "status": "CREATING"}}

    def _get_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        states = self.snapshots[request["snapshotName"]]
        state = states.pop(0) if len(states) > 1 else states[0]
        return {"snapshot": {"snapshotName": request["snapshotName"], "status": state}}
