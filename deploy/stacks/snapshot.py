"""A snapshot of the warehouse, which outlives its namespace. It is encrypted with the namespace's key."""

from datetime import UTC, datetime

from deploy.aws.requests import Aws, Request
from deploy.aws.waiting import State, wait_until_final
from jobs.errors import OutsideSystemError

AVAILABLE = "AVAILABLE"
FINAL_STATES = {AVAILABLE, "CANCELLED", "DELETED", "FAILED"}


def take_snapshot(aws: Aws, prefix: str, namespace: str) -> str:
    """Take a snapshot of a namespace, wait until it can be restored, and return its name. AWS keeps it until deleted.

    Raises:
        OutsideSystemError: Redshift did not complete it. Nothing was deleted since.
    """
    name = f"{prefix}-{datetime.now(UTC):%Y%m%dt%H%M%Sz}"
    parameters = {"namespaceName": namespace, "snapshotName": name}
    if aws.change(Request("redshift-serverless", "create_snapshot", parameters)) is None:
        return name

    def poll() -> State:
        response = aws.read(Request("redshift-serverless", "get_snapshot", {"snapshotName": name}))
        status = response["snapshot"]["status"]
        return State(status, is_final=status in FINAL_STATES)

    options = aws.deployment_options(prefix)
    resume_command = f"python -m deploy down {options} --keep data --keep warehouse"
    end = wait_until_final(f"snapshot {name}", poll, resume_command=resume_command)
    if end.name != AVAILABLE:
        raise OutsideSystemError(
            f"snapshot {name} of namespace {namespace} ended as {end.name}, expected {AVAILABLE}. The warehouse was "
            "not deleted. Run the same `down` again"
        )
    return name
