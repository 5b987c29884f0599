"""An output folder with two runs, and a schema in Redshift's stand-in that they are published to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobs import publish
from jobs.warehouse import data_api as data_api_module
from jobs.warehouse import redshift
from jobs.warehouse.redshift import preparation
from jobs.warehouse.target import RedshiftAddress
from tests.fakes.environment import COPY_ROLE
from tests.fakes.redshift.data_api import DataApi
from tests.fakes.redshift.translation import translate
from tests.jobs.warehouse.made_runs import FEBRUARY_ONLY, JUNE, Rows, as_sets, make_run
from transforms.schemas import TABLES

JUNE_RUN, FEBRUARY_RUN = "2018-06-30-june", "2018-02-28-february"


def with_empty(rows: Rows) -> Rows:
    """What is in the tables after a run: those that it does not have are empty."""
    return as_sets({name: rows.get(name, []) for name in TABLES})


IS_FEBRUARY, IS_JUNE = with_empty(FEBRUARY_ONLY), with_empty(JUNE)


class InPostgres:
    """Runs, the stand-in that they are published to, and what readers see in the PostgreSQL behind it."""

    def __init__(self, folder: Path, api: DataApi, bucket: str, conninfo: str) -> None:
        self.output, self.api, self.bucket, self.conninfo = folder, api, bucket, conninfo
        self.s3 = api.copy_source.s3
        make_run(folder, FEBRUARY_RUN, FEBRUARY_ONLY)
        make_run(folder, JUNE_RUN, JUNE)

    def publish(self, *arguments: str, to: str = "redshift://segments/dev/rfm") -> int:
        target = ("--warehouse", to, "--staging", f"s3://{self.bucket}/staging", "--iam-role", COPY_ROLE)
        return publish.main(["--output", str(self.output), *target, *arguments])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.conninfo) as connection:
            return connection.execute(sql.encode()).fetchall()

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.conninfo) as connection:
            connection.execute(sql.encode())

    def tables(self) -> Rows:
        """All tables in one transaction, as a reader who joins them sees them."""
        with psycopg.connect(self.conninfo) as connection:
            connection.execute("set transaction isolation level repeatable read")
            found = {name: connection.execute(f"select * from rfm.{name}".encode()).fetchall() for name in TABLES}
        return as_sets(found)

    def runs(self) -> list[str]:
        return [run for (run,) in self.query("select run_id from rfm.pipeline_runs order by load_number")]

    def staged(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def loads(self) -> list[Any]:
        """The batches that were to load a run."""
        return [
            execution
            for execution in self.api.executions
            if execution.request.get("StatementName", "").startswith("load run")
        ]

    @contextmanager
    def watched(self) -> Iterator[list[Rows]]:
        """What a reader saw who looked all the time: each state of the tables once, in the order in which they came."""
        seen: list[Rows] = [self.tables()]
        done = threading.Event()

        def look() -> None:
            while True:
                # Asked before the look, so that the last look is of what is there in the end.
                is_last = done.wait(0.005)
                found = self.tables()
                if found != seen[-1]:
                    seen.append(found)
                if is_last:
                    return

        reader = threading.Thread(target=look)
        reader.start()
        try:
            yield seen
        finally:
            done.set()
            reader.join()

    def before_the_load(self, monkeypatch: pytest.MonkeyPatch, ask_for_trouble: Callable[[], object]) -> list[str]:
        """Have something called before each batch that loads a run; returns the names of its statements, in the end."""
        names: list[str] = []
        batch = data_api_module.DataApi.batch

        def troubled(client: Any, title: str, statements: Any, *, token: str) -> None:
            if title.startswith("load run"):
                names[:] = [statement.name for statement in statements]
                ask_for_trouble()
            batch(client, title, statements, token=token)

        monkeypatch.setattr(data_api_module.DataApi, "batch", troubled)
        return names


@cache
def made_tables() -> tuple[str, ...]:
    """What a first load makes, for PostgreSQL."""
    address = RedshiftAddress(database="dev", schema="rfm", workgroup="segments")
    return tuple(translate(statement.sql).sql for statement in preparation(address, {}))


@pytest.fixture
def february(warehouse: InPostgres) -> InPostgres:
    """A warehouse that holds the February run, as a load leaves it; put there in a tenth of a load's time."""
    with psycopg.connect(warehouse.conninfo) as connection, connection.cursor() as cursor:
        for statement in made_tables():
            cursor.execute(statement.encode())
        for name, rows in FEBRUARY_ONLY.items():
            places = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"insert into rfm.{name} values ({places})".encode(), rows)
        cursor.execute(
            "insert into rfm.pipeline_runs (load_number, load_id, run_id) values (1, 'first', %s)", [FEBRUARY_RUN]
        )
    return warehouse


@pytest.fixture
def warehouse(
    tmp_path: Path, data_api: DataApi, bucket: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> InPostgres:
    monkeypatch.setattr(data_api_module, "SECONDS_BETWEEN_LOOKS", (0.01, 0.05))
    monkeypatch.setattr(redshift, "SECONDS_BETWEEN_ATTEMPTS", 0.05)
    return InPostgres(tmp_path / "output", data_api, bucket, database)
