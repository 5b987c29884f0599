"""The roles of all templates together: which one a reference means, and what each may do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tests.deploy.stacks.templates import as_list, statements, template_in

KEY_PARAMETERS = {"KeyArn", "OwnKeyArn"}
ROLE = "AWS::IAM::Role"


class Resource(NamedTuple):
    """A resource by its stack and its name in the template."""

    stack: str
    name: str


@dataclass(frozen=True)
class Right:
    """An action that a statement allows.

    Attributes:
        action: the action.
        conditions: the values of the statement's conditions, by condition key.
    """

    action: str
    conditions: tuple[tuple[str, str], ...]


class Stacks:
    """The templates of a folder, as one account has them."""

    def __init__(self, folder: Path) -> None:
        self.templates: dict[str, dict[str, Any]] = {
            path.stem: template_in(path) for path in sorted(folder.glob("*.yaml"))
        }

    def resources(self, *kinds: str) -> Iterator[tuple[Resource, str, dict[str, Any]]]:
        """Each resource with its type and its properties; of the named types, or of all."""
        for stack, content in self.templates.items():
            for name, resource in content["Resources"].items():
                if not kinds or resource["Type"] in kinds:
                    yield Resource(stack, name), resource["Type"], resource.get("Properties", {})

    @cached_property
    def roles(self) -> dict[Resource, dict[str, Any]]:
        """The properties of every role."""
        return {resource: properties for resource, _, properties in self.resources(ROLE)}

    def resolve(self, stack: str, reference: Any) -> Resource | None:
        """The resource that a ``Ref`` or a ``GetAtt`` means, followed through outputs; None if it is outside."""
        if not isinstance(reference, dict) or len(reference) != 1:
            return None
        ((function, value),) = reference.items()
        if function == "Fn::GetAtt":
            value = value[0] if isinstance(value, list) else value.split(".")[0]
        elif function != "Ref":
            return None
        if value in self.templates[stack]["Resources"]:
            return Resource(stack, value)
        for other, content in self.templates.items():
            if other != stack and value in content["Outputs"]:
                return self.resolve(other, content["Outputs"][value]["Value"])
        return None

    def references(self, stack: str, content: Any) -> Iterator[Resource]:
        """The resources that any part of a content means."""
        if (resource := self.resolve(stack, content)) is not None:
            yield resource
        elif isinstance(content, dict):
            for value in content.values():
                yield from self.references(stack, value)
        elif isinstance(content, list):
            for value in content:
                yield from self.references(stack, value)

    def names_key(self, content: Any) -> bool:
        """Whether any part of a content means the customer-managed key."""
        if isinstance(content, dict):
            if content.get("Ref") in KEY_PARAMETERS or content.get("Fn::GetAtt") in (["Key", "Arn"], "Key.Arn"):
                return True
            return any(self.names_key(value) for value in content.values())
        return isinstance(content, list) and any(self.names_key(value) for value in content)

    def policies(self, role: Resource) -> Iterator[Any]:
        """Every policy of a role: its own, those it attaches, and those that are attached to it from any stack."""
        properties = self.roles[role]
        yield properties.get("Policies", [])
        attached = set(self.references(role.stack, properties.get("ManagedPolicyArns", [])))
        for resource, _, policy in self.resources(
            "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"
        ):
            holders = [policy.get("RoleName"), *as_list(policy.get("Roles", []))]
            if resource in attached or role in {self.resolve(resource.stack, holder) for holder in holders}:
                yield policy["PolicyDocument"]

    def rights(self, role: Resource) -> set[Right]:
        """What a role may do: actions on the key, and all actions of other services."""
        return {
            Right(action, conditions_of(statement))
            for policy in self.policies(role)
            for statement in statements(policy)
            if statement["Effect"] == "Allow"
            for action in as_list(statement["Action"])
            if not action.startswith("kms:") or self.names_key(statement["Resource"])
        }


def conditions_of(statement: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The condition keys of a statement, each with its value as text."""
    return tuple(
        sorted((key, str(value)) for pairs in statement.get("Condition", {}).values() for key, value in pairs.items())
    )
