from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.checks.native_engine import COMET_JAR
from deploy.checks.permissions import ACTIONS_BY_STACK
from deploy.stacks.stacks import STACKS, template_body
from tests.deploy.conftest import OPTIONAL_OUTPUTS
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.environment import serving
from tests.fakes.http.protocols import JsonService, QueryService

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROLE = "arn:aws:sts::123456789012:assumed-role/engineer/ann"
USUAL = ("storage", "jobs", "warehouse", "nightly")
SAGEMAKER = {
    "ml.m5.large for spot training job usage": "L-29688C85",
    "ml.m5.large for training job usage": "L-611FA074",
    "ml.m5.large for transform job usage": "L-236AE59F",
}


@dataclass
class Account:
    """An account: its permissions and its quotas.

    Attributes:
        denied: The actions that IAM does not allow.
        simulated: The actions about which IAM was asked last.
        principals: The principals about which IAM was asked.
        cpus: The quotas of EMR Serverless and Glue.
        applied: SageMaker's quotas that were changed once, by name.
        defaults: SageMaker's default values. A new account has them, and no applied one.
        listed: The service and the list of each request for quotas.
    """

    denied: set[str] = field(default_factory=set)
    simulated: list[str] = field(default_factory=list)
    principals: list[str] = field(default_factory=list)
    cpus: float = 100.0
    applied: dict[str, float] = field(default_factory=dict)
    defaults: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SAGEMAKER, 0.0))
    listed: list[tuple[str, str]] = field(default_factory=list)

    def identity(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"Arn": ROLE, "Account": "123456789012", "UserId": "A:ann"}

    def simulate(self, request: dict[str, Any]) -> dict[str, Any]:
        self.principals.append(request["PolicySourceArn"])
        self.simulated = request["ActionNames"]
        return {
            "EvaluationResults": [
                {"EvalActionName": action, "EvalDecision": "implicitDeny" if action in self.denied else "allowed"}
                for action in request["ActionNames"]
            ]
        }

    def quotas(self, request: dict[str, Any]) -> dict[str, Any]:
        self.listed.append((request["ServiceCode"], "applied"))
        if request["ServiceCode"] == "sagemaker":
            return self._page(request, self.applied)
        names = {
            "emr-serverless": ("Max concurrent vCPUs per account", "L-D05C8A75"),
            "glue": ("Max task DPUs per account", "L-08F3A2D8"),
        }
        name, code = names[request["ServiceCode"]]
        return {"Quotas": [{"QuotaName": name, "QuotaCode": code, "Value": self.cpus}]}

    def default_quotas(self, request: dict[str, Any]) -> dict[str, Any]:
        self.listed.append((request["ServiceCode"], "default"))
        return self._page(request, self.defaults if request["ServiceCode"] == "sagemaker" else {})

    def _page(self, request: dict[str, Any], values: dict[str, float]) -> dict[str, Any]:
        # One quota per page: a real account has thousands of them.
        start = int(request.get("NextToken", 0))
        quotas = [{"QuotaName": name, "QuotaCode": SAGEMAKER[name], "Value": value} for name, value in values.items()]
        more = {"NextToken": str(start + 1)} if start + 1 < len(quotas) else {}
        return {"Quotas": quotas[start : start + 1], **more}

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
    operations = {"ListServiceQuotas": account.quotas, "ListAWSDefaultServiceQuotas": account.default_quotas}
    quotas = JsonService("service-quotas", operations)
    with serving(aws, "STS", sts), serving(aws, "IAM", iam), serving(aws, "SERVICE_QUOTAS", quotas):
        yield account


@pytest.fixture
def on_sagemaker(deployed: CloudFormation) -> dict[str, str]:
    """The parameters of a nightly run that clusters on SageMaker."""
    parameters: dict[str, str] = deployed.stacks["shop-nightly"]["parameters"]
    parameters["Kmeans"] = "sagemaker"
    return parameters


def test_a_new_account_that_fits_has_no_fault(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--prefix", "shop"]) == 0
    out = capsys.readouterr().out
    assert f"{ROLE} in account 123456789012" in out
    assert f"{len(account.simulated)} actions are allowed" in out
    assert out.count("does not exist; `up` creates it") == 4
    assert account.principals == ["arn:aws:iam::123456789012:role/aws-reserved/engineer"]


def test_actions_that_are_not_allowed_are_named(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.denied = {"iam:CreateRole", "kms:CreateKey"}
    assert main(["doctor", "--prefix", "shop"]) == 2
    captured = capsys.readouterr()
    assert "not allowed: iam:CreateRole, kms:CreateKey" in captured.out
    assert captured.err.startswith("deploy: doctor: faults in permissions, expected none")


def test_a_first_night_of_two_stacks_needs_what_they_need_alone(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.denied = {"ec2:CreateVpc", "redshift-serverless:CreateNamespace", "states:CreateStateMachine"}
    assert main(["doctor", "--prefix", "shop", "--only", "storage,jobs"]) == 0
    out = capsys.readouterr().out
    assert account.simulated == sorted({*ACTIONS_BY_STACK["storage"], *ACTIONS_BY_STACK["jobs"]})
    assert [name for name in STACKS if f"stack shop-{name}" in out] == ["storage", "jobs"]
    assert "sagemaker" not in out
    assert {service for service, _ in account.listed} == {"emr-serverless", "glue"}


def test_permissions_for_what_the_settings_do_not_make_are_not_asked_for(
    account: Account, deployed: CloudFormation
) -> None:
    spared = {"kms:CreateKey", "ec2:CreateVpc", "budgets:ModifyBudget"}
    assert main(["doctor", "--prefix", "shop"]) == 0
    assert spared & set(account.simulated) == {"kms:CreateKey", "ec2:CreateVpc"}
    deployed.stacks["shop-storage"]["parameters"]["OwnKeyArn"] = "arn:aws:kms:eu-west-1:123456789012:key/2"
    deployed.stacks["shop-nightly"]["parameters"]["MonthlyBudget"] = "200"
    deployed.stacks["shop-network"] = {
        **deployed.stacks["shop-storage"],
        "parameters": {},
        "outputs": OPTIONAL_OUTPUTS["shop-network"],
    }
    assert main(["doctor", "--prefix", "shop"]) == 0
    assert spared & set(account.simulated) == {"budgets:ModifyBudget"}


def test_a_dashboard_asks_for_its_own_permissions(account: Account) -> None:
    assert main(["doctor", "--prefix", "shop"]) == 0
    assert "quicksight:CreateDashboard" not in account.simulated
    assert main(["doctor", "--prefix", "shop", "--only", "bi"]) == 0
    assert account.simulated == sorted(ACTIONS_BY_STACK["bi"])


def test_a_quota_below_the_setting_is_named(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.cpus = 1.0
    assert main(["doctor", "--prefix", "shop"]) == 2
    captured = capsys.readouterr()
    assert (
        "Max task DPUs per account: 1; GlueWorkers is 5: set it lower, or ask for more: "
        "aws service-quotas request-service-quota-increase --service-code glue --quota-code L-08F3A2D8 "
        "--desired-value 5 --region eu-west-1"
    ) in captured.out
    assert captured.err.startswith("deploy: doctor: faults in quota of glue, expected none")


def test_a_quota_that_the_engine_does_not_need_is_a_note(
    account: Account, deployed: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    account.cpus = 8.0
    assert main(["doctor", "--prefix", "bank"]) == 0
    out = capsys.readouterr().out
    assert "vCPUs per account: 8; EmrCpus is 16: set it lower, or ask for more" in out
    assert "--desired-value 16 --region eu-west-1, before Engine is emr" in out
    deployed.stacks["shop-nightly"]["parameters"]["Engine"] = "emr"
    assert main(["doctor", "--prefix", "shop"]) == 2
    assert "faults in quota of emr-serverless, expected none" in capsys.readouterr().err
    deployed.stacks["shop-jobs"]["parameters"]["EmrCpus"] = "8"
    assert main(["doctor", "--prefix", "shop"]) == 0


def test_a_quota_of_0_that_was_never_applied_is_a_fault_with_the_command_that_raises_it(
    account: Account, on_sagemaker: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    account.applied = {"ml.m5.large for spot training job usage": 2.0}
    assert on_sagemaker["Kmeans"] == "sagemaker"
    assert main(["doctor", "--prefix", "shop"]) == 2
    captured = capsys.readouterr()
    lines = [line.split("  ")[-1].strip() for line in map(str.rstrip, captured.out.splitlines()) if "ml.m5" in line]
    assert "ml.m5.large for spot training job usage: 2" in lines
    assert (
        "ml.m5.large for transform job usage: 0 (the default, since it was never changed); ask for 1: "
        "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-236AE59F "
        "--desired-value 1 --region eu-west-1"
    ) in lines
    assert captured.err == (
        "deploy: doctor: faults in quota of sagemaker, expected none. Correct them, then run `doctor` again\n"
    )


def test_an_applied_quota_counts_and_not_its_default(account: Account, on_sagemaker: dict[str, str]) -> None:
    assert on_sagemaker["Kmeans"] == "sagemaker"
    account.applied = dict.fromkeys(SAGEMAKER, 1.0)
    assert main(["doctor", "--prefix", "shop"]) == 0
    account.applied, account.defaults = dict.fromkeys(SAGEMAKER, 0.0), dict.fromkeys(SAGEMAKER, 1.0)
    assert main(["doctor", "--prefix", "shop"]) == 2


def test_the_spot_quota_is_needed_with_spot_alone(account: Account, on_sagemaker: dict[str, str]) -> None:
    account.applied = {name: 1.0 for name in SAGEMAKER if "spot" not in name}
    assert main(["doctor", "--prefix", "shop"]) == 2
    on_sagemaker["Spot"] = "false"
    assert main(["doctor", "--prefix", "shop"]) == 0
    account.applied = {name: 1.0 for name in SAGEMAKER if "spot" in name or "transform" in name}
    assert main(["doctor", "--prefix", "shop"]) == 2


def test_without_sagemaker_its_quotas_are_not_read(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--prefix", "shop"]) == 0
    assert ("sagemaker", "applied") not in account.listed
    assert "transform job usage: not read, since nothing needs it before Kmeans is sagemaker" in capsys.readouterr().out


def test_a_region_without_kmeans_is_a_fault_with_sagemaker_alone(
    account: Account, on_sagemaker: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    account.applied = dict.fromkeys(SAGEMAKER, 1.0)
    assert main(["doctor", "--prefix", "shop", "--region", "us-iso-west-1"]) == 2
    assert "us-iso-west-1: without SageMaker's KMeans, expected one of " in capsys.readouterr().out
    on_sagemaker["Kmeans"] = "spark"
    assert main(["doctor", "--prefix", "shop", "--region", "us-iso-west-1"]) == 0
    assert "us-iso-west-1: without SageMaker's KMeans, which Kmeans=sagemaker would need" in capsys.readouterr().out


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
    cloud_formation.faults.deny("DescribeStacks", times=99)
    assert main(["doctor", "--prefix", "shop"]) == 0
    out = capsys.readouterr().out
    line = "not checked: cloudformation describe_stacks: access denied (DescribeStacks: AccessDenied"
    assert out.count(line) == len([shown for shown in out.splitlines() if "not checked" in shown]) > 4
    assert account.simulated == sorted({*chain.from_iterable(ACTIONS_BY_STACK[name] for name in USUAL)})


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
