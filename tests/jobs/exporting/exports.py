"""An export by its command, and what is read of it: not by the code that wrote it."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from jobs import export

KEY = "0123456789abcdef0123456789abcdef"

Row = dict[str, str]


@dataclass(frozen=True)
class Exported:
    """A complete export."""

    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "audience.json").read_text())
        return content

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def rows(self) -> list[Row]:
        """The rows of the list in CSV."""
        rows = []
        for file in self.record["exported"]["files"]:
            with (self.folder / file["name"]).open(newline="", encoding="utf-8") as content:
                rows += list(csv.DictReader(content))
        return rows

    def codes(self) -> dict[str, str]:
        """The segment code of each customer of the list."""
        return {row["customer_unique_id"]: row["segment_code"] for row in self.rows()}

    def members(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(self.folder / "members.parquet").to_pylist()
        return rows


def exported(output: Path, to: Path, *arguments: str, form: str = "csv") -> Exported:
    code = export.main(["--output", str(output), "--to", str(to), "--format", form, *arguments])
    assert code == 0
    return Exported(to)


def applied(earlier: Sequence[Row], changes: Sequence[Row]) -> Mapping[str, Row]:
    """A list after changes, as docs/lists.md says to apply them."""
    rows = {row["customer_unique_id"]: row for row in earlier}
    for row in changes:
        customer = row["customer_unique_id"]
        if row["change"] == "left":
            del rows[customer]
        else:
            assert (customer in rows) == (row["change"] != "came")
            rows[customer] = {name: row[name] for name in row if name not in ("change", "previous_segment_code")}
    return rows
