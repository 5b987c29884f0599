"""The refresh of the dashboard, which is the end of a nightly run and never its failure."""

from typing import Any

import pytest

from tests.deploy.stacks.templates import statements, template
from tests.deploy.state_machine.answers import AS_OF, RUN, answers, failing, ingestion
from tests.deploy.state_machine.interpreter import Answer, Interpreter, Report

pytestmark = pytest.mark.long


def refreshes(report: Report) -> list[dict[str, Any]]:
    """What the topic was told of each data set."""
    message = report.request_of("TellOfNoRefresh")["Message"]
    assert message["run_id"] == RUN
    listed: list[dict[str, Any]] = message["refreshes"]
    return listed


def test_each_data_set_is_refreshed_under_the_executions_name(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers(), DashboardDataSets="shop-segments,shop-grid,shop-trend")
    started = [request for task, request in report.calls if task == "StartRefresh"]
    assert [request["DataSetId"] for request in started] == ["shop-segments", "shop-grid", "shop-trend"]
    assert started[0] == {
        "AwsAccountId": "123456789012",
        "DataSetId": "shop-segments",
        "IngestionId": "nightly-1",
        "IngestionType": "FULL_REFRESH",
    }
    followed = {request["DataSetId"] for task, request in report.calls if task == "FollowRefresh"}
    assert followed == {"shop-segments", "shop-grid", "shop-trend"}
    assert report.output is not None
    assert report.output["dashboard"] == "refreshed"
    assert "TellOfNoRefresh" not in report.tried()


def test_the_role_may_refresh_the_data_sets_of_this_prefix_alone() -> None:
    (refreshing,) = [each for each in statements(template("nightly")) if each.get("Sid") == "RefreshTheDashboard"]
    assert refreshing["Action"] == ["quicksight:CreateIngestion", "quicksight:DescribeIngestion"]
    assert refreshing["Resource"]["Fn::Sub"].endswith(":dataset/${Prefix}-*/ingestion/*")


@pytest.mark.parametrize("status", ["INITIALIZED", "QUEUED", "RUNNING"])
def test_a_refresh_is_followed_until_it_ends(nightly: Interpreter, status: str) -> None:
    waiting: list[Answer] = [ingestion(status)] * 59
    report = nightly.execute(AS_OF, answers(FollowRefresh=[*waiting, ingestion("COMPLETED")]))
    assert (report.status, report.tried().count("FollowRefresh")) == ("SUCCEEDED", 60)
    assert report.output is not None
    assert report.output["dashboard"] == "refreshed"


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_refresh_that_ends_badly_is_told_and_fails_no_run(nightly: Interpreter, status: str) -> None:
    error = {"Type": "DATA_SOURCE_AUTH_FAILED", "Message": "no access to s3://shop-data"}
    report = nightly.execute(AS_OF, answers(FollowRefresh=[ingestion(status, ErrorInfo=error)]))
    assert (report.status, report.tried()[-2:]) == ("SUCCEEDED", ["FollowRefresh", "TellOfNoRefresh"])
    assert refreshes(report) == [
        {
            "data_set": "shop-segments",
            "is_refreshed": False,
            "detail": {"IngestionStatus": status, "ErrorInfo": error},
        }
    ]
    assert report.output == {"run_id": RUN, "workgroup": "shop", "dashboard": "not refreshed"}


def test_a_refresh_is_not_followed_for_longer_than_an_hour(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers(FollowRefresh=[ingestion("RUNNING")]))
    assert (report.status, report.tried().count("FollowRefresh")) == ("SUCCEEDED", 60)
    assert refreshes(report)[0]["detail"] == {"IngestionStatus": "RUNNING"}


def test_one_refresh_that_fails_stops_no_other_and_one_message_tells_of_all(nightly: Interpreter) -> None:
    plan = answers()
    plan["FollowRefresh shop-grid"] = [ingestion("FAILED")]
    plan["FollowRefresh shop-segments"] = [ingestion("RUNNING"), ingestion("COMPLETED")]
    report = nightly.execute(AS_OF, plan, DashboardDataSets="shop-grid,shop-segments")
    assert (report.status, report.tried().count("TellOfNoRefresh")) == ("SUCCEEDED", 1)
    assert {each["data_set"]: each["is_refreshed"] for each in refreshes(report)} == {
        "shop-grid": False,
        "shop-segments": True,
    }


@pytest.mark.parametrize("task", ["StartRefresh", "FollowRefresh"])
def test_a_request_that_quicksight_refuses_is_told_and_fails_no_run(nightly: Interpreter, task: str) -> None:
    report = nightly.execute(AS_OF, answers(**{task: failing("QuickSight.AccessDeniedException", "not allowed")}))
    assert (report.status, report.tried()[-2:]) == ("SUCCEEDED", [task, "TellOfNoRefresh"])
    assert refreshes(report)[0]["detail"] == {"Error": "QuickSight.AccessDeniedException", "Cause": "not allowed"}


@pytest.mark.parametrize("task", ["StartRefresh", "FollowRefresh"])
def test_a_request_is_retried_a_limited_number_of_times(nightly: Interpreter, task: str) -> None:
    failures: list[Answer] = [{"error": "QuickSight.ThrottlingException", "cause": "not now"}] * 5
    recovered = nightly.execute(AS_OF, answers(**{task: [*failures, ingestion("COMPLETED")]}))
    assert recovered.output is not None
    assert (recovered.output["dashboard"], recovered.tried().count(task)) == ("refreshed", 6)
    exhausted = nightly.execute(AS_OF, answers(**{task: failing("QuickSight.ThrottlingException")}))
    assert (exhausted.status, exhausted.tried().count(task)) == ("SUCCEEDED", 6)
    assert exhausted.tried()[-1] == "TellOfNoRefresh"


def test_a_refresh_whose_answer_was_lost_is_followed_and_not_started_again(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers(StartRefresh=failing("QuickSight.ResourceExistsException")))
    assert report.output is not None
    assert (report.output["dashboard"], report.tried().count("StartRefresh")) == ("refreshed", 1)


def test_a_run_is_complete_even_if_nobody_can_be_told_of_its_dashboard(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers(FollowRefresh=[ingestion("FAILED")], TellOfNoRefresh=failing("SNS.Broken")))
    assert (report.status, report.tried().count("TellOfNoRefresh")) == ("SUCCEEDED", 4)
    assert report.output == {"run_id": RUN, "workgroup": "shop", "dashboard": "not refreshed"}
