"""A run becomes current only if every table, file and row that its manifest names is there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs import features, pipeline
from jobs.errors import DataError
from jobs.runs import presence
from jobs.runs.presence import check_written
from jobs.runs.run import Run
from jobs.runs.totals import Boundary, Total
from jobs.storage.store import RunStore
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, replace_first_file, write_run
from tests.log_lines import without_logs
from tests.raw_files import RawFiles

ROWS = {Boundary(name): Total(len(rows)) for name, rows in JUNE.items()}
POINTER = '{"run_id": "2018-06-30-before"}'


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, Any]:
    write_run(tmp_path, JUNE_RUN, JUNE)
    content: dict[str, Any] = json.loads((tmp_path / "runs" / JUNE_RUN / "manifest.json").read_text())
    return content


def check(spark: SparkSession, output: Path, manifest: dict[str, Any]) -> None:
    check_written(spark, RunStore(str(output)).folder, manifest, totals=ROWS)


def test_a_run_whose_files_hold_its_totals_passes_and_one_that_lost_rows_or_files_does_not(
    spark: SparkSession, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    check(spark, tmp_path, manifest)
    replace_first_file(tmp_path, JUNE_RUN, "customers", [], in_manifest=False)
    with pytest.raises(
        DataError, match=r"^run .*-june: found 2 rows in the files of table customers, expected 3\. curr"
    ):
        check(spark, tmp_path, manifest)
    replace_first_file(tmp_path, JUNE_RUN, "customers", JUNE["customers"][:1], in_manifest=False)
    (tmp_path / "runs" / JUNE_RUN / "orders" / "part-1.snappy.parquet").unlink()
    with pytest.raises(DataError, match="found 1 rows in the files of table orders, expected 3"):
        check(spark, tmp_path, manifest)
    shutil.rmtree(tmp_path / "runs" / JUNE_RUN / "orders")
    with pytest.raises(DataError, match="found no files of table orders, expected 3 rows"):
        check(spark, tmp_path, manifest)


@pytest.mark.parametrize(
    "entries",
    [
        {"score_card": {"file": f"runs/{JUNE_RUN}/score_card.json"}},
        {"kmeans": {"file": f"runs/{JUNE_RUN}/kmeans_model.json"}},
        {"kmeans_features": {"score": {"path": f"runs/{JUNE_RUN}/kmeans/score"}}},
    ],
    ids=lambda entries: next(iter(entries)),
)
def test_a_card_a_model_or_features_that_are_gone_are_named(
    spark: SparkSession, tmp_path: Path, manifest: dict[str, Any], entries: dict[str, Any]
) -> None:
    with pytest.raises(DataError, match=f"found no runs/{JUNE_RUN}/(score_card|kmeans)"):
        check(spark, tmp_path, manifest | entries)


def test_a_table_that_goes_while_its_rows_are_counted_is_named(
    spark: SparkSession, tmp_path: Path, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    count = presence._rows_by_table

    def removing(session: SparkSession, uris: dict[str, str]) -> dict[str, int]:
        shutil.rmtree(tmp_path / "runs" / JUNE_RUN / "payments")
        return count(session, uris)

    monkeypatch.setattr(presence, "_rows_by_table", removing)
    with pytest.raises(DataError, match="found no files of table payments, expected those that the run wrote"):
        check(spark, tmp_path, manifest)


def remove_when(monkeypatch: pytest.MonkeyPatch, written: str, remove: Callable[[Path], None]) -> None:
    """Remove something of the run as soon as one of its tables is written."""
    write = Run.write

    def removing(run: Run, contract: Any, frame: Any, **arguments: Any) -> Any:
        table = write(run, contract, frame, **arguments)
        if contract.table == written:
            remove(Path(run.options.output))
        return table

    monkeypatch.setattr(Run, "write", removing)


@pytest.mark.usefixtures("spark")
@pytest.mark.long
def test_a_table_that_is_removed_while_rfm_is_written_never_becomes_current(
    raw: RawFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / "current.json").write_text(POINTER)
    remove_when(monkeypatch, "rfm", lambda output: shutil.rmtree(next(output.glob("runs/*/orders"))))
    arguments = ["--as-of", "2018-06-30", "--input", raw.write(), "--output", str(output), "--kmeans", "none"]
    assert pipeline.main([*arguments, "--max-quarantined", "1"]) == 3
    [line] = without_logs(capfd.readouterr().err)
    assert "found no files of table orders, expected 3 rows. current.json was not moved" in line
    assert (output / "current.json").read_text() == POINTER
    assert not list(output.glob("runs/*/manifest.json"))


@pytest.mark.usefixtures("spark")
def test_a_reused_table_that_is_removed_meanwhile_never_becomes_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    release = Path(__file__).parents[1] / "data" / "release-0.1"
    output = Path(shutil.copytree(release, tmp_path / "output"))
    before = (output / "current.json").read_text()
    lost = next(output.glob("runs/*/payments"))
    remove_when(monkeypatch, "rfm", lambda _: shutil.rmtree(lost))
    assert features.main(["--as-of", "2018-06-30", "--output", str(output)]) == 3
    assert "found no files of table payments, expected 4 rows" in capfd.readouterr().err
    assert (output / "current.json").read_text() == before
    # What the next run would reuse is not there either, and it says so before it starts from it.
    assert features.main(["--as-of", "2018-06-30", "--output", str(output)]) == 3
    assert "table payments: part-00000-" in capfd.readouterr().err
