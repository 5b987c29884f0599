"""Loads into a DuckDB file: one run at a time, in one transaction."""

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
from tests.jobs.warehouse.small_runs import (
    CHANGED_ROWS,
    FEBRUARY_ONLY,
    FEBRUARY_RUN,
    JUNE,
    JUNE_RUN,
    WORKSHOP_JOIN,
    Rows,
    all_tables,
    edit_manifest,
    in_order,
    outputs,
    replace_first_file,
    write_run,
)
from tests.log_lines import without_logs
from transforms.schemas import TABLES


class DuckDBPublication:
    """An output folder with two runs, and the DuckDB file that they are published to."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "output"
        self.file = folder / "warehouse.duckdb"
        write_run(self.output, FEBRUARY_RUN, FEBRUARY_ONLY)
        write_run(self.output, JUNE_RUN, JUNE)

    def publish(self, *arguments: str) -> int:
        return publish.main(["--output", str(self.output), "--warehouse", f"duckdb:{self.file}", *arguments])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.file, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> Rows:
        return in_order({name: self.query(f"from {name}") for name in TABLES})

    def runs(self) -> list[tuple[Any, ...]]:
        return self.query("select load_number, run_id, as_of::varchar from pipeline_runs order by load_number")


@pytest.fixture
def published(tmp_path: Path) -> DuckDBPublication:
    return DuckDBPublication(tmp_path)


def test_the_tables_hold_the_current_run(published: DuckDBPublication) -> None:
    assert published.publish() == 0
    assert published.tables() == all_tables(JUNE)
    assert published.runs() == [(1, JUNE_RUN, "2018-06-30")]


def test_a_run_that_is_loaded_twice_has_its_rows_once(published: DuckDBPublication) -> None:
    assert published.publish() == published.publish() == 0
    assert published.tables() == all_tables(JUNE)
    assert published.runs() == [(1, JUNE_RUN, "2018-06-30"), (2, JUNE_RUN, "2018-06-30")]


def test_a_run_replaces_another_and_can_be_loaded_again_later(published: DuckDBPublication) -> None:
    assert published.publish() == 0
    assert published.publish("--run", FEBRUARY_RUN) == 0
    assert published.tables() == all_tables(FEBRUARY_ONLY)
    assert published.publish("--run", JUNE_RUN) == 0
    assert published.tables() == all_tables(JUNE)
    assert [number for number, _, _ in published.runs()] == [1, 2, 3]


def test_pipeline_runs_records_rows_and_money_of_each_table(published: DuckDBPublication) -> None:
    assert published.publish() == 0
    totals = published.query("select tables->'payments'->>'rows', tables->'payments'->>'money' from pipeline_runs")
    assert totals == [("4", "40.5000")]


STEPS = [*(f"load {table}" for table in TABLES), "create the workshop's views", "record the load", "commit"]


@pytest.mark.parametrize("step", STEPS)
def test_a_failure_at_any_step_leaves_the_previous_run(
    published: DuckDBPublication, step: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert published.publish("--run", FEBRUARY_RUN) == 0

    @contextmanager
    def failing_bar(*_: Any) -> Iterator[Any]:
        def show(_: int, current_step: str) -> None:
            if current_step == step:
                raise duckdb.IOException("no space left on device\nand more")

        yield show

    monkeypatch.setattr(duckdb_warehouse.console, "statement_bar", failing_bar)
    assert published.publish() == 4
    assert f"could not {step}: no space left on device. The file is unchanged" in capfd.readouterr().err
    assert published.tables() == all_tables(FEBRUARY_ONLY)
    assert published.runs() == [(1, FEBRUARY_RUN, "2018-02-28")]


def test_a_load_waits_for_a_file_that_is_open_elsewhere_and_then_names_it(
    published: DuckDBPublication, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert published.publish() == 0
    monkeypatch.setattr(duckdb_warehouse, "LOCK_TIMEOUT_SECONDS", 0.3)
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
    assert "open in another program" in error
    assert len(without_logs(error)) == 1
    assert published.publish() == 0


def test_a_file_that_is_not_a_database_is_reported(
    published: DuckDBPublication, capfd: pytest.CaptureFixture[str]
) -> None:
    published.file.write_text("these are no tables")
    assert published.publish() == 4
    assert "not a valid DuckDB database" in capfd.readouterr().err


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\0" * 20_000])
def test_a_file_of_other_content_is_named_with_what_to_do(
    published: DuckDBPublication, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    published.file.write_bytes(content)
    assert published.publish() == 4
    [line] = without_logs(capfd.readouterr().err)
    assert "could not open the file" in line
    assert "move it away: the next load creates it anew" in line
    assert published.file.read_bytes() == content


def test_a_file_that_was_cut_short_is_never_loaded_into_and_left_unreadable(
    published: DuckDBPublication, capfd: pytest.CaptureFixture[str]
) -> None:
    for run in (JUNE_RUN, FEBRUARY_RUN, JUNE_RUN):
        assert published.publish("--run", run) == 0
    content = published.file.read_bytes()
    codes = set()
    for eighths in range(8):
        published.file.write_bytes(content[: len(content) * eighths // 8 + 1])
        published.file.with_name(f"{published.file.name}.wal").unlink(missing_ok=True)
        capfd.readouterr()
        code = published.publish()
        codes.add(code)
        if code == 0:
            assert published.tables() == all_tables(JUNE)
            assert published.query("select count(*), max(tables) from pipeline_runs")
        else:
            assert code == 4
            [line] = without_logs(capfd.readouterr().err)
            assert "away" in line
            assert len(line) < 500 + len(str(published.file)) * 3
    assert codes == {0, 4}


@pytest.mark.parametrize(
    "interruption",
    [
        ("_load_table", FEBRUARY_RUN, "what was there before is as it was"),
        ("_record_load", FEBRUARY_RUN, "what was there before is as it was"),
        ("_read_table", JUNE_RUN, "the load into {} is committed"),
    ],
)
@pytest.mark.parametrize("error", [RuntimeError("Query interrupted"), KeyboardInterrupt()])
def test_ctrl_c_in_a_statement_ends_with_130_and_says_which_run_the_file_holds(
    published: DuckDBPublication,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    interruption: tuple[str, str, str],
    error: BaseException,
) -> None:
    statement, run, state = interruption
    assert published.publish("--run", FEBRUARY_RUN) == 0

    def interrupted(*_: Any) -> None:
        raise error

    monkeypatch.setattr(duckdb_warehouse, statement, interrupted)
    assert published.publish() == 130
    [line] = without_logs(capfd.readouterr().err)
    assert line == f"publish: interrupted; {state.format(f'duckdb:{published.file}')}"
    assert published.runs()[-1][1] == run


def test_a_link_to_nothing_is_refused_and_its_target_is_not_made(
    published: DuckDBPublication, capfd: pytest.CaptureFixture[str]
) -> None:
    target = published.file.with_name("elsewhere.duckdb")
    published.file.symlink_to(target)
    assert published.publish() == 2
    [line] = without_logs(capfd.readouterr().err)
    assert f"found a link to {target}, where nothing is" in line
    assert not target.exists()
    published.file.unlink()
    assert published.publish() == 0
    published.file.rename(target)
    published.file.symlink_to(target)
    assert published.publish() == 0
    assert published.file.is_symlink()
    assert published.tables() == all_tables(JUNE)


@pytest.mark.parametrize(("table", "rows", "difference"), CHANGED_ROWS)
def test_a_lost_duplicated_or_changed_row_fails_the_load(
    published: DuckDBPublication,
    table: str,
    rows: list[tuple[Any, ...]],
    difference: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert published.publish("--run", FEBRUARY_RUN) == 0
    replace_first_file(published.output, JUNE_RUN, table, rows, in_manifest=True)
    assert published.publish() == 3
    assert f"table {table}: {difference}" in capfd.readouterr().err
    assert published.tables() == all_tables(FEBRUARY_ONLY)


def test_a_file_with_other_columns_is_rejected(published: DuckDBPublication, capfd: pytest.CaptureFixture[str]) -> None:
    folder = published.output / "runs" / JUNE_RUN
    (folder / "rfm" / "part-0.snappy.parquet").write_bytes((folder / "orders" / "part-0.snappy.parquet").read_bytes())
    (folder / "rfm" / "part-1.snappy.parquet").unlink()
    edit_manifest(published.output, JUNE_RUN, outputs={"rfm": outputs(folder / "rfm")})
    assert published.publish() == 4
    assert "could not load rfm: " in capfd.readouterr().err


def test_a_folder_of_any_name_is_read_and_written(tmp_path: Path) -> None:
    odd = DuckDBPublication(tmp_path / "a b [1] {x,y} é dt=1 50% it's in*put")
    assert odd.publish() == 0
    assert odd.tables() == all_tables(JUNE)


def test_the_workshops_sql_runs_on_its_table_names(published: DuckDBPublication) -> None:
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


def test_the_main_schema_holds_only_the_tables(published: DuckDBPublication) -> None:
    assert published.publish() == 0
    names = published.query("select table_name from information_schema.tables where table_schema = 'main'")
    assert {name for (name,) in names} == {*TABLES, "pipeline_runs"}


def test_the_duckdb_command_line_on_pypi_opens_the_file(published: DuckDBPublication) -> None:
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
def test_two_publishers_at_once_load_one_after_the_other(published: DuckDBPublication) -> None:
    command = [sys.executable, "-m", "jobs.publish", "--output", str(published.output)]
    to = ["--warehouse", f"duckdb:{published.file}"]
    publishers = [subprocess.Popen([*command, *to, "--run", run]) for run in (JUNE_RUN, FEBRUARY_RUN)]
    assert [publisher.wait(120) for publisher in publishers] == [0, 0]
    last = published.runs()[-1][1]
    assert published.tables() == all_tables({JUNE_RUN: JUNE, FEBRUARY_RUN: FEBRUARY_ONLY}[last])
    assert {run for _, run, _ in published.runs()} == {JUNE_RUN, FEBRUARY_RUN}


def test_a_missing_folder_is_created(published: DuckDBPublication) -> None:
    published.file = published.file.parent / "a" / "b" / "w.duckdb"
    assert published.publish() == 0
    assert published.tables() == all_tables(JUNE)


def test_every_column_has_a_comment(published: DuckDBPublication) -> None:
    assert published.publish() == 0
    rows = published.query("select comment from duckdb_columns() where schema_name = 'main' and table_name = 'rfm'")
    assert ("recency_weeks brought to 0..5 by the score card. High is long ago.",) in rows
    assert (None,) not in rows
