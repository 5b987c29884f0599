"""One way to run a job: how it is submitted, what the fake receives, and what the command says last."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.__main__ import main
from tests.fakes.http.service import HttpService
from tests.fakes.scripted_jobs import ScriptedJobs

AS_OF = ("--as-of", "2018-10-17")
RUN = "2018-10-17-nightly"
NAMED = (*AS_OF, "--run-id", RUN)
LOAD = ("--step", "publish", "--run", RUN)
WAYS = ("glue", "emr", "cluster", "run")


@dataclass
class Runner:
    """One way to run a job."""

    command: tuple[str, ...]
    named: tuple[str, ...]
    start: str
    describe: str
    states: dict[str, str]
    service: HttpService
    jobs: ScriptedJobs
    s3: Any

    def submit(self, *arguments: str) -> int:
        return main([*self.command, "--prefix", "shop", *(arguments or self.named)])

    def passes_through(self, *states: str, note: str = "") -> None:
        self.jobs.states = [self.states.get(state, state) for state in states]
        self.jobs.note = note

    def leaves_failure(self, exit_code: int, error: str) -> None:
        body = json.dumps({"exit_code": exit_code, "error": error})
        self.s3.put_object(Bucket="shop-data", Key=f"output/runs/{RUN}/failure.json", Body=body.encode())


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]
