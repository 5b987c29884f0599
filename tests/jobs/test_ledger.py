"""The command line of jobs.ledger: what it writes, how it ends, and what it does without."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs import ledger
from tests.jobs.proposing.exports import german_bank, written


def test_the_mapping_goes_to_stdout_in_utf_8(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = written(tmp_path / "umsaetze.csv", german_bank(), delimiter=";")
    assert ledger.main(["propose", str(file)]) == 0
    shown = capfdbinary.readouterr()
    assert "currency_col: Währung".encode() in shown.out
    assert shown.err == b""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["propose"], "the following arguments are required: FILE"),
        (["map", "x"], "invalid COMMAND 'map': expected one of 'propose'"),
        (["propose", "x", "--sample", "5"], "unknown option --sample"),
        (["propose", "missing.csv"], "missing.csv: no such file or folder"),
    ],
)
def test_a_mistake_ends_with_2_and_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ledger.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    assert line.startswith("ledger: ")
    assert message in line


def test_a_file_that_is_no_ledger_ends_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ledger.csv").touch()
    assert ledger.main(["propose", str(tmp_path / "ledger.csv")]) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line == "ledger: ledger.csv: empty, expected a header line and rows. Check how the file was exported"


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        ledger.main(["propose", "--help"])
    assert ended.value.code == 0
    assert "python -m jobs.ledger propose ledger.csv > mapping.yaml" in capsys.readouterr().out


def test_no_spark_is_loaded() -> None:
    code = "import sys, jobs.ledger; print({'pyspark', 'great_expectations', 'duckdb'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"
