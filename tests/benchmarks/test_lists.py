"""The benchmark of lists: its run can be exported, and the copy has the same rows as the list."""

import subprocess
from pathlib import Path

import duckdb
import pytest

from benchmarks.lists import CASES, KEY, Case, as_row, written_run
from benchmarks.measurement import Measurement
from jobs import export


@pytest.mark.parametrize("case", [case for case in CASES if not case.has_holdout], ids=lambda case: case.name)
def test_the_list_and_its_peer_have_the_same_rows(tmp_path: Path, case: Case) -> None:
    output = written_run(tmp_path / "output", 100)
    assert written_run(tmp_path / "output", 100) == output
    _, _, _, *arguments = case.export(output, tmp_path / "list")
    assert export.main(arguments) == 0
    subprocess.run(case.copy(output, tmp_path / "copy"), check=True)
    read = "read_parquet" if case.form == "parquet" else "read_csv"
    [listed] = (tmp_path / "list").glob("list.*")
    rows = duckdb.sql(f"from {read}('{listed}')").fetchall()
    assert len(rows) == 100
    assert rows == duckdb.sql(f"from {read}('{tmp_path}/copy')").fetchall()


def test_a_holdout_is_drawn_in_the_run_of_the_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDOUT_KEY", KEY)
    [case] = [case for case in CASES if case.has_holdout and case.form == "csv"]
    _, _, _, *arguments = case.export(written_run(tmp_path / "output", 1000), tmp_path / "list")
    assert export.main(arguments) == 0
    assert 850 < len((tmp_path / "list" / "list.csv").read_text().splitlines()) - 1 < 950


def test_a_row_is_beside_the_copy() -> None:
    exported, copied = Measurement(3.0, 5.0, 2_000_000, None, 0.0), Measurement(2.0, 4.0, 1_000_000, None, 0.0)
    assert as_row("csv", exported, beside=copied)[1:5] == ("3.0", "1.50", "5.0", "1.25")
