"""The nightly run: its steps, the request of each step, and their validity in AWS's APIs."""

from typing import Any

import pytest

from deploy.sagemaker import requests as sagemaker_requests
from tests.deploy.stacks.templates import statements, template
from tests.deploy.state_machine.answers import ARTIFACT, AS_OF, RUN, answers, whole_way
from tests.deploy.state_machine.interpreter import SUBSTITUTIONS, Interpreter
from tests.fakes.http.shapes import service_model, violations_of

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("engine", "name"), [("glue", "Glue"), ("emr", "Emr")])
def test_a_run_goes_from_files_to_the_warehouse_on_either_engine(nightly: Interpreter, engine: str, name: str) -> None:
    report = nightly.execute({**AS_OF, "engine": engine}, answers())
    assert report.status == "SUCCEEDED", report
    assert report.tried() == whole_way(name)


def test_steps_pass_on_the_same_runs_and_folders(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers())
    assert report.request_of("PipelineOnGlue") == {
        "JobName": "shop-pipeline",
        "Arguments": {
            "--as-of": "2018-10-17",
            "--input": "s3://shop-data/raw",
            "--output": "s3://shop-data/output",
            "--run-id": RUN,
            "--card": "current",
            "--kmeans": "none",
            "--becomes-current": "no",
        },
    }
    trained = report.request_of("Train")
    assert trained["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == (
        f"s3://shop-data/output/runs/{RUN}/kmeans/train/"
    )
    assert report.request_of("RegisterModel")["PrimaryContainer"]["ModelDataUrl"] == ARTIFACT
    transformed = report.request_of("Transform")
    assert transformed["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == (
        f"s3://shop-data/output/runs/{RUN}/kmeans/score/"
    )
    assert transformed["TransformOutput"]["S3OutputPath"] == "s3://shop-data/assignments/nightly-1"
    assert report.request_of("SegmentsOnGlue")["Arguments"] == {
        "--output": "s3://shop-data/output",
        "--features-run": RUN,
        "--assignments": "s3://shop-data/assignments/nightly-1",
        "--model-artifact": ARTIFACT,
        "--run-id": f"{RUN}-segments",
    }
    assert report.request_of("Publish")["Arguments"] == {
        "--output": "s3://shop-data/output",
        "--run": f"{RUN}-segments",
        "--warehouse": "redshift://shop/segments/public",
        "--staging": "s3://shop-data/staging",
        "--iam-role": "default",
    }


def test_customers_keep_the_current_card_until_an_execution_asks_for_a_new_one(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "card": "fit"}, answers())
    assert report.request_of("PipelineOnGlue")["Arguments"]["--card"] == "fit"


def test_emr_gets_the_same_arguments_in_their_order(nightly: Interpreter) -> None:
    glue, emr = nightly.execute(AS_OF, answers()), nightly.execute({**AS_OF, "engine": "emr"}, answers())
    for step in ("Pipeline", "Segments"):
        pairs = glue.request_of(f"{step}OnGlue")["Arguments"].items()
        submitted = emr.request_of(f"{step}OnEmr")["JobDriver"]["SparkSubmit"]
        assert submitted["EntryPointArguments"] == [text for pair in pairs for text in pair]
        assert submitted["EntryPoint"] == f"s3://shop-artifacts/code/0a1b/{step.lower()}.py"


def test_a_scheduled_run_is_as_of_the_day_that_it_was_scheduled_for(nightly: Interpreter) -> None:
    report = nightly.execute({"scheduled_time": "2018-10-17T23:00:00Z"}, answers())
    assert report.request_of("PipelineOnGlue")["Arguments"]["--as-of"] == "2018-10-17"
    assert report.request_of("PipelineOnGlue")["Arguments"]["--run-id"] == RUN


def test_the_input_folder_of_an_execution_is_read(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "input": "s3://elsewhere/files"}, answers())
    assert report.request_of("PipelineOnGlue")["Arguments"]["--input"] == "s3://elsewhere/files"


def test_the_share_of_quarantined_rows_is_measured_per_table(nightly: Interpreter) -> None:
    (customers, orders, payments) = nightly.execute(AS_OF, answers()).request_of("MeasureQuality")["MetricData"]
    assert [metric["Value"] for metric in (customers, orders, payments)] == [0.0, 0.25, 0.001]
    assert orders["Dimensions"] == [{"Name": "Table", "Value": "orders"}]


def test_no_more_of_the_shares_is_read_than_a_state_may_hold(nightly: Interpreter) -> None:
    assert nightly.execute(AS_OF, answers()).request_of("ReadShares") == {
        "Bucket": "shop-data",
        "Key": f"output/runs/{RUN}/quality_shares.json",
        "Range": "bytes=0-65535",
    }


def test_the_role_may_read_the_shares_that_the_machine_reads() -> None:
    (reading,) = [each for each in statements(template("nightly")) if each.get("Action") == "s3:GetObject"]
    assert str(reading["Resource"]["Fn::Sub"]).endswith(":${DataBucket}/output/runs/*/quality_shares.json")


def test_the_log_of_each_step_on_emr_is_found_by_the_run(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "engine": "emr"}, answers())
    prefixes = {
        step: report.request_of(f"{step}OnEmr")["ConfigurationOverrides"]["MonitoringConfiguration"][
            "CloudWatchLoggingConfiguration"
        ]["LogStreamNamePrefix"]
        for step in ("Pipeline", "Segments")
    }
    assert prefixes == {"Pipeline": RUN, "Segments": f"{RUN}-segments"}


def test_the_longest_prefix_and_a_scheduled_executions_name_make_a_name_that_sagemaker_takes(
    nightly: Interpreter,
) -> None:
    scheduled = "01234567-89ab-cdef-0123-456789abcdef"
    named = nightly.execute(AS_OF, answers(), execution=scheduled).request_of("Train")["TrainingJobName"]
    longest = "a" * 20
    assert len(named.replace("shop", longest, 1)) == 57  # of 63


def test_the_requests_to_sagemaker_are_valid_in_its_api(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers())
    model = service_model("sagemaker")
    for state, operation in {"Train": "TrainingJob", "RegisterModel": "Model", "Transform": "TransformJob"}.items():
        assert violations_of(report.request_of(state), model.operation_model(f"Create{operation}").input_shape) == []


def test_the_requests_to_emr_are_valid_in_its_api(nightly: Interpreter) -> None:
    """Step Functions capitalises the members."""
    report = nightly.execute({**AS_OF, "engine": "emr"}, answers())
    shape = service_model("emr-serverless").operation_model("StartJobRun").input_shape
    for step in ("Pipeline", "Segments"):
        request = {"ClientToken": "made-by-step-functions", **report.request_of(f"{step}OnEmr")}
        assert violations_of(uncapitalised(request), shape) == []


def uncapitalised(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: uncapitalised(item) for name, item in value.items()}
    return value


def test_the_requests_to_sagemaker_are_those_of_the_commands(nightly: Interpreter) -> None:
    run = nightly.execute(AS_OF, answers())
    placement = sagemaker_requests.Placement(
        role=SUBSTITUTIONS["SageMakerRoleArn"],
        image=SUBSTITUTIONS["KMeansImage"],
        kms_key=SUBSTITUTIONS["KeyArn"],
    )
    features, name = f"s3://shop-data/output/runs/{RUN}/kmeans", "shop-nightly-1"
    assert run.request_of("Train") == sagemaker_requests.training_request(
        name=name,
        features=f"{features}/train",
        output="s3://shop-data/models",
        placement=placement,
        training=sagemaker_requests.Training(k=5),
    )
    assert run.request_of("RegisterModel") == sagemaker_requests.model_request(
        name=name, model_data=ARTIFACT, placement=placement
    )
    assert run.request_of("Transform") == sagemaker_requests.transform_request(
        name=name,
        model=name,
        features=f"{features}/score",
        output="s3://shop-data/assignments/nightly-1",
        placement=placement,
    )
