"""The commands of SageMaker, as a user types them."""

import re

import pytest

from deploy.__main__ import main
from tests.fakes.environment import REGION, SAGEMAKER_ROLE
from tests.fakes.sagemaker.client_requests import ClientRequests

WAITED = re.compile(
    r"(TrainingJob|TransformJob|Endpoint) \S+: (InProgress|Completed|Failed|Stopped|Creating|InService)"
)


class Commands:
    """The command line, as a user types it."""

    def __init__(self, client_requests: ClientRequests, capfd: pytest.CaptureFixture[str]) -> None:
        self.requests, self.capfd = client_requests, capfd

    def run(self, command: str, *arguments: str, code: int = 0) -> str:
        """Run a command and return its output; for one that fails, the error line without the lines of the wait."""
        self.capfd.readouterr()
        assert main(["sagemaker", command, "--region", REGION, *arguments]) == code
        printed = self.capfd.readouterr()
        if code == 0:
            return printed.out
        lines = [line for line in printed.err.strip().splitlines() if not WAITED.match(line)]
        assert len(lines) == 1, printed.err
        return lines[0]

    def train(self, *arguments: str, code: int = 0) -> str:
        places = ["--features", self.requests.uri("kmeans/train"), "--output", self.requests.uri("models")]
        sizes = ["--k", "2", "--poll", "0", "--name", "run-1"]
        return self.run("train", "--role", SAGEMAKER_ROLE, *places, *sizes, *arguments, code=code)

    def transform(self, model_data: str, *arguments: str, code: int = 0) -> str:
        places = ["--features", self.requests.uri("kmeans/score"), "--output", self.requests.uri("out")]
        more = ["--model-data", model_data, "--poll", "0", "--name", "score-1"]
        return self.run("transform", "--role", SAGEMAKER_ROLE, *places, *more, *arguments, code=code)
