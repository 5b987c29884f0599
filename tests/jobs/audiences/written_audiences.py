"""Exports of a few members, as `jobs.export` leaves them, but written by hand: members.parquet and audience.json."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.jobs.explaining.written_runs import BEFORE
from tests.jobs.warehouse.small_runs import ARROW_TYPES, JUNE_RUN
from transforms.schemas import AUDIENCES

NOTHING: Mapping[str, Any] = MappingProxyType({})

Row = tuple[Any, ...]
Difference = tuple[list[Row], dict[str, Any], str]

SPRING, DAILY = "5b1a9", "da117"
JUNE_DAY = date(2018, 6, 30)


def member(audience: str, customer: str, *, arm: str = "treatment", **columns: Any) -> Row:
    """A row of members.parquet: of the June run, in segment RM01, without a campaign or a change."""
    values = {
        "audience_id": audience,
        "campaign": None,
        "run_id": JUNE_RUN,
        "as_of": JUNE_DAY,
        "customer_unique_id": customer,
        "segment_code": "RM01",
        "change": None,
        "previous_segment_code": None,
        "arm": arm,
        **columns,
    }
    return tuple(values[name] for name in AUDIENCES.fieldNames())


SPRING_ROWS = [
    member(SPRING, "ann", campaign="spring"),
    member(SPRING, "bob", campaign="spring", arm="control"),
    member(SPRING, "it's 'eve'; --", campaign="spring", segment_code="RM09"),
]
"""A full audience with somebody held back."""

DAILY_ROWS = [
    member(DAILY, "ann", segment_code=None, change="left", previous_segment_code="RM01"),
    member(DAILY, "cyd", change="came"),
]
"""An audience of changes, without a campaign; ann is in the other one too."""


def write_audience(
    folder: Path, rows: Sequence[Row], recorded: Mapping[str, Any] = NOTHING, *, record: Mapping[str, Any] = NOTHING
) -> Path:
    """Write an export, and return its folder.

    Args:
        folder: of the export.
        rows: its members; the first one names the audience, the campaign, the run and its day.
        recorded: entries of ``members`` in audience.json that differ from what the file has.
        record: other entries of audience.json, or those that differ.
    """
    folder.mkdir(parents=True)
    fields = [pa.field(field.name, ARROW_TYPES[type(field.dataType)]) for field in AUDIENCES]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in fields]
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), folder / "members.parquet", store_schema=False)
    content = (folder / "members.parquet").read_bytes()
    arms = [row[-1] for row in rows]
    first = dict(zip(AUDIENCES.fieldNames(), rows[0], strict=True)) if rows else {}
    members = {
        "name": "members.parquet",
        "rows": len(rows),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "treatment": arms.count("treatment"),
        "control": arms.count("control"),
    }
    entries = {
        "audience_id": first.get("audience_id"),
        "campaign": first.get("campaign"),
        "run_id": first.get("run_id", JUNE_RUN),
        "as_of": first.get("as_of", JUNE_DAY).isoformat(),
        "segments": [{"code": "RM01", "name": "Recent big spenders"}],
        "columns": ["customer_unique_id", "segment_code"],
        "exported": {"format": "csv", "rows": arms.count("treatment"), "files": []},
        "members": {**members, **recorded},
        "exported_at": "2018-07-01T02:30:00+00:00",
    }
    (folder / "audience.json").write_text(json.dumps({**entries, **record}))
    return folder


Member = tuple[str, str, str | None]
"""A customer, the arm, and the change; None of a full list."""


def members_of(arm: str, *customers: str, change: str | None = None) -> list[Member]:
    return [(customer, arm, change) for customer in customers]


@dataclass(frozen=True)
class WrittenAudience:
    """What an export of the campaign spring is written from.

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
        day = date.fromisoformat(self.run_id[:10])
        of_run = {"campaign": "spring", "run_id": self.run_id, "as_of": day}
        rows = [
            member(self.audience_id, customer, arm=arm, change=change, **of_run)
            for customer, arm, change in self.members
        ]
        record = {
            "audience_id": self.audience_id,
            "changes_since": {"run_id": "2018-05-31-first", "as_of": "2018-05-31"} if self.of_changes else None,
            "holdout": None if self.holdout is None else {"share": self.holdout, "key_id": "0123456789abcdef"},
        }
        return write_audience(folder, rows, self.members_record, record={**record, **self.record})


DIFFERENCES: list[Difference] = [
    (
        SPRING_ROWS,
        {"rows": 4, "control": 2},
        "found 3 members (2 treatment, 1 control), expected 4 members (2 treatment, 2 control)",
    ),
    (
        SPRING_ROWS,
        {"treatment": 1, "control": 2},
        "found 3 members (2 treatment, 1 control), expected 3 members (1 treatment, 2 control)",
    ),
    (
        [*SPRING_ROWS, SPRING_ROWS[0]],
        {},
        "found 4 members of 3 customers (3 treatment, 1 control), expected 4 members (3 treatment, 1 control)",
    ),
    (
        [*SPRING_ROWS, member(DAILY, "zoe")],
        {},
        "found 3 members (2 treatment, 1 control), expected 4 members (3 treatment, 1 control)",
    ),
]
"""Members, entries of audience.json that differ from them, and the error: too few members, other arms, a customer
twice, and a member of another audience."""
