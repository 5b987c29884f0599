"""The raw files in both engines: the workshop's COPY, except that no row is dropped."""

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
from tests.jobs.warehouse.conftest import RedshiftPublication
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, edit_manifest, write_run
from tests.log_lines import without_logs
from tests.raw_files import RawFiles, key

REQUIRED = {"run_id": "2018-06-30-r", "as_of": "2018-06-30", "configuration_hash": "0123456789abcdef"}
"""What every manifest has."""

Publish = Callable[[], int]
Query = Callable[[str], list[tuple[Any, ...]]]


def record_inputs(output: Path, raw: RawFiles) -> None:
    """Edit the manifest, so that the run has read these files."""
    files = {"customers": raw.customers_file, "orders": raw.orders_file, "payments": raw.payments_file}
    entries = []
    for table, path in files.items():
        file = describe_file(path if path.exists() else path.with_suffix(".csv.gz"))
        entries.append({"table": table, "files": [{"path": file.path, "size": file.size, "sha256": file.sha256}]})
    rows = {"customers": raw.customers, "orders": raw.orders, "payments": raw.payments}
    edit_manifest(
        output,
        JUNE_RUN,
        inputs={"files": entries},
        totals={f"raw {table}": {"rows": len(lines) - 1} for table, lines in rows.items()},
    )


@pytest.fixture(params=["duckdb", "redshift"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, raw: RawFiles) -> tuple[Path, Publish, Query]:
    """An output folder, a function that publishes it with the raw files, and one that queries the warehouse."""
    arguments = ["--raw-copy", "--input", str(raw.folder)]
    if request.param == "redshift":
        warehouse: RedshiftPublication = request.getfixturevalue("warehouse")
        return (
            warehouse.output,
            lambda: warehouse.publish(*arguments),
            lambda sql: warehouse.query(sql.replace("from ", "from rfm.")),
        )
    output, file = tmp_path / "output", tmp_path / "w.duckdb"
    write_run(output, JUNE_RUN, JUNE)

    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(file, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return output, lambda: publish.main(["--output", str(output), "--warehouse", f"duckdb:{file}", *arguments]), query


def test_every_row_of_the_files_arrives_with_its_types(raw: RawFiles, engine: tuple[Path, Publish, Query]) -> None:
    output, load, query = engine
    raw.customers[1] = '"c1","ann","09790","são ""p"", paulo",SP'
    raw.write()
    record_inputs(output, raw)
    # Twice: the second load replaces the first.
    assert load() == load() == 0
    assert query(
        "select * from customers_raw where customer_city like '%p%paulo' and customer_state = 'SP' order by 1"
    )[0][1:3] == (key("ann"), "09790")
    assert query(
        f"select order_purchase_timestamp, order_delivered_customer_date from orders_raw where order_id = '{key('o2')}'"
    ) == [(at("2018-03-04 09:30:00"), None)]
    assert query("select count(*), sum(payment_value), max(payment_installments) from payments_raw") == [
        (4, money("40.50"), 3)
    ]


def test_columns_in_another_order_and_gzipped_files_are_loaded(
    raw: RawFiles, engine: tuple[Path, Publish, Query]
) -> None:
    output, load, query = engine
    raw.payments = [",".join(line.split(",")[::-1]) for line in raw.payments]
    raw.write()
    zipped = raw.payments_file.with_suffix(".csv.gz")
    zipped.write_bytes(gzip.compress(raw.payments_file.read_bytes()))
    raw.payments_file.unlink()
    record_inputs(output, raw)
    assert load() == 0
    assert query("select payment_type, payment_value from payments_raw order by payment_value desc limit 1") == [
        ("boleto", money("20.00"))
    ]


def test_a_row_that_does_not_fit_fails_the_load(
    raw: RawFiles, engine: tuple[Path, Publish, Query], capfd: pytest.CaptureFixture[str]
) -> None:
    output, load, query = engine
    raw.write()
    record_inputs(output, raw)
    assert load() == 0
    raw.payments[2] = '"o1",2,voucher,one,5.50'
    raw.write()
    record_inputs(output, raw)
    assert load() == 4
    error = capfd.readouterr().err
    assert "payments_raw" in error
    assert len(without_logs(error)) == 1
    # The rows of the first load are still there.
    assert query("select count(*) from payments_raw") == [(4,)]


def test_another_number_of_rows_than_the_run_read_fails_with_both_numbers(
    raw: RawFiles, engine: tuple[Path, Publish, Query], capfd: pytest.CaptureFixture[str]
) -> None:
    output, load, _ = engine
    raw.write()
    record_inputs(output, raw)
    edit_manifest(output, JUNE_RUN, totals={"raw orders": {"rows": 7}})
    assert load() == 3
    assert "table orders_raw: found 3 rows, expected 7 rows" in capfd.readouterr().err


def test_a_column_that_the_table_lacks_is_named(
    tmp_path: Path, raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, JUNE_RUN, JUNE)
    raw.payments = [f"{line},x" for line in raw.payments]
    raw.write()
    record_inputs(tmp_path, raw)
    arguments = [
        "--output",
        str(tmp_path),
        "--warehouse",
        f"duckdb:{tmp_path}/w",
        "--raw-copy",
        "--input",
        str(raw.folder),
    ]
    assert publish.main(arguments) == 3
    error = capfd.readouterr().err
    assert "olist_order_payments_dataset: column x is not in payments_raw, expected only order_id" in error


def test_files_that_the_run_did_not_read_are_rejected(
    tmp_path: Path, raw: RawFiles, capfd: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, JUNE_RUN, JUNE)
    raw.write()
    record_inputs(tmp_path, raw)
    raw.payments_file.write_bytes(raw.payments_file.read_bytes() + b"\n")
    arguments = [
        "--output",
        str(tmp_path),
        "--warehouse",
        f"duckdb:{tmp_path}/w",
        "--raw-copy",
        "--input",
        str(raw.folder),
    ]
    assert publish.main(arguments) == 3
    assert "olist_order_payments_dataset: found 1 files (" in capfd.readouterr().err
    assert not (tmp_path / "w").exists()


def test_a_run_that_starts_from_another_has_the_raw_tables_of_that_run(tmp_path: Path, raw: RawFiles) -> None:
    write_run(tmp_path, JUNE_RUN, JUNE)
    raw.write()
    record_inputs(tmp_path, raw)
    later = {**REQUIRED, "run_id": "2018-06-30-later", "inputs": {"features_run": JUNE_RUN}}
    (tmp_path / "runs" / "2018-06-30-later").mkdir()
    (tmp_path / "runs" / "2018-06-30-later" / "manifest.json").write_text(json.dumps(later))
    plan = raw_to_load(str(raw.folder), RunStore(str(tmp_path)), "2018-06-30-later")
    assert [(table.name, table.rows) for table in plan.tables] == [
        *(("customers_raw", 3), ("orders_raw", 3), ("payments_raw", 4))
    ]


def test_a_run_that_read_no_files_has_no_raw_tables(tmp_path: Path, raw: RawFiles) -> None:
    (tmp_path / "runs" / "2018-06-30-r").mkdir(parents=True)
    (tmp_path / "runs" / "2018-06-30-r" / "manifest.json").write_text(json.dumps({**REQUIRED, "inputs": {}}))
    with pytest.raises(ConfigurationError, match=r"run 2018-06-30-r read no files"):
        raw_to_load(raw.write(), RunStore(str(tmp_path)), "2018-06-30-r")


def test_a_replayed_run_has_no_raw_tables(tmp_path: Path, raw: RawFiles) -> None:
    (tmp_path / "runs" / "2018-06-30-r").mkdir(parents=True)
    inputs = {"replayed_run": "2018-06-30-broken", "files": [{"table": "orders", "files": []}]}
    manifest = {**REQUIRED, "inputs": inputs, "totals": {"tried again orders": {"rows": 1}}}
    (tmp_path / "runs" / "2018-06-30-r" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigurationError, match=r"corrected files and the quarantine of run 2018-06-30-broken"):
        raw_to_load(raw.write(), RunStore(str(tmp_path)), "2018-06-30-r")
