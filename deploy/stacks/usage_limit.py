"""The usage limit of the warehouse, for which CloudFormation has no resource.

The limit is in RPU-hours of a calendar month. When it is reached, Redshift refuses queries until the month ends. The
nightly load then fails too, and says why; the run itself is complete in S3, and can be loaded after the limit is
raised. A limit that only writes a line into a log would cap no cost, while `MaxCapacity` caps that of an hour alone.
"""

from collections.abc import Mapping
from typing import Any

from deploy.aws.requests import Aws, Request
from jobs.errors import ConfigurationError

RPU_HOURS = "RpuHoursPerMonth"
DEFAULT_RPU_HOURS = 100
"""30 loads of 10 minutes on 8 RPUs are 40 RPU-hours. The others are for queries."""

USAGE_TYPE, PERIOD, BREACH_ACTION = "serverless-compute", "monthly", "deactivate"


def parse_rpu_hours(text: str | None) -> int | None:
    """The hours that a user set; None if there is no such setting.

    Raises:
        ConfigurationError: The text is not a whole number of hours.
    """
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise ConfigurationError(
            f"invalid --set {RPU_HOURS}={text}: expected a whole number of RPU-hours per month; 0 is no limit"
        )
    return int(text)


def set_usage_limit(aws: Aws, *, workgroup_arn: str, hours: int | None, is_new: bool) -> str:
    """Set the limit, unless it is so already. Another limit of the workgroup, such as a daily one, stays.

    Args:
        aws: the account.
        workgroup_arn: the workgroup; in a dry run perhaps one that does not exist yet.
        hours: RPU-hours of a month. 0 removes the limit. None keeps the present one, or its absence.
        is_new: whether the warehouse was created in this call, and gets `DEFAULT_RPU_HOURS` if ``hours`` is None.

    Returns:
        The limit in words.
    """
    present = None if is_new and aws.is_dry_run else _present_limit(aws, workgroup_arn)
    amount = hours
    if amount is None:
        amount = int(present["amount"]) if present is not None else DEFAULT_RPU_HOURS if is_new else 0
    request = _request(present, amount, workgroup_arn)
    if request is not None:
        aws.change(request)
    return f"{amount} RPU-hours a month" if amount else "no limit"


def _request(present: Mapping[str, Any] | None, amount: int, workgroup_arn: str) -> Request | None:
    if present is None and amount:
        values = {"resourceArn": workgroup_arn, "usageType": USAGE_TYPE, "period": PERIOD, "amount": amount}
        return Request("redshift-serverless", "create_usage_limit", values | {"breachAction": BREACH_ACTION})
    if present is None or present["amount"] == amount:
        return None
    limit = {"usageLimitId": present["usageLimitId"]}
    if amount:
        return Request("redshift-serverless", "update_usage_limit", limit | {"amount": amount})
    return Request("redshift-serverless", "delete_usage_limit", limit)


def _present_limit(aws: Aws, workgroup_arn: str) -> Mapping[str, Any] | None:
    parameters = {"resourceArn": workgroup_arn, "usageType": USAGE_TYPE}
    while True:
        page = aws.read(Request("redshift-serverless", "list_usage_limits", parameters))
        for limit in page.get("usageLimits", []):
            if (limit["period"], limit["breachAction"]) == (PERIOD, BREACH_ACTION):
                present: Mapping[str, Any] = limit
                return present
        if not page.get("nextToken"):
            return None
        parameters = {**parameters, "nextToken": page["nextToken"]}
