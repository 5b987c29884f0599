"""Exports of a few members, written by hand: ``members.parquet`` by pyarrow, and ``audience.json``."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.jobs.explaining.written_runs import BEFORE

Member = tuple[str, str, str | None]
"""A customer, the arm, and the change; None of a full list."""

COLUMNS = pa.schema(
    [
        ("audience_id", pa.string()),
        ("campaign", pa.string()),
        ("run_id", pa.string()),
        ("as_of", pa.date32()),
        ("customer_unique_id", pa.string()),
        ("segment_code", pa.string()),
        ("change", pa.string()),
        ("previous_segment_code", pa.string()),
        ("arm", pa.string()),
    ]
)


def members_of(arm: str, *customers: str, change: str | None = None) -> list[Member]:
    return [(customer, arm, change) for customer in customers]


@dataclass(frozen=True)
class WrittenAudience:
    """What an export is written from.

    ``record`` replaces entries of audience.json, and ``members_record`` those of its members.
    """

    members: Sequence[Member]
    run_id: str = BEFORE
    holdout: str | None = "0.50"
    of_changes: bool = False
    audience_id: str = "a0d1"
    record: Mapping[str, Any] = field(default_factory=dict)
    members_record: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        as_of = self.run_id[:10]
        rows = [
            (self.audience_id, "spring", self.run_id, as_of, customer, "A", change, None, arm)
            for customer, arm, change in self.members
        ]
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in COLUMNS]
        table = pa.table([pa.array(column, pa.string()) for column in columns], names=COLUMNS.names).cast(COLUMNS)
        pq.write_table(table, folder / "members.parquet")
        content = (folder / "members.parquet").read_bytes()
        arms = [arm for _, arm, _ in self.members]
        members = {
            "name": "members.parquet",
            "rows": len(arms),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "treatment": arms.count("treatment"),
            "control": arms.count("control"),
        }
        record = {
            "audience_id": self.audience_id,
            "campaign": "spring",
            "run_id": self.run_id,
            "as_of": as_of,
            "segments": [{"code": "A", "name": "Recent big"}],
            "where": None,
            "columns": ["customer_unique_id", "segment_code"],
            "changes_since": {"run_id": "2018-05-31-first", "as_of": "2018-05-31"} if self.of_changes else None,
            "holdout": None if self.holdout is None else {"share": self.holdout, "key_id": "0123456789abcdef"},
            "exported": {"format": "csv", "rows": arms.count("treatment"), "files": []},
            "members": {**members, **self.members_record},
            "exported_at": "2018-07-01T02:30:00+00:00",
        }
        (folder / "audience.json").write_text(json.dumps({**record, **self.record}))
        return folder
