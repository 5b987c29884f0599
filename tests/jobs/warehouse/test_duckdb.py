"""Runs in a DuckDB file: one at a time, whole or not at all."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs import publish
from jobs.warehouse import duckdb as duckdb_warehouse
from tests.frames import money
from tests.jobs.warehouse.made_runs import FEBRUARY_ONLY, JUNE, Rows, as_sets, edit_manifest, make_run, outputs, spoil
from transforms.schemas import TABLES

JUNE_RUN, FEBRUARY_RUN = "2018-06-30-june", "2018-02-28-february"


class Published:
    """An output folder with two runs in it, and a warehouse beside them."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "output"
        self.file = folder / "warehouse.duckdb"
        make_run(self.output, FEBRUARY_RUN, FEBRUARY_ONLY)
        make_run(self.output, JUNE_RUN, JUNE)

    def publish(self, *arguments: str) -> int:
        return publish.main(["--output", str(self.output), "--warehouse", f"duckdb:{self.file}", *arguments])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.file, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> Rows:
        return as_sets({name: self.query(f"from {name}") for name in TABLES})

    def runs(self) -> list[tuple[Any, ...]]:
        return self.query("select load_number, run_id, as_of::varchar from pipeline_runs order by load_number")


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return Published(tmp_path)


def with_empty(rows: Rows) -> Rows:
    """What is in the tables after a run: those that it does not have are empty."""
    return as_sets({name: rows.get(name, []) for name in TABLES})


def test_the_tables_hold_the_current_run(published: Published) -> None:
    assert published.publish() == 0
    assert published.tables() == with_empty(JUNE)
    assert published.runs() == [(1, JUNE_RUN, "2018-06-30")]


def test_a_run_loaded_again_is_there_once(published: Published) -> None:
    assert published.publish() == published.publish() == 0
    assert published.tables() == with_empty(JUNE)
    assert published.runs() == [(1, JUNE_RUN, "2018-06-30"), (2, JUNE_RUN, "2018-06-30")]


def test_a_run_takes_the_place_of_another_and_may_come_back(published: Published) -> None:
    assert published.publish() == 0
    assert published.publish("--run", FEBRUARY_RUN) == 0
    assert published.tables() == with_empty(FEBRUARY_ONLY)
    assert published.publish("--run", JUNE_RUN) == 0
    assert published.tables() == with_empty(JUNE)
    assert [number for number, _, _ in published.runs()] == [1, 2, 3]


def test_the_record_says_rows_and_money_of_each_table(published: Published) -> None:
    assert published.publish() == 0
    found = published.query("select tables->'payments'->>'rows', tables->'payments'->>'money' from pipeline_runs")
    assert found == [("4", "40.5000")]


STEPS = [*(f"load {table}" for table in TABLES), "make the workshop's views", "record the load", "commit"]


@pytest.mark.parametrize("step", STEPS)
def test_a_load_that_breaks_off_at_any_step_leaves_the_run_before(
    published: Published, step: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert published.publish("--run", FEBRUARY_RUN) == 0

    @contextmanager
    def breaking_off(*_: Any) -> Iterator[Any]:
        def begin(_: int, doing: str) -> None:
            if doing == step:
                raise duckdb.IOException("no space left on device\nand more")

        yield begin

    monkeypatch.setattr(duckdb_warehouse.console, "statement_bar", breaking_off)
    assert published.publish() == 4
    assert f"could not {step}: no space left on device. The file is as it was before" in capfd.readouterr().err
    assert published.tables() == with_empty(FEBRUARY_ONLY)
    assert published.runs() == [(1, FEBRUARY_RUN, "2018-02-28")]


def test_a_file_that_is_open_elsewhere_is_waited_for_and_then_named(
    published: Published, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert published.publish() == 0
    monkeypatch.setattr(duckdb_warehouse, "SECONDS_FOR_THE_LOCK", 0.3)
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(published.file)!r}); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        assert published.publish() == 4
        other.communicate("")
    error = capfd.readouterr().err
    assert "is open in another program" in error
    assert error.count("\n") == 1
    assert published.publish() == 0


def test_a_file_that_is_no_database_is_said_to_be_none(published: Published, capfd: pytest.CaptureFixture[str]) -> None:
    published.file.write_text("these are no tables")
    assert published.publish() == 4
    assert "not a valid DuckDB database" in capfd.readouterr().err


SPOILED: list[tuple[str, list[tuple[Any, ...]], str]] = [
    ("customers", [], "2 rows arrived, expected 3 rows"),
    ("orders", [JUNE["orders"][0]] * 2, "4 rows arrived, expected 3 rows"),
    (
        "payments",
        [("o1", 1, "credit_card", 3, money("10.01")), JUNE["payments"][1]],
        "4 rows worth 40.51 arrived, expected 4 rows worth 40.50",
    ),
    ("transactions", JUNE["transactions"][:1], "3 rows worth 35.00 arrived, expected 4 rows worth 40.50"),
    ("purchases", JUNE["purchases"][:1] * 2, "4 rows worth 56.00 arrived, expected 3 rows worth 40.50"),
    ("rfm", [], "1 rows worth 5.00 arrived, expected 2 rows worth 40.50"),
]


@pytest.mark.parametrize(("table", "rows", "said"), SPOILED)
def test_a_row_lost_doubled_or_changed_on_the_way_fails_the_load(
    published: Published, table: str, rows: list[tuple[Any, ...]], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert published.publish("--run", FEBRUARY_RUN) == 0
    spoil(published.output, JUNE_RUN, table, rows, is_told=True)
    assert published.publish() == 3
    assert f"table {table}: {said}" in capfd.readouterr().err
    assert published.tables() == with_empty(FEBRUARY_ONLY)


def test_a_file_with_other_columns_is_refused(published: Published, capfd: pytest.CaptureFixture[str]) -> None:
    folder = published.output / "runs" / JUNE_RUN
    (folder / "rfm" / "part-0.snappy.parquet").write_bytes((folder / "orders" / "part-0.snappy.parquet").read_bytes())
    (folder / "rfm" / "part-1.snappy.parquet").unlink()
    edit_manifest(published.output, JUNE_RUN, outputs={"rfm": outputs(folder / "rfm")})
    assert published.publish() == 4
    assert "could not load rfm: " in capfd.readouterr().err


def test_a_folder_of_any_name_is_read_and_written(tmp_path: Path) -> None:
    odd = Published(tmp_path / "a b [1] {x,y} é dt=1 50% it's in*put")
    assert odd.publish() == 0
    assert odd.tables() == with_empty(JUNE)


WORKSHOP_JOIN = """
    select orders_1.order_id, customers_1.customer_unique_id, orders_1.order_purchase_time, payments_1.payment_value
    from orders_1 inner join customers_1 on orders_1.customer_id = customers_1.customer_id
    inner join payments_1 on orders_1.order_id = payments_1.order_id
    order by orders_1.order_purchase_time asc, 4 desc
"""


def test_the_workshops_sql_runs_on_its_own_names(published: Published) -> None:
    assert published.publish() == 0
    with duckdb.connect(published.file, read_only=True) as connection:
        connection.execute("use warehouse.workshop")
        joined = connection.execute(WORKSHOP_JOIN).fetchall()
        assert joined == connection.execute("from transactions_1 order by 3, 4 desc").fetchall()
        assert [row[3] for row in joined] == [money("10"), money("5.5"), money("5"), money("20")]
        assert connection.execute("select * from rfm_input_1 where value = 15.5").fetchall() == [
            ("ann", JUNE["purchases"][0][1], money("15.5"))
        ]
        assert connection.execute("select * from rfm_input_2 order by 1").fetchall() == [
            ("ann", 0.0, 5.0, 5.0),
            ("bob", 5.0, 0.0, 0.0),
        ]


def test_there_is_nothing_beside_the_tables(published: Published) -> None:
    assert published.publish() == 0
    names = published.query("select table_name from information_schema.tables where table_schema = 'main'")
    assert {name for (name,) in names} == {*TABLES, "pipeline_runs"}


def test_the_command_line_of_pypi_opens_the_file(published: Published) -> None:
    assert published.publish() == 0
    tool = Path(sys.prefix) / "bin" / "duckdb"
    ran = subprocess.run(
        [tool, "-readonly", published.file, "-csv", "-c", "select sum(total_value) from rfm"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["sum(total_value)", "40.5000"]


@pytest.mark.long
def test_of_two_publishers_at_once_one_waits_for_the_other(published: Published) -> None:
    command = [sys.executable, "-m", "jobs.publish", "--output", str(published.output)]
    to = ["--warehouse", f"duckdb:{published.file}"]
    publishers = [subprocess.Popen([*command, *to, "--run", run]) for run in (JUNE_RUN, FEBRUARY_RUN)]
    assert [publisher.wait(120) for publisher in publishers] == [0, 0]
    last = published.runs()[-1][1]
    assert published.tables() == with_empty({JUNE_RUN: JUNE, FEBRUARY_RUN: FEBRUARY_ONLY}[last])
    assert {run for _, run, _ in published.runs()} == {JUNE_RUN, FEBRUARY_RUN}


def test_a_folder_that_is_not_there_is_made(published: Published) -> None:
    published.file = published.file.parent / "a" / "b" / "w.duckdb"
    assert published.publish() == 0
    assert published.tables() == with_empty(JUNE)


def test_every_column_says_what_it_is(published: Published) -> None:
    assert published.publish() == 0
    found = published.query("select comment from duckdb_columns() where schema_name = 'main' and table_name = 'rfm'")
    assert ("recency_weeks brought to 0..5 by the score card. High is long ago.",) in found
    assert (None,) not in found
