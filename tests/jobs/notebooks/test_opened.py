"""A run opened in a notebook: which run, its tables in DuckDB, pandas and Spark, and what is refused."""

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.notebooks import frames
from jobs.notebooks.opened import OpenedRun, open_output
from jobs.spark.session import Workload
from jobs.storage.s3 import S3Folder
from tests.frames import at
from tests.jobs.warehouse.small_runs import (
    FEBRUARY_ONLY,
    FEBRUARY_RUN,
    JUNE,
    JUNE_RUN,
    edit_manifest,
    outputs,
    replace_first_file,
    write_parquet,
    write_run,
)
from transforms.schemas import ADDED_AFTER_0_1, PURCHASES, RFM

PROJECT = Path(__file__).parents[3]
REJECTED = ("o9", "no status")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two runs, the later one current and with a rejected order, in a folder whose name is a pattern."""
    folder = tmp_path / "out [1] 'a*b'"
    write_run(folder, FEBRUARY_RUN, FEBRUARY_ONLY)
    write_run(folder, JUNE_RUN, JUNE)
    rejected = folder / "runs" / JUNE_RUN / "quarantine" / "orders"
    columns = {name: [value] for name, value in zip(("order_id", "order_status"), REJECTED, strict=True)}
    write_parquet(rejected / "part-0.parquet", pa.table(columns))
    name = "quarantine/orders"
    edit_manifest(
        folder,
        JUNE_RUN,
        tables={name: f"runs/{JUNE_RUN}/{name}"},
        outputs={name: outputs(rejected)},
        totals={name: {"rows": 1}},
    )
    return folder


@pytest.fixture
def run(output: Path) -> Iterator[OpenedRun]:
    with open_output(output) as opened:
        yield opened


def test_the_current_run_is_opened_or_the_one_that_is_named(output: Path) -> None:
    with open_output(output) as june, open_output(str(output), FEBRUARY_RUN) as february:
        assert (june.run_id, june.as_of) == (JUNE_RUN, date(2018, 6, 30))
        assert (february.run_id, february.as_of) == (FEBRUARY_RUN, date(2018, 2, 28))
        assert february.tables == tuple(JUNE)
        assert june.tables == (*JUNE, "quarantine/orders")
        count = "select count(*) from purchases"
        assert [june.sql(count).fetchall(), february.sql(count).fetchall()] == [[(3,)], [(2,)]]


def test_a_run_shows_itself_with_the_rows_of_each_table(run: OpenedRun, output: Path) -> None:
    first, *tables = repr(run).splitlines()
    assert first == f"Run {JUNE_RUN}, as of 2018-06-30, in {output}"
    assert tables[0] == "  customers          3"
    assert tables[-1] == "  quarantine/orders  1"


def test_neither_spark_nor_duckdb_is_imported_before_a_table_is_asked_for(output: Path) -> None:
    code = """
import sys
from jobs.notebooks.opened import open_output
heavy = {"pyspark", "duckdb", "pandas", "boto3", "great_expectations"}
run = open_output(sys.argv[1])
assert repr(run) and not heavy & sys.modules.keys(), heavy & sys.modules.keys()
run.relation("rfm")
assert heavy & sys.modules.keys() <= {"duckdb", "pandas"}, heavy & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code, output], cwd=PROJECT, check=True, timeout=60)


def test_a_relation_stays_usable_although_nobody_keeps_the_run(output: Path) -> None:
    relation = open_output(output).relation("rfm")
    gc.collect()
    assert relation.order("customer_unique_id").project("customer_unique_id, segment_code").fetchall() == [
        ("ann", "RM01"),
        ("bob", "RM09"),
    ]


def test_times_are_wall_clock_whatever_the_zone_of_the_machine(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    with open_output(output) as run:
        assert run.sql("select min(order_purchase_time) from purchases").fetchall() == [(at("2018-01-01 10:00:00"),)]
        assert run.pandas("purchases")["order_purchase_time"].min() == pd.Timestamp("2018-01-01 10:00:00")


def test_a_query_has_the_tables_the_quarantine_parameters_and_frames_of_the_caller(run: OpenedRun) -> None:
    chosen = pd.DataFrame({"customer_unique_id": ["bob"]})
    assert len(chosen) == 1
    assert run.sql("select segment from chosen join RFM using (customer_unique_id)").fetchall() == [
        ("Lapsed small spenders",)
    ]
    assert run.sql('from "quarantine/orders"').fetchall() == [REJECTED]
    assert run.relation("quarantine/orders").fetchall() == [REJECTED]
    assert run.sql("select count(*) from purchases where value > ?", [10]).fetchall() == [(2,)]


def test_pandas_gets_all_rows_of_a_table_or_of_an_answer_up_to_a_bound(run: OpenedRun) -> None:
    frame = run.pandas("purchases", at_most=3)
    assert frame["value"].tolist() == [15.5, 20.0, 5.0]
    assert len(run.pandas(run.sql("select distinct customer_unique_id from purchases"), at_most=2)) == 2
    with pytest.raises(ConfigurationError, match=r"table purchases has 3 rows, and pandas gets 2 at most\. Give a "):
        run.pandas("purchases", at_most=2)
    with pytest.raises(ConfigurationError, match="the relation has 9 rows, and pandas gets 2 at most"):
        run.pandas(run.sql("from purchases, purchases other"), at_most=2)


def test_the_bound_holds_where_the_manifest_states_no_rows_or_fewer(output: Path) -> None:
    edit_manifest(output, JUNE_RUN, totals={"purchases": {"rows": 1, "money": "40.5000"}})
    with open_output(output) as run, pytest.raises(ConfigurationError, match="table purchases has 3 rows"):
        run.pandas("purchases", at_most=2)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (
            "select * from purchase",
            r"Table with name purchase does not exist. Tables of the run: .* \"quarantine/orders\"",
        ),
        ("select amount from purchases", r'column "amount" not found .* Candidate bindings: .*"value"'),
        ("select value frm purchases", "syntax error at or near"),
        ("", "found no query"),
    ],
)
def test_a_wrong_query_is_one_line_that_says_what_there_is(run: OpenedRun, query: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as raised:
        run.sql(query)
    assert "\n" not in str(raised.value)


def test_what_is_not_there_is_named(run: OpenedRun, output: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=f"run {JUNE_RUN} has no table 'rmf', expected one of customers, orders"
    ):
        run.relation("rmf")
    with pytest.raises(ConfigurationError, match="has no table 'rmf'"):
        run.pandas("rmf")
    with pytest.raises(ConfigurationError, match=r"run 2018-07-31-none in .* does not exist"):
        open_output(output, "2018-07-31-none")
    with pytest.raises(ConfigurationError, match=r"no current run there, .* open_output\(\.\.\., run_id\)"):
        open_output(output / "runs")


def test_a_query_that_fails_later_is_a_fault_of_another_system(run: OpenedRun) -> None:
    with pytest.raises(OutsideSystemError, match=r"DuckDB could not read the rows: .*no memory left"):
        run.pandas(run.sql("select error('no memory left') from purchases"))
    # The first rows come, and the count of them all, for the message, does not.
    late = "from range(10_000) as t(i) where case when i > 5_000 then error('no memory left') is null else true end"
    with pytest.raises(OutsideSystemError, match=r"DuckDB could not read the rows: .*no memory left"):
        run.pandas(run.sql(f"select i {late}"), at_most=10)


def test_a_closed_run_is_refused_and_leaves_no_temporary_folder(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_output(output) as run:
        run.relation("rfm")
        assert len(list(tmp_path.glob("olist-rfm-*"))) == 1
    assert list(tmp_path.glob("olist-rfm-*")) == []
    for ask in (run.relation, run.pandas, run.spark, run.sql):
        with pytest.raises(ConfigurationError, match=f"run {JUNE_RUN} was closed here"):
            ask("rfm")
    run.close()


def test_what_the_block_raises_stays_what_it_is(output: Path) -> None:
    run = open_output(output)
    run.relation("rfm")
    with pytest.raises(ZeroDivisionError), run:
        raise ZeroDivisionError


def test_a_file_that_is_gone_is_always_noticed_and_a_changed_one_on_request(output: Path) -> None:
    changed = replace_first_file(output, JUNE_RUN, "purchases", JUNE["purchases"][:2], in_manifest=False)
    with open_output(output) as run:
        assert len(run.pandas("purchases")) == 4
    with open_output(output, check_files=True) as run:
        with pytest.raises(DataError, match=r"table purchases: .* was changed"):
            run.relation("purchases")
        assert len(run.pandas("rfm")) == 2
    changed.unlink()
    with open_output(output) as run, pytest.raises(DataError, match=r"table purchases: .* is missing: found 1 files"):
        run.sql("from purchases")
    changed.with_name("more.parquet").touch()
    with open_output(output) as run, pytest.raises(DataError, match="table purchases: "):
        run.spark("purchases")


def test_a_run_in_s3_is_opened_and_only_what_a_query_names_is_copied(
    output: Path, folder: S3Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder.copy_in(output / "runs", "runs")
    folder.write_text((output / "current.json").read_text(), "current.json")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_output(folder.display_path()) as run:
        with pytest.raises(ConfigurationError, match="table purchases has 3 rows"):
            run.pandas("purchases", at_most=2)
        assert run.sql("select sum(value)::varchar from purchases").fetchall() == [("40.5000",)]
        assert run.sql('select r_score from rfm, "quarantine/orders"').fetchall() == [(5,), (1,)]
        copied = sorted({path.parent.name for path in tmp_path.glob("olist-rfm-*/**/*.parquet")})
        assert copied == ["orders", "purchases", "rfm"]
        assert [path.parent.parent.name for path in tmp_path.glob("olist-rfm-*/**/orders/*.parquet")] == ["quarantine"]
    assert list(tmp_path.glob("olist-rfm-*")) == []


def test_spark_reads_a_table_with_its_columns_in_the_active_session(spark: SparkSession, run: OpenedRun) -> None:
    purchases = run.spark("purchases")
    assert purchases.schema == PURCHASES
    assert sorted(map(tuple, purchases.collect())) == sorted(JUNE["purchases"])
    assert run.spark("rfm", session=spark).schema == RFM
    assert run.spark("quarantine/orders").columns == ["order_id", "order_status"]


def test_spark_is_refused_where_it_would_shift_times(spark: SparkSession, run: OpenedRun) -> None:
    other = spark.newSession()
    other.conf.set("spark.sql.session.timeZone", "America/Sao_Paulo")
    with pytest.raises(ConfigurationError, match=r"the time zone America/Sao_Paulo, expected UTC: .* Set it: "):
        run.spark("purchases", session=other)
    with pytest.raises(ConfigurationError, match="expected UTC"):
        run.repeat_purchases(session=other)
    other.conf.set("spark.sql.session.timeZone", "Etc/UTC")
    assert run.repeat_purchases(session=other).columns == ["customer_id", "frequency", "recency", "T", "monetary_value"]


def test_a_session_that_cannot_read_s3_is_named(run: OpenedRun) -> None:
    def parquet(_: str) -> None:
        raise PySparkException("Class org.apache.hadoop.fs.s3a.S3AFileSystem not found")

    reader = SimpleNamespace(parquet=parquet, schema=lambda _: SimpleNamespace(parquet=parquet))
    session: Any = SimpleNamespace(read=reader, conf={"spark.sql.session.timeZone": "UTC"})
    with pytest.raises(ConfigurationError, match="table rfm is in S3, and this session of Spark has no S3A"):
        run.spark("rfm", session=session)


def test_spark_shows_no_columns_that_release_0_1_did_not_write(spark: SparkSession, output: Path) -> None:
    assert spark is not None
    path = output / "runs" / JUNE_RUN / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["segments"]
    path.write_text(json.dumps(manifest))
    with open_output(output) as run:
        assert run.spark("rfm").columns == [name for name in RFM.fieldNames() if name not in ADDED_AFTER_0_1["rfm"]]


def test_without_a_session_one_is_started_for_where_the_run_is_and_stopped_with_it(
    run: OpenedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Any] = []

    @contextmanager
    def started(name: str, *, workload: Workload) -> Iterator[SimpleNamespace]:
        events.append((name, workload.reaches_s3))
        yield SimpleNamespace(conf={"spark.sql.session.timeZone": "Mars"})
        events.append("stopped")

    monkeypatch.setattr(frames, "spark_session", started)
    monkeypatch.setattr(frames.SparkSession, "getActiveSession", lambda: None)
    with pytest.raises(ConfigurationError, match="Mars"):
        run.spark("rfm")
    assert events == [("notebook", False)]
    run.close()
    assert events == [("notebook", False), "stopped"]
