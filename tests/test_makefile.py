"""The Makefile hands on what it is given as it was typed: neither make nor the shell evaluates it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parent.parent / "Makefile"

PRINTS_ITS_ARGUMENTS = '#!/bin/sh\nprintf "%s\\n" "$(basename "$0")" "$@" >> "$CALLS"\n'

ODD = [
    "`touch made`",
    "$(touch made)",
    "$b/$$c/${HOME}",
    "$(shell touch made)",
    'a "b" \\ c',
    "it's; touch made",
    "a b  c # d",
    "é*?[x]~&|<>!",
]
"""Values that make, or the shell, would evaluate if they were pasted into a command."""


class Make:
    """The Makefile with an interpreter that writes down its arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        tools = folder / "venv" / "bin"
        tools.mkdir(parents=True)
        for name in ("python", "duckdb"):
            (tools / name).write_text(PRINTS_ITS_ARGUMENTS)
            (tools / name).chmod(0o755)
        (folder / "ready").touch()

    def run(self, target: str, *, environment: dict[str, str] | None = None, **values: str) -> list[str]:
        """Run a target, and return the lines that its tools wrote: their names and arguments."""
        self.calls.unlink(missing_ok=True)
        variables = {"VENV": str(self.folder / "venv"), "READY": str(self.folder / "ready"), **values}
        completed = subprocess.run(
            ["make", "--no-print-directory", "-f", str(MAKEFILE), target, *(f"{k}={v}" for k, v in variables.items())],
            cwd=self.folder,
            env={**os.environ, "CALLS": str(self.calls), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert completed.returncode == 0, completed.stderr
        assert not (self.folder / "made").exists()
        return self.calls.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)


def test_tests_start_without_the_values_of_the_make_that_runs_them(make: Make) -> None:
    interpreter = make.folder / "venv" / "bin" / "python"
    interpreter.write_text('#!/bin/sh\nenv > "$CALLS"; printf "%s\\n" "$@" >> "$CALLS"\n')
    lines = make.run("test", WORKERS="3", OUTPUT="elsewhere")
    assert lines[lines.index("-n") + 1] == "3"
    assert not [line for line in lines if line.startswith(("OUTPUT=", "SAMPLE=", "INPUT="))]
    lines = make.run("soak", SOAK_SEED="7")
    assert "SOAK_SEED=7" in lines


def pipeline(as_of: str, folder: str, output: str, warehouse: str) -> list[str]:
    where = ["--as-of", as_of, "--input", folder, "--output", output]
    return ["python", "-m", "jobs.pipeline", *where, *(["--warehouse", warehouse] if warehouse else [])]


@pytest.mark.parametrize("odd", ODD)
def test_a_run_gets_its_values_as_they_were_typed(make: Make, odd: str) -> None:
    assert make.run("run-local", INPUT=odd, OUTPUT=odd, AS_OF=odd) == pipeline(
        odd, odd, odd, f"duckdb:{odd}/warehouse.duckdb"
    )
    assert make.run("run-local", INPUT="in", WAREHOUSE=odd) == pipeline("2018-10-17", "in", "output", odd)
    words = make.run("run-local", INPUT="in", WAREHOUSE=odd, ENGINE=odd)
    assert words == [*pipeline("2018-10-17", "in", "output", odd), "--engine", odd]
    # The environment may have them too.
    assert make.run("run-local", environment={"INPUT": odd, "OUTPUT": odd}) == pipeline(
        "2018-10-17", odd, odd, f"duckdb:{odd}/warehouse.duckdb"
    )


@pytest.mark.parametrize("odd", ODD)
def test_a_backfill_gets_its_values_as_they_were_typed(make: Make, odd: str) -> None:
    assert make.run("backfill", INPUT=odd, OUTPUT=odd, FROM=odd, TO=odd, EVERY=odd) == [
        *("python", "-m", "jobs.backfill", "--from", odd, "--to", odd, "--every", odd),
        *("--input", odd, "--output", odd),
    ]


@pytest.mark.parametrize("odd", ODD)
def test_the_other_targets_get_their_values_as_they_were_typed(make: Make, odd: str) -> None:
    python = ["python", "-m"]
    assert make.run("upload", DATA=odd, PREFIX=odd) == [*python, "deploy", "upload", odd, "--prefix", odd]
    assert make.run("glue", AS_OF=odd, PREFIX=odd) == [
        *(*python, "deploy", "glue", "submit", "--prefix", odd, "--as-of", odd)
    ]
    for target in ("doctor", "up", "outputs", "down"):
        assert make.run(target, PREFIX=odd) == [*python, "deploy", target, "--prefix", odd]
    for target in ("doctor", "up"):
        assert make.run(target, ONLY=odd)[-2:] == ["--only", odd]
    for target in ("emr", "run-aws"):
        assert make.run(target, PREFIX=odd, AS_OF=odd)[-4:] == ["--prefix", odd, "--as-of", odd]
    assert make.run("bench", ORDERS=odd) == [*python, "benchmarks.feature_step", "--orders", odd]
    assert make.run("bench-run", ORDERS=odd) == [*python, "benchmarks.all_steps", "--orders", odd]


@pytest.mark.parametrize(
    ("target", "values", "missing"),
    [
        ("upload", {}, "no DATA, which takes the place of the raw files on AWS"),
        *(
            (target, {"PREFIX": "shop"}, "no AS_OF; expected the last day that counts")
            for target in ("glue", "emr", "run-aws")
        ),
    ],
)
def test_a_target_for_aws_takes_no_data_and_no_day_that_nobody_chose(
    make: Make, target: str, values: dict[str, str], missing: str
) -> None:
    with pytest.raises(AssertionError, match=missing):
        make.run(target, **values)
    assert not make.calls.exists()


@pytest.mark.parametrize("odd", ["$b.duckdb", "a b'c.duckdb", "`touch made`.duckdb"])
def test_sql_opens_the_file_of_any_name_and_gets_the_query_whole(make: Make, odd: str) -> None:
    file = make.folder / odd
    file.touch()
    query = 'select "a", \'b\', `c`, $d from "t" -- 100% # e'
    assert make.run("sql", WAREHOUSE=f"duckdb:{file}", SQL=query) == ["duckdb", "-readonly", str(file), "-c", query]
    assert make.run("sql", WAREHOUSE=f"duckdb:{odd}") == ["duckdb", "-readonly", odd]


def test_sql_finds_the_file_of_an_output_that_is_a_file_uri(make: Make) -> None:
    file = make.folder / "an output" / "warehouse.duckdb"
    file.parent.mkdir()
    file.touch()
    interpreter = make.folder / "venv" / "bin" / "python"
    interpreter.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    uri = (make.folder / "an output").as_uri()
    assert make.run("sql", OUTPUT=uri) == ["duckdb", "-readonly", str(file)]


def test_args_are_words_for_the_shell(make: Make) -> None:
    words = make.run("run-local", INPUT="in", OUTPUT="s3://b/x", ARGS="--k 3 --card 'my card.json'")
    assert words == [*pipeline("2018-10-17", "in", "s3://b/x", ""), "--k", "3", "--card", "my card.json"]


def test_the_sample_is_written_once(make: Make) -> None:
    sample = "build/sample-30-7"
    (make.folder / sample).mkdir(parents=True)
    drawn = ["python", "-m", "jobs.sample", "--orders", "30", "--seed", "7", "--output", sample]
    assert make.run("run-local", ORDERS="30", SEED="7") == [
        *drawn,
        *pipeline("2018-10-17", sample, "output", "duckdb:output/warehouse.duckdb"),
    ]
    (make.folder / sample / ".whole").unlink()
    assert make.run("sample", ORDERS="30", SEED="7") == drawn


def test_the_version_of_python_is_asked_for_once(tmp_path: Path) -> None:
    python, calls = tmp_path / "python", tmp_path / "calls"
    python.write_text(f'#!/bin/sh\necho asked >> "{calls}"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    command = ["make", "-n", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}", "lint-code"]
    shown = subprocess.run(command, cwd=MAKEFILE.parent, capture_output=True, text=True, check=True).stdout
    assert "ruff check" in shown
    assert calls.read_text().splitlines() == ["asked"]
