"""Exported audiences in a DuckDB file: each replaces its own rows and no others."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs import publish
from jobs.storage.s3 import S3Folder
from jobs.warehouse import duckdb as duckdb_warehouse
from tests.jobs.audiences.written_audiences import (
    DAILY_ROWS,
    DIFFERENCES,
    SPRING,
    SPRING_ROWS,
    Row,
    member,
    write_audience,
)
from tests.jobs.warehouse.small_runs import FEBRUARY_ONLY, FEBRUARY_RUN, JUNE, JUNE_RUN, all_tables, in_order, write_run
from tests.log_lines import fields_of, without_logs
from transforms.schemas import TABLES


class Shop:
    """Two exports, and the DuckDB file that they are loaded into."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "warehouse.duckdb"
        self.spring = write_audience(folder / "spring [1]", SPRING_ROWS)
        self.daily = write_audience(folder / "daily", DAILY_ROWS)

    def load(self, audience: Path | str, *arguments: str) -> int:
        return publish.main(["--audience", str(audience), "--warehouse", f"duckdb:{self.file}", *arguments])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.file, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def rows(self) -> list[Row]:
        return self.query("from audiences order by audience_id, customer_unique_id")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_the_table_holds_the_members_of_both_arms(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    assert shop.load(shop.spring) == 0
    assert shop.rows() == SPRING_ROWS
    out, err = capfd.readouterr()
    assert [line.strip("│ ").split() for line in out.splitlines()[-3:-1]] == [
        ["treatment", "│", "2"],
        ["control", "│", "1"],
    ]
    events = [fields_of(line) for line in err.splitlines()]
    assert [(event["event"], event["audience_id"]) for event in events] == [
        ("load started", SPRING),
        ("load complete", SPRING),
    ]


def test_two_audiences_are_side_by_side_and_one_that_is_loaded_twice_is_there_once(shop: Shop) -> None:
    assert [shop.load(shop.spring), shop.load(shop.daily), shop.load(shop.spring)] == [0, 0, 0]
    assert shop.rows() == [*SPRING_ROWS, *DAILY_ROWS]


def test_an_audience_replaces_its_own_rows_alone(shop: Shop) -> None:
    assert [shop.load(shop.spring), shop.load(shop.daily)] == [0, 0]
    fewer = write_audience(shop.folder / "again", [member(SPRING, "zoe")])
    assert shop.load(fewer) == 0
    assert shop.rows() == [member(SPRING, "zoe"), *DAILY_ROWS]


def test_changes_keep_who_left_without_a_segment_and_an_audience_needs_no_campaign(shop: Shop) -> None:
    assert shop.load(shop.daily) == 0
    assert shop.query("select campaign, segment_code, change, previous_segment_code from audiences order by 3") == [
        (None, "RM01", "came", None),
        (None, None, "left", "RM01"),
    ]


def test_an_audience_without_members_empties_its_rows(shop: Shop) -> None:
    assert shop.load(shop.spring) == 0
    assert shop.load(write_audience(shop.folder / "empty", [], record={"audience_id": SPRING})) == 0
    assert shop.rows() == []


def test_a_load_of_a_run_leaves_the_audiences_and_a_load_of_an_audience_the_runs(shop: Shop) -> None:
    output = shop.folder / "output"
    write_run(output, FEBRUARY_RUN, FEBRUARY_ONLY)
    write_run(output, JUNE_RUN, JUNE)
    to_warehouse = ["--output", str(output), "--warehouse", f"duckdb:{shop.file}"]
    assert publish.main([*to_warehouse, "--run", FEBRUARY_RUN]) == 0
    assert shop.load(shop.spring) == 0
    assert in_order({name: shop.query(f"from {name}") for name in TABLES}) == all_tables(FEBRUARY_ONLY)
    assert publish.main(to_warehouse) == 0
    assert shop.rows() == SPRING_ROWS
    assert shop.query("select run_id from pipeline_runs order by load_number") == [(FEBRUARY_RUN,), (JUNE_RUN,)]


@pytest.mark.parametrize(
    ("rows", "recorded", "difference"),
    DIFFERENCES,
    ids=["too-few", "other-arms", "a-customer-twice", "another-audience"],
)
def test_counts_that_differ_from_the_record_roll_the_load_back(
    shop: Shop, rows: list[Row], recorded: dict[str, int], difference: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert [shop.load(shop.spring), shop.load(shop.daily)] == [0, 0]
    assert shop.load(write_audience(shop.folder / "other", rows, recorded)) == 3
    [line] = without_logs(capfd.readouterr().err)
    assert f"audience {SPRING}: {difference} as in audience.json. The file is unchanged; " in line
    assert "members.parquet has the checksum in audience.json, so the latter was changed: restore audience.json" in line
    assert shop.rows() == [*SPRING_ROWS, *DAILY_ROWS]


def test_a_changed_file_is_refused_before_the_warehouse_is_opened(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    path = shop.spring / "members.parquet"
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    assert shop.load(shop.spring) == 3
    [line] = without_logs(capfd.readouterr().err)
    assert f"{path} was changed: found {len(content):,} bytes, SHA-256 " in line
    assert not shop.file.exists()


@pytest.mark.parametrize("step", ["load audiences", "commit"])
def test_a_failure_leaves_the_table_as_it_was(
    shop: Shop, step: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert shop.load(shop.spring) == 0

    @contextmanager
    def failing_bar(*_: Any) -> Iterator[Any]:
        def show(_: int, current_step: str) -> None:
            if current_step == step:
                raise duckdb.IOException("no space left on device")

        yield show

    monkeypatch.setattr(duckdb_warehouse.console, "statement_bar", failing_bar)
    assert shop.load(shop.daily) == 4
    assert f"could not {step}: no space left on device. The file is unchanged" in capfd.readouterr().err
    assert shop.rows() == SPRING_ROWS


@pytest.mark.long
def test_a_killed_load_leaves_the_table_as_it_was(shop: Shop) -> None:
    assert shop.load(shop.spring) == 0
    fewer = write_audience(shop.folder / "again", [member(SPRING, "zoe")])
    code = f"""
import os, signal
from jobs import publish
from jobs.warehouse import duckdb
load = duckdb._load_members
def load_and_die(*arguments):
    load(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
duckdb._load_members = load_and_die
publish.main(["--audience", {str(fewer)!r}, "--warehouse", {f"duckdb:{shop.file}"!r}])
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert shop.rows() == SPRING_ROWS
    assert shop.load(fewer) == 0
    assert shop.rows() == [member(SPRING, "zoe")]


@pytest.mark.usefixtures("aws")
def test_an_export_in_s3_is_loaded_and_a_changed_one_refused(
    shop: Shop, s3: Any, bucket: str, capfd: pytest.CaptureFixture[str]
) -> None:
    S3Folder(bucket).copy_in(shop.spring, "lists", "spring")
    assert shop.load(f"s3://{bucket}/lists/spring") == 0
    assert shop.rows() == SPRING_ROWS
    key = "lists/spring/members.parquet"
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=content[:-1] + b"x")
    assert shop.load(f"s3://{bucket}/lists/spring") == 3
    assert f"s3://{bucket}/{key} was changed" in capfd.readouterr().err
    assert shop.rows() == SPRING_ROWS


def test_the_table_and_its_columns_have_comments(shop: Shop) -> None:
    assert shop.load(shop.spring) == 0
    comments = dict(shop.query("select column_name, comment from duckdb_columns() where table_name = 'audiences'"))
    assert comments["change"] == "In an audience of changes: came, left, moved or updated. Null in a full audience."
    assert None not in comments.values()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--audience", "a", "--output", "o"], "--audience: found --output beside it, expected none of --output, "),
        (["--audience", "a", "--run", "2018-06-30-june"], "--audience: found --run beside it"),
        (["--audience", "a", "--raw-copy", "--input", "i"], "--audience: found --raw-copy, --input beside it"),
        ([], "--output, --audience: found neither, expected one"),
        (["--audience", ""], "invalid --audience '': expected a value"),
        (["--audience", "ftp://x/y"], "--audience ftp://x/y: found ftp://, expected a local folder"),
    ],
)
def test_an_audience_or_a_run_is_loaded_never_both(
    tmp_path: Path, arguments: list[str], problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert publish.main([*arguments, "--warehouse", f"duckdb:{tmp_path}/w"]) == 2
    [line] = without_logs(capfd.readouterr().err)
    assert problem in line
