"""The command: what it prints, how it ends, and the runs that it takes."""

import json
import sys
from pathlib import Path

import duckdb
import pytest

from jobs import verify
from jobs.storage.s3 import S3Folder
from tests.jobs.complete_runs import Ran
from tests.jobs.verifying.conftest import SECOND
from tests.jobs.verifying.damaged_runs import DamagedRun

DOCUMENT = (Path(__file__).parents[3] / "docs" / "verify.md").read_text(encoding="utf-8")
RELEASE_0_1 = Path(__file__).parents[1] / "data" / "release-0.1"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = verify.main(arguments)
    output = capsys.readouterr()
    return code, output.out, output.err


def test_a_run_that_holds_ends_with_0_and_says_what_was_compared(
    two_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "--output", str(two_runs))
    assert (code, err) == (0, "")
    assert f"Run {SECOND}, as of {SECOND[:10]}: " in out
    assert "0 failed, 0 not checked" in out
    # What docs/verify.md shows.
    assert out.strip() in DOCUMENT


def test_a_row_that_is_off_ends_with_3_and_is_named(damaged: DamagedRun, capsys: pytest.CaptureFixture[str]) -> None:
    damaged.rewrite(
        "rfm",
        "select * replace (if(customer_unique_id = (select min(customer_unique_id) from rows), "
        "total_value + 1, total_value) as total_value) from rows",
    )
    code, out, err = run(capsys, SECOND, "--output", str(damaged.output))
    with duckdb.connect() as connection:
        query = (
            f"select min(customer_unique_id), arg_min(total_value, customer_unique_id) from '{damaged.files('rfm')[0]}'"
        )
        [(customer, value)] = connection.execute(query).fetchall()
    assert code == 3
    assert f"rfm: purchases: customer_unique_id {customer}: total_value: found {value}, expected {value - 1}" in out
    [line] = err.splitlines()
    assert line.startswith(f"verify: run {SECOND}: ")
    assert "expected none" in line


def test_json_has_every_check_and_the_first_rows_that_are_off(
    damaged: DamagedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged.rewrite("segment_history", "select * replace (1 as runs_in_segment) from rows")
    code, out, _ = run(capsys, "--output", str(damaged.output), "--json")
    content = json.loads(out)
    assert (code, content["run_id"], content["passed"]) == (3, SECOND, False)
    [check] = [check for check in content["checks"] if check["result"] == "failed"]
    assert check["name"] == "segment_history: since when"
    assert check["rows"] > check["off"] > 5 == len(check["faults"])
    assert check["faults"][0] == {
        "key": check["faults"][0]["key"],
        "what": "runs_in_segment",
        "found": "1",
        "expected": "2",
    }


def test_a_run_of_release_0_1_holds_and_what_it_lacks_is_not_checked(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--output", str(RELEASE_0_1), "--json")
    results = {check["name"]: check["result"] for check in json.loads(out)["checks"]}
    assert code == 0
    assert results["rfm: purchases"] == results["customer_segments: distance"] == "passed"
    assert results["rfm: scores"] == results["segment_history"] == "not checked"


def test_a_run_without_clusters_holds(plain_run: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--output", str(plain_run.output))
    assert code == 0
    assert "not checked: the run has no table customer_segments" in out


def test_a_run_in_s3_is_compared_by_etags_and_rows(
    two_runs: Path, folder: S3Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.copy_in(two_runs, "output")
    manifest = json.loads((two_runs / "runs" / SECOND / "manifest.json").read_text())
    since = manifest["changes"]["since"]["run_id"]
    for run_id in (SECOND, since):
        content = json.loads((two_runs / "runs" / run_id / "manifest.json").read_text())
        for table, files in content["outputs"].items():
            for entry in files:
                described = folder.describe("output", "runs", run_id, *table.split("/"), entry["file"])
                entry["etag"] = described.etag
                del entry["sha256"]
        folder.write_text(json.dumps(content), "output", "runs", run_id, "manifest.json")
    output = folder.display_path("output")
    code, out, err = run(capsys, "--output", output)
    assert (code, err) == (0, "")
    [name, *_] = [each for each in folder.names("output", "runs", SECOND, "rfm") if each.endswith("parquet")]
    folder.write_text("nothing", "output", "runs", SECOND, "rfm", name)
    code, out, _ = run(capsys, "--output", output)
    assert code == 3
    assert "files: tables: table rfm" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "arguments are required: --output"),
        (["--output", "OUTPUT", "2018-06-30-nobody"], "does not exist"),
        (["--output", "OUTPUT", "../2018"], "invalid run id"),
        (["--output", "OUTPUT", "--jsn"], "--jsn"),
    ],
)
def test_bad_arguments_end_with_2(
    arguments: list[str], message: str, two_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *[str(two_runs) if each == "OUTPUT" else each for each in arguments])
    assert (code, out) == (2, "")
    assert message in err


def test_an_output_folder_without_a_current_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--output", str(tmp_path))
    assert code == 2
    assert "nothing to verify" in err


def test_without_the_package_duckdb_the_message_says_how_to_install_it(
    two_runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    code, _, err = run(capsys, "--output", str(two_runs))
    assert code == 2
    assert "pip install 'olist-rfm-segments[duckdb]'" in err
