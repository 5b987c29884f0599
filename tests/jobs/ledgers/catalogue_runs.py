"""Runs over tables of Spark's catalogue, in a process whose Spark has Iceberg: ``python -m`` this, with a folder.

Iceberg is a library that Spark has to be started with, so the session of the other tests cannot read its tables. This
one has its settings, and its fakes. What the runs do not tell themselves goes into ``seen.json``.
"""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pyspark.sql import DataFrame, SparkSession

from jobs import pipeline
from jobs.ingest import ingest
from jobs.inputs.catalogue import CatalogueTable
from jobs.inputs.typed_rows import read_typed
from jobs.spark import session as session_settings
from jobs.spark.session import spark_session
from tests.conftest import SMALL
from tests.fakes.gate import fake_gate
from tests.fakes.page import fake_report
from tests.jobs.ledgers.ledger_runs import ledger_arguments
from tests.raw_files import RawFiles

ICEBERG = "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0"
AS_OF = "2018-06-30"
TABLE = "lake.bank.moves"
MAPPING = (
    "customer_id_col: acct\ndatetime_col: booked\nmonetary_value_col: amt\ntransaction_id_col: id\ncurrency: EUR\n"
)
DAY = "date'2018-01-01' + cast(id % 170 as int)"
FIRST, APPENDED = 600, 60
"""The rows that the table has at first, and those that are appended each time. The ids go on."""


def settings(warehouse: Path) -> str:
    """What a user writes into ``spark-defaults.conf``: Iceberg, and a catalogue in a folder."""
    lines = {
        "spark.jars.packages": ICEBERG,
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": str(warehouse / "lake"),
        "spark.sql.warehouse.dir": str(warehouse / "plain"),
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def moves(session: SparkSession, first: int, count: int) -> DataFrame:
    """Rows of the ledger from an id on."""
    return session.range(first, first + count).selectExpr(
        "cast(id as string) id",
        "concat('c', id % 7) acct",
        f"cast({DAY} as timestamp) + interval 10 hours booked",
        "cast(id % 97 + 0.25 as decimal(12, 2)) amt",
        f"{DAY} day",
    )


def append(session: SparkSession) -> None:
    rows = session.table(TABLE).count()
    moves(session, rows, APPENDED).writeTo(TABLE).append()


def snapshots(session: SparkSession) -> list[str]:
    """The ids of the table's snapshots, from the first on."""
    rows = session.table(f"{TABLE}.snapshots").orderBy("committed_at").collect()
    return [str(row["snapshot_id"]) for row in rows]


@contextmanager
def replaced(place: str, by: Callable[..., Any]) -> Any:
    with patch(place, by):
        yield


def run_ledgers(session: SparkSession, folder: Path) -> dict[str, Any]:
    """Make runs over an Iceberg table to which rows are appended meanwhile; return what was seen on the way."""
    session.sql("create namespace lake.bank")
    moves(session, 0, FIRST).writeTo(TABLE).partitionedBy("day").create()
    seen: dict[str, Any] = {"snapshots": snapshots(session), "codes": {}, "plans": {}}

    def ingest_while_others_write(*arguments: Any) -> Any:
        append(session)
        return ingest(*arguments)

    def run(name: str, mapping: str, *arguments: str) -> None:
        def noted(*read: Any) -> DataFrame:
            frame = read_typed(*read)
            seen["plans"][name] = frame._jdf.queryExecution().executedPlan().toString()
            return frame

        command = ledger_arguments(folder, mapping, f"table:{TABLE}", as_of=AS_OF)
        command += ["--run-id", f"{AS_OF}-{name}", "--kmeans", "none", *arguments]
        with replaced("jobs.runs.reading.read_typed", noted):
            seen["codes"][name] = pipeline.main(command)

    with replaced("jobs.pipeline.ingest", ingest_while_others_write):
        run("pinned", MAPPING)
    seen["rows after the run"] = session.table(TABLE).count()
    run("by-day", f"{MAPPING}partitioned_by: day\n", "--window-months", "1")
    run("whole", MAPPING, "--window-months", "1")
    pinned = CatalogueTable(TABLE).pinned(session)
    append(session)
    seen["read when pinned"] = [pinned.read(session).count(), session.table(TABLE).count()]
    session.sql("create table lake.bank.empty (acct string, booked timestamp, amt decimal(12, 2), id string)")
    command = ledger_arguments(folder, MAPPING, "table:lake.bank.empty", as_of=AS_OF)
    seen["codes"]["empty"] = pipeline.main(command)
    return seen


def run_olist(session: SparkSession, folder: Path) -> dict[str, int]:
    """Run Olist's files, and the same rows as tables of a database; return the exit codes."""
    raw = RawFiles(folder / "input")
    raw.write()
    session.sql("create database shop")
    for file in (raw.customers_file, raw.orders_file, raw.payments_file):
        rows = session.read.csv(str(file), header=True, inferSchema=file == raw.orders_file)
        rows.write.saveAsTable(f"shop.{file.stem}")
    codes = {}
    for name, source in (("files", str(raw.folder)), ("tables", "table:shop")):
        command = ["--as-of", AS_OF, "--input", source, "--output", str(folder / "olist"), "--kmeans", "none"]
        codes[f"olist {name}"] = pipeline.main([*command, "--run-id", f"{AS_OF}-{name}"])
    return codes


def main(argv: Sequence[str]) -> None:
    folder = Path(argv[0])
    session_settings.LAPTOP.update(SMALL)
    with fake_gate(), fake_report(), spark_session("catalogue") as session:
        seen = run_ledgers(session, folder)
        seen["codes"] |= run_olist(session, folder)
    (folder / "seen.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1:])
