"""CloudFormation: stacks that are created, changed, rejected and rolled back. It creates no resource.

moto's CloudFormation accepts any stack and ignores the resources that it does not know, so it cannot tell whether a
deployment works. This one cannot tell either whether a template is valid; cfn-lint and the tests of the templates do.
"""

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from ruamel.yaml import YAML

from tests.fakes.environment import ACCOUNT_ID, NOW, REGION
from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import QueryService

PARAMETERS_OF_RESOURCE = {
    "Application": ("EmrCpus", "EmrMemory", "EmrDisk", "EmrArchitecture"),
    "PipelineOnGlue": ("GlueWorkers", "GlueWorkerType", "CodeKey"),
}
"""The parameters of the jobs stack that change each resource."""

LARGEST_BODY = 51_200
HOST_OF_S3 = f".s3.{REGION}.amazonaws.com"


@cache
def _defaults(body: str) -> dict[str, str]:
    """The values of the parameters that a request does not name, which a stack has too."""
    declarations = YAML().load(body).get("Parameters", {})
    return {name: str(each["Default"]) for name, each in declarations.items() if "Default" in each}


class CloudFormation(QueryService):
    """The service.

    Attributes:
        outputs: The outputs that each stack will have, by stack name. A test sets them.
        failures: The reason for which the next change of a stack fails, by stack name. A test sets them.
        failed_resource: The name and type of the resource that fails.
        read_object: Reads the object of a bucket and a key, and raises an error if there is none. A test sets it.
        application_is_started: Whether the EMR Serverless application is started, in which case it cannot be changed.
        stacks: The stacks. ``statuses`` of a stack are those that it passes through, one per description.
        change_sets: The change sets that were not executed, by stack name and change set name.
        completed: The names of the stacks whose creation or change succeeded, in order.
    """

    def __init__(self) -> None:
        operations = {
            "DescribeStacks": self._describe_stacks,
            "CreateChangeSet": self._create_change_set,
            "DescribeChangeSet": self._describe_change_set,
            "DeleteChangeSet": self._delete_change_set,
            "ExecuteChangeSet": self._execute_change_set,
            "DescribeStackEvents": self._describe_stack_events,
            "DeleteStack": self._delete_stack,
            "GetTemplate": self._get_template,
        }
        super().__init__("cloudformation", operations)
        self.outputs: dict[str, dict[str, str]] = {}
        self.failures: dict[str, str] = {}
        self.failed_resource = ("Key", "AWS::KMS::Key")
        self.read_object: Callable[[str, str], str] | None = None
        self.application_is_started = lambda: False
        self.stacks: dict[str, dict[str, Any]] = {}
        self.change_sets: dict[tuple[str, str], dict[str, Any]] = {}
        self.completed: list[str] = []
        self._tokens: set[str] = set()
        self._events: list[dict[str, Any]] = []

    def _stack(self, name: str) -> dict[str, Any]:
        if name not in self.stacks:
            raise ServiceError("ValidationError", f"Stack with id {name} does not exist")
        return self.stacks[name]

    def _describe_stacks(self, request: dict[str, Any]) -> dict[str, Any]:
        stack = self._stack(request["StackName"])
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in stack["parameters"].items()]
        description = {
            "StackName": request["StackName"],
            "CreationTime": NOW,
            "StackStatus": stack["statuses"][0],
            "Parameters": parameters,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack["outputs"].items()],
            "Tags": [{"Key": key, "Value": value} for key, value in stack.get("tags", {}).items()],
        }
        if len(stack["statuses"]) > 1:
            stack["statuses"].pop(0)
        if description["StackStatus"] == "DELETE_COMPLETE":
            del self.stacks[request["StackName"]]
            raise ServiceError("ValidationError", f"Stack with id {request['StackName']} does not exist")
        return {"Stacks": [description]}

    def _get_template(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"TemplateBody": self._stack(request["StackName"])["body"]}

    def _body_of(self, request: dict[str, Any]) -> str:
        body = request.get("TemplateBody")
        if body is not None:
            if len(body.encode()) > LARGEST_BODY:
                constraint = f"Member must have length less than or equal to {LARGEST_BODY}"
                raise ServiceError(
                    "ValidationError", f"Value at 'templateBody' failed to satisfy constraint: {constraint}"
                )
            return str(body)
        url = urlsplit(request["TemplateURL"])
        if url.scheme != "https" or not url.netloc.endswith(HOST_OF_S3) or self.read_object is None:
            raise ServiceError("ValidationError", "TemplateURL must be a supported URL.")
        try:
            return self.read_object(url.netloc.removesuffix(HOST_OF_S3), url.path.removeprefix("/"))
        except ClientError as error:
            raise ServiceError("ValidationError", f"S3 error: {error.response['Error']['Message']}") from None

    def _create_change_set(self, request: dict[str, Any]) -> dict[str, Any]:
        name, body = request["StackName"], self._body_of(request)
        tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        status = self.stacks[name]["statuses"][0] if name in self.stacks else "REVIEW_IN_PROGRESS"
        exists = status != "REVIEW_IN_PROGRESS"
        if exists and status.endswith("_IN_PROGRESS"):
            raise ServiceError("ValidationError", f"Stack:{name} is in {status} state and can not be updated.")
        if (request["ChangeSetType"] == "CREATE") == exists:
            raise ServiceError("ValidationError", f"Stack [{name}] already exists and cannot be created again")
        if (name, request["ChangeSetName"]) in self.change_sets:
            raise ServiceError("AlreadyExistsException", "ChangeSet exists")
        stack = self.stacks.get(name, {"parameters": {}, "body": None})
        parameters = {
            parameter["ParameterKey"]: stack["parameters"][parameter["ParameterKey"]]
            if parameter.get("UsePreviousValue")
            else parameter["ParameterValue"]
            for parameter in request["Parameters"]
        }
        parameters = {**_defaults(body), **parameters}
        present = (stack["parameters"], stack["body"], stack.get("tags", {}))
        is_unchanged = exists and (parameters, body, tags) == present
        self.change_sets[name, request["ChangeSetName"]] = {
            "Status": "FAILED" if is_unchanged else "CREATE_COMPLETE",
            "StatusReason": "The submitted information didn't contain changes." if is_unchanged else "",
            "parameters": parameters,
            "body": body,
            "tags": tags,
            "role": request.get("RoleARN"),
            "Changes": [
                {"Type": "Resource", "ResourceChange": {"Action": "Modify", "LogicalResourceId": resource}}
                for resource, keys in PARAMETERS_OF_RESOURCE.items()
                if exists and any(parameters.get(key) != stack["parameters"].get(key) for key in keys)
            ],
        }
        if not exists:
            self.stacks[name] = {"statuses": ["REVIEW_IN_PROGRESS"], "parameters": {}, "outputs": {}, "body": None}
        return {"Id": f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:changeSet/{request['ChangeSetName']}/1"}

    def _describe_change_set(self, request: dict[str, Any]) -> dict[str, Any]:
        change_set = self.change_sets[request["StackName"], request["ChangeSetName"]]
        return {key: change_set[key] for key in ("Status", "StatusReason", "Changes")}

    def _delete_change_set(self, request: dict[str, Any]) -> None:
        del self.change_sets[request["StackName"], request["ChangeSetName"]]

    def _execute_change_set(self, request: dict[str, Any]) -> None:
        name, token = request["StackName"], request["ClientRequestToken"]
        if token in self._tokens:
            raise ServiceError("TokenAlreadyExistsException", "A client request token already exists.")
        self._tokens.add(token)
        change_set = self.change_sets.pop((name, request["ChangeSetName"]))
        resources = {change["ResourceChange"]["LogicalResourceId"] for change in change_set["Changes"]}
        if "Application" in resources and self.application_is_started():
            self.failures[name] = "Application must be in one of the statuses [STOPPED, CREATED]"
        stack = self.stacks[name]
        is_new = stack["body"] is None
        kind = "CREATE" if is_new else "UPDATE"
        if name in self.failures:
            self._record_failure(name, token)
            rollback = "ROLLBACK" if is_new else "UPDATE_ROLLBACK"
            stack["statuses"] = [f"{kind}_IN_PROGRESS", f"{rollback}_IN_PROGRESS", f"{rollback}_COMPLETE"]
            return
        self.completed.append(name)
        stack |= {
            "parameters": change_set["parameters"],
            "body": change_set["body"],
            "tags": change_set["tags"],
            "role": change_set["role"] or stack.get("role"),
            "outputs": self.outputs.get(name, {}),
            "statuses": [f"{kind}_IN_PROGRESS", f"{kind}_COMPLETE"],
        }

    def _record_failure(self, name: str, token: str) -> None:
        cancelled = ("Application", "AWS::EMRServerless::Application", "Resource creation cancelled")
        failed = (*self.failed_resource, self.failures[name])
        self._events[:0] = [
            {
                "StackId": name,
                "EventId": str(len(self._events) + number),
                "StackName": name,
                "Timestamp": NOW,
                "LogicalResourceId": resource,
                "ResourceType": kind,
                "ResourceStatus": "CREATE_FAILED",
                "ResourceStatusReason": reason,
                "ClientRequestToken": token,
            }
            for number, (resource, kind, reason) in enumerate((cancelled, failed))
        ]

    def _describe_stack_events(self, request: dict[str, Any]) -> dict[str, Any]:
        # Newest first, like CloudFormation. One event per page, so that a reader has to follow the pages.
        events = [event for event in self._events if event["StackName"] == request["StackName"]]
        start = int(request.get("NextToken", 0))
        next_page = {"NextToken": str(start + 1)} if start + 1 < len(events) else {}
        return {"StackEvents": events[start : start + 1], **next_page}

    def _delete_stack(self, request: dict[str, Any]) -> None:
        name = request["StackName"]
        if name in self.stacks:
            is_in_use = name.endswith("-jobs") and self.application_is_started()
            end = "DELETE_FAILED" if name in self.failures or is_in_use else "DELETE_COMPLETE"
            self.stacks[name]["statuses"] = ["DELETE_IN_PROGRESS", end]
