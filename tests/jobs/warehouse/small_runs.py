"""Runs of a few rows, in the files that Spark would write but without Spark: Parquet, a manifest, the pointer."""

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.types import (
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
)

from tests.frames import at, money
from transforms.schemas import MONEY_COLUMNS, TABLES

Rows = dict[str, list[tuple[Any, ...]]]

ARROW_TYPES: dict[type[DataType], pa.DataType] = {
    StringType: pa.string(),
    IntegerType: pa.int32(),
    LongType: pa.int64(),
    DoubleType: pa.float64(),
    TimestampType: pa.timestamp("us"),
    DateType: pa.date32(),
}

JUNE_RUN, FEBRUARY_RUN = "2018-06-30-june", "2018-02-28-february"

# Worked by hand. ann (c1, c2) pays 10.00 + 5.50 on New Year's Day and 20.00 in March; bob (c3) pays 5.00 in February.
CUSTOMERS = [
    ("c1", "ann", "09790", "são paulo", "SP"),
    ("c2", "ann", "09790", "são paulo", "SP"),
    ("c3", "bob", "20231", "arraial d'ajuda, porto seguro", "BA"),
]
NEW_YEAR, FEBRUARY, MARCH = at("2018-01-01 10:00:00"), at("2018-02-02 08:00:00"), at("2018-03-04 09:30:00")
ORDERS = [
    ("o1", "c1", "delivered", NEW_YEAR, at("2018-01-01 10:20:00"), None, None, at("2018-01-20 00:00:00")),
    ("o2", "c2", "delivered", MARCH, None, None, None, at("2018-03-20 00:00:00")),
    ("o3", "c3", "canceled", FEBRUARY, None, None, None, at("2018-02-20 00:00:00")),
]
PAYMENTS = [
    ("o1", 1, "credit_card", 3, money("10.00")),
    ("o1", 2, "voucher", 1, money("5.50")),
    ("o2", 1, "boleto", 1, money("20.00")),
    ("o3", 1, "debit_card", 1, money("5.00")),
]
JUNE: Rows = {
    "customers": CUSTOMERS,
    "orders": ORDERS,
    "payments": PAYMENTS,
    "transactions": [
        ("o1", 1, "ann", NEW_YEAR, money("10.00")),
        ("o1", 2, "ann", NEW_YEAR, money("5.50")),
        ("o2", 1, "ann", MARCH, money("20.00")),
        ("o3", 1, "bob", FEBRUARY, money("5.00")),
    ],
    "purchases": [
        ("ann", NEW_YEAR, money("15.50")),
        ("ann", MARCH, money("20.00")),
        ("bob", FEBRUARY, money("5.00")),
    ],
    "rfm": [
        (
            *("ann", at("2018-06-30 23:59:59"), NEW_YEAR, MARCH, 118, 16, 180, 2, money("17.75"), money("35.50")),
            *(0.0, 5.0, 5.0, 5, 2, 5, "525", "RM01", "Recent big spenders"),
            *("up to 118", None, "2", 1, "above 5.00", None),
        ),
        (
            *("bob", at("2018-06-30 23:59:59"), FEBRUARY, FEBRUARY, 148, 21, 148, 1, money("5.00"), money("5.00")),
            *(5.0, 0.0, 0.0, 1, 1, 1, "111", "RM09", "Lapsed small spenders"),
            *("119 or more", 30, "up to 1", 1, "up to 5.00", money("0.00")),
        ),
    ],
    "segment_history": [
        ("ann", "RM01", "Recent big spenders", "RM07", "Lapsed big spenders", date(2018, 6, 30), 1),
        ("bob", "RM09", "Lapsed small spenders", "RM03", "Recent small spenders", date(2018, 6, 30), 1),
    ],
    "segment_changes": [
        (
            *("ann", date(2018, 2, 28), "RM07", "Lapsed big spenders", "RM01", "Recent big spenders"),
            *("new_purchases", "RM07", "RM01", "RM01", "RM01"),
        ),
        (
            *("bob", date(2018, 2, 28), "RM03", "Recent small spenders", "RM09", "Lapsed small spenders"),
            *("time_passed", "RM03", "RM03", "RM09", "RM09"),
        ),
    ],
}
"""As of 2018-06-30; the run before is as of 2018-02-28."""

FEBRUARY_ONLY: Rows = {
    **JUNE,
    "transactions": [row for row in JUNE["transactions"] if row[3] != MARCH],
    "purchases": [row for row in JUNE["purchases"] if row[1] != MARCH],
    "rfm": [
        (
            *("ann", at("2018-02-28 23:59:59"), NEW_YEAR, NEW_YEAR, 58, 8, 58, 1, money("15.50"), money("15.50")),
            *(5.0, 0.0, 5.0, 1, 1, 5, "115", "RM07", "Lapsed big spenders"),
            *("27 or more", 32, "up to 1", 1, "above 5.00", None),
        ),
        (
            *("bob", at("2018-02-28 23:59:59"), FEBRUARY, FEBRUARY, 26, 3, 26, 1, money("5.00"), money("5.00")),
            *(0.0, 0.0, 0.0, 5, 1, 1, "511", "RM03", "Recent small spenders"),
            *("up to 26", None, "up to 1", 1, "up to 5.00", money("0.00")),
        ),
    ],
    "segment_history": [
        ("ann", "RM07", "Lapsed big spenders", None, None, date(2018, 2, 28), 1),
        ("bob", "RM03", "Recent small spenders", None, None, date(2018, 2, 28), 1),
    ],
    "segment_changes": [],
}
"""As of 2018-02-28, before ann's purchase in March."""

CHANGED_ROWS: list[tuple[str, list[tuple[Any, ...]], str]] = [
    ("customers", [], "found 2 rows, expected 3 rows"),
    ("orders", [JUNE["orders"][0]] * 2, "found 4 rows, expected 3 rows"),
    (
        "payments",
        [("o1", 1, "credit_card", 3, money("10.01")), JUNE["payments"][1]],
        "found 4 rows worth 40.51, expected 4 rows worth 40.50",
    ),
    ("transactions", JUNE["transactions"][:1], "found 3 rows worth 35.00, expected 4 rows worth 40.50"),
    ("purchases", JUNE["purchases"][:1] * 2, "found 4 rows worth 56.00, expected 3 rows worth 40.50"),
    ("rfm", [], "found 1 rows worth 5.00, expected 2 rows worth 40.50"),
    ("segment_history", JUNE["segment_history"] * 2, "found 5 rows, expected 2 rows"),
]
"""Tables, the rows that replace those of the June run's first file, and the error that a load must report."""

WORKSHOP_JOIN = """
    select orders_1.order_id, customers_1.customer_unique_id, orders_1.order_purchase_time, payments_1.payment_value
    from orders_1 inner join customers_1 on orders_1.customer_id = customers_1.customer_id
    inner join payments_1 on orders_1.order_id = payments_1.order_id
    order by orders_1.order_purchase_time asc, 4 desc
"""


def write_run(output: Path, run_id: str, rows: Rows) -> str:
    """Write a complete run, make it the current one, and return its id. Each table has two files."""
    folder = output / "runs" / run_id
    manifest: dict[str, Any] = {
        "run_id": run_id,
        "as_of": run_id[:10],
        "configuration_hash": "0123456789abcdef",
        "inputs": {"files": []},
        "tables": {name: f"runs/{run_id}/{name}" for name in rows},
        "segments": {"segments": []},
        "totals": {name: total(name, table_rows) for name, table_rows in rows.items()},
    }
    for name, table_rows in rows.items():
        half = len(table_rows) // 2
        for number, part in enumerate((table_rows[:half], table_rows[half:])):
            write_parquet(folder / name / f"part-{number}.snappy.parquet", arrow_table(name, part))
        (folder / name / "._SUCCESS.crc").touch()
    manifest["outputs"] = {name: outputs(folder / name) for name in rows}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (output / "current.json").write_text(json.dumps({"run_id": run_id}))
    return run_id


def edit_manifest(output: Path, run_id: str, **changes: Any) -> None:
    path = output / "runs" / run_id / "manifest.json"
    manifest = json.loads(path.read_text())
    for key, change in changes.items():
        manifest[key].update(change)
    path.write_text(json.dumps(manifest))


def replace_first_file(
    output: Path, run_id: str, table: str, rows: list[tuple[Any, ...]], *, in_manifest: bool
) -> Path:
    """Write other rows into a table's first file, and, ``in_manifest``, the new checksum into the manifest."""
    folder = output / "runs" / run_id / table
    path = sorted(folder.glob("*.parquet"))[0]
    write_parquet(path, arrow_table(table, rows))
    if in_manifest:
        edit_manifest(output, run_id, outputs={table: outputs(folder)})
    return path


def all_tables(rows: Rows) -> Rows:
    """The rows in a warehouse after a load, sorted. The tables that the run lacks are empty."""
    return in_order({name: rows.get(name, []) for name in TABLES})


def in_order(rows: Rows) -> Rows:
    """Rows sorted, so that two sets of tables compare."""
    return {name: sorted(table_rows, key=_sort_key) for name, table_rows in rows.items()}


def outputs(folder: Path) -> list[dict[str, Any]]:
    """The manifest's entries for the files of a table."""
    return [
        {
            "file": path.name,
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.glob("*.parquet"))
    ]


def total(name: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The manifest's total of a table."""
    if name not in MONEY_COLUMNS:
        return {"rows": len(rows)}
    column = TABLES[name].fieldNames().index(MONEY_COLUMNS[name])
    return {"rows": len(rows), "money": str(sum((row[column] for row in rows), Decimal("0.0000")))}


def arrow_table(name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    fields = [
        pa.field(
            field.name,
            pa.decimal128(field.dataType.precision, field.dataType.scale)
            if isinstance(field.dataType, DecimalType)
            else ARROW_TYPES[type(field.dataType)],
        )
        for field in TABLES[name]
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return pa.Table.from_arrays(
        [pa.array(list(column), field.type) for column, field in zip(columns, fields, strict=True)],
        schema=pa.schema(fields),
    )


def write_parquet(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=False)


def _sort_key(row: tuple[Any, ...]) -> list[str]:
    return [value.isoformat(sep=" ") if isinstance(value, datetime) else str(value) for value in row]
