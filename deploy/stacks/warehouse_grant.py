"""The one thing in the warehouse that needs its administrator: the role that loads runs may make tables.

Redshift knows the role as the user ``IAMR:<role>``. The statements go through the Data API with the secret that AWS
keeps for the administrator; nobody sees it. They may be run any number of times.
"""

from collections.abc import Mapping
from typing import Any

from deploy.aws.requests import Aws, Request
from deploy.job_runs.waiting import State, follow
from jobs.errors import OutsideSystemError

FINAL = {"FINISHED", "FAILED", "ABORTED"}
EXISTS = "already exists"


def statements(prefix: str, database: str) -> dict[str, str]:
    """The statements, by what they do. Names are the templates' and hold nothing that would need quoting inside."""
    user = f'"IAMR:{prefix}-publish"'
    return {
        "make the user": f"create user {user} password disable",
        "let it make schemas": f'grant create, temporary on database "{database}" to {user}',
        "let it make tables": f"grant usage, create on schema public to {user}",
    }


def execute_request(*, workgroup: str, database: str, secret: str, sql: str) -> Request:
    """The request for a statement."""
    return Request(
        "redshift-data",
        "execute_statement",
        {"WorkgroupName": workgroup, "Database": database, "SecretArn": secret, "Sql": sql},
    )


def let_publish_in(aws: Aws, *, prefix: str, workgroup: str, database: str) -> None:
    """Let the role that loads runs make tables in the warehouse.

    Raises:
        OutsideSystemError: A statement failed.
    """
    asked = Request("redshift-serverless", "get_namespace", {"namespaceName": prefix})
    secret = "<its secret>" if aws.is_dry_run else aws.ask(asked)["namespace"]["adminPasswordSecretArn"]
    for purpose, sql in statements(prefix, database).items():
        request = execute_request(workgroup=workgroup, database=database, secret=secret, sql=sql)
        started = aws.change(request)
        if started is None:
            continue
        end = _ended(aws, started["Id"], purpose, how_to_follow=f"python -m deploy up {aws.options(prefix)}")
        if end["Status"] != "FINISHED" and EXISTS not in end.get("Error", ""):
            raise OutsideSystemError(
                f"warehouse {workgroup}: could not {purpose} ({end.get('Error', end['Status'])}). Run `up` again; if "
                f"it stays so, run as its administrator: {sql}"
            )


def _ended(aws: Aws, statement: str, purpose: str, *, how_to_follow: str) -> Mapping[str, Any]:
    request = Request("redshift-data", "describe_statement", {"Id": statement})

    def look() -> State:
        found = aws.ask(request)
        return State(found["Status"], is_final=found["Status"] in FINAL, answer=found)

    return follow(f"warehouse: {purpose}", look, how_to_follow=how_to_follow).answer
