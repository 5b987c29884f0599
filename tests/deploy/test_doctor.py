from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.doctor import ACTIONS, COMET_JAR
from deploy.stacks.stacks import template_body
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.environment import serving
from tests.fakes.http.protocols import JsonService, QueryService

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROLE = "arn:aws:sts::123456789012:assumed-role/engineer/ann"


@dataclass
class Account:
    """An account: its permissions and its quotas."""

    denied: set[str] = field(default_factory=set)
    cpus: float = 100.0
    machines: float = 4.0
    principals: list[str] = field(default_factory=list)

    def identity(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"Arn": ROLE, "Account": "123456789012", "UserId": "A:ann"}

    def simulate(self, request: dict[str, Any]) -> dict[str, Any]:
        self.principals.append(request["PolicySourceArn"])
        return {
            "EvaluationResults": [
                {"EvalActionName": action, "EvalDecision": "implicitDeny" if action in self.denied else "allowed"}
                for action in request["ActionNames"]
            ]
        }

    def quotas(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["ServiceCode"] == "sagemaker":
            # Two pages: a real account has thousands of quotas.
            uses = ("spot training job", "transform job")
            page = int(request.get("NextToken", 0))
            quota = {"QuotaName": f"ml.m5.large for {uses[page]} usage", "Value": self.machines}
            return {"Quotas": [quota], **({"NextToken": "1"} if page == 0 else {})}
        names = {"emr-serverless": "Max concurrent vCPUs per account", "glue": "Max task DPUs per account"}
        return {"Quotas": [{"QuotaName": names[request["ServiceCode"]], "Value": self.cpus}]}

    def role(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request["RoleName"] == "engineer"
        role = {"Path": "/aws-reserved/", "RoleName": "engineer", "RoleId": "AROA1234567890123456", "CreateDate": NOW}
        return {"Role": role | {"Arn": "arn:aws:iam::123456789012:role/aws-reserved/engineer"}}


@pytest.fixture
def account(aws: pytest.MonkeyPatch, cloud_formation: CloudFormation) -> Iterator[Account]:
    del cloud_formation
    account = Account()
    sts = QueryService("sts", {"GetCallerIdentity": account.identity})
    iam = QueryService("iam", {"SimulatePrincipalPolicy": account.simulate, "GetRole": account.role})
    quotas = JsonService("service-quotas", {"ListServiceQuotas": account.quotas})
    with serving(aws, "STS", sts), serving(aws, "IAM", iam), serving(aws, "SERVICE_QUOTAS", quotas):
        yield account


def test_an_empty_account_that_fits_has_no_fault(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--prefix", "shop"]) == 0
    out = capsys.readouterr().out
    assert f"{ROLE} in account 123456789012" in out
    assert f"{len(ACTIONS)} actions are allowed" in out
    assert out.count("does not exist; `up` creates it") == 4
    assert "ml.m5.large for transform job usage: 4" in out
    assert account.principals == ["arn:aws:iam::123456789012:role/aws-reserved/engineer"]


def test_actions_that_are_not_allowed_are_named(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.denied = {"iam:CreateRole", "kms:CreateKey"}
    assert main(["doctor", "--prefix", "shop"]) == 2
    captured = capsys.readouterr()
    assert "not allowed: iam:CreateRole, kms:CreateKey" in captured.out
    assert captured.err.startswith("deploy: doctor: faults in permissions, expected none")


def test_a_quota_below_the_setting_is_named(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.cpus = 1.0
    assert main(["doctor", "--prefix", "shop"]) == 2
    captured = capsys.readouterr()
    assert "Max task DPUs per account: 1; GlueWorkers is 5: ask for more" in captured.out
    assert captured.err.startswith("deploy: doctor: faults in quota of glue, expected none")


def test_a_quota_that_the_engine_does_not_need_is_a_note(
    account: Account, deployed: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    account.cpus = 16.0
    assert main(["doctor", "--prefix", "bank"]) == 0
    assert (
        "vCPUs per account: 16; EmrCpus is 32: ask for more, or set it lower, before Engine" in capsys.readouterr().out
    )
    deployed.stacks["shop-nightly"]["parameters"]["Engine"] = "emr"
    assert main(["doctor", "--prefix", "shop"]) == 2
    assert "faults in quota of emr-serverless, expected none" in capsys.readouterr().err
    deployed.stacks["shop-jobs"]["parameters"]["EmrCpus"] = "16"
    assert main(["doctor", "--prefix", "shop"]) == 0


def test_no_machine_for_sagemaker_is_a_fault(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.machines = 0.0
    assert main(["doctor", "--prefix", "shop"]) == 2
    assert "ml.m5.large for spot training job usage: 0; ask for 1 or more" in capsys.readouterr().out


def test_a_region_without_kmeans_is_a_fault(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    del account
    assert main(["doctor", "--prefix", "shop", "--region", "mx-central-1"]) == 2
    assert "mx-central-1: not a region of the stacks" in capsys.readouterr().out


def test_doctor_shows_which_stacks_up_would_change(
    account: Account, deployed: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del account
    deployed.stacks["shop-jobs"]["body"] = template_body("jobs")
    deployed.stacks["shop-nightly"]["statuses"] = ["ROLLBACK_COMPLETE"]
    assert main(["doctor", "--prefix", "shop"]) == 2
    lines = {line.split()[1]: line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("stack")}
    assert "its template is this version's" in lines["shop-jobs"]
    assert "its template is another one; `up` changes it" in lines["shop-storage"]
    assert "fault" in lines["shop-nightly"]


def test_a_check_that_aws_refuses_is_a_note(
    account: Account, cloud_formation: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del account
    cloud_formation.faults.deny("DescribeStacks", times=9)
    assert main(["doctor", "--prefix", "shop"]) == 0
    line = "not checked: cloudformation describe_stacks: access denied (DescribeStacks: AccessDenied"
    assert capsys.readouterr().out.count(line) == 9


def test_the_native_engine_needs_its_jar_in_the_bucket(
    account: Account, deployed: CloudFormation, buckets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del account
    parameters = deployed.stacks["shop-jobs"]["parameters"]
    parameters["CometJar"] = f"dependencies/{COMET_JAR}"
    assert main(["doctor", "--prefix", "shop"]) == 2
    assert f"s3://shop-artifacts/dependencies/{COMET_JAR}: not there" in capsys.readouterr().out
    buckets.put_object(Bucket="shop-artifacts", Key=f"dependencies/{COMET_JAR}", Body=b"")
    assert main(["doctor", "--prefix", "shop"]) == 0
    assert "native code for glue-6.0 on x86_64 and emr-8.1 on x86_64" in capsys.readouterr().out
    parameters["CometJar"] = "dependencies/comet-spark-spark3.5_2.12-1.2.0.jar"
    assert main(["doctor", "--prefix", "shop"]) == 2
    assert "faults in native engine" in capsys.readouterr().err


def test_the_jar_is_the_one_that_a_laptop_fetches() -> None:
    pinned = (Path(__file__).parents[2] / "jobs" / "spark" / "comet.sha256").read_text(encoding="utf-8")
    assert pinned.split() == [pinned.split()[0], COMET_JAR]


def test_doctor_changes_nothing(account: Account, deployed: CloudFormation) -> None:
    del account
    main(["doctor", "--prefix", "shop"])
    assert {call.operation for call in deployed.calls} == {"DescribeStacks", "GetTemplate"}


def test_a_dry_run_sends_nothing(
    account: Account, deployed: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--prefix", "shop", "--dry-run"]) == 0
    assert '"operation": "simulate_principal_policy"' in capsys.readouterr().out
    assert (account.principals, deployed.calls) == ([], [])
