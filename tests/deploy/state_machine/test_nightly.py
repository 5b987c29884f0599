"""The nightly run: its steps in every kind of deployment, and the request of each step."""

from itertools import combinations, product

import pytest

from expectations.contracts.ledger import TABLE as LEDGER
from expectations.contracts.olist import FILE_CONTRACTS
from tests.deploy.stacks.templates import statements, template
from tests.deploy.state_machine.answers import (
    ARTIFACT,
    AS_OF,
    LEDGER_SHARES,
    MAPPING,
    NETWORK,
    ON_LEDGER,
    ON_SAGEMAKER,
    REFRESHING,
    RUN,
    SHARES,
    answers,
    shares,
    with_sagemaker,
    with_spark,
)
from tests.deploy.state_machine.interpreter import Interpreter

pytestmark = pytest.mark.long

ENGINES = [("glue", "Glue"), ("emr", "Emr")]


@pytest.mark.parametrize(("engine", "name"), ENGINES)
def test_a_run_goes_from_files_to_warehouse_and_dashboard_without_sagemaker(
    nightly: Interpreter, engine: str, name: str
) -> None:
    report = nightly.execute({**AS_OF, "engine": engine}, answers())
    assert (report.status, report.tried()) == ("SUCCEEDED", with_spark(name)), report


@pytest.mark.parametrize(("engine", "name"), ENGINES)
def test_a_run_clusters_with_sagemaker_where_it_is_set_or_asked_for(
    nightly: Interpreter, engine: str, name: str
) -> None:
    by_input = nightly.execute({**ON_SAGEMAKER, "engine": engine}, answers())
    assert (by_input.status, by_input.tried()) == ("SUCCEEDED", with_sagemaker(name)), by_input
    by_setting = nightly.execute({**AS_OF, "engine": engine}, answers(), Kmeans="sagemaker")
    assert by_setting == by_input
    back = nightly.execute({**AS_OF, "engine": engine, "kmeans": "spark"}, answers(), Kmeans="sagemaker")
    assert back.tried() == with_spark(name)


WITHOUT = {
    "warehouse": {"Workgroup": "", "Database": ""},
    "catalogue": {"CatalogueDatabase": ""},
    "dashboard": {"DashboardDataSets": ""},
}
LACKS = [set(names) for number in range(4) for names in combinations(WITHOUT, number)]
WAYS = list(product(("glue", "emr"), ("spark", "sagemaker"), ("olist", "ledger")))


@pytest.mark.parametrize("lacks", LACKS, ids=lambda names: f"without {'-'.join(sorted(names)) or 'nothing'}")
@pytest.mark.parametrize(("engine", "kmeans", "source"), WAYS)
def test_a_run_does_without_what_a_deployment_lacks(
    nightly: Interpreter, engine: str, kmeans: str, source: str, lacks: set[str]
) -> None:
    settings = {key: value for name in lacks for key, value in WITHOUT[name].items()}
    execution_input, content = (ON_LEDGER, LEDGER_SHARES) if source == "ledger" else (AS_OF, SHARES)
    report = nightly.execute(
        {**execution_input, "engine": engine, "kmeans": kmeans}, answers(ReadShares=shares(content)), **settings
    )
    name = engine.capitalize()
    lacking = {"warehouse": ["Publish"], "catalogue": [], "dashboard": REFRESHING}
    absent = {task for each in lacks for task in lacking[each]}
    measured = {"MeasureQuality": "MeasureQualityOfLedger"} if source == "ledger" else {}
    every_task = with_spark(name) if kmeans == "spark" else with_sagemaker(name)
    assert report.status == "SUCCEEDED", report
    assert report.tried() == [measured.get(task, task) for task in every_task if task not in absent]
    catalogued = [task for task, request in report.calls if "--catalogue" in str(request)]
    last = f"{'Pipeline' if kmeans == 'spark' else 'Segments'}On{name}"
    assert catalogued == ([] if "catalogue" in lacks else [last])
    assert report.output == {
        "run_id": RUN if kmeans == "spark" else f"{RUN}-segments",
        "workgroup": "" if "warehouse" in lacks else "shop",
        "dashboard": "none" if "dashboard" in lacks else "refreshed",
    }


COMMON = {
    "--as-of": "2018-10-17",
    "--input": "s3://shop-data/raw",
    "--output": "s3://shop-data/output",
    "--run-id": RUN,
    "--card": "current",
}


def test_with_spark_the_pipeline_makes_the_run_that_becomes_current_and_is_loaded(nightly: Interpreter) -> None:
    report = nightly.execute(AS_OF, answers())
    assert report.request_of("PipelineOnGlue") == {
        "JobName": "shop-pipeline",
        "Arguments": {**COMMON, "--kmeans": "spark", "--catalogue": "shop"},
    }
    assert report.request_of("Publish")["Arguments"] == {
        "--output": "s3://shop-data/output",
        "--run": RUN,
        "--warehouse": "redshift://shop/segments/public",
        "--staging": "s3://shop-data/staging",
        "--iam-role": "default",
    }


def test_with_sagemaker_steps_pass_on_the_same_runs_and_folders(nightly: Interpreter) -> None:
    report = nightly.execute(ON_SAGEMAKER, answers())
    assert report.request_of("PipelineOnGlue")["Arguments"] == {
        **COMMON,
        "--kmeans": "none",
        "--becomes-current": "no",
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
        "--catalogue": "shop",
    }
    assert report.request_of("Publish")["Arguments"]["--run"] == f"{RUN}-segments"


@pytest.mark.parametrize("settings", [{}, {"Source": "ledger", "Mapping": MAPPING}])
def test_a_ledger_is_read_with_its_mapping(nightly: Interpreter, settings: dict[str, str]) -> None:
    execution_input = AS_OF if settings else ON_LEDGER
    report = nightly.execute(execution_input, answers(ReadShares=shares(LEDGER_SHARES)), **settings)
    assert report.request_of("PipelineOnGlue")["Arguments"] == {
        **COMMON,
        "--source": "ledger",
        "--mapping": MAPPING,
        "--kmeans": "spark",
        "--catalogue": "shop",
    }


def test_an_execution_may_read_olists_files_where_a_ledger_is_set(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "source": "olist"}, answers(), Source="ledger", Mapping=MAPPING)
    assert set(report.request_of("PipelineOnGlue")["Arguments"]) == {*COMMON, "--kmeans", "--catalogue"}


def test_customers_keep_the_current_card_until_an_execution_asks_for_a_new_one(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "card": "fit"}, answers())
    assert report.request_of("PipelineOnGlue")["Arguments"]["--card"] == "fit"


@pytest.mark.parametrize("catalogue", ["shop", ""])
@pytest.mark.parametrize("kmeans", ["spark", "sagemaker"])
@pytest.mark.parametrize("execution_input", [AS_OF, ON_LEDGER])
def test_emr_gets_the_arguments_of_glue_and_no_empty_one(
    nightly: Interpreter, execution_input: dict[str, str], kmeans: str, catalogue: str
) -> None:
    glue, emr = (
        nightly.execute({**execution_input, "kmeans": kmeans, "engine": engine}, answers(), CatalogueDatabase=catalogue)
        for engine in ("glue", "emr")
    )
    for step in ("Pipeline", "Segments") if kmeans == "sagemaker" else ("Pipeline",):
        submitted = emr.request_of(f"{step}OnEmr")["JobDriver"]["SparkSubmit"]
        names, values = submitted["EntryPointArguments"][::2], submitted["EntryPointArguments"][1::2]
        assert dict(zip(names, values, strict=True)) == glue.request_of(f"{step}OnGlue")["Arguments"]
        assert len(names) == len(set(names))
        assert all(submitted["EntryPointArguments"])
        assert submitted["EntryPoint"] == f"s3://shop-artifacts/code/0a1b/{step.lower()}.py"


def test_a_scheduled_run_is_as_of_the_day_that_it_was_scheduled_for(nightly: Interpreter) -> None:
    report = nightly.execute({"scheduled_time": "2018-10-17T23:00:00Z"}, answers())
    assert report.status == "SUCCEEDED"
    assert report.request_of("PipelineOnGlue")["Arguments"]["--as-of"] == "2018-10-17"
    assert report.request_of("PipelineOnGlue")["Arguments"]["--run-id"] == RUN


def test_the_input_folder_of_an_execution_is_read(nightly: Interpreter) -> None:
    report = nightly.execute({**AS_OF, "input": "s3://elsewhere/files"}, answers())
    assert report.request_of("PipelineOnGlue")["Arguments"]["--input"] == "s3://elsewhere/files"


def test_the_share_of_quarantined_rows_is_measured_per_table_and_over_all_tables(nightly: Interpreter) -> None:
    every, *tables = nightly.execute(AS_OF, answers()).request_of("MeasureQuality")["MetricData"]
    assert every == {"MetricName": "ShareQuarantined", "Values": [0.0, 0.25, 0.001]}
    assert [metric["Value"] for metric in tables] == [0.0, 0.25, 0.001]
    assert [metric["Dimensions"][0]["Value"] for metric in tables] == ["customers", "orders", "payments"]


def test_the_share_of_a_ledgers_quarantined_rows_goes_into_the_same_metric(nightly: Interpreter) -> None:
    report = nightly.execute(ON_LEDGER, answers(ReadShares=shares(LEDGER_SHARES)))
    assert report.request_of("MeasureQualityOfLedger")["MetricData"] == [
        {"MetricName": "ShareQuarantined", "Value": 0.125},
        {"MetricName": "ShareQuarantined", "Dimensions": [{"Name": "Table", "Value": "ledger"}], "Value": 0.125},
    ]


def test_the_tables_that_are_measured_are_those_that_a_run_reads(nightly: Interpreter) -> None:
    of_olist = nightly.execute(AS_OF, answers()).request_of("MeasureQuality")
    of_ledger = nightly.execute(ON_LEDGER, answers(ReadShares=shares(LEDGER_SHARES))).request_of(
        "MeasureQualityOfLedger"
    )
    tables = [
        [metric["Dimensions"][0]["Value"] for metric in request["MetricData"] if "Dimensions" in metric]
        for request in (of_olist, of_ledger)
    ]
    assert tables == [[contract.table for contract in FILE_CONTRACTS], [LEDGER]]


def test_no_more_of_the_shares_is_read_than_a_state_may_hold(nightly: Interpreter) -> None:
    assert nightly.execute(AS_OF, answers()).request_of("ReadShares") == {
        "Bucket": "shop-data",
        "Key": f"output/runs/{RUN}/quality_shares.json",
        "Range": "bytes=0-65535",
    }


def test_the_role_may_read_the_shares_that_the_machine_reads() -> None:
    (reading,) = [each for each in statements(template("nightly")) if each.get("Action") == "s3:GetObject"]
    assert str(reading["Resource"]["Fn::Sub"]).endswith(":${DataBucket}/output/runs/*/quality_shares.json")


def test_the_log_of_each_step_on_emr_is_found_by_the_run_in_a_group_that_has_the_key(nightly: Interpreter) -> None:
    report = nightly.execute({**ON_SAGEMAKER, "engine": "emr"}, answers())
    for step, run in {"Pipeline": RUN, "Segments": f"{RUN}-segments"}.items():
        monitoring = report.request_of(f"{step}OnEmr")["ConfigurationOverrides"]["MonitoringConfiguration"]
        assert monitoring == {
            "CloudWatchLoggingConfiguration": {
                "Enabled": True,
                "LogGroupName": "/shop/emr",
                "LogStreamNamePrefix": run,
            }
        }


@pytest.mark.parametrize("settings", [{}, NETWORK])
def test_every_job_that_takes_tags_has_the_tags_of_its_costs(nightly: Interpreter, settings: dict[str, str]) -> None:
    report = nightly.execute({**ON_SAGEMAKER, "engine": "emr"}, answers(), **settings)
    tagged = {task: request["Tags"] for task, request in report.calls if "Tags" in request}
    of_each = {
        task: tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        for task, tags in tagged.items()
    }
    training = {f"{task}InNetwork" if settings else task for task in ("Train", "RegisterModel")}
    assert set(of_each) == {"PipelineOnEmr", *training, "Transform", "SegmentsOnEmr"}
    for tags in of_each.values():
        assert tags == {"project": "olist-rfm-segments", "prefix": "shop", "cost-centre": "4711"}
