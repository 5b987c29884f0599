"""The right of the publish role to create tables in the warehouse, which only the warehouse's administrator can grant.

Redshift knows the role as the user ``IAMR:<role>``. The statements go through the Data API with the administrator's
secret, which AWS keeps and nobody sees. They may run any number of times.
"""

from collections.abc import Mapping
from typing import Any

from deploy.aws.requests import Aws, Request
from deploy.aws.waiting import State, wait_until_final
from jobs.errors import OutsideSystemError

FINAL_STATES = {"FINISHED", "FAILED", "ABORTED"}
EXISTS = "already exists"


def grant_statements(role: str, database: str) -> dict[str, str]:
    """The statements, by purpose. The names come from the templates, and none needs quotes inside."""
    user = f'"IAMR:{role}"'
    return {
        "create the user": f"create user {user} password disable",
        "let it create schemas": f'grant create, temporary on database "{database}" to {user}',
        "let it create tables": f"grant usage, create on schema public to {user}",
    }


def execute_request(*, workgroup: str, database: str, secret: str, sql: str) -> Request:
    """The request that executes a statement as the administrator."""
    return Request(
        "redshift-data",
        "execute_statement",
        {"WorkgroupName": workgroup, "Database": database, "SecretArn": secret, "Sql": sql},
    )


def grant_publish_role(aws: Aws, *, prefix: str, outputs: Mapping[str, str]) -> None:
    """Let the publish role create schemas and tables in the warehouse.

    Args:
        aws: the account.
        prefix: of the stacks.
        outputs: the outputs of the warehouse and of the stacks before it.

    Raises:
        OutsideSystemError: A statement failed.
    """
    workgroup, database = outputs["Workgroup"], outputs["Database"]
    namespace_request = Request("redshift-serverless", "get_namespace", {"namespaceName": prefix})
    secret = "<its secret>" if aws.is_dry_run else aws.read(namespace_request)["namespace"]["adminPasswordSecretArn"]
    for purpose, sql in grant_statements(outputs["PublishRoleName"], database).items():
        response = aws.change(execute_request(workgroup=workgroup, database=database, secret=secret, sql=sql))
        if response is None:
            continue
        resume_command = f"python -m deploy up {aws.deployment_options(prefix)}"
        description = _wait_for_statement(aws, response["Id"], purpose, resume_command=resume_command)
        if description["Status"] != "FINISHED" and EXISTS not in description.get("Error", ""):
            reason = description.get("Error", description["Status"])
            raise OutsideSystemError(
                f"warehouse {workgroup}: could not {purpose} ({reason}). Run `up` again. If it fails again, run this "
                f"as the warehouse's administrator: {sql}"
            )


def _wait_for_statement(aws: Aws, statement: str, purpose: str, *, resume_command: str) -> Mapping[str, Any]:
    request = Request("redshift-data", "describe_statement", {"Id": statement})

    def poll() -> State:
        description = aws.read(request)
        status = description["Status"]
        return State(status, is_final=status in FINAL_STATES, response=description)

    return wait_until_final(f"warehouse: {purpose}", poll, resume_command=resume_command).response
