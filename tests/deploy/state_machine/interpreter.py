"""Executes the nightly state machine with an interpreter of the Amazon States Language, in place of AWS's.

The interpreter is an npm package, installed once from a lock file into ``build/node``. A test gives the answers of each
task, and reads the requests that the tasks got.
"""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.stacks.templates import resources, template

HERE = Path(__file__).parent
INSTALLED = HERE.parent.parent.parent / "build" / "node"
FILES = ("package.json", "package-lock.json")

SUBSTITUTIONS = {
    "Prefix": "shop",
    "Engine": "glue",
    "DataBucket": "shop-data",
    "KeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:shop",
    "ApplicationId": "00f1",
    "CodePath": "s3://shop-artifacts/code/0a1b",
    "EmrSubmitParameters": "--py-files s3://shop-artifacts/code/0a1b/olist_rfm_segments.zip",
    "EmrLogGroup": "/shop/emr",
    "PipelineRoleArn": "arn:aws:iam::123456789012:role/shop-pipeline",
    "SegmentsRoleArn": "arn:aws:iam::123456789012:role/shop-segments",
    "SageMakerRoleArn": "arn:aws:iam::123456789012:role/shop-sagemaker",
    "KMeansImage": "438346466558.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1",
    "Clusters": "5",
    "TrainingInstance": "ml.m5.large",
    "TransformInstance": "ml.m5.large",
    "Workgroup": "shop",
    "Database": "segments",
    "Schema": "public",
}

Answer = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """The outcome of an execution.

    Attributes:
        status: SUCCEEDED or FAILED.
        error: the name of its error.
        cause: the cause of its error.
        calls: the tasks that were tried, in order, with the request of each.
    """

    status: str
    error: str | None
    cause: str | None
    calls: list[tuple[str, dict[str, Any]]]

    def tried(self) -> list[str]:
        """The names of the tasks, in the order in which they were tried."""
        return [name for name, _ in self.calls]

    def request_of(self, state: str) -> dict[str, Any]:
        """The last request of a task."""
        return next(parameters for name, parameters in reversed(self.calls) if name == state)


@cache
def definition() -> dict[str, Any]:
    """The state machine of the template, with values in place of its parameters."""
    (machine,) = resources(template("nightly"), "AWS::StepFunctions::StateMachine").values()
    assert set(machine["DefinitionSubstitutions"]) == set(SUBSTITUTIONS)
    text = re.sub(r"\$\{(\w+)\}", lambda match: SUBSTITUTIONS[match[1]], machine["DefinitionString"])
    states: dict[str, Any] = json.loads(text)
    return states


def install() -> None:
    """Install the interpreter and its Node into ``build/node``, unless they are there."""
    if (INSTALLED / "node_modules" / ".package-lock.json").exists() and _is_current():
        return
    if shutil.which("npm") is None:
        pytest.fail("no npm, which fetches the interpreter of the state machine. Install it: apt-get install npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(HERE / name, INSTALLED)
    completed = subprocess.run(
        ["npm", "ci", "--silent", "--no-audit", "--no-fund"],
        cwd=INSTALLED,
        check=False,
        capture_output=True,
        text=True,
    )
    assert completed.returncode == 0, f"npm could not fetch the interpreter: {completed.stderr or completed.stdout}"


def _is_current() -> bool:
    return all(
        (INSTALLED / name).exists() and (INSTALLED / name).read_text() == (HERE / name).read_text() for name in FILES
    )


class Interpreter:
    """A process that executes one plan after another."""

    def __init__(self) -> None:
        install()
        shutil.copy(HERE / "run.mjs", INSTALLED)
        self._process = subprocess.Popen(
            [INSTALLED / "node_modules" / ".bin" / "node", INSTALLED / "run.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def execute(
        self, execution_input: dict[str, Any], answers: dict[str, list[Answer]], *, execution: str = "nightly-1"
    ) -> Report:
        """Execute the state machine and report."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        plan = {"definition": definition(), "input": execution_input, "execution": execution, "answers": answers}
        self._process.stdin.write(json.dumps(plan) + "\n")
        self._process.stdin.flush()
        report = json.loads(self._process.stdout.readline())
        calls = [(call["state"], call["parameters"]) for call in report["calls"]]
        return Report(report["status"], report.get("error"), report.get("cause"), calls)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()
