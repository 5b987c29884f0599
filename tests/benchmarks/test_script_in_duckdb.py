"""The peer in DuckDB accepts and rejects the rows that a run does, for the same reasons."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.comparison import DifferenceError, assert_as_many_rejected, assert_same
from benchmarks.contract_sql import script
from benchmarks.pipelines import TABLES
from benchmarks.script_in_duckdb import run_script
from benchmarks.workshop_sql import CHECKED_TABLES
from jobs.pipeline import main
from tests.raw_files import RawFiles, key

AS_OF = date(2018, 6, 30)

CUSTOMERS = [
    '"c4","ann","09790",sao paulo,XX',
    '"c5","ann","0979",sao paulo,SP',
    '"c6","ann","09790"',
    '"c7","bob","09790",sao paulo,SP',
    '"c7","bob","09790",sao paulo,SP',
    '"c8","bob","09790",sao paulo,SP',
    '"c8","bob","09790",santos,SP',
    f'"c9","bob","09790",{"é" * 129},SP',
    '"nobody","ann","09790",sao paulo,SP',
    '"c10","","09790",sao paulo,SP',
    '"c11","bob","09790",sao\0paulo,SP',
    ",,,,",
]
ORDERS = [
    '"o4","c4",delivered,2018-01-01 10:00:00,,,,',
    '"o5","c99",delivered,2018-01-01 10:00:00,,,,',
    '"o6","c1",delivered,2018-02-30 10:00:00,,,,',
    '"o7","c1",delivered,2015-12-31 23:59:59,,,,',
    '"o8","c1",delivered,2018-01-01 10:00:00,2018-01-01 24:00:00,,,',
    '"o9","c1",lost,2018-01-02 10:00:00,,,2018-01-01 10:00:00,',
    '"o10","c7",delivered,2018-01-02 10:00:00.5,,,2018-01-01 10:00:00,',
    '"o11","c1",delivered,2018-01-01 10:00:00,,,,,more',
    '"o12","c3",delivered,2018-07-01 00:00:00,,,,2262-04-11 00:00:00',
    '"o13","c3",delivered,2018-07-01 00:00:00,,,,2262-04-10 23:59:59',
]
PAYMENTS = [
    '"o1",01,voucher,1,10.00',
    '"o2",1,boleto,1,20.00',
    '"o2",2,pix,0,00.5000000',
    '"o2",0,voucher,1,1.00',
    '"o3",2,voucher,,1.00',
    '"o3",3,voucher,1,1000000.01',
    '"o3",4,voucher,1,"5,50"',
    '"o3",5,voucher,1,1e3',
    '"o4",1,voucher,1,1.00',
    '"o10",1,voucher,1,30.00',
    '"o13",1,voucher,1,40.00',
    '"o99",1,voucher,-1,-1.00',
]

REASONS = {
    "customers": [
        (None, ["has_all_fields"]),
        (None, ["has_all_fields"]),
        ("c10", ["not_null(customer_unique_id)"]),
        ("c11", ["has_no_nul"]),
        ("c4", ["in_set(customer_state)"]),
        ("c5", ["matches(customer_zip_code_prefix)"]),
        ("c7", ["unique(customer_id)"]),
        ("c8", ["unique(customer_id)"]),
        ("c8", ["unique(customer_id)"]),
        ("c9", ["max_bytes(customer_city)"]),
        ("nobody", ["matches(customer_id)"]),
    ],
    "orders": [
        (None, ["has_all_fields"]),
        ("o12", ["between(order_estimated_delivery_date)"]),
        ("o4", ["follows(customer_id)"]),
        ("o5", ["refers_to(customer_id)"]),
        ("o6", ["parses_as(order_purchase_timestamp)"]),
        ("o7", ["between(order_purchase_timestamp)"]),
        ("o8", ["parses_as(order_approved_at)"]),
        ("o9", ["in_set(order_status)", "not_after(order_purchase_timestamp, order_delivered_customer_date)"]),
    ],
    "payments": [
        ("o1", ["unique(order_id, payment_sequential)"]),
        ("o1", ["unique(order_id, payment_sequential)"]),
        ("o2", ["between(payment_sequential)"]),
        ("o2", ["unique(order_id, payment_sequential)"]),
        ("o3", ["between(payment_installments)"]),
        ("o3", ["between(payment_value)"]),
        ("o3", ["parses_as(payment_value)"]),
        ("o3", ["parses_as(payment_value)"]),
        ("o4", ["follows(order_id)"]),
        ("o99", ["between(payment_installments)", "between(payment_value)", "refers_to(order_id)"]),
    ],
}
"""The rejected rows of each table by hand: the first column, in short, and the labels of the rules that it fails."""


@pytest.fixture
def files(raw: RawFiles) -> Path:
    """Three files with bad rows of many kinds, and one row in Latin-1."""
    raw.customers += CUSTOMERS
    raw.orders += ORDERS
    raw.payments += PAYMENTS
    folder = Path(raw.write())
    with raw.customers_file.open("ab") as file:
        file.write(f'"{key("c12")}","{key("ann")}","09790",são paulo,SP\n'.encode("latin-1"))
    return folder


@pytest.fixture
def peer(files: Path, tmp_path: Path) -> Path:
    """The tables of the peer."""
    results = tmp_path / "peer"
    results.mkdir()
    run_script(script(files, results), AS_OF, results)
    return results


def rejected(folder: Path, table: str) -> list[dict[str, Any]]:
    rows = duckdb.read_parquet(f"{folder}/quarantine/{table}/*.parquet")
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]


def labels(row: dict[str, Any]) -> list[str]:
    reasons = row["reasons"]
    return [reason["rule"] + (f"({reason['column']})" if reason["column"] else "") for reason in reasons]


def test_the_peer_rejects_each_bad_row_with_its_reasons(peer: Path) -> None:
    names = {key(name): name for name in ("nobody", *(f"{kind}{n}" for kind in "co" for n in range(100)))}
    for table, expected in REASONS.items():
        rows = [(next(iter(row.values())), sorted(labels(row))) for row in rejected(peer, table)]
        in_short = [(names.get(name, name), reasons) for name, reasons in rows]
        assert sorted(in_short, key=str) == sorted(expected, key=str), table


@pytest.mark.long
@pytest.mark.usefixtures("spark")
def test_the_peer_has_the_tables_of_a_run_and_as_many_rejected_rows(files: Path, peer: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    options = ["--input", str(files), "--output", str(output), "--run-id", f"{AS_OF}-ours", "--kmeans", "none"]
    assert main(["--as-of", str(AS_OF), "--max-quarantined", "1", *options]) == 0
    ours = output / "runs" / f"{AS_OF}-ours"
    rows = assert_same(ours, peer, tables=TABLES, name="the peer", spill=tmp_path / "spill")
    assert rows == {"customers": 4, "orders": 5, "payments": 6, "transactions": 5, "purchases": 4, "rfm": 2}
    counts = {table: len(expected) for table, expected in REASONS.items()}
    assert assert_as_many_rejected(ours, peer, tables=CHECKED_TABLES, name="the peer") == counts
    for table in CHECKED_TABLES:
        assert whole_reasons(ours, table) == whole_reasons(peer, table)


def whole_reasons(folder: Path, table: str) -> list[str]:
    """The rejected rows with their reasons. DuckDB stores no cells of rows that it cannot read."""
    rows = [row for row in rejected(folder, table) if not {"has_all_fields", "is_text"} & set(labels(row))]
    return sorted(str({name: cell for name, cell in row.items() if name != "source_file"}) for row in rows)


def test_another_number_of_rejected_rows_is_a_difference(peer: Path, tmp_path: Path) -> None:
    with pytest.raises(DifferenceError, match="the peer rejects 11 rows of customers, expected our 0"):
        assert_as_many_rejected(tmp_path, peer, tables=CHECKED_TABLES, name="the peer")
