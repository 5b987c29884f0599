"""The usage limit of the warehouse: set, kept, changed and removed by `up`."""

from pathlib import Path
from typing import Any

import pytest

from deploy.__main__ import main
from tests.deploy.conftest import OUTPUTS
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.http.protocols import JsonService
from tests.fakes.redshift.serverless import RedshiftServerless

WORKGROUP = OUTPUTS["shop-warehouse"]["WorkgroupArn"]
LIMIT = {
    "resourceArn": WORKGROUP,
    "usageType": "serverless-compute",
    "period": "monthly",
    "breachAction": "deactivate",
}
DAILY = LIMIT | {"usageLimitId": "limit-0", "period": "daily", "amount": 9}
LOGGED = LIMIT | {"usageLimitId": "limit-00", "breachAction": "log", "amount": 7}


@pytest.fixture
def up(packaged: Path, buckets: Any, redshift: JsonService, cloud_formation: CloudFormation) -> Any:
    del buckets, redshift, cloud_formation
    return lambda *arguments: main(["up", "--prefix", "shop", "--folder", str(packaged), *arguments])


def changes(serverless: RedshiftServerless) -> list[str]:
    return [call.operation for call in serverless.calls if not call.operation.startswith(("List", "Get"))]


def test_a_new_warehouse_gets_the_default_and_keeps_it(
    up: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up() == 0
    assert serverless.limits == [LIMIT | {"usageLimitId": "limit-1", "amount": 100}]
    assert "shop-warehouse: 100 RPU-hours a month (RpuHoursPerMonth)" in capsys.readouterr().err
    assert up() == 0
    assert changes(serverless) == ["CreateUsageLimit"]


def test_a_value_is_set_changed_and_kept(up: Any, serverless: RedshiftServerless) -> None:
    assert up("--set", "RpuHoursPerMonth=40") == 0
    assert up("--set", "RpuHoursPerMonth=400") == 0
    assert up("--set", "RpuHoursPerMonth=400") == 0
    assert up() == 0
    assert [limit["amount"] for limit in serverless.limits] == [400]
    assert changes(serverless) == ["CreateUsageLimit", "UpdateUsageLimit"]


def test_0_removes_the_limit_and_no_later_call_brings_it_back(
    up: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up() == 0
    assert up("--set", "RpuHoursPerMonth=0") == 0
    assert serverless.limits == []
    capsys.readouterr()
    assert up() == 0
    assert serverless.limits == []
    assert "shop-warehouse: no limit (RpuHoursPerMonth)" in capsys.readouterr().err


def test_a_new_warehouse_without_a_limit_gets_none(up: Any, serverless: RedshiftServerless) -> None:
    assert up("--set", "RpuHoursPerMonth=0") == 0
    assert changes(serverless) == []


def test_limits_of_the_users_own_stay(up: Any, serverless: RedshiftServerless) -> None:
    serverless.limits += [dict(DAILY), dict(LOGGED)]
    assert up("--set", "RpuHoursPerMonth=40") == 0
    assert up("--set", "RpuHoursPerMonth=0") == 0
    assert serverless.limits == [DAILY, LOGGED]


def test_a_dry_run_prints_the_limit_and_sets_none(
    up: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]
) -> None:
    assert up("--dry-run") == 0
    assert '"operation": "create_usage_limit"' in capsys.readouterr().out
    assert serverless.calls == []


def test_a_refusal_is_one_line(up: Any, serverless: RedshiftServerless, capsys: pytest.CaptureFixture[str]) -> None:
    serverless.faults.deny("CreateUsageLimit")
    assert up() == 4
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("deploy: redshift-serverless create_usage_limit: access denied")
