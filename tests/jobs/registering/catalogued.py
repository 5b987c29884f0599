"""Runs in a bucket, as far as a registration reads them, and what the catalogue then says."""

import json
from collections.abc import Mapping
from typing import Any

from jobs import catalogue
from jobs.storage.s3 import S3Folder
from tests.fakes.environment import CATALOGUE
from tests.fakes.glue.data_catalogue import DataCatalogue
from transforms.figure_schemas import FIGURES

MONDAY, TUESDAY, WEDNESDAY = "2018-10-15-nightly", "2018-10-16-nightly", "2018-10-17-nightly"
COMPUTED = ("transactions", "purchases", "rfm", "segment_history", "segment_changes", "customer_segments")
CHECKED = ("customers", "orders", "payments")
WHOLE = (*CHECKED, *COMPUTED)


class Lake:
    """A folder of runs in S3, and a database for them."""

    def __init__(self, folder: S3Folder, service: DataCatalogue) -> None:
        self.folder, self.service = folder, service
        self.output = folder.display_path()

    def put_run(
        self,
        run_id: str,
        tables: tuple[str, ...] = WHOLE,
        *,
        elsewhere: Mapping[str, str] | None = None,
        has_scores: bool = True,
        becomes_current: bool = True,
    ) -> str:
        """Write the manifest of a complete run, and make it the current one.

        Args:
            run_id: the run.
            tables: those that it has.
            elsewhere: the run from which each table that was taken over is.
            has_scores: whether it has figures.
            becomes_current: whether the pointer moves.
        """
        manifest: dict[str, Any] = {
            "run_id": run_id,
            "as_of": run_id[:10],
            "configuration_hash": "0123456789abcdef",
            "tables": {name: f"runs/{(elsewhere or {}).get(name, run_id)}/{name}" for name in tables},
            **({"segments": {"segments": []}} if has_scores else {}),
        }
        self.folder.write_text(json.dumps(manifest), "runs", run_id, "manifest.json")
        if becomes_current:
            self.make_current(run_id)
        return run_id

    def make_current(self, run_id: str) -> None:
        self.folder.write_text(json.dumps({"run_id": run_id}), "current.json")

    def register(self, *arguments: str) -> int:
        return catalogue.main(["--output", self.output, "--catalogue", CATALOGUE, *arguments])

    def table(self, name: str) -> dict[str, Any]:
        table: dict[str, Any] = self.service.moto.get_table(DatabaseName=CATALOGUE, Name=name)["Table"]
        return table

    def tables(self) -> dict[str, dict[str, Any]]:
        tables = self.service.moto.get_tables(DatabaseName=CATALOGUE)["TableList"]
        return {table["Name"]: table for table in tables}

    def current(self) -> dict[str, str]:
        """The place that each table of the current run shows, below the folder of all runs."""
        return {
            name.removesuffix("_current"): self._below(table["StorageDescriptor"]["Location"])
            for name, table in self.tables().items()
            if name.endswith("_current")
        }

    def partitions(self, table: str) -> dict[str, str]:
        """The place of each partition of a table, by run."""
        present = self.service.moto.get_partitions(DatabaseName=CATALOGUE, TableName=table)["Partitions"]
        return {each["Values"][0]: self._below(each["StorageDescriptor"]["Location"]) for each in present}

    def _below(self, location: str) -> str:
        assert location.startswith(f"{self.output}/runs/")
        assert location.endswith("/")
        return location.removeprefix(f"{self.output}/runs/").rstrip("/")


def places(run_id: str, tables: tuple[str, ...] = WHOLE) -> dict[str, str]:
    """The place of each table in the folder of one run."""
    return {name: f"{run_id}/{name}" for name in tables} | {name: f"{run_id}/figures/{name}" for name in FIGURES}
