"""An output folder with two runs, and the fake Redshift that they are published to."""

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
from jobs.warehouse.redshift_statements import preparation_statements
from jobs.warehouse.target import RedshiftAddress
from tests.fakes.environment import COPY_ROLE
from tests.fakes.redshift.data_api import DataApi
from tests.fakes.redshift.translation import translate
from tests.jobs.warehouse.small_runs import (
    FEBRUARY_ONLY,
    FEBRUARY_RUN,
    JUNE,
    JUNE_RUN,
    Rows,
    all_tables,
    in_order,
    write_run,
)
from transforms.schemas import TABLES

FEBRUARY_TABLES, JUNE_TABLES = all_tables(FEBRUARY_ONLY), all_tables(JUNE)


class RedshiftPublication:
    """Two runs, the fake Data API that they are published to, and what readers see in the PostgreSQL behind it."""

    def __init__(self, folder: Path, api: DataApi, bucket: str, conninfo: str) -> None:
        self.output, self.api, self.bucket, self.conninfo = folder, api, bucket, conninfo
        self.s3 = api.copy_source.s3
        write_run(folder, FEBRUARY_RUN, FEBRUARY_ONLY)
        write_run(folder, JUNE_RUN, JUNE)

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
            rows = {name: connection.execute(f"select * from rfm.{name}".encode()).fetchall() for name in TABLES}
        return in_order(rows)

    def runs(self) -> list[str]:
        return [run for (run,) in self.query("select run_id from rfm.pipeline_runs order by load_number")]

    def staged_keys(self) -> list[str]:
        listing = self.s3.list_objects_v2(Bucket=self.bucket)
        return [entry["Key"] for entry in listing.get("Contents", [])]

    def loads(self) -> list[Any]:
        """The submitted batches that load a run."""
        return [
            execution
            for execution in self.api.executions
            if execution.request.get("StatementName", "").startswith("load run")
        ]

    @contextmanager
    def states_seen(self) -> Iterator[list[Rows]]:
        """The states of the tables that a reader saw who read all the time, each once, in order."""
        states: list[Rows] = [self.tables()]
        done = threading.Event()

        def read() -> None:
            while True:
                # Tested before the read, so that the last read sees the final state.
                is_last = done.wait(0.005)
                tables = self.tables()
                if tables != states[-1]:
                    states.append(tables)
                if is_last:
                    return

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield states
        finally:
            done.set()
            reader.join()

    def before_each_load(self, monkeypatch: pytest.MonkeyPatch, hook: Callable[[], object]) -> list[str]:
        """Call a hook before each batch that loads a run. The result fills with the names of its statements."""
        names: list[str] = []
        run_batch = data_api_module.DataApiClient.run_batch

        def run_batch_after_hook(client: Any, title: str, statements: Any, *, token: str) -> None:
            if title.startswith("load run"):
                names[:] = [statement.name for statement in statements]
                hook()
            run_batch(client, title, statements, token=token)

        monkeypatch.setattr(data_api_module.DataApiClient, "run_batch", run_batch_after_hook)
        return names


@cache
def first_preparation() -> tuple[str, ...]:
    """The statements of a first load that create the tables, in PostgreSQL's SQL."""
    address = RedshiftAddress(database="dev", schema="rfm", workgroup="segments")
    return tuple(translate(statement.sql).sql for statement in preparation_statements(address, {}))


@pytest.fixture
def february(warehouse: RedshiftPublication) -> RedshiftPublication:
    """A warehouse that holds the February run. Writing the rows takes a tenth of the time of a load."""
    with psycopg.connect(warehouse.conninfo) as connection, connection.cursor() as cursor:
        for statement in first_preparation():
            cursor.execute(statement.encode())
        for name, rows in FEBRUARY_ONLY.items():
            if not rows:
                continue
            places = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"insert into rfm.{name} values ({places})".encode(), rows)
        cursor.execute(
            "insert into rfm.pipeline_runs (load_number, load_id, run_id) values (1, 'first', %s)", [FEBRUARY_RUN]
        )
    return warehouse


@pytest.fixture
def warehouse(
    tmp_path: Path, data_api: DataApi, bucket: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> RedshiftPublication:
    monkeypatch.setattr(data_api_module, "POLL_SECONDS", (0.01, 0.05))
    monkeypatch.setattr(redshift, "MAX_SECONDS_BETWEEN_ATTEMPTS", 0.05)
    return RedshiftPublication(tmp_path / "output", data_api, bucket, database)
