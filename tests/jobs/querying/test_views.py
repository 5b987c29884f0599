"""The tables of runs as views: from a disk and from S3, with and without a check of the files."""

import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.querying.views import QueriedRun, open_runs
from jobs.storage.s3 import S3Folder
from jobs.storage.store import RunStore
from tests.jobs.warehouse.small_runs import (
    FEBRUARY_ONLY,
    FEBRUARY_RUN,
    JUNE,
    JUNE_RUN,
    replace_first_file,
    write_run,
)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """Two runs, in a folder whose name is a pattern to DuckDB."""
    folder = tmp_path / "out [1] 'a*b'"
    write_run(folder, FEBRUARY_RUN, FEBRUARY_ONLY)
    write_run(folder, JUNE_RUN, JUNE)
    return RunStore(str(folder))


def queried(store: RunStore, run_id: str, schema: str = "now", tables: tuple[str, ...] = ("purchases",)) -> QueriedRun:
    return QueriedRun(schema, store.manifest(run_id), tables)


def rows(store: RunStore, sql: str, *runs: QueriedRun, check_files: bool = True) -> list[tuple[Any, ...]]:
    with open_runs(store, runs, check_files=check_files) as connection:
        return connection.execute(sql).fetchall()


def test_two_runs_are_read_side_by_side(store: RunStore) -> None:
    now, before = queried(store, JUNE_RUN), queried(store, FEBRUARY_RUN, "before")
    sql = """
        select now.customer_unique_id, now.order_purchase_time::varchar, now.value::varchar
        from now.purchases now anti join before.purchases before using (customer_unique_id, order_purchase_time)
    """
    assert rows(store, sql, now, before) == [("ann", "2018-03-04 09:30:00", "20.0000")]


def test_times_are_read_as_they_stand_whatever_the_zone_of_the_machine(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    sql = "select typeof(order_purchase_time), min(order_purchase_time)::varchar from now.purchases group by all"
    assert rows(store, sql, queried(store, JUNE_RUN)) == [("TIMESTAMP", "2018-01-01 10:00:00")]


def test_tables_of_a_run_in_s3_are_read_without_an_extension(
    store: RunStore, folder: S3Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder.copy_in(Path(store.output) / "runs", "runs")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remote = RunStore(folder.display_path())
    sql = "select count(*), sum(value)::varchar from now.purchases"
    assert rows(remote, sql, queried(remote, JUNE_RUN), check_files=False) == [(3, "40.5000")]
    assert list(tmp_path.glob("olist-rfm-*")) == []


def test_changed_files_are_refused_unless_they_are_not_to_be_checked(store: RunStore) -> None:
    replace_first_file(Path(store.output), JUNE_RUN, "purchases", JUNE["purchases"][:2], in_manifest=False)
    run = queried(store, JUNE_RUN)
    with pytest.raises(DataError, match=r"table purchases: .* was changed"):
        rows(store, "select 1", run)
    assert rows(store, "select count(*) from now.purchases", run, check_files=False) == [(4,)]


def test_what_is_no_parquet_and_what_is_no_table_of_the_run_is_named(store: RunStore) -> None:
    file = Path(store.output) / "runs" / JUNE_RUN / "purchases" / "part-0.snappy.parquet"
    file.write_text("nothing")
    with pytest.raises(DataError, match="table purchases: cannot be read as Parquet"):
        rows(store, "select 1", queried(store, JUNE_RUN), check_files=False)
    with pytest.raises(DataError, match="states no folder of table clusters"):
        rows(store, "select 1", queried(store, JUNE_RUN, tables=("clusters",)), check_files=False)


def test_a_query_that_fails_ends_as_a_fault_of_another_system(store: RunStore) -> None:
    with pytest.raises(OutsideSystemError, match="DuckDB could not go on"):
        rows(store, "select error('no memory left')", queried(store, JUNE_RUN))


def test_without_the_package_the_message_says_how_to_install_it(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'olist-rfm-segments\[duckdb\]'"):
        rows(store, "select 1", queried(store, JUNE_RUN))
