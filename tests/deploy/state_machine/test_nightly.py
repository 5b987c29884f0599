import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy import sagemaker_requests
from tests.deploy.state_machine.interpreter import SUBSTITUTIONS, Answer, Interpreter
from tests.deploy.templates import statements, template
from tests.stand_ins.json_service import service_model
from tests.stand_ins.shapes import faults_of

pytestmark = pytest.mark.long

AS_OF = {"as_of": "2018-10-17"}
RUN = "2018-10-17-nightly-1"
SHARES = {
    "tables": {
        "customers": {"share_quarantined": 0.0},
        "orders": {"share_quarantined": 0.25},
        "payments": {"share_quarantined": 0.001},
    }
}
OK: list[Answer] = [{"result": {}}]
ARTIFACT = "s3://shop-data/models/shop-nightly-1/output/model.tar.gz"


@pytest.fixture(scope="module")
def nightly() -> Iterator[Interpreter]:
    interpreter = Interpreter()
    yield interpreter
    interpreter.close()


def answers(**instead: list[Answer]) -> dict[str, list[Answer]]:
    """Every task succeeds, but for those that a test says something else of."""
    fine: dict[str, list[Answer]] = {
        f"{step}On{engine}": OK for step in ("Pipeline", "Segments", "Publish") for engine in ("Glue", "Emr")
    }
    fine |= dict.fromkeys(("MeasureQuality", "RegisterModel", "Transform", "TellOfFailure", "TellOfNoMeasure"), OK)
    fine["ReadShares"] = [{"result": {"Body": json.dumps(SHARES)}}]
    fine["Train"] = [{"result": {"ModelArtifacts": {"S3ModelArtifacts": ARTIFACT}}}]
    return fine | instead


def failing(error: str, cause: str = "because", *, times: int = 0) -> list[Answer]:
    """A task that fails for ever, or so many times before it succeeds."""
    failure: Answer = {"error": error, "cause": cause}
    return [failure] * times + OK if times else [failure]


FAILED = failing("States.TaskFailed", "exit code 3")
WHOLE_WAY = ["ReadShares", "MeasureQuality", "Train", "RegisterModel", "Transform"]


def whole_way(engine: str) -> list[str]:
    return [f"PipelineOn{engine}", *WHOLE_WAY, f"SegmentsOn{engine}", f"PublishOn{engine}"]


@pytest.mark.parametrize(("engine", "name"), [("glue", "Glue"), ("emr", "Emr")])
def test_a_run_goes_from_files_to_the_warehouse_on_either_engine(nightly: Interpreter, engine: str, name: str) -> None:
    report = nightly.execute({**AS_OF, "engine": engine}, answers())
    assert report.status == "SUCCEEDED", report
    assert report.tried() == whole_way(name)


def test_steps_hand_on_the_same_runs_and_folders(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers())
    assert report.asked("PipelineOnGlue") == {
        "JobName": "shop-pipeline",
        "Arguments": {
            "--as-of": "2018-10-17",
            "--input": "s3://shop-data/raw",
            "--output": "s3://shop-data/output",
            "--run-id": RUN,
            "--kmeans": "none",
            "--becomes-current": "no",
        },
    }
    trained = report.asked("Train")
    assert trained["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == (
        f"s3://shop-data/output/runs/{RUN}/kmeans/train/"
    )
    assert report.asked("RegisterModel")["PrimaryContainer"]["ModelDataUrl"] == ARTIFACT
    transformed = report.asked("Transform")
    assert transformed["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == (
        f"s3://shop-data/output/runs/{RUN}/kmeans/score/"
    )
    assert transformed["TransformOutput"]["S3OutputPath"] == "s3://shop-data/assignments/nightly-1"
    assert report.asked("SegmentsOnGlue")["Arguments"] == {
        "--output": "s3://shop-data/output",
        "--features-run": RUN,
        "--assignments": "s3://shop-data/assignments/nightly-1",
        "--model-artifact": ARTIFACT,
        "--run-id": f"{RUN}-segments",
    }
    assert report.asked("PublishOnGlue")["Arguments"] == {
        "--output": "s3://shop-data/output",
        "--run": f"{RUN}-segments",
        "--warehouse": "redshift://shop/segments/public",
        "--staging": "s3://shop-data/staging",
        "--iam-role": "default",
    }


def test_emr_is_given_the_same_arguments_in_their_order(nightly: Interpreter) -> None:
    glue, emr = nightly.execute(AS_OF, answers()), nightly.execute({**AS_OF, "engine": "emr"}, answers())
    for step in ("Pipeline", "Segments", "Publish"):
        pairs = glue.asked(f"{step}OnGlue")["Arguments"].items()
        submitted = emr.asked(f"{step}OnEmr")["JobDriver"]["SparkSubmit"]
        assert submitted["EntryPointArguments"] == [text for pair in pairs for text in pair]
        assert submitted["EntryPoint"] == f"s3://shop-artifacts/code/0a1b/{step.lower()}.py"


def test_a_scheduled_run_is_as_of_the_day_that_it_was_scheduled_for(nightly: Interpreter) -> None:
    report = nightly.execute({"scheduled_time": "2018-10-17T23:00:00Z"}, answers())
    assert report.asked("PipelineOnGlue")["Arguments"]["--as-of"] == "2018-10-17"
    assert report.asked("PipelineOnGlue")["Arguments"]["--run-id"] == RUN


def test_an_input_of_ones_own_is_read(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "input": "s3://elsewhere/files"}, answers())
    assert report.asked("PipelineOnGlue")["Arguments"]["--input"] == "s3://elsewhere/files"


def test_the_share_of_quarantined_rows_is_measured_per_table(nightly: Interpreter) -> None:
    (customers, orders, payments) = nightly.execute(AS_OF, answers()).asked("MeasureQuality")["MetricData"]
    assert [metric["Value"] for metric in (customers, orders, payments)] == [0.0, 0.25, 0.001]
    assert orders["Dimensions"] == [{"Name": "Table", "Value": "orders"}]


TASKS = [*whole_way("Glue"), *(name for name in whole_way("Emr") if name.endswith("Emr"))]
MEASURING = ("ReadShares", "MeasureQuality")
AFTER_MEASURING = whole_way("Glue")[3:]


@pytest.mark.parametrize("task", [name for name in TASKS if name not in MEASURING])
def test_a_task_that_fails_ends_the_run_there_and_people_are_told(nightly: Interpreter, task: str) -> None:
    engine = "emr" if task.endswith("Emr") else "glue"
    report = nightly.execute({**AS_OF, "engine": engine}, answers(**{task: FAILED}))
    assert (report.status, report.tried()[-2:]) == ("FAILED", [task, "TellOfFailure"])
    assert report.tried().count(task) == 1, "a job that failed is not tried again"
    assert "exit code 3" in str(report.cause)
    told = report.asked("TellOfFailure")
    assert told["TopicArn"].endswith(":shop")
    assert told["Message"]["run_id"] == RUN
    assert told["Message"]["error"] == {"Error": "States.TaskFailed", "Cause": "exit code 3"}


RETRIED = [
    ("PipelineOnGlue", "Glue.ConcurrentRunsExceededException", 6),
    ("PipelineOnGlue", "Glue.ThrottlingException", 5),
    ("SegmentsOnGlue", "Glue.InternalServiceException", 5),
    ("PublishOnGlue", "Glue.ConcurrentRunsExceededException", 6),
    ("PipelineOnEmr", "EMRServerless.ThrottlingException", 5),
    ("SegmentsOnEmr", "EMRServerless.InternalServerException", 5),
    ("PublishOnEmr", "EMRServerless.ConflictException", 5),
    ("Train", "SageMaker.ResourceLimitExceededException", 5),
    ("RegisterModel", "SageMaker.AmazonSageMakerException", 5),
    ("Transform", "SageMaker.ThrottlingException", 5),
]


@pytest.mark.parametrize(("task", "error", "times"), RETRIED)
def test_a_job_that_could_not_be_started_is_tried_again_and_not_for_ever(
    nightly: Interpreter, task: str, error: str, times: int
) -> None:
    engine = "emr" if task.endswith("Emr") else "glue"
    fine = answers()[task]
    failures: list[Answer] = [{"error": error, "cause": "not now"}] * times
    recovered = nightly.execute({**AS_OF, "engine": engine}, answers(**{task: failures + fine}))
    assert (recovered.status, recovered.tried().count(task)) == ("SUCCEEDED", times + 1)
    given_up = nightly.execute({**AS_OF, "engine": engine}, answers(**{task: failing(error)}))
    assert (given_up.status, given_up.tried().count(task)) == ("FAILED", times + 1)
    assert given_up.asked("TellOfFailure")["Message"]["error"]["Error"] == error


@pytest.mark.parametrize(
    ("task", "error"),
    [("ReadShares", "S3.NoSuchKeyException"), ("MeasureQuality", "CloudWatch.InvalidParameterValueException")],
)
def test_a_figure_that_could_not_be_measured_is_told_and_stops_no_run(
    nightly: Interpreter, task: str, error: str
) -> None:
    report = nightly.execute(AS_OF, answers(**{task: failing(error)}))
    assert (report.status, report.tried()[-6:]) == ("SUCCEEDED", ["TellOfNoMeasure", *AFTER_MEASURING])
    assert report.asked("TellOfNoMeasure")["Message"]["error"]["Error"] == error


@pytest.mark.parametrize(
    "body",
    [
        "",
        json.dumps(SHARES)[:40],
        json.dumps({"tables": {}}),
        json.dumps({"tables": {**SHARES["tables"], "orders": {"share_quarantined": None}}}),
    ],
)
def test_shares_that_cannot_be_read_are_told_and_stop_no_run(nightly: Interpreter, body: str) -> None:
    report = nightly.execute(AS_OF, answers(ReadShares=[{"result": {"Body": body}}]))
    assert (report.status, report.tried()[-6:]) == ("SUCCEEDED", ["TellOfNoMeasure", *AFTER_MEASURING])
    assert "MeasureQuality" not in report.tried()


def test_no_more_of_the_shares_is_read_than_a_state_may_hold(nightly: Interpreter) -> None:
    assert nightly.execute(AS_OF, answers()).asked("ReadShares") == {
        "Bucket": "shop-data",
        "Key": f"output/runs/{RUN}/quality_shares.json",
        "Range": "bytes=0-65535",
    }


def test_the_role_may_read_the_shares_that_the_machine_reads() -> None:
    (reading,) = [found for found in statements(template("nightly")) if found.get("Action") == "s3:GetObject"]
    assert str(reading["Resource"]["Fn::Sub"]).endswith(":${DataBucket}/output/runs/*/quality_shares.json")


def test_the_log_of_each_step_on_emr_is_found_by_the_run(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "engine": "emr"}, answers())
    prefixes = {
        step: report.asked(f"{step}OnEmr")["ConfigurationOverrides"]["MonitoringConfiguration"][
            "CloudWatchLoggingConfiguration"
        ]["LogStreamNamePrefix"]
        for step in ("Pipeline", "Segments", "Publish")
    }
    assert prefixes == {"Pipeline": RUN, "Segments": f"{RUN}-segments", "Publish": f"{RUN}-segments"}


def test_an_engine_that_is_none_is_told_and_starts_nothing(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "engine": "spark"}, answers())
    assert (report.status, report.tried()) == ("FAILED", ["TellOfFailure"])
    assert "engine is spark, expected glue or emr" in json.dumps(report.asked("TellOfFailure"))


def test_a_failure_ends_the_run_as_failed_though_nobody_could_be_told(nightly: Interpreter) -> None:
    report = nightly.execute(
        AS_OF, answers(PipelineOnGlue=failing("States.TaskFailed"), TellOfFailure=failing("SNS.Broken"))
    )
    assert (report.status, report.tried().count("TellOfFailure")) == ("FAILED", 4)


def test_an_execution_without_a_day_fails_before_anything_starts(nightly: Interpreter) -> None:
    report = nightly.execute({}, answers())
    assert (report.status, report.tried()) == ("FAILED", [])


def test_the_longest_prefix_and_a_scheduled_executions_name_make_a_name_that_sagemaker_takes(
    nightly: Interpreter,
) -> None:
    scheduled = "01234567-89ab-cdef-0123-456789abcdef"
    named = nightly.execute(AS_OF, answers(), execution=scheduled).asked("Train")["TrainingJobName"]
    longest = "a" * 20
    assert len(named.replace("shop", longest, 1)) == 57  # of 63


def test_what_sagemaker_is_asked_for_is_what_its_api_takes(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers())
    model = service_model("sagemaker")
    for state, operation in {"Train": "TrainingJob", "RegisterModel": "Model", "Transform": "TransformJob"}.items():
        assert faults_of(report.asked(state), model.operation_model(f"Create{operation}").input_shape) == []


def test_what_emr_is_asked_for_is_what_its_api_takes(nightly: Interpreter) -> None:
    """Step Functions writes the members with a capital."""
    report = nightly.execute({**AS_OF, "engine": "emr"}, answers())
    shape = service_model("emr-serverless").operation_model("StartJobRun").input_shape
    for step in ("Pipeline", "Segments", "Publish"):
        asked = {"ClientToken": "made-by-step-functions", **report.asked(f"{step}OnEmr")}
        assert faults_of(uncapitalised(asked), shape) == []


def uncapitalised(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: uncapitalised(item) for name, item in value.items()}
    return value


def test_sagemaker_is_asked_for_what_the_commands_ask_for(nightly: Interpreter) -> None:
    run = nightly.execute(AS_OF, answers())
    placement = sagemaker_requests.Placement(
        role=SUBSTITUTIONS["SageMakerRoleArn"],
        image=SUBSTITUTIONS["KMeansImage"],
        kms_key=SUBSTITUTIONS["KeyArn"],
    )
    features, name = f"s3://shop-data/output/runs/{RUN}/kmeans", "shop-nightly-1"
    assert run.asked("Train") == sagemaker_requests.training_request(
        name=name,
        features=f"{features}/train",
        output="s3://shop-data/models",
        placement=placement,
        training=sagemaker_requests.Training(k=5),
    )
    assert run.asked("RegisterModel") == sagemaker_requests.model_request(
        name=name, model_data=ARTIFACT, placement=placement
    )
    assert run.asked("Transform") == sagemaker_requests.transform_request(
        name=name,
        model=name,
        features=f"{features}/score",
        output="s3://shop-data/assignments/nightly-1",
        placement=placement,
    )
