"""The stack's resources as requests of the API: references resolved, and property names as the API has them."""

import re
from collections.abc import Mapping
from typing import Any

from tests.deploy.stacks.templates import resources, template
from tests.fakes.environment import ACCOUNT_ID, REGION

PRINCIPAL = f"arn:aws:quicksight:{REGION}:{ACCOUNT_ID}:group/default/analysts"
VALUES = {
    "Prefix": "shop",
    "DataBucket": "shop-data",
    "KeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/1",
    "CatalogueDatabase": "shop",
    "DashboardPrincipal": PRINCIPAL,
    "AthenaScanLimit": 10_000_000_000,
    "RolePath": "/",
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "WorkGroup": "shop",
}
NOT_OF_THE_API = {"AWS::QuickSight::DataSet": {"IngestionWaitPolicy"}}
"""Properties by which CloudFormation works itself."""

OPERATIONS = {
    "AWS::QuickSight::DataSource": "CreateDataSource",
    "AWS::QuickSight::DataSet": "CreateDataSet",
    "AWS::QuickSight::Theme": "CreateTheme",
    "AWS::QuickSight::Dashboard": "CreateDashboard",
}
IDS = {"datasource": "DataSourceId", "dataset": "DataSetId", "theme": "ThemeId", "dashboard": "DashboardId"}


def quicksight_requests() -> dict[str, tuple[str, dict[str, Any]]]:
    """The operation and the request of each QuickSight resource, by its name in the template."""
    content = template("bi")["Resources"]
    return {
        name: (OPERATIONS[resource["Type"]], request_of(resource, content))
        for name, resource in content.items()
        if resource["Type"] in OPERATIONS
    }


def work_group_request() -> dict[str, Any]:
    """The request of the work group. CloudFormation has another name for its configuration, and a way to delete it."""
    (properties,) = resources(template("bi"), "AWS::Athena::WorkGroup").values()
    request: dict[str, Any] = resolve(properties, {})
    assert request.pop("RecursiveDeleteOption")
    request["Configuration"] = request.pop("WorkGroupConfiguration")
    return request


def request_of(resource: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    excluded = NOT_OF_THE_API.get(resource["Type"], set())
    properties = {key: value for key, value in resource["Properties"].items() if key not in excluded}
    resolved: dict[str, Any] = resolve(properties, content)
    return resolved


def resolve(content: Any, resources: Mapping[str, Any]) -> Any:
    """Content with the values that CloudFormation would put in place of its functions."""
    if isinstance(content, dict):
        if set(content) == {"Ref"}:
            return VALUES[content["Ref"]]
        if set(content) == {"Fn::Sub"}:
            return re.sub(r"\$\{([^}]+)\}", lambda match: str(VALUES[match[1]]), content["Fn::Sub"])
        if set(content) == {"Fn::GetAtt"}:
            name, attribute = content["Fn::GetAtt"]
            assert attribute == "Arn"
            return arn_of(resources[name], resources)
        return {key: resolve(value, resources) for key, value in content.items()}
    return [resolve(value, resources) for value in content] if isinstance(content, list) else content


def arn_of(resource: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
    kind = resource["Type"].rpartition("::")[2].lower()
    if kind == "role":
        return f"arn:aws:iam::{ACCOUNT_ID}:role/{resolve(resource['Properties']['RoleName'], resources)}"
    own_id = resolve(resource["Properties"][IDS[kind]], resources)
    return f"arn:aws:quicksight:{REGION}:{ACCOUNT_ID}:{kind}/{own_id}"
