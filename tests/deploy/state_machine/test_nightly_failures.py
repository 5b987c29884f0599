"""Failures in the nightly run: whether it ends or continues, whether it retries, and whom it notifies."""

import json

import pytest

from tests.deploy.state_machine.answers import AS_OF, RUN, SHARES, answers, failing, whole_way
from tests.deploy.state_machine.interpreter import Answer, Interpreter

pytestmark = pytest.mark.long

FAILED = failing("States.TaskFailed", "exit code 3")
TASKS = [*whole_way("Glue"), *(name for name in whole_way("Emr") if name.endswith("Emr"))]
MEASURING = ("ReadShares", "MeasureQuality")
AFTER_MEASURING = whole_way("Glue")[3:]


@pytest.mark.parametrize("task", [name for name in TASKS if name not in MEASURING])
def test_a_task_that_fails_ends_the_run_there_and_sends_a_notification(nightly: Interpreter, task: str) -> None:
    engine = "emr" if task.endswith("Emr") else "glue"
    report = nightly.execute({**AS_OF, "engine": engine}, answers(**{task: FAILED}))
    assert (report.status, report.tried()[-2:]) == ("FAILED", [task, "TellOfFailure"])
    assert report.tried().count(task) == 1, "a job that failed is not retried"
    assert "exit code 3" in str(report.cause)
    notification = report.request_of("TellOfFailure")
    assert notification["TopicArn"].endswith(":shop")
    assert notification["Message"]["run_id"] == RUN
    assert notification["Message"]["error"] == {"Error": "States.TaskFailed", "Cause": "exit code 3"}


RETRIED = [
    ("PipelineOnGlue", "Glue.ConcurrentRunsExceededException", 6),
    ("PipelineOnGlue", "Glue.ThrottlingException", 5),
    ("SegmentsOnGlue", "Glue.InternalServiceException", 5),
    ("Publish", "Glue.ConcurrentRunsExceededException", 6),
    ("PipelineOnEmr", "EMRServerless.ThrottlingException", 5),
    ("SegmentsOnEmr", "EMRServerless.InternalServerException", 5),
    ("Train", "SageMaker.ResourceLimitExceededException", 5),
    ("RegisterModel", "SageMaker.AmazonSageMakerException", 5),
    ("Transform", "SageMaker.ThrottlingException", 5),
]


@pytest.mark.parametrize(("task", "error", "times"), RETRIED)
def test_the_start_of_a_job_is_retried_a_limited_number_of_times(
    nightly: Interpreter, task: str, error: str, times: int
) -> None:
    engine = "emr" if task.endswith("Emr") else "glue"
    successes = answers()[task]
    failures: list[Answer] = [{"error": error, "cause": "not now"}] * times
    recovered = nightly.execute({**AS_OF, "engine": engine}, answers(**{task: failures + successes}))
    assert (recovered.status, recovered.tried().count(task)) == ("SUCCEEDED", times + 1)
    exhausted = nightly.execute({**AS_OF, "engine": engine}, answers(**{task: failing(error)}))
    assert (exhausted.status, exhausted.tried().count(task)) == ("FAILED", times + 1)
    assert exhausted.request_of("TellOfFailure")["Message"]["error"]["Error"] == error


@pytest.mark.parametrize(
    ("task", "error"),
    [("ReadShares", "S3.NoSuchKeyException"), ("MeasureQuality", "CloudWatch.InvalidParameterValueException")],
)
def test_a_metric_that_could_not_be_measured_is_reported_and_stops_no_run(
    nightly: Interpreter, task: str, error: str
) -> None:
    report = nightly.execute(AS_OF, answers(**{task: failing(error)}))
    assert (report.status, report.tried()[-6:]) == ("SUCCEEDED", ["TellOfNoMeasure", *AFTER_MEASURING])
    assert report.request_of("TellOfNoMeasure")["Message"]["error"]["Error"] == error


@pytest.mark.parametrize(
    "body",
    [
        "",
        json.dumps(SHARES)[:40],
        json.dumps({"tables": {}}),
        json.dumps({"tables": {**SHARES["tables"], "orders": {"share_quarantined": None}}}),
    ],
)
def test_shares_that_cannot_be_read_are_reported_and_stop_no_run(nightly: Interpreter, body: str) -> None:
    report = nightly.execute(AS_OF, answers(ReadShares=[{"result": {"Body": body}}]))
    assert (report.status, report.tried()[-6:]) == ("SUCCEEDED", ["TellOfNoMeasure", *AFTER_MEASURING])
    assert "MeasureQuality" not in report.tried()


def test_an_unknown_engine_is_reported_and_starts_nothing(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "engine": "spark"}, answers())
    assert (report.status, report.tried()) == ("FAILED", ["TellOfFailure"])
    assert "engine is spark, expected glue or emr" in json.dumps(report.request_of("TellOfFailure"))


def test_a_failure_ends_the_run_as_failed_if_no_notification_can_be_sent(nightly: Interpreter) -> None:
    report = nightly.execute(
        AS_OF, answers(PipelineOnGlue=failing("States.TaskFailed"), TellOfFailure=failing("SNS.Broken"))
    )
    assert (report.status, report.tried().count("TellOfFailure")) == ("FAILED", 4)


def test_an_execution_without_a_day_fails_before_anything_starts(nightly: Interpreter) -> None:
    report = nightly.execute({}, answers())
    assert (report.status, report.tried()) == ("FAILED", [])
