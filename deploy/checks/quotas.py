"""Whether the quotas of an account allow what the settings ask for.

Service Quotas lists the applied quotas of a service. One that was never raised or lowered is not among them: it has its
default value, which is 0 for many machines of SageMaker. Such defaults are another list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploy.aws.requests import Aws, Request
from deploy.checks.findings import Finding, Settings

Lists = Callable[[str, str], list[dict[str, Any]]]
"""All quotas of an operation and a service."""

APPLIED, DEFAULTS = "list_service_quotas", "list_aws_default_service_quotas"


@dataclass(frozen=True)
class Quota:
    """A quota of a service that must allow a setting.

    Attributes:
        stack: the stack whose resources need it.
        service: the service's code in Service Quotas.
        name_part: a part of the quota's name; ``{}`` stands for the value of ``machine``.
        setting: the setting that must fit into it; None for one machine.
        machine: the setting that names the machine; None if the quota's name has no machine.
        only_if: the settings, and their values, without which nothing needs it.
        is_read_anyway: whether its value is of interest without those settings too. SageMaker has thousands of quotas.
    """

    stack: str
    service: str
    name_part: str
    setting: str | None = None
    machine: str | None = None
    only_if: tuple[tuple[str, str], ...] = ()
    is_read_anyway: bool = True


ON_SAGEMAKER = ("Kmeans", "sagemaker")
QUOTAS = (
    Quota("jobs", "emr-serverless", "vCPU", setting="EmrCpus", only_if=(("Engine", "emr"),)),
    Quota("jobs", "glue", "task DPU", setting="GlueWorkers", only_if=(("Engine", "glue"),)),
    *(
        Quota("nightly", "sagemaker", f"{{}} for {usage} usage", machine=machine, only_if=only_if, is_read_anyway=False)
        for usage, machine, only_if in (
            ("spot training job", "TrainingInstance", (ON_SAGEMAKER, ("Spot", "true"))),
            ("training job", "TrainingInstance", (ON_SAGEMAKER, ("Spot", "false"))),
            ("transform job", "TransformInstance", (ON_SAGEMAKER,)),
        )
    ),
)


def quota_request(service: str, operation: str = APPLIED) -> Request:
    """The request for the first page of a service's quotas."""
    return Request("service-quotas", operation, {"ServiceCode": service, "MaxResults": 100})


def read_quotas(aws: Aws, service: str, operation: str) -> list[dict[str, Any]]:
    """All quotas of a service, applied ones or defaults."""
    request, quotas = quota_request(service, operation), []
    while True:
        page = aws.read(request)
        quotas += page["Quotas"]
        if not page.get("NextToken"):
            return quotas
        request = replace(request, parameters={**request.parameters, "NextToken": page["NextToken"]})


def check_quota(aws: Aws, lists: Lists, settings: Settings, quota: Quota) -> Finding:
    """Whether a quota allows its setting. One that no setting needs is a note."""
    check = f"quota of {quota.service}"
    unmet = [f"{name} is {value}" for name, value in quota.only_if if settings[name] != value]
    name_part = quota.name_part.format(settings[quota.machine] if quota.machine else "")
    if unmet and not quota.is_read_anyway:
        return Finding(check, "note", f"{name_part}: not read, since nothing needs it before {' and '.join(unmet)}")
    needed = float(settings[quota.setting]) if quota.setting else 1.0
    matches = _matches(lists, quota.service, name_part)
    if not matches:
        return Finding(check, "note", f"no quota of {name_part} is listed")
    detail = "; ".join(f"{entry['QuotaName']}: {entry['Value']:g}{entry['note']}" for entry in matches)
    short = next((entry for entry in matches if entry["Value"] < needed), None)
    if short is None:
        return Finding(check, "ok", detail)
    advice = f"{quota.setting} is {needed:g}: set it lower, or ask for more" if quota.setting else "ask for 1"
    detail = f"{detail}; {advice}: {_increase_command(aws, quota.service, short, needed)}"
    return (
        Finding(check, "note", f"{detail}, before {' and '.join(unmet)}") if unmet else Finding(check, "fault", detail)
    )


def _matches(lists: Lists, service: str, name_part: str) -> list[dict[str, Any]]:
    """The quotas with a name, applied values before defaults, each with a note in words."""
    for operation, note in ((APPLIED, ""), (DEFAULTS, " (the default, since it was never changed)")):
        matches = [entry for entry in lists(service, operation) if name_part.lower() in entry["QuotaName"].lower()]
        if matches:
            return [{**entry, "note": note} for entry in matches]
    return []


def _increase_command(aws: Aws, service: str, entry: Mapping[str, Any], needed: float) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code "
        f"{entry['QuotaCode']} --desired-value {needed:g} --region {aws.region}"
    )
