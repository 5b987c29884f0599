"""The requests that Glue and EMR get, the loads that they start, and the states of their jobs."""

import shlex
from itertools import pairwise
from typing import Any

import pytest

from deploy.__main__ import main
from tests.deploy.submitting import AS_OF, LOAD, NAMED, RUN, Runner, last_line
from tests.fakes.cloudformation.service import CloudFormation


def arguments_of(runner: Runner) -> dict[str, Any]:
    """The arguments of the step that was started, on either platform."""
    (started,) = runner.jobs.start_requests
    if "Arguments" in started:
        return dict(started["Arguments"])
    return dict(pairwise(started["jobDriver"]["sparkSubmit"]["entryPointArguments"]))


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_run_that_was_loaded_is_loaded_again(runner: Runner) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    assert [runner.submit(*LOAD), runner.submit(*LOAD), runner.submit(*LOAD)] == [0, 0, 0]
    assert len(runner.jobs.start_requests) == 3


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_an_answer_that_was_lost_starts_no_second_load(runner: Runner) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    runner.service.faults.drop_after(runner.start)
    assert runner.submit(*LOAD) == 0
    assert len(runner.jobs.start_requests) == 1


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_load_that_is_in_progress_is_followed_and_one_into_elsewhere_is_not(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    assert runner.submit(*LOAD, "--no-wait") == 0
    assert runner.submit(*LOAD, "--warehouse", "redshift://shop/segments/trial") == 4
    assert "job shop-publish: another run is in progress" in last_line(capsys)
    assert runner.submit(*LOAD) == 0
    assert len(runner.jobs.start_requests) == 1


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_glue_gets_the_users_arguments_and_the_places_of_the_files(runner: Runner) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit(*NAMED, "--card=workshop-2021", "--purchase-value", "any") == 0
    assert runner.jobs.start_requests == [
        {
            "JobName": "shop-pipeline",
            "Arguments": {
                "--as-of": "2018-10-17",
                "--run-id": RUN,
                "--card": "workshop-2021",
                "--purchase-value": "any",
                "--output": "s3://shop-data/output",
                "--input": "s3://shop-data/raw",
                "--catalogue": "shop",
            },
        }
    ]


@pytest.mark.parametrize("runner", ["emr"], indirect=True)
def test_emr_runs_the_same_file_with_the_roles_of_the_step(runner: Runner) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit("--step", "segments", "--features-run", RUN, "--run-id", f"{RUN}-segments") == 0
    (started,) = runner.jobs.start_requests
    assert started["executionRoleArn"].endswith("role/shop-segments")
    submitted = started["jobDriver"]["sparkSubmit"]
    assert submitted["entryPoint"] == "s3://shop-artifacts/code/0a1b/segments.py"
    assert submitted["entryPointArguments"] == [
        *("--features-run", RUN, "--run-id", f"{RUN}-segments"),
        *("--output", "s3://shop-data/output", "--catalogue", "shop"),
    ]


@pytest.mark.parametrize("runner", ["emr", "cluster"], indirect=True)
def test_a_load_is_for_glue_alone_and_emr_refuses_it_before_it_starts(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.submit(*LOAD) == 2
    assert "Load the run on Glue: python -m deploy glue submit --step publish --prefix shop" in last_line(capsys)
    assert runner.jobs.start_requests == []


@pytest.mark.parametrize("runner", ["run"], indirect=True)
def test_the_command_to_follow_an_execution_has_its_whole_input(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    assert runner.submit(*runner.named, "--engine", "emr", "--input", "s3://shop-data/other files", "--no-wait") == 0
    follow_command = capsys.readouterr().out.partition("Follow it with: python -m deploy ")[2]
    assert main(shlex.split(follow_command)) == 0
    assert len(runner.jobs.start_requests) == 1


@pytest.mark.parametrize("runner", ["run"], indirect=True)
def test_a_name_of_an_execution_with_another_input_is_refused(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit() == 0
    assert runner.submit("--as-of", "2018-10-18", "--name", "nightly") == 2
    assert '--name nightly: a run of that name has the input {"as_of": "2018-10-17"}' in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_load_has_the_role_and_the_places_of_the_stacks(runner: Runner) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit(*LOAD) == 0
    assert runner.jobs.start_requests == [
        {
            "JobName": "shop-publish",
            "Arguments": {
                "--run": RUN,
                "--output": "s3://shop-data/output",
                "--warehouse": "redshift://shop/segments/marts",
                "--staging": "s3://shop-data/staging",
                "--iam-role": "default",
            },
        }
    ]


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_load_of_an_audience_names_no_folder_of_runs(runner: Runner) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit("--step", "publish", "--audience=s3://shop-data/output/audiences/spring") == 0
    (started,) = runner.jobs.start_requests
    assert started["Arguments"] == {
        "--audience": "s3://shop-data/output/audiences/spring",
        "--warehouse": "redshift://shop/segments/marts",
        "--staging": "s3://shop-data/staging",
        "--iam-role": "default",
    }


@pytest.mark.parametrize("runner", ["cluster"], indirect=True)
def test_a_cluster_gets_no_setting_of_emr_serverless(runner: Runner) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit() == 0
    (step,) = runner.jobs.start_requests[0]["Steps"]
    assert step["HadoopJarStep"]["Jar"] == "command-runner.jar"
    command = step["HadoopJarStep"]["Args"]
    assert command[:5] == [
        "spark-submit",
        "--deploy-mode",
        "cluster",
        "--py-files",
        "s3://shop-artifacts/code/0a1b/olist_rfm_segments.zip",
    ]
    assert not [part for part in command if "emr-serverless" in part]
    # YARN's containers do not know it.
    assert "spark.yarn.appMasterEnv.AWS_REGION=eu-west-1" in command
    # A second attempt would fail because the run exists, and would hide why the first one failed.
    assert "spark.yarn.maxAppAttempts=1" in command


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_outputs_that_stacks_of_an_earlier_version_lack_are_named(
    runner: Runner, deployed: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.stacks["shop-warehouse"]["outputs"] = {"Workgroup": "shop"}
    assert runner.submit(*LOAD) == 2
    expected = (
        "no stack has the output Database, expected the stack warehouse to give it. Create or change it: `up --only"
    )
    assert f"{expected} warehouse`" in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_load_without_a_warehouse_names_the_command_that_makes_one(
    runner: Runner, deployed: CloudFormation, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployed.stacks["shop-warehouse"], deployed.stacks["shop-nightly"]
    assert runner.submit(*LOAD) == 2
    assert "--step publish: no stack has the output Workgroup, expected a warehouse to load into" in last_line(capsys)
    assert runner.jobs.start_requests == []
    runner.passes_through("SUCCEEDED")
    assert runner.submit(*LOAD, "--warehouse", "redshift://bank/segments/public") == 0
    (started,) = runner.jobs.start_requests
    assert started["Arguments"]["--warehouse"] == "redshift://bank/segments/public"


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_load_without_a_nightly_run_goes_into_the_schema_public(runner: Runner, deployed: CloudFormation) -> None:
    del deployed.stacks["shop-nightly"]
    runner.passes_through("SUCCEEDED")
    assert runner.submit(*LOAD) == 0
    assert runner.jobs.start_requests[0]["Arguments"]["--warehouse"] == "redshift://shop/segments/public"


@pytest.mark.parametrize("runner", ["glue", "emr"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "database"),
    [
        ((), "shop"),
        (("--becomes-current", "yes"), "shop"),
        (("--becomes-current", "no"), None),
        (("--becomes-current=no",), None),
        (("--output", "s3://shop-data/trials"), None),
        (("--output=s3://shop-data/output/",), "shop"),
        (("--catalogue", "other"), "other"),
        (("--becomes-current", "no", "--catalogue=other"), "other"),
    ],
)
def test_a_run_that_becomes_current_in_the_folder_of_the_catalogue_is_registered_there(
    runner: Runner, arguments: tuple[str, ...], database: str | None
) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit(*NAMED, *arguments) == 0
    assert arguments_of(runner).get("--catalogue") == database


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_stacks_without_a_catalogue_register_no_run(runner: Runner, deployed: CloudFormation) -> None:
    jobs = deployed.stacks["shop-jobs"]
    jobs["outputs"] = {name: value for name, value in jobs["outputs"].items() if name != "CatalogueDatabase"}
    runner.passes_through("SUCCEEDED")
    assert runner.submit() == 0
    assert "--catalogue" not in arguments_of(runner)


@pytest.mark.parametrize("runner", ["emr"], indirect=True)
def test_a_job_run_on_emr_has_the_tags_of_the_stack_and_leaves_its_log_to_the_key_of_the_group(
    runner: Runner, deployed: CloudFormation
) -> None:
    runner.passes_through("SUCCEEDED")
    assert runner.submit() == 0
    deployed.stacks["shop-jobs"]["tags"] = {"cost-centre": "4711", "owner": "marketing"}
    assert runner.submit(*AS_OF, "--run-id", "2018-10-17-other") == 0
    first, second = runner.jobs.start_requests
    own = {"project": "olist-rfm-segments", "prefix": "shop"}
    assert first["tags"] == own | {"cost-centre": "shop"}
    assert second["tags"] == own | {"cost-centre": "4711", "owner": "marketing"}
    logging = first["configurationOverrides"]["monitoringConfiguration"]["cloudWatchLoggingConfiguration"]
    assert logging == {"enabled": True, "logGroupName": "/shop/emr", "logStreamNamePrefix": RUN}


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--card", "workshop-2021"), "no --as-of YYYY-MM-DD: expected it among the arguments of pipeline"),
        ((*AS_OF, "--raw-copy"), "unknown option --raw-copy: it belongs to publish"),
        (("--step", "segments"), "no --features-run RUN_ID: expected it among the arguments of segments"),
        (
            (*AS_OF, "--warehouse", "redshift://a/b/c"),
            "--warehouse is for --step publish alone: the role of pipeline does not allow a load",
        ),
    ],
)
def test_arguments_that_cannot_make_a_run_are_refused_before_it_starts(
    runner: Runner, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.submit(*arguments) == 2
    assert message in last_line(capsys)
    assert runner.jobs.start_requests == []


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_another_run_that_is_in_progress_is_named(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    assert runner.submit(*NAMED, "--no-wait") == 0
    assert runner.submit(*AS_OF, "--run-id", "2018-10-17-other") == 4
    assert "job shop-pipeline: another run is in progress" in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue", "emr"], indirect=True)
def test_status_prints_the_state_of_a_job(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.passes_through("RUNNING", "SUCCEEDED")
    assert runner.submit(*NAMED, "--no-wait") == 0
    job_run = capsys.readouterr().out.split()[1].rstrip(":")
    assert main([runner.command[0], "status", "--prefix", "shop", job_run]) == 0
    assert "RUNNING" in capsys.readouterr().out


@pytest.mark.parametrize("runner", ["glue", "emr"], indirect=True)
def test_status_of_a_job_that_failed_ends_as_the_job_did(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.passes_through("FAILED")
    assert runner.submit(*NAMED, "--no-wait") == 0
    job_run = capsys.readouterr().out.split()[1].rstrip(":")
    assert main([runner.command[0], "status", "--prefix", "shop", job_run]) == 4
    assert "ended as FAILED" in last_line(capsys)
    runner.leaves_failure(3, "the data is not fit to use")
    assert main([runner.command[0], "status", "--prefix", "shop", job_run]) == 3
    assert "the data is not fit to use" in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_job_run_that_does_not_exist_is_reported(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*runner.command[:1], "status", "--prefix", "shop", "jr_9"]) == 2
    assert "shop-pipeline has no such job run" in last_line(capsys)


@pytest.mark.parametrize("runner", ["glue"], indirect=True)
def test_a_load_that_failed_is_not_reported_with_the_failure_of_its_run(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.leaves_failure(4, "run 2018-10-17-nightly is complete but not current")
    runner.passes_through("RUNNING", "FAILED", note="no such workgroup")
    assert runner.submit(*LOAD) == 4
    line = last_line(capsys)
    assert "no such workgroup" in line
    assert "not current" not in line


@pytest.mark.parametrize("runner", ["glue", "emr", "cluster"], indirect=True)
def test_the_command_to_follow_a_job_waits_and_ends_as_the_job_does(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.passes_through("RUNNING", "RUNNING", "FAILED")
    assert runner.submit(*NAMED, "--no-wait", "--region", "eu-west-1") == 0
    follow_command = capsys.readouterr().out.partition("Follow it with: python -m deploy ")[2].split()
    assert follow_command[follow_command.index("--region") + 1] == "eu-west-1"
    runner.leaves_failure(3, "the data is not fit to use")
    assert main(follow_command) == 3
    assert runner.jobs.descriptions == 3


@pytest.mark.parametrize("runner", ["cluster"], indirect=True)
def test_the_log_of_a_step_is_where_its_cluster_puts_it(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    runner.passes_through("FAILED")
    assert runner.submit() == 4
    assert "aws emr describe-step --region eu-west-1 --cluster-id j-1 --step-id s-1" in last_line(capsys)
