"""Ledgers and Olist's tables in Spark's catalogue: a real Iceberg table, and tables of Spark's own."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.ledgers.catalogue_runs import APPENDED, AS_OF, FIRST, settings
from tests.jobs.ledgers.ledger_runs import LedgerRun, assert_accounted, summed
from tests.log_lines import without_logs

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PROJECT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Process:
    """What the process of `catalogue_runs` left behind.

    Attributes:
        folder: of its runs.
        seen: what it saw on the way.
        stderr: the lines that are no log lines.
    """

    folder: Path
    seen: dict[str, Any]
    stderr: list[str]

    def run(self, name: str, output: str = "output") -> LedgerRun:
        return LedgerRun(self.folder / output, f"{AS_OF}-{name}")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Process:
    folder = tmp_path_factory.mktemp("catalogue")
    conf = folder / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(settings(folder / "warehouse"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.ledgers.catalogue_runs", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "SPARK_CONF_DIR": str(conf)},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr
    return Process(folder, json.loads((folder / "seen.json").read_text()), without_logs(done.stderr))


def money(ids: range) -> tuple[int, dict[str, Decimal]]:
    return summed(("", number % 97 + Decimal("0.25")) for number in ids)


def day_of(number: int) -> date:
    return date(2018, 1, 1) + timedelta(days=number % 170)


def test_a_run_reads_the_snapshot_of_its_beginning_though_rows_are_appended_meanwhile(process: Process) -> None:
    run = process.run("pinned")
    assert process.seen["rows after the run"] == FIRST + APPENDED
    [snapshot] = process.seen["snapshots"]
    [read] = run.manifest["inputs"]["files"]
    assert read["catalogue_table"] == {"name": "lake.bank.moves", "snapshot": snapshot}
    assert run.at("ledger read") == money(range(FIRST))
    assert_accounted(run)
    assert run.parts("counted") == {"purchase": money(range(FIRST))}
    assert process.seen["read when pinned"] == [FIRST + APPENDED, FIRST + 2 * APPENDED]


def test_of_a_table_by_day_the_scan_reads_the_window_alone(process: Process) -> None:
    by_day, whole = process.run("by-day"), process.run("whole")
    [read] = by_day.manifest["inputs"]["files"]
    assert read["not_opened"] == {"partition": "day", "before": "2018-05-29", "files": None}
    ids = range(FIRST + APPENDED)
    in_window = [number for number in ids if day_of(number) >= date(2018, 5, 29)]
    assert by_day.at("ledger read") == summed(("", number % 97 + Decimal("0.25")) for number in in_window)
    assert whole.at("ledger read") == money(ids)
    [scan] = re.findall(r"BatchScan lake\.bank\.moves.*", process.seen["plans"]["by-day"])
    assert re.search(r"filters=[^,]*day >= \d", scan)
    assert "day >=" not in process.seen["plans"]["whole"]
    for table in ("transactions", "purchases", "rfm"):
        assert by_day.rows(table) == whole.rows(table)


def test_a_table_without_a_snapshot_is_refused_in_one_line(process: Process) -> None:
    assert process.seen["codes"]["empty"] == 3
    assert [line for line in process.stderr if line.startswith("pipeline: ")] == [
        "pipeline: --input table:lake.bank.empty: an Iceberg table without a snapshot, expected rows in it"
    ]


def test_olists_tables_in_the_catalogue_give_the_rows_of_its_files(process: Process) -> None:
    assert {name for name, code in process.seen["codes"].items() if code} == {"empty"}
    files, tables = process.run("files", "olist"), process.run("tables", "olist")
    [name, *_] = [each["catalogue_table"]["name"] for each in tables.manifest["inputs"]["files"]]
    assert name == "shop.olist_customers_dataset"
    for table in ("customers", "orders", "payments", "transactions", "purchases", "rfm"):
        assert tables.rows(table) == files.rows(table)
