"""The README is correct: its commands run, its output is their output, and its tables match the schemas."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from jobs.sample import write_sample
from jobs.storage.local import LocalFolder
from tests.fakes.interpreter import link_environment, run_here
from transforms import schemas
from transforms.schemas import KEYS

PROJECT = Path(__file__).parent.parent
SHELL = ("bash", "-euo", "pipefail", "-c")
README = (PROJECT / "README.md").read_text(encoding="utf-8")
COMMANDS = [block.strip() for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]
WITH_OUTPUT = ("make run-local", "make test")
OUTPUT = re.search(r"^```\n(Report: .*?)^```", README, re.MULTILINE | re.DOTALL)

QUERIES = re.findall(r"^```sql\n(.*?)^```\n\n((?:^\|[^\n]*\|\n)+)", README, re.MULTILINE | re.DOTALL)
"""Each query of the README, and the result below it."""

STEP = re.compile(r"│ (\w+) +│ +([\d,]+) │ +([\d,]+) │ +([\d,]+) │ +([\d,.]*) │")
"""A line of the summary table, without its seconds."""

SEGMENT = re.compile(r"│ ([^│]+?) +│ +([\d,]+) │ +([\d.]+%) │ +([\d,.]+) │ +([\d.]+%) │")
"""A line of the table of segments."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tracked files, with the environment in which the tests run."""
    folder = tmp_path_factory.mktemp("checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    link_environment(folder / ".venv")
    return folder


def run(command: str, checkout: Path, environment: Mapping[str, str]) -> str:
    """Run a command as a reader would, and return its output."""
    process = subprocess.run(
        [*SHELL, command],
        cwd=checkout,
        env=environment,
        # A command that waits for input reads the end of the input.
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_every_command_runs_and_prints_the_output_that_the_readme_shows(
    spark: SparkSession, checkout: Path, tmp_path: Path
) -> None:
    olist = checkout / "home" / "olist"
    olist.mkdir(parents=True)
    write_sample(spark, LocalFolder(olist), orders=2_000, seed=1)
    outputs = {}
    # In the order of the README, since some commands need the files of earlier ones. The one whose output it shows runs
    # by itself, over the sample of full size, and the jobs of the others run here, over a small one.
    environment = {**os.environ, "HOME": str(checkout / "home")}
    small = {**environment, "ORDERS": "2000"}
    for command in COMMANDS:
        if command not in WITH_OUTPUT:
            log = tmp_path / "log"
            assert run_here([*SHELL, command], cwd=checkout, env=small, log=log) == 0, log.read_text()
            continue
        outputs[command] = run("make -n test" if command == "make test" else command, checkout, environment)
        if command == "make run-local":
            results = [result_of(query, checkout / "output" / "warehouse.duckdb") for query, _ in QUERIES]
    assert OUTPUT is not None
    assert STEP.findall(OUTPUT[1]) == STEP.findall(outputs["make run-local"]) != []
    assert SEGMENT.findall(OUTPUT[1]) == SEGMENT.findall(outputs["make run-local"]) != []
    assert "pytest" in outputs["make test"]
    assert len(results) == 7
    assert results == [result for _, result in QUERIES]


def result_of(query: str, warehouse: Path) -> str:
    """The result of a query as a Markdown table."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        rows = [[str(value) for value in row] for row in result.fetchall()]
    head, *body = [f"| {' | '.join(line)} |\n" for line in (names, *rows)]
    return "".join([head, "|---" * len(names), "|\n", *body])


def test_the_readme_has_both_commands() -> None:
    assert {"make run-local", "make test"} <= set(COMMANDS)


@pytest.mark.parametrize("table", KEYS)
def test_a_table_has_the_key_and_the_columns_that_the_readme_shows(table: str) -> None:
    row = re.search(rf"^\| {table} \| (.*) \| (.*) \|$", README, re.MULTILINE)
    assert row is not None
    assert row[1].split(", ") == list(KEYS[table])
    assert row[2].split(", ") == getattr(schemas, table.upper()).fieldNames()
