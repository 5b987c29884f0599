"""Failures in the nightly run: whether it ends or continues, whether it retries, and whom it notifies."""

import json

import pytest

from tests.deploy.state_machine.answers import (
    AS_OF,
    LEDGER_SHARES,
    MEASURING,
    NETWORK,
    ON_SAGEMAKER,
    REFRESHING,
    RUN,
    SHARES,
    answers,
    failing,
    shares,
    with_sagemaker,
    with_spark,
)
from tests.deploy.state_machine.interpreter import Answer, Interpreter, Report, tasks

pytestmark = pytest.mark.long

FAILED = failing("States.TaskFailed", "exit code 3")
STARTS_OF_SAGEMAKER = ("Train", "TrainInNetwork", "RegisterModel", "RegisterModelInNetwork", "Transform")
TASKS = ["PipelineOnGlue", "PipelineOnEmr", "SegmentsOnGlue", "SegmentsOnEmr", "Publish", *STARTS_OF_SAGEMAKER]
AFTER_MEASURING = with_spark("Glue")[3:]


def executed(nightly: Interpreter, task: str, **exceptions: list[Answer]) -> Report:
    """An execution that tries a task."""
    engine = "emr" if task.endswith("Emr") else "glue"
    network = NETWORK if task.endswith("InNetwork") else {}
    return nightly.execute({**ON_SAGEMAKER, "engine": engine}, answers(**exceptions), **network)


def test_every_task_that_can_end_a_run_is_tried_here() -> None:
    telling = {"TellOfFailure", "TellOfNoMeasure", "TellOfNoRefresh"}
    assert {*TASKS, *MEASURING, "MeasureQualityOfLedger", *REFRESHING, *telling} == set(tasks())


@pytest.mark.parametrize("task", TASKS)
def test_a_task_that_fails_ends_the_run_there_and_sends_a_notification(nightly: Interpreter, task: str) -> None:
    report = executed(nightly, task, **{task: FAILED})
    assert (report.status, report.tried()[-2:]) == ("FAILED", [task, "TellOfFailure"])
    assert report.tried().count(task) == 1, "a job that failed is not retried"
    assert "exit code 3" in str(report.cause)
    notification = report.request_of("TellOfFailure")
    assert notification["TopicArn"].endswith(":shop")
    assert notification["Message"]["run_id"] == RUN
    assert notification["Message"]["error"] == {"Error": "States.TaskFailed", "Cause": "exit code 3"}


@pytest.mark.parametrize(("engine", "name"), [("glue", "Glue"), ("emr", "Emr")])
def test_a_load_that_fails_ends_a_run_with_spark_too(nightly: Interpreter, engine: str, name: str) -> None:
    report = nightly.execute({**AS_OF, "engine": engine}, answers(Publish=FAILED))
    assert (report.status, report.tried()) == ("FAILED", [*with_spark(name)[:4], "TellOfFailure"])


RETRIED = [
    ("PipelineOnGlue", "Glue.ConcurrentRunsExceededException", 6),
    ("PipelineOnGlue", "Glue.ThrottlingException", 5),
    ("SegmentsOnGlue", "Glue.InternalServiceException", 5),
    ("Publish", "Glue.ConcurrentRunsExceededException", 6),
    ("PipelineOnEmr", "EMRServerless.ThrottlingException", 5),
    ("SegmentsOnEmr", "EMRServerless.InternalServerException", 5),
    ("Train", "SageMaker.ResourceLimitExceededException", 5),
    ("RegisterModel", "SageMaker.AmazonSageMakerException", 5),
    ("TrainInNetwork", "SageMaker.ResourceLimitExceededException", 5),
    ("RegisterModelInNetwork", "SageMaker.ThrottlingException", 5),
    ("Transform", "SageMaker.ThrottlingException", 5),
]


@pytest.mark.parametrize(("task", "error", "times"), RETRIED)
def test_the_start_of_a_job_is_retried_a_limited_number_of_times(
    nightly: Interpreter, task: str, error: str, times: int
) -> None:
    successes = answers()[task]
    failures: list[Answer] = [{"error": error, "cause": "not now"}] * times
    recovered = executed(nightly, task, **{task: failures + successes})
    assert (recovered.status, recovered.tried().count(task)) == ("SUCCEEDED", times + 1)
    exhausted = executed(nightly, task, **{task: failing(error)})
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
    assert (report.status, report.tried()[-5:]) == ("SUCCEEDED", ["TellOfNoMeasure", *AFTER_MEASURING])
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
    assert (report.status, report.tried()[-5:]) == ("SUCCEEDED", ["TellOfNoMeasure", *AFTER_MEASURING])
    assert "MeasureQuality" not in report.tried()


@pytest.mark.parametrize("answer", ["ReadShares", "MeasureQualityOfLedger"])
def test_a_ledger_that_could_not_be_measured_stops_no_run_with_sagemaker(nightly: Interpreter, answer: str) -> None:
    measuring = {"ReadShares": shares(LEDGER_SHARES), answer: failing("CloudWatch.CloudWatchException")}
    report = nightly.execute(ON_SAGEMAKER, answers(**measuring))
    after = with_sagemaker("Glue")[3:]
    assert (report.status, report.tried()[-len(after) - 1 :]) == ("SUCCEEDED", ["TellOfNoMeasure", *after])


SETTINGS_OUT_OF_RANGE = [
    ({"engine": "spark"}, "engine is spark, expected glue or emr"),
    ({"kmeans": "none"}, "kmeans is none, expected spark or sagemaker"),
    ({"source": "excel"}, "source is excel and mapping is <>, expected olist, or ledger with a mapping in S3"),
    ({"source": "ledger"}, "source is ledger and mapping is <>, expected olist, or ledger with a mapping in S3"),
]


@pytest.mark.parametrize(("settings", "cause"), SETTINGS_OUT_OF_RANGE)
def test_an_unknown_setting_is_reported_and_starts_nothing(
    nightly: Interpreter, settings: dict[str, str], cause: str
) -> None:
    report = nightly.execute({**AS_OF, **settings}, answers())
    assert (report.status, report.tried()) == ("FAILED", ["TellOfFailure"])
    assert cause in str(report.cause)
    assert report.request_of("TellOfFailure")["Message"]["error"]["Cause"] == cause
    assert report.request_of("TellOfFailure")["Message"]["run_id"] == RUN


def test_a_failure_ends_the_run_as_failed_if_no_notification_can_be_sent(nightly: Interpreter) -> None:
    report = nightly.execute(
        AS_OF, answers(PipelineOnGlue=failing("States.TaskFailed"), TellOfFailure=failing("SNS.Broken"))
    )
    assert (report.status, report.tried().count("TellOfFailure")) == ("FAILED", 4)


def test_an_execution_without_a_day_fails_before_anything_starts(nightly: Interpreter) -> None:
    report = nightly.execute({}, answers())
    assert (report.status, report.tried()) == ("FAILED", [])
