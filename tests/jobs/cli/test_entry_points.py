"""How an entry point ends: by another exit code than 0, or by the end of the file.

AWS Glue runs a step's file inside a program of its own, which may take any ``SystemExit`` for a failure, 0 included.
"""

import ast
import runpy
import sys
from pathlib import Path

import pytest

from deploy.job_runs.arguments import STEPS
from deploy.packaging.bundle import project_wheel

JOBS = Path(__file__).parents[3] / "jobs"
ENTRY_POINTS = sorted(path for path in JOBS.glob("*.py") if '__name__ == "__main__"' in path.read_text())
ENDING = 'if __name__ == "__main__":\n    if code := main():\n        sys.exit(code)'


def ending_of(source: str) -> str:
    return ast.unparse(ast.parse(source).body[-1]).replace("'", '"')


def calls_of_exit(source: str) -> int:
    return sum(isinstance(node, ast.Attribute) and node.attr == "exit" for node in ast.walk(ast.parse(source)))


def test_the_entry_points_are_those_of_the_steps() -> None:
    assert {"pipeline", "segments", "publish", "ingest", "features", "__main__"} <= {path.stem for path in ENTRY_POINTS}


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: path.stem)
def test_an_entry_point_exits_for_another_code_than_0_alone(path: Path) -> None:
    source = path.read_text()
    assert ending_of(source) == ending_of(ENDING)
    assert calls_of_exit(source) == 1


def test_the_scripts_that_are_shipped_end_so_too() -> None:
    content = project_wheel()
    for step in STEPS:
        assert ending_of(content[f"jobs/{step}.py"].decode()) == ending_of(ENDING)


def test_a_script_that_succeeds_raises_no_exit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.csv"
    ledger.write_text(
        "customer,day,amount\n" + "".join(f"c{day % 9},2024-01-{day:02},{day}.50\n" for day in range(1, 29))
    )
    monkeypatch.setattr(sys, "argv", ["ledger.py", "propose", str(ledger)])
    runpy.run_path(str(JOBS / "ledger.py"), run_name="__main__")
    assert "customer_id_col" in capsys.readouterr().out


def test_a_script_that_fails_exits_with_its_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["ledger.py", "propose", str(tmp_path / "nothing.csv")])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(JOBS / "ledger.py"), run_name="__main__")
    assert ended.value.code == 2
