"""What two runs have in common if one is as good as the other: every row, the score card, the clusters, the figures."""

import json
from pathlib import Path
from typing import Any

import duckdb

OF_ONE_RUN = {"run_id", "matched_to", "file", "trained_in", "since"}
"""Keys whose values name a run, so that no two runs have the same."""

NAME_OF_CARD = {"card", "hash"}
"""A card that was fitted has the name of its run, which its hash covers."""


class ReadRun:
    """A complete run, as files have it.

    Attributes:
        output: the folder of the runs.
        manifest: of the run.
    """

    def __init__(self, output: Path, run_id: str) -> None:
        self.output = output
        self.manifest: dict[str, Any] = json.loads((output / "runs" / run_id / "manifest.json").read_text())

    @classmethod
    def as_of(cls, output: Path, day: str, *, job: str | None = None) -> "ReadRun":
        """The complete run as of a day, made by a job."""
        runs = [cls(output, path.parent.name) for path in output.glob(f"runs/{day}*/manifest.json")]
        [run] = [run for run in runs if job in (None, run.manifest["job"])]
        return run

    @property
    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of each table, in one order."""
        with duckdb.connect() as connection:
            return {
                table: sorted(
                    connection.execute("select * from read_parquet(?)", [f"{self.output / path}/*.parquet"]).fetchall(),
                    key=repr,
                )
                for table, path in self.manifest["tables"].items()
                if not table.startswith("quarantine/")
            }

    @property
    def card(self) -> dict[str, Any]:
        """The score card, but for its name."""
        content: dict[str, Any] = json.loads((self.output / self.manifest["score_card"]["file"]).read_text())
        return {key: value for key, value in content.items() if key not in NAME_OF_CARD}

    @property
    def clusters(self) -> Any:
        """The clusters, but for the names of runs; None without any."""
        if "kmeans" not in self.manifest:
            return None
        return _unnamed(json.loads((self.output / self.manifest["kmeans"]["file"]).read_text()))

    @property
    def figures(self) -> dict[str, Any]:
        """What the manifest says of the customers, and of what is computed: rows, money, and what is excluded."""
        manifest, computed = self.manifest, {}
        for total in manifest["totals"]:
            is_of_ingest = total["kind"] == "read" or total["table"].startswith("quarantine/")
            if not is_of_ingest:
                computed[total["table"], total["kind"], total.get("part")] = (total["rows"], total.get("money"))
        names = ("configuration", "configuration_hash", "segments", "sufficiency", "changes")
        since = manifest["changes"]["since"]
        return {
            "totals": computed,
            "since": since and since["as_of"],
            **{name: _unnamed(manifest.get(name)) for name in names},
        }


def _unnamed(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _unnamed(value) for key, value in content.items() if key not in OF_ONE_RUN}
    return [_unnamed(value) for value in content] if isinstance(content, list) else content


def assert_equal_runs(actual: ReadRun, expected: ReadRun) -> None:
    """Assert that a run has the rows, the card, the clusters and the figures of another."""
    rows = expected.tables
    assert actual.tables.keys() == rows.keys()
    for table, of_table in actual.tables.items():
        assert of_table == rows[table], table
    assert actual.card == expected.card
    assert actual.clusters == expected.clusters
    assert actual.figures == expected.figures
