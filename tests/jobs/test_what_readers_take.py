"""What the contracts accept, every reader of the tables takes: the warehouses, pandas and Arrow."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from jobs import ingest
from tests.raw_files import RawFiles, key

AS_OF = "2018-12-31"
RIO = "Rio Grande do Norte"
CUSTOMERS = {
    "long": f'"c4","ann","09790",{"é" * 128}x,SP',
    "fits": f'"c5","ann","09790",{"é" * 128},SP',
    "state": f'"c6","ann","09790",natal,{RIO}',
    "nul": '"c7","ann","09790",sao\0 paulo,SP',
}
FIRST, LAST = "1900-01-01 00:00:00", "2262-04-10 23:59:59.999999"
ORDERS = {
    "readable": f'"o4","c1",shipped,{LAST},{FIRST},{LAST},{LAST},{FIRST}',
    "sentinel": '"o5","c1",shipped,2018-03-04 09:30:00,0001-01-01 00:00:00,,9999-12-31 00:00:00,2018-03-20 00:00:00',
    "too late": '"o6","c1",shipped,2018-03-04 09:30:00,,2262-04-11 00:00:00,,1899-12-31 23:59:59',
}
RULES = f"""\
customers:
  change:
    in_set(customer_state): {{values: [SP, BA, {RIO}]}}
payments:
  change:
    in_set(payment_type): {{severity: warn}}
"""


def ingested(raw: RawFiles, output: Path, rules: Path) -> Path:
    """Check the files, with a budget that all may be refused, and return the run's folder."""
    arguments = ["--as-of", AS_OF, "--input", raw.write(), "--output", str(output), "--run-id", f"{AS_OF}-read"]
    assert ingest.main([*arguments, "--rules", str(rules), "--max-quarantined", "1"]) == 0
    return output / "runs" / f"{AS_OF}-read"


def reasons(spark: SparkSession, folder: Path, key_column: str) -> dict[str, set[tuple[str, str]]]:
    """For each quarantined row, by its key, the rules and values of its own faults."""
    rows = spark.read.parquet(str(folder)).collect()
    return {row[key_column]: {(reason["rule"], reason["value"]) for reason in row["reasons"]} for row in rows}


def test_rows_that_a_warehouse_or_a_reader_would_refuse_or_change_are_quarantined(
    spark: SparkSession, raw: RawFiles, tmp_path: Path
) -> None:
    raw.customers += CUSTOMERS.values()
    raw.orders += ORDERS.values()
    raw.payments += [f'"o1",3,{"gift_card" * 4},1,1.00', f'"o1",4,{"g" * 32},1,1.00', '"o1",5,"vou\0cher",1,1.00']
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    run = ingested(raw, tmp_path / "output", rules)

    assert reasons(spark, run / "quarantine" / "customers", "customer_id") == {
        key("c4"): {("max_bytes", f"{'é' * 40}... (257 bytes)")},
        key("c6"): {("max_bytes", f"{RIO}... (19 bytes)")},
        key("c7"): {("has_no_nul", f"{key('c7')},{key('ann')},09790,sao\u2400 paulo,SP")},
    }
    assert reasons(spark, run / "quarantine" / "orders", "order_id") == {
        key("o5"): {("between", "0001-01-01 00:00:00"), ("between", "9999-12-31 00:00:00")},
        key("o6"): {("between", "2262-04-11 00:00:00"), ("between", "1899-12-31 23:59:59")},
    }
    rejected = reasons(spark, run / "quarantine" / "payments", "payment_sequential")
    assert {number: {rule for rule, _ in found} for number, found in rejected.items()} == {
        "3": {"max_bytes", "in_set"},
        "5": {"has_no_nul", "in_set"},
    }
    quality = json.loads((run / "quality.json").read_text())["tables"]
    assert [quality[table]["quarantined"] for table in ("customers", "orders", "payments")] == [3, 2, 2]

    expected = [datetime.fromisoformat(text) for text in (LAST, FIRST)]
    assert as_read_elsewhere(run / "orders", key("o4")) == {"pandas": expected, "arrow": expected}


def as_read_elsewhere(folder: Path, order: str) -> dict[str, list[Any]]:
    """The purchase and the approval of an order, as pandas and as Arrow read them."""
    names = ["order_purchase_time", "order_approved_at"]
    row = pd.read_parquet(folder).set_index("order_id").loc[order]
    [entry] = [row for row in pq.read_table(folder).to_pylist() if row["order_id"] == order]
    return {"pandas": [row[name].to_pydatetime() for name in names], "arrow": [entry[name] for name in names]}
