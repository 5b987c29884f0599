"""What stands around the nightly state machine: alarms, the queue of starts that failed, the budget, and the roles."""

import re
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.deploy.stacks.templates import resources, statements, template

NIGHTLY = template("nightly")
ALARMS = resources(NIGHTLY, "AWS::CloudWatch::Alarm")
ROLES = resources(NIGHTLY, "AWS::IAM::Role")
KEY = {"Ref": "KeyArn"}


def value_of(expression: Any, parameters: dict[str, str]) -> Any:
    """The value of a condition or a rule, as CloudFormation computes it: it compares texts alone."""
    if not isinstance(expression, dict):
        return expression
    ((function, operands),) = expression.items()
    if function == "Ref":
        return parameters.get(operands) or NIGHTLY["Parameters"][operands]["Default"]
    if function == "Condition":
        return value_of(NIGHTLY["Conditions"][operands], parameters)
    values = [value_of(operand, parameters) for operand in operands]
    return {
        "Fn::Equals": lambda: values[0] == values[1],
        "Fn::Not": lambda: not values[0],
        "Fn::And": lambda: all(values),
        "Fn::Contains": lambda: values[1] in operands[0],
    }[function]()


def refusals(*, region: str = "eu-west-1", **settings: str) -> set[str]:
    """The names of the rules that refuse a stack with these parameters."""
    parameters = {"AWS::Region": region, **settings}
    return {
        name
        for name, rule in NIGHTLY["Rules"].items()
        if value_of(rule["RuleCondition"], parameters)
        and not all(value_of(assertion["Assert"], parameters) for assertion in rule["Assertions"])
    }


def test_settings_that_need_each_other_are_refused_alone() -> None:
    assert refusals() == set()
    assert refusals(MonthlyBudget="50") == {"ABudgetHasAnAddress"}
    assert refusals(MonthlyBudget="50", Email="you@example.com") == set()
    assert refusals(Source="ledger") == {"ALedgerHasAMapping"}
    assert refusals(Source="ledger", Mapping="s3://shop-data/raw/ledger.yml") == set()
    assert refusals(NetworkSubnets="subnet-0a") == {"ANetworkHasAGroup"}
    assert refusals(NetworkSubnets="subnet-0a", NetworkGroup="sg-0b") == set()


def test_a_budget_is_refused_in_the_regions_without_any_and_nothing_else_is() -> None:
    regions = template("jobs")["Mappings"]["KMeansImage"]
    for region in regions:
        has_budgets = "AWS::Budgets::Budget" in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)
        expected = set() if has_budgets else {"ABudgetIsMadeWhereThereAreSome"}
        assert refusals(region=region, MonthlyBudget="50", Email="you@example.com") == expected
        assert refusals(region=region) == set()


@pytest.mark.parametrize(
    ("parameter", "accepted", "refused"),
    [
        ("MonthlyBudget", ["0", "1", "500"], ["", "0.0", "00", "-1", "1e3", "050"]),
        ("Mapping", ["", "s3://shop-data/raw/ledger.yml"], ["ledger.yml", "s3://shop-data/output/x", "s3://b/raw/"]),
        ("NetworkSubnets", ["", "subnet-0a", "subnet-0a,subnet-1b"], ["subnet-0a,", "vpc-1"]),
        ("DashboardDataSets", ["", "shop-segments,shop-grid"], ["shop segments"]),
        ("RolePath", ["/", "/bank/segments/"], ["", "bank", "/bank"]),
        ("PermissionsBoundary", ["", "arn:aws:iam::123456789012:policy/limit"], ["limit"]),
    ],
)
def test_a_setting_has_one_form(parameter: str, accepted: list[str], refused: list[str]) -> None:
    pattern = re.compile(NIGHTLY["Parameters"][parameter]["AllowedPattern"])
    assert [text for text in accepted if not pattern.fullmatch(text)] == []
    assert [text for text in refused if pattern.fullmatch(text)] == []


def test_a_new_deployment_needs_no_quota_of_sagemaker_and_no_other_stack_but_storage_and_jobs() -> None:
    defaults = {name: declaration.get("Default") for name, declaration in NIGHTLY["Parameters"].items()}
    assert (defaults["Kmeans"], defaults["Spot"], defaults["Source"]) == ("spark", "true", "olist")
    optional = ("Workgroup", "Database", "CatalogueDatabase", "DashboardDataSets", "NetworkSubnets", "NetworkGroup")
    assert {defaults[name] for name in optional} == {""}


def test_the_alarm_on_late_runs_exists_before_the_schedule_so_that_a_run_by_hand_makes_it_ok_in_time() -> None:
    assert "Condition" not in NIGHTLY["Resources"]["Late"]
    assert ALARMS["Late"]["ActionsEnabled"] == {"Fn::If": ["IsScheduled", True, False]}
    assert ALARMS["Late"]["TreatMissingData"] == "breaching"
    assert ALARMS["Late"]["Period"] * ALARMS["Late"]["EvaluationPeriods"] == 30 * 3600
    assert "Within 30 hours" in NIGHTLY["Parameters"]["ScheduleState"]["Description"]


def test_a_start_that_the_scheduler_gives_up_goes_to_an_encrypted_queue_that_an_alarm_watches() -> None:
    (schedule,) = resources(NIGHTLY, "AWS::Scheduler::Schedule").values()
    assert schedule["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["NotStarted", "Arn"]}}
    (queue,) = resources(NIGHTLY, "AWS::SQS::Queue").values()
    assert queue["KmsMasterKeyId"] == KEY
    allowed = {
        str(statement["Resource"]): statement["Action"] for statement in statements(ROLES["ScheduleRole"]["Policies"])
    }
    assert allowed[str({"Fn::GetAtt": ["NotStarted", "Arn"]})] == "sqs:SendMessage"
    assert allowed[str(KEY)] == ["kms:Decrypt", "kms:GenerateDataKey"]
    watched = ALARMS["NotStartedAlarm"]
    assert watched["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["NotStarted", "QueueName"]}}]
    assert (watched["MetricName"], watched["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)


def test_every_alarm_tells_the_topic() -> None:
    assert set(ALARMS) == {"Failed", "Late", "NotStartedAlarm", "TooMuchQuarantined"}
    assert all(alarm["AlarmActions"] == [{"Ref": "Topic"}] for alarm in ALARMS.values())


def test_the_alarm_on_quarantined_rows_watches_the_metric_of_both_sources() -> None:
    (machine,) = resources(NIGHTLY, "AWS::StepFunctions::StateMachine").values()
    alarm = ALARMS["TooMuchQuarantined"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("ShareQuarantined", "Maximum")
    assert not {"Dimensions", "Metrics"} & set(alarm)
    # Tests of the state machine show that each source puts it.
    assert machine["DefinitionString"].count('"MetricName": "ShareQuarantined"') == 6


def test_definition_history_and_input_of_the_state_machine_are_encrypted_with_the_key() -> None:
    (machine,) = resources(NIGHTLY, "AWS::StepFunctions::StateMachine").values()
    encryption = machine["EncryptionConfiguration"]
    assert (encryption["Type"], encryption["KmsKeyId"]) == ("CUSTOMER_MANAGED_KMS_KEY", KEY)
    (using,) = [each for each in statements(ROLES["MachineRole"]["Policies"]) if each["Sid"] == "UseTheKey"]
    assert (using["Action"], using["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], KEY)
    assert "Condition" not in using, "Step Functions says that kms:ViaService stops executions"


@pytest.mark.parametrize(
    ("role", "source"),
    [
        ("MachineRole", ":states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Prefix}-nightly"),
        ("ScheduleRole", ":scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/default"),
    ],
)
def test_a_service_assumes_a_role_for_one_resource_of_this_account(role: str, source: str) -> None:
    (trust,) = ROLES[role]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert trust["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(source)


def test_roles_have_the_path_and_the_boundary_of_the_bank() -> None:
    assert len(ROLES) == 2
    for role in ROLES.values():
        assert role["Path"] == {"Fn::If": ["HasRolePath", {"Ref": "RolePath"}, {"Ref": "AWS::NoValue"}]}
        boundary = {"Ref": "PermissionsBoundary"}
        assert role["PermissionsBoundary"] == {"Fn::If": ["HasBoundary", boundary, {"Ref": "AWS::NoValue"}]}


@pytest.mark.parametrize(
    ("amount", "email", "is_there"),
    [("0", "", False), ("0", "you@example.com", False), ("50", "", False), ("50", "you@example.com", True)],
)
def test_there_is_a_budget_if_there_are_an_amount_and_an_address(amount: str, email: str, is_there: bool) -> None:
    condition = {"Condition": NIGHTLY["Resources"]["Budget"]["Condition"]}
    assert value_of(condition, {"MonthlyBudget": amount, "Email": email}) is is_there


def test_the_budget_is_of_this_prefix_and_mails_at_80_and_at_100_percent() -> None:
    (budget,) = resources(NIGHTLY, "AWS::Budgets::Budget").values()
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": [{"Fn::Join": ["$", ["user:prefix", {"Ref": "Prefix"}]]}]}
    notifications = budget["NotificationsWithSubscribers"]
    assert [each["Notification"]["Threshold"] for each in notifications] == [80, 100]
    for each in notifications:
        assert each["Notification"]["ThresholdType"] == "PERCENTAGE"
        assert each["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": {"Ref": "Email"}}]
