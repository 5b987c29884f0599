"""The raw files as they are, in both engines: what the workshop's COPY does, but that no row is dropped."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs import publish
from jobs.errors import ConfigurationError
from jobs.storage.local import describe_file
from jobs.storage.store import RunStore
from jobs.warehouse.load_plan import raw_to_load
from tests.frames import at, money
from tests.jobs.warehouse.conftest import JUNE_RUN, InPostgres
from tests.jobs.warehouse.made_runs import JUNE, edit_manifest, make_run
from tests.raw_files import RawFiles, key

Publish = Callable[[], int]
Look = Callable[[str], list[tuple[Any, ...]]]


def tell(output: Path, raw: RawFiles) -> None:
    """Let the manifest say that the run has read these files."""
    files = {"customers": raw.customers_file, "orders": raw.orders_file, "payments": raw.payments_file}
    entries = []
    for table, path in files.items():
        found = describe_file(path if path.exists() else path.with_suffix(".csv.gz"))
        entries.append({"table": table, "files": [{"path": found.path, "size": found.size, "sha256": found.sha256}]})
    rows = {"customers": raw.customers, "orders": raw.orders, "payments": raw.payments}
    edit_manifest(
        output,
        JUNE_RUN,
        inputs={"files": entries},
        totals={f"raw {table}": {"rows": len(lines) - 1} for table, lines in rows.items()},
    )


@pytest.fixture(params=["duckdb", "redshift"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, raw: RawFiles) -> tuple[Path, Publish, Look]:
    """An output folder, what publishes it with the raw files, and what looks into the warehouse."""
    asked = ["--raw-copy", "--input", str(raw.folder)]
    if request.param == "redshift":
        warehouse: InPostgres = request.getfixturevalue("warehouse")
        return (
            warehouse.output,
            lambda: warehouse.publish(*asked),
            lambda sql: warehouse.query(sql.replace("from ", "from rfm.")),
        )
    output, file = tmp_path / "output", tmp_path / "w.duckdb"
    make_run(output, JUNE_RUN, JUNE)

    def look(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(file, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return output, lambda: publish.main(["--output", str(output), "--warehouse", f"duckdb:{file}", *asked]), look


def test_every_row_of_the_files_is_there_with_its_types(raw: RawFiles, engine: tuple[Path, Publish, Look]) -> None:
    output, load, look = engine
    raw.customers[1] = '"c1","ann","09790","são ""p"", paulo",SP'
    raw.write()
    tell(output, raw)
    # Twice: the second takes the place of the first.
    assert load() == load() == 0
    assert look("select * from customers_raw where customer_city like '%p%paulo' and customer_state = 'SP' order by 1")[
        0
    ][1:3] == (key("ann"), "09790")
    assert look(
        f"select order_purchase_timestamp, order_delivered_customer_date from orders_raw where order_id = '{key('o2')}'"
    ) == [(at("2018-03-04 09:30:00"), None)]
    assert look("select count(*), sum(payment_value), max(payment_installments) from payments_raw") == [
        (4, money("40.50"), 3)
    ]


def test_columns_in_another_order_and_gzipped_files_are_loaded(
    raw: RawFiles, engine: tuple[Path, Publish, Look]
) -> None:
    output, load, look = engine
    raw.payments = [",".join(line.split(",")[::-1]) for line in raw.payments]
    raw.write()
    zipped = raw.payments_file.with_suffix(".csv.gz")
    zipped.write_bytes(gzip.compress(raw.payments_file.read_bytes()))
    raw.payments_file.unlink()
    tell(output, raw)
    assert load() == 0
    assert look("select payment_type, payment_value from payments_raw order by payment_value desc limit 1") == [
        ("boleto", money("20.00"))
    ]


def test_a_row_that_does_not_fit_ends_the_load_and_none_is_passed_over(
    raw: RawFiles, engine: tuple[Path, Publish, Look], capfd: pytest.CaptureFixture[str]
) -> None:
    output, load, look = engine
    raw.write()
    tell(output, raw)
    assert load() == 0
    raw.payments[2] = '"o1",2,voucher,one,5.50'
    raw.write()
    tell(output, raw)
    assert load() == 4
    error = capfd.readouterr().err
    assert "payments_raw" in error
    assert error.count("\n") == 1
    # What was there before is there still: all three files, and the run's own tables.
    assert look("select count(*) from payments_raw") == [(4,)]


def test_a_row_more_or_less_than_the_run_has_read_fails_with_both_figures(
    raw: RawFiles, engine: tuple[Path, Publish, Look], capfd: pytest.CaptureFixture[str]
) -> None:
    output, load, _ = engine
    raw.write()
    tell(output, raw)
    edit_manifest(output, JUNE_RUN, totals={"raw orders": {"rows": 7}})
    assert load() == 3
    assert "table orders_raw: 3 rows arrived, expected 7" in capfd.readouterr().err


def test_a_column_that_the_table_does_not_know_is_named(
    tmp_path: Path, raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path, JUNE_RUN, JUNE)
    raw.payments = [f"{line},x" for line in raw.payments]
    raw.write()
    tell(tmp_path, raw)
    asked = ["--output", str(tmp_path), "--warehouse", f"duckdb:{tmp_path}/w", "--raw-copy", "--input", str(raw.folder)]
    assert publish.main(asked) == 3
    error = capfd.readouterr().err
    assert "olist_order_payments_dataset: column x is none of payments_raw's, expected order_id" in error


def test_other_files_than_the_run_has_read_are_refused(
    tmp_path: Path, raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path, JUNE_RUN, JUNE)
    raw.write()
    tell(tmp_path, raw)
    raw.payments_file.write_bytes(raw.payments_file.read_bytes() + b"\n")
    asked = ["--output", str(tmp_path), "--warehouse", f"duckdb:{tmp_path}/w", "--raw-copy", "--input", str(raw.folder)]
    assert publish.main(asked) == 3
    assert "olist_order_payments_dataset: found 1 files of" in capfd.readouterr().err
    assert not (tmp_path / "w").exists()


def test_a_run_that_goes_on_from_another_has_that_ones_raw_tables(tmp_path: Path, raw: RawFiles) -> None:
    make_run(tmp_path, JUNE_RUN, JUNE)
    raw.write()
    tell(tmp_path, raw)
    later = {"run_id": "2018-06-30-later", "inputs": {"features_run": JUNE_RUN}}
    (tmp_path / "runs" / "2018-06-30-later").mkdir()
    (tmp_path / "runs" / "2018-06-30-later" / "manifest.json").write_text(json.dumps(later))
    found = raw_to_load(str(raw.folder), RunStore(str(tmp_path)), "2018-06-30-later")
    assert [(table.name, table.rows) for table in found.tables] == [
        *(("customers_raw", 3), ("orders_raw", 3), ("payments_raw", 4))
    ]


def test_a_run_that_came_from_no_files_has_no_raw_tables(tmp_path: Path, raw: RawFiles) -> None:
    (tmp_path / "runs" / "2018-06-30-r").mkdir(parents=True)
    (tmp_path / "runs" / "2018-06-30-r" / "manifest.json").write_text('{"run_id": "2018-06-30-r", "inputs": {}}')
    with pytest.raises(ConfigurationError, match=r"run 2018-06-30-r came from no files"):
        raw_to_load(raw.write(), RunStore(str(tmp_path)), "2018-06-30-r")


def test_a_run_that_was_replayed_has_no_files_that_are_all_of_it(tmp_path: Path, raw: RawFiles) -> None:
    (tmp_path / "runs" / "2018-06-30-r").mkdir(parents=True)
    inputs = {"replayed_run": "2018-06-30-broken", "files": [{"table": "orders", "files": []}]}
    manifest = {"run_id": "2018-06-30-r", "inputs": inputs, "totals": {"tried again orders": {"rows": 1}}}
    (tmp_path / "runs" / "2018-06-30-r" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigurationError, match=r"corrected files and the quarantine of run 2018-06-30-broken"):
        raw_to_load(raw.write(), RunStore(str(tmp_path)), "2018-06-30-r")
