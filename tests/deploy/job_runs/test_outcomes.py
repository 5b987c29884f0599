import io
import json
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.aws.requests import Request
from deploy.job_runs.outcomes import job_failure
from jobs.errors import PipelineError
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.glue.service import Glue
from tests.fakes.logs.service import Logs

Groups = dict[str, dict[str, list[str]]]


class FailureFile:
    """An account whose bucket has this ``failure.json``."""

    is_dry_run = False

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self, request: Request) -> dict[str, Any]:
        assert request.parameters["Key"] == "output/runs/2018-10-17-r/failure.json"
        return {"Body": io.BytesIO(self.content)}


def failure(content: bytes) -> PipelineError:
    account: Any = FailureFile(content)
    return job_failure(account, bucket="b", run_ids=["2018-10-17-r"], default_message="the job failed")


def test_the_error_of_a_failed_run_is_one_printable_line_with_its_exit_code() -> None:
    error = failure(json.dumps({"exit_code": 3, "error": "the data\nis \x1b[2Jnot fit\0" + "x" * 5000}).encode())
    assert error.exit_code == 3
    assert str(error).startswith("the data is [2Jnot fitxxx")
    assert len(str(error)) == 1000


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", b"7", b"null", b'{"exit_code": 3', b"\xff", b"[" * 90_000, b'{"a":' * 90_000, b'{"error": "x"}'),
        *(b'{"exit_code": "3", "error": "x"}', b'{"exit_code": true, "error": "x"}', b'{"exit_code": 3, "error": []}'),
        *(b'{"exit_code": 0, "error": "x"}', b'{"exit_code": 256, "error": "x"}', b'{"exit_code": 2.5, "error": "x"}'),
        b'{"exit_code": ' + b"9" * 5000 + b', "error": "x"}',
        b'{"exit_code": 3, "error": "' + b"x" * 200_000 + b'"}',
    ],
    ids=range(17),
)
def test_a_file_that_no_job_wrote_so_states_no_error(content: bytes) -> None:
    error = failure(content)
    assert (str(error), error.exit_code) == ("the job failed", 4)


@pytest.fixture
def groups(deployed: CloudFormation, glue: Glue, logs: Logs) -> Groups:
    """The groups of CloudWatch Logs, and a job run on Glue that has succeeded."""
    del deployed
    glue.jobs.states = ["SUCCEEDED"]
    glue.jobs.start_requests.append({"JobName": "shop-pipeline", "Arguments": {"--run-id": "2018-10-17-nightly"}})
    return logs.groups


def test_the_whole_log_of_a_job_run_is_printed_and_no_line_of_another(
    groups: Groups, capsys: pytest.CaptureFixture[str]
) -> None:
    groups["/shop/glue/shop-role/shop-pipeline/error"] = {
        "jr_1-d": ["pipeline: one", "pipeline: two\n", "pipeline: three"]
    }
    groups["/shop/glue/shop-role/shop-pipeline/output"] = {"jr_2": ["another run"]}
    assert main(["glue", "logs", "--prefix", "shop", "jr_1"]) == 0
    assert capsys.readouterr().out == "pipeline: one\npipeline: two\npipeline: three\n"


def test_the_log_of_a_job_run_of_an_earlier_version_is_where_glue_put_it(
    groups: Groups, logs: Logs, capsys: pytest.CaptureFixture[str]
) -> None:
    own = "/shop/glue/shop-role/shop-pipeline"
    groups |= {f"{own}/error": {"jr_2": ["another run"]}, "/aws-glue/jobs/error": {"jr_1": ["pipeline: one"]}}
    assert main(["glue", "logs", "--prefix", "shop", "jr_1"]) == 0
    assert capsys.readouterr().out == "pipeline: one\n"
    groups[f"{own}/output"] = {"jr_1": ["pipeline: new"]}
    logs.calls.clear()
    assert main(["glue", "logs", "--prefix", "shop", "jr_1"]) == 0
    assert capsys.readouterr().out == "pipeline: new\n"
    assert {call.request["logGroupName"] for call in logs.calls} == {f"{own}/output", f"{own}/error"}


def test_the_log_is_found_too_if_glue_adds_no_role_to_the_prefix(
    groups: Groups, capsys: pytest.CaptureFixture[str]
) -> None:
    groups["/shop/glue/error"] = {"jr_1": ["pipeline: one"]}
    assert main(["glue", "logs", "--prefix", "shop", "jr_1"]) == 0
    assert capsys.readouterr().out == "pipeline: one\n"


def test_a_job_on_glue_without_a_log_group_names_the_groups_of_the_stack(
    groups: Groups, capsys: pytest.CaptureFixture[str]
) -> None:
    assert groups == {}
    assert main(["glue", "logs", "--prefix", "shop", "jr_1"]) == 4
    assert (
        "no log group /shop/glue/shop-role/shop-pipeline/output or /shop/glue/shop-role/shop-pipeline/error yet"
        in capsys.readouterr().err
    )


def test_the_log_of_a_run_on_emr_is_found_by_the_runs_id(groups: Groups, capsys: pytest.CaptureFixture[str]) -> None:
    groups["/shop/emr"] = {"2018-10-17-nightly/applications/00f1abcd/jobs/01/SPARK_DRIVER/stderr": ["driver: one"]}
    assert main(["emr", "logs", "--prefix", "shop", "2018-10-17-nightly"]) == 0
    assert capsys.readouterr().out == "driver: one\n"


def test_a_log_group_that_does_not_exist_yet_is_reported(groups: Groups, capsys: pytest.CaptureFixture[str]) -> None:
    assert groups == {}
    assert main(["emr", "logs", "--prefix", "shop", "2018-10-17-nightly"]) == 4
    assert "no log group /shop/emr yet" in capsys.readouterr().err
