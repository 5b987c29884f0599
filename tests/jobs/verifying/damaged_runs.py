"""A run whose files a test changes, with a manifest that fits them again or not."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from jobs.storage.store import RunStore
from jobs.verifying.checks import Check, Result, Verification
from jobs.verifying.verification import verify_run


class DamagedRun:
    """A run in an output folder of its own.

    Attributes:
        output: the output folder.
        run_id: the run.
    """

    def __init__(self, output: Path, run_id: str) -> None:
        self.output, self.run_id = output, run_id
        self.folder = output / "runs" / run_id

    @property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return content

    def edit_manifest(self, edit: Callable[[dict[str, Any]], Any]) -> None:
        """Change the manifest, and nothing else."""
        manifest = self.manifest
        edit(manifest)
        (self.folder / "manifest.json").write_text(json.dumps(manifest))

    def edit_card(self, edit: Callable[[dict[str, Any]], Any]) -> None:
        """Change the score card, with a hash that fits it again, in the manifest too."""
        path = self.folder / "score_card.json"
        card = json.loads(path.read_text())
        edit(card)
        content = {name: value for name, value in card.items() if name != "hash"}
        card["hash"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        path.write_text(json.dumps(card))
        self.edit_manifest(lambda manifest: manifest["score_card"].update(hash=card["hash"]))

    def files(self, table: str) -> list[Path]:
        return sorted((self.folder / table).glob("*.parquet"))

    def rewrite(self, table: str, sql: str, *, checksums: bool = True) -> None:
        """Replace the rows of a table by those of a query over ``rows``; without `checksums`, the manifest stays."""
        files = self.files(table)
        new = self.folder / table / "part-new.parquet"
        with duckdb.connect() as connection:
            listed = ", ".join(f"'{file}'" for file in files)
            connection.execute(f"create table rows as select * from read_parquet([{listed}])")
            connection.execute(f"copy ({sql}) to '{new}' (format parquet)")
        for file in files:
            file.unlink()
        if checksums:
            self.fit_checksums(table)

    def fit_checksums(self, table: str) -> None:
        """State sizes and checksums of a table's files in the manifest, as they are now."""
        entries = [
            {"file": file.name, "size": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
            for file in self.files(table)
        ]
        self.edit_manifest(lambda manifest: manifest["outputs"].update({table: entries}))

    def fit_totals(self, table: str, rows: int) -> None:
        """Add to the rows of a table wherever the manifest states them."""

        def fit(entry: dict[str, Any]) -> None:
            if (entry["table"], entry["kind"]) == (table, "written"):
                entry["rows"] += rows

        def edit(manifest: dict[str, Any]) -> None:
            for entry in manifest["totals"]:
                fit(entry)
            for equation in manifest["reconciliation"]:
                for entry in (equation["whole"], *equation["parts"]):
                    fit(entry)

        self.edit_manifest(edit)

    def verify(self) -> Verification:
        store = RunStore(str(self.output))
        return verify_run(store, store.manifest(self.run_id))

    def failed(self) -> list[str]:
        """The names of the checks that fail."""
        return [check.name for check in self.verify().having(Result.FAILED)]


def named(checks: Sequence[Check], name: str) -> Check:
    """The check of a name."""
    [check] = [check for check in checks if check.name == name]
    return check
