import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.__main__ import main
from deploy.aws.requests import Request
from deploy.job_runs.outcomes import job_failure
from jobs.errors import PipelineError
from tests.fakes.cloudformation.service import CloudFormation
from tests.fakes.environment import serving
from tests.fakes.glue.service import Glue
from tests.fakes.http.faults import ServiceError
from tests.fakes.http.protocols import JsonService

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
def logs(aws: pytest.MonkeyPatch, deployed: CloudFormation, glue: Glue) -> Iterator[Groups]:
    """CloudWatch Logs, two lines a page: groups of streams of lines. moto's does not heed the prefix of a stream."""
    del deployed
    groups: Groups = {}

    def filter_log_events(request: dict[str, Any]) -> dict[str, Any]:
        if request["logGroupName"] not in groups:
            raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
        streams = groups[request["logGroupName"]].items()
        lines = [line for name, stream in streams if name.startswith(request["logStreamNamePrefix"]) for line in stream]
        start = int(request.get("nextToken", "0"))
        page: dict[str, Any] = {"events": [{"message": line} for line in lines[start : start + 2]]}
        return page | ({"nextToken": str(start + 2)} if len(lines) > start + 2 else {})

    glue.jobs.states = ["SUCCEEDED"]
    glue.jobs.start_requests.append({"JobName": "shop-pipeline", "Arguments": {"--run-id": "2018-10-17-nightly"}})
    with serving(aws, "CLOUDWATCH_LOGS", JsonService("logs", {"FilterLogEvents": filter_log_events})):
        yield groups


def test_the_whole_log_of_a_job_run_is_printed_and_no_line_of_another(
    logs: Groups, capsys: pytest.CaptureFixture[str]
) -> None:
    logs["/aws-glue/jobs/error"] = {"jr_1": ["pipeline: one", "pipeline: two\n", "pipeline: three"]}
    logs["/aws-glue/jobs/output"] = {"jr_2": ["another run"]}
    assert main(["glue", "logs", "--prefix", "shop", "jr_1"]) == 0
    assert capsys.readouterr().out == "pipeline: one\npipeline: two\npipeline: three\n"


def test_the_log_of_a_run_on_emr_is_found_by_the_runs_id(logs: Groups, capsys: pytest.CaptureFixture[str]) -> None:
    logs["/shop/emr"] = {"2018-10-17-nightly/applications/00f1abcd/jobs/01/SPARK_DRIVER/stderr": ["driver: one"]}
    assert main(["emr", "logs", "--prefix", "shop", "2018-10-17-nightly"]) == 0
    assert capsys.readouterr().out == "driver: one\n"


def test_a_log_group_that_does_not_exist_yet_is_reported(logs: Groups, capsys: pytest.CaptureFixture[str]) -> None:
    assert logs == {}
    assert main(["emr", "logs", "--prefix", "shop", "2018-10-17-nightly"]) == 4
    assert "no log group /shop/emr yet" in capsys.readouterr().err
