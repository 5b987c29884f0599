"""Runs of a few scored customers, written by hand: rfm as Parquet, and a manifest. No Spark, and no rule of scoring."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.frames import at

BEFORE, NOW = "2018-09-17-before", "2018-10-17-now"

SEGMENTS = {"RM01": "Recent big spenders", "RM05": "Waning spenders", "RM09": "Lapsed small spenders"}

MONEY = pa.decimal128(18, 4)
COLUMNS = pa.schema(
    [
        ("customer_unique_id", pa.string()),
        *((name, pa.timestamp("us")) for name in ("as_of", "first_purchase_time", "last_purchase_time")),
        *((name, pa.int32()) for name in ("days_since_last_purchase", "recency_weeks", "tenure_days")),
        *(("purchase_count", pa.int64()), ("average_purchase_value", MONEY), ("total_value", MONEY)),
        *((name, pa.float64()) for name in ("recency", "frequency", "monetary")),
        *((name, pa.int32()) for name in ("r_score", "f_score", "m_score")),
        *((name, pa.string()) for name in ("rfm_score", "segment_code", "segment")),
        *(("r_band", pa.string()), ("r_to_next", pa.int32()), ("f_band", pa.string()), ("f_to_next", pa.int64())),
        *(("m_band", pa.string()), ("m_to_next", MONEY)),
    ]
)
"""The columns of rfm, stated again."""

Customers = Mapping[str, str | tuple[str, str]]
"""By id: a segment code, or a code and what the customer spent in all."""


@dataclass(frozen=True)
class ScoredRun:
    """What a run is written from. With another ``order`` it stores its customers in another order."""

    run_id: str
    customers: Customers
    segments: Mapping[str, str] = field(default_factory=lambda: SEGMENTS)
    without: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    is_current: bool = True
    map_hash: str = "0ca02856cf851a0e"
    order: str = ""

    def write(self, output: Path) -> Path:
        """Write the run, and make it the current one."""
        folder = output / "runs" / self.run_id
        (folder / "rfm").mkdir(parents=True)
        rows = [self._row(customer, each) for customer, each in self.customers.items()]
        # In no order, and in two files.
        rows.sort(key=lambda row: hashlib.sha256(f"{self.order}{row['customer_unique_id']}".encode()).digest())
        middle = len(rows) // 2
        files = []
        for number, part in enumerate((rows[:middle], rows[middle:])):
            table = pa.Table.from_pylist(part, schema=COLUMNS)
            file = folder / "rfm" / f"part-{number}.parquet"
            pq.write_table(table.drop_columns(list(self.without)), file)
            content = file.read_bytes()
            files.append({"file": file.name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})
        manifest = {
            "run_id": self.run_id,
            "as_of": self.run_id[:10],
            "configuration_hash": "ab",
            "tables": {"rfm": f"runs/{self.run_id}/rfm"},
            "outputs": {"rfm": files},
            "segments": {
                "map": {"name": "a map", "hash": self.map_hash},
                "segments": [{"code": code, "name": name, "customers": 1} for code, name in self.segments.items()],
            },
            **self.manifest,
        }
        (folder / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))
        if self.is_current:
            (output / "current.json").write_text(json.dumps({"run_id": self.run_id}))
        return output

    def _row(self, customer: str, each: str | tuple[str, str]) -> dict[str, Any]:
        code, spent = (each, "100.00") if isinstance(each, str) else each
        day = self.run_id[:10]
        last = at(f"{day} 09:30:00") - timedelta(days=10)
        return {
            "customer_unique_id": customer,
            "as_of": at(f"{day} 23:59:59"),
            "first_purchase_time": last,
            "last_purchase_time": last,
            "days_since_last_purchase": 10,
            "recency_weeks": 1,
            "tenure_days": 10,
            "purchase_count": 1,
            "average_purchase_value": Decimal(spent),
            "total_value": Decimal(spent),
            "recency": 0.5,
            "frequency": 0.0,
            "monetary": 1e-7,
            "r_score": 5,
            "f_score": 1,
            "m_score": 3,
            "rfm_score": "513",
            "segment_code": code,
            "segment": self.segments[code],
            "r_band": "up to 30",
            "r_to_next": None,
            "f_band": "up to 1",
            "f_to_next": 1,
            "m_band": "up to 200.00",
            "m_to_next": Decimal("0.0000"),
        }
