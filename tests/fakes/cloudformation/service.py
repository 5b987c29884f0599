"""CloudFormation as a stand-in: stacks that are made, changed, refused and rolled back; nothing is made of resources.

moto's own makes any stack there is and leaves out what it does not know, so it cannot say whether a deployment works.
"""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.http.faults import ServiceError
from tests.fakes.http.query_service import QueryService

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ASKED_BY = {
    "Application": ("EmrCpus", "EmrMemory", "EmrDisk", "EmrArchitecture"),
    "PipelineOnGlue": ("GlueWorkers", "GlueWorkerType", "CodeKey"),
}
"""Which parameters of the jobs stack change a resource."""


class CloudFormation(QueryService):
    """The service.

    A test says what stacks give out (``gives_out``), which resource fails next (``fails``), whether the application of
    EMR Serverless has started (``application_is_started``), and reads ``stacks``.
    """

    def __init__(self) -> None:
        operations = {
            "DescribeStacks": self.describe_stacks,
            "CreateChangeSet": self.create_change_set,
            "DescribeChangeSet": self.describe_change_set,
            "DeleteChangeSet": self.delete_change_set,
            "ExecuteChangeSet": self.execute_change_set,
            "DescribeStackEvents": self.describe_stack_events,
            "DeleteStack": self.delete_stack,
            "GetTemplate": self.get_template,
        }
        super().__init__("cloudformation", operations)
        self.stacks: dict[str, dict[str, Any]] = {}
        self.change_sets: dict[tuple[str, str], dict[str, Any]] = {}
        self.gives_out: dict[str, dict[str, str]] = {}
        self.fails: dict[str, str] = {}
        self.made: list[str] = []
        self.tokens: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.application_is_started = lambda: False

    def _stack(self, name: str) -> dict[str, Any]:
        if name not in self.stacks:
            raise ServiceError("ValidationError", f"Stack with id {name} does not exist")
        return self.stacks[name]

    def describe_stacks(self, request: dict[str, Any]) -> dict[str, Any]:
        """A stack, which comes one step nearer to its end each time that somebody looks."""
        stack = self._stack(request["StackName"])
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in stack["parameters"].items()]
        described = {
            "StackName": request["StackName"],
            "CreationTime": NOW,
            "StackStatus": stack["steps"][0],
            "Parameters": parameters,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack["outputs"].items()],
        }
        if len(stack["steps"]) > 1:
            stack["steps"].pop(0)
        if described["StackStatus"] == "DELETE_COMPLETE":
            del self.stacks[request["StackName"]]
            raise ServiceError("ValidationError", f"Stack with id {request['StackName']} does not exist")
        return {"Stacks": [described]}

    def get_template(self, request: dict[str, Any]) -> dict[str, Any]:
        """The template that a stack was made with."""
        return {"TemplateBody": self._stack(request["StackName"])["body"]}

    def create_change_set(self, request: dict[str, Any]) -> dict[str, Any]:
        """A change set, of the kind that fits whether the stack is there."""
        name = request["StackName"]
        is_there = name in self.stacks and self.stacks[name]["steps"][0] != "REVIEW_IN_PROGRESS"
        if is_there and self.stacks[name]["steps"][0].endswith("_IN_PROGRESS"):
            state = self.stacks[name]["steps"][0]
            raise ServiceError("ValidationError", f"Stack:{name} is in {state} state and can not be updated.")
        if (request["ChangeSetType"] == "CREATE") == is_there:
            raise ServiceError("ValidationError", f"Stack [{name}] already exists and cannot be created again")
        if (name, request["ChangeSetName"]) in self.change_sets:
            raise ServiceError("AlreadyExistsException", "ChangeSet exists")
        before = self.stacks.get(name, {"parameters": {}, "body": None})
        parameters = {
            given["ParameterKey"]: before["parameters"][given["ParameterKey"]]
            if given.get("UsePreviousValue")
            else given["ParameterValue"]
            for given in request["Parameters"]
        }
        same = is_there and (parameters, request["TemplateBody"]) == (before["parameters"], before["body"])
        self.change_sets[name, request["ChangeSetName"]] = {
            "Status": "FAILED" if same else "CREATE_COMPLETE",
            "StatusReason": "The submitted information didn't contain changes." if same else "",
            "parameters": parameters,
            "body": request["TemplateBody"],
            "Changes": [
                {"Type": "Resource", "ResourceChange": {"Action": "Modify", "LogicalResourceId": resource}}
                for resource, asked in ASKED_BY.items()
                if is_there and any(parameters.get(key) != before["parameters"].get(key) for key in asked)
            ],
        }
        if not is_there:
            self.stacks[name] = {"steps": ["REVIEW_IN_PROGRESS"], "parameters": {}, "outputs": {}, "body": None}
        return {"Id": f"arn:aws:cloudformation:eu-west-1:123456789012:changeSet/{request['ChangeSetName']}/1"}

    def describe_change_set(self, request: dict[str, Any]) -> dict[str, Any]:
        """A change set."""
        found = self.change_sets[request["StackName"], request["ChangeSetName"]]
        return {key: found[key] for key in ("Status", "StatusReason", "Changes")}

    def delete_change_set(self, request: dict[str, Any]) -> None:
        """Forget a change set."""
        del self.change_sets[request["StackName"], request["ChangeSetName"]]

    def execute_change_set(self, request: dict[str, Any]) -> None:
        """Do what a change set says, or fail and put back what was there."""
        name = request["StackName"]
        if request["ClientRequestToken"] in self.tokens:
            raise ServiceError("TokenAlreadyExistsException", "A client request token already exists.")
        self.tokens.append(request["ClientRequestToken"])
        chosen = self.change_sets.pop((name, request["ChangeSetName"]))
        touched = {change["ResourceChange"]["LogicalResourceId"] for change in chosen["Changes"]}
        if "Application" in touched and self.application_is_started():
            self.fails[name] = "Application must be in one of the statuses [STOPPED, CREATED]"
        stack = self.stacks[name]
        is_new = stack["body"] is None
        kind = "CREATE" if is_new else "UPDATE"
        if name in self.fails:
            self._tell_of_failure(name, request["ClientRequestToken"])
            back = "ROLLBACK" if is_new else "UPDATE_ROLLBACK"
            stack["steps"] = [f"{kind}_IN_PROGRESS", f"{back}_IN_PROGRESS", f"{back}_COMPLETE"]
            return
        self.made.append(name)
        stack |= {"parameters": chosen["parameters"], "body": chosen["body"], "outputs": self.gives_out.get(name, {})}
        stack["steps"] = [f"{kind}_IN_PROGRESS", f"{kind}_COMPLETE"]

    def _tell_of_failure(self, name: str, token: str) -> None:
        told = [("Application", "Resource creation cancelled"), ("Key", self.fails[name])]
        self.events[:0] = [
            {
                "StackId": name,
                "EventId": str(len(self.events) + number),
                "StackName": name,
                "Timestamp": NOW,
                "LogicalResourceId": resource,
                "ResourceType": "AWS::KMS::Key",
                "ResourceStatus": "CREATE_FAILED",
                "ResourceStatusReason": reason,
                "ClientRequestToken": token,
            }
            for number, (resource, reason) in enumerate(told)
        ]

    def describe_stack_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """All that ever happened to a stack, the newest first, in pages of one, as CloudFormation has it in larger."""
        own = [event for event in self.events if event["StackName"] == request["StackName"]]
        at = int(request.get("NextToken", 0))
        return {"StackEvents": own[at : at + 1], **({"NextToken": str(at + 1)} if at + 1 < len(own) else {})}

    def delete_stack(self, request: dict[str, Any]) -> None:
        """Delete a stack, unless it is to fail."""
        name = request["StackName"]
        if name in self.stacks:
            is_in_use = name.endswith("-jobs") and self.application_is_started()
            end = "DELETE_FAILED" if name in self.fails or is_in_use else "DELETE_COMPLETE"
            self.stacks[name]["steps"] = ["DELETE_IN_PROGRESS", end]
