"""What is seen before a shuffle is seen twice when its machine is lost; what a file holds is not.

No machine is lost here: figures that were seen twice are put in place of those that were seen.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Observation

from jobs import ingest
from jobs.runs import reading
from jobs.runs.metrics import with_metrics
from tests.manifests import total
from tests.raw_files import RawFiles

pytestmark = pytest.mark.usefixtures("spark")

RUN = "2018-12-31-checked"


class SeenTwice:
    """An observation by tasks each of which ran twice."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen

    @property
    def get(self) -> dict[str, Any]:
        return {name: 2 * figure for name, figure in self._seen.get.items()}


def twice(monkeypatch: pytest.MonkeyPatch, names: Collection[str]) -> None:
    def observed(frame: DataFrame, name: str, **more: Any) -> tuple[DataFrame, Observation | SeenTwice]:
        frame, seen = with_metrics(frame, name, **more)
        return frame, SeenTwice(seen) if name in names else seen

    monkeypatch.setattr(reading, "with_metrics", observed)


def ingested(raw: RawFiles, output: Path) -> int:
    raw.write()
    places = ["--input", str(raw.folder), "--output", str(output)]
    return ingest.main(["--as-of", "2018-12-31", *places, "--run-id", RUN])


@pytest.mark.long
def test_a_file_whose_rows_were_seen_twice_is_counted_by_itself(
    raw: RawFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice(monkeypatch, ["read customers", "read payments"])
    assert ingested(raw, tmp_path) == 0
    manifest = json.loads((tmp_path / "runs" / RUN / "manifest.json").read_text())
    assert total(manifest, "customers read")["rows"] == 3
    assert total(manifest, "payments read") == {"rows": 4, "money": "40.5000"}


def test_a_file_that_holds_more_than_became_of_it_stops_the_run(
    raw: RawFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    twice(monkeypatch, ["read payments", "read payments again"])
    assert ingested(raw, tmp_path) == 3
    assert "payments read (8 rows worth 81.00" in capfd.readouterr().err
    assert not (tmp_path / "runs" / RUN / "manifest.json").exists()
