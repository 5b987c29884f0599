"""Runs of a few rows, written as Spark writes them but without Spark: Parquet files, a manifest, the pointer."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.types import DataType, DecimalType, DoubleType, IntegerType, LongType, StringType, TimestampType

from tests.frames import at, money
from transforms.schemas import MONEY_COLUMNS, TABLES

Rows = dict[str, list[tuple[Any, ...]]]

TYPES: dict[type[DataType], pa.DataType] = {
    StringType: pa.string(),
    IntegerType: pa.int32(),
    LongType: pa.int64(),
    DoubleType: pa.float64(),
    TimestampType: pa.timestamp("us"),
}

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
        ("ann", MARCH, 16, 2, money("17.75"), money("35.50"), 0.0, 5.0, 5.0),
        ("bob", FEBRUARY, 21, 1, money("5.00"), money("5.00"), 5.0, 0.0, 0.0),
    ],
}
"""As of 2018-06-30."""

FEBRUARY_ONLY: Rows = {
    **JUNE,
    "transactions": [row for row in JUNE["transactions"] if row[3] != MARCH],
    "purchases": [row for row in JUNE["purchases"] if row[1] != MARCH],
    "rfm": [
        ("ann", NEW_YEAR, 8, 1, money("15.50"), money("15.50"), 5.0, 0.0, 5.0),
        ("bob", FEBRUARY, 3, 1, money("5.00"), money("5.00"), 0.0, 0.0, 0.0),
    ],
}
"""As of 2018-02-28: what ann bought in March is not there yet."""


def arrow_table(name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    fields = [
        pa.field(
            field.name,
            pa.decimal128(field.dataType.precision, field.dataType.scale)
            if isinstance(field.dataType, DecimalType)
            else TYPES[type(field.dataType)],
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


def make_run(output: Path, run_id: str, rows: Rows) -> str:
    """Write a whole run, make it the current one, and return its id. The rows of a table are in two files."""
    folder = output / "runs" / run_id
    manifest: dict[str, Any] = {
        "run_id": run_id,
        "as_of": run_id[:10],
        "configuration_hash": "0123456789abcdef",
        "inputs": {"files": []},
        "tables": {name: f"runs/{run_id}/{name}" for name in rows},
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


def total(name: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    if name not in MONEY_COLUMNS:
        return {"rows": len(rows)}
    place = TABLES[name].fieldNames().index(MONEY_COLUMNS[name])
    return {"rows": len(rows), "money": str(sum((row[place] for row in rows), Decimal("0.0000")))}


def outputs(folder: Path) -> list[dict[str, Any]]:
    return [
        {
            "file": path.name,
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.glob("*.parquet"))
    ]


def edit_manifest(output: Path, run_id: str, **changes: Any) -> None:
    path = output / "runs" / run_id / "manifest.json"
    manifest = json.loads(path.read_text())
    for key, change in changes.items():
        manifest[key].update(change)
    path.write_text(json.dumps(manifest))


def spoil(output: Path, run_id: str, table: str, rows: list[tuple[Any, ...]], *, is_told: bool) -> Path:
    """Write other rows into a table's first file, and, if the manifest is to believe them, their checksum there."""
    folder = output / "runs" / run_id / table
    path = sorted(folder.glob("*.parquet"))[0]
    write_parquet(path, arrow_table(table, rows))
    if is_told:
        edit_manifest(output, run_id, outputs={table: outputs(folder)})
    return path


def as_sets(rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """Rows in an order of their own, so that two sets compare."""
    return {name: sorted(table_rows, key=_sortable) for name, table_rows in rows.items()}


def _sortable(row: tuple[Any, ...]) -> list[str]:
    return [value.isoformat(sep=" ") if isinstance(value, datetime) else str(value) for value in row]
