"""Executes the nightly state machine with an interpreter of the Amazon States Language, in place of AWS's.

The interpreter is an npm package, installed once from a lock file into ``build/node``. A test gives the answers of each
task, and reads the requests that the tasks got.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
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
    "AccountId": "123456789012",
    "Prefix": "shop",
    "CostCentre": "4711",
    "Engine": "glue",
    "Kmeans": "spark",
    "Spot": "true",
    "Source": "olist",
    "Mapping": "",
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
    "CatalogueDatabase": "shop",
    "DashboardDataSets": "shop-segments",
    "NetworkSubnets": "",
    "NetworkGroup": "",
}
"""A deployment with everything but a network. A test changes what it is about."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """The outcome of an execution.

    Attributes:
        status: SUCCEEDED or FAILED.
        error: the name of its error.
        cause: the cause of its error.
        output: what it hands back; None if it failed.
        calls: the tasks that were tried, in order, with the request of each.
    """

    status: str
    error: str | None
    cause: str | None
    output: dict[str, Any] | None
    calls: list[tuple[str, dict[str, Any]]]

    def tried(self) -> list[str]:
        """The names of the tasks, in the order in which they were tried."""
        return [name for name, _ in self.calls]

    def request_of(self, state: str) -> dict[str, Any]:
        """The last request of a task."""
        return next(parameters for name, parameters in reversed(self.calls) if name == state)


@cache
def definition(**settings: str) -> dict[str, Any]:
    """The state machine of the template, with values in place of its parameters.

    Args:
        settings: the values that differ from `SUBSTITUTIONS`.
    """
    (machine,) = resources(template("nightly"), "AWS::StepFunctions::StateMachine").values()
    values = SUBSTITUTIONS | settings
    assert set(machine["DefinitionSubstitutions"]) == set(SUBSTITUTIONS) == set(values)
    text = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], machine["DefinitionString"])
    states: dict[str, Any] = json.loads(text)
    return states


def tasks() -> dict[str, str]:
    """The resource of each task, by the name of its state, with those inside of a map."""
    return dict(_tasks(definition()))


def _tasks(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state["Resource"]
        if state["Type"] == "Map":
            yield from _tasks(state["ItemProcessor"])


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
        self,
        execution_input: dict[str, Any],
        answers: dict[str, list[Answer]],
        *,
        execution: str = "nightly-1",
        **settings: str,
    ) -> Report:
        """Execute the state machine of a deployment with these settings, and report."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        plan = {
            "definition": definition(**settings),
            "input": execution_input,
            "execution": execution,
            "answers": answers,
        }
        self._process.stdin.write(json.dumps(plan) + "\n")
        self._process.stdin.flush()
        report = json.loads(self._process.stdout.readline())
        calls = [(call["state"], call["parameters"]) for call in report["calls"]]
        return Report(report["status"], report.get("error"), report.get("cause"), report.get("output"), calls)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()
