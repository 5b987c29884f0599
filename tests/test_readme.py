"""The README says what is so: its commands run, its output is theirs, its tables are the schemas."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from jobs.sample import write_sample
from jobs.storage.local import LocalFolder
from transforms import schemas
from transforms.schemas import KEYS

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
COMMANDS = [block.strip() for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]
OUTPUT = re.search(r"^```\n(Run 2018.*?)^```", README, re.MULTILINE | re.DOTALL)

QUESTIONS = re.findall(r"^```sql\n(.*?)^```\n\n((?:^\|[^\n]*\|\n)+)", README, re.MULTILINE | re.DOTALL)
"""Each query of the README, and the answer below it."""

STEP = re.compile(r"│ (\w+) +│ +([\d,]+) │ +([\d,]+) │ +([\d,]+) │ +([\d,.]*) │")
"""A line of the closing table, without its seconds."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files in a folder of their own, with the environment that the tests run in."""
    folder = tmp_path_factory.mktemp("checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def run(command: str, checkout: Path) -> str:
    """Run a command as a reader would, in a home with the Olist files, and return what it prints."""
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=checkout,
        env={**os.environ, "HOME": str(checkout / "home")},
        # Whoever waits for what is typed is told that nothing will be.
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_every_command_runs_and_the_output_is_what_is_shown(spark: SparkSession, checkout: Path) -> None:
    olist = checkout / "home" / "olist"
    olist.mkdir(parents=True)
    write_sample(spark, LocalFolder(olist), orders=2_000, seed=1)
    printed = {}
    # A command that needs what another one makes comes after it, as for whoever reads from top to bottom.
    for command in COMMANDS:
        printed[command] = run("make -n test" if command == "make test" else command, checkout)
        if command == "make run-local":
            answers = [answer(query, checkout / "output" / "warehouse.duckdb") for query, _ in QUESTIONS]
    assert OUTPUT is not None
    assert STEP.findall(OUTPUT[1]) == STEP.findall(printed["make run-local"]) != []
    assert "pytest" in printed["make test"]
    assert len(answers) == 5
    assert answers == [shown for _, shown in QUESTIONS]


def answer(query: str, warehouse: Path) -> str:
    """What a query gives, as the README shows it: a row of names, a line, and the rows."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description or []]
        rows = [[str(value) for value in row] for row in found.fetchall()]
    head, *body = [f"| {' | '.join(line)} |\n" for line in (names, *rows)]
    return "".join([head, "|---" * len(names), "|\n", *body])


def test_the_two_commands_are_there() -> None:
    assert {"make run-local", "make test"} <= set(COMMANDS)


@pytest.mark.parametrize("table", KEYS)
def test_a_table_has_the_key_and_the_columns_that_are_shown(table: str) -> None:
    row = re.search(rf"^\| {table} \| (.*) \| (.*) \|$", README, re.MULTILINE)
    assert row is not None
    assert row[1].split(", ") == list(KEYS[table])
    assert row[2].split(", ") == getattr(schemas, table.upper()).fieldNames()
