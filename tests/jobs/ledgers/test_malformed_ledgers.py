"""Whatever ledger and mapping come in, a run ends with 0, 2 or 3 and one line, and every row of it is in one place."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import duckdb
import pytest

from jobs import ingest, pipeline
from tests.fakes.gate import real_gate
from tests.jobs.ledgers.ledger_runs import LedgerRun, assert_accounted
from tests.jobs.ledgers.malformed_ledgers import AS_OF, KINDS, MalformedLedger, malformed_ledgers
from tests.log_lines import without_logs

pytestmark = pytest.mark.usefixtures("spark")

POINTER = '{"run_id": "2018-01-01-before"}\n'
RUN = f"{AS_OF}-spoiled"

Job = Callable[[Sequence[str]], int]


def rows_on_disk(folder: Path) -> int:
    if not any(folder.glob("*.parquet")):
        return 0
    [(rows,)] = duckdb.sql(f"select count(*) from read_parquet('{folder}/*.parquet')").fetchall()
    return int(rows)


def check_run(ledger: MalformedLedger, job: Job, share: float, folder: Path, capfd: pytest.CaptureFixture[str]) -> int:
    """Run a job over a malformed ledger, see how it ends and what it leaves behind, and return its exit code."""
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    (output / "current.json").write_text(POINTER)
    arguments = ["--as-of", AS_OF, *ledger.write(folder / "input"), "--output", str(output), "--run-id", RUN]
    arguments += ["--max-quarantined", str(share), *(["--kmeans", "none"] if job is pipeline.main else [])]
    capfd.readouterr()
    code = job(arguments)
    shown = without_logs(capfd.readouterr().err)
    assert code in (0, 2, 3), shown
    assert len(shown) == (0 if code == 0 else 1), shown
    assert "".join(shown).isprintable()
    is_moved = (output / "current.json").read_text() != POINTER
    assert is_moved == (code == 0 and job is pipeline.main)
    run = output / "runs" / RUN
    assert (run / "manifest.json").exists() == (code == 0)
    if code == 0:
        assert_accounted(LedgerRun(output, RUN))
    if (run / "quality.json").exists():
        figures = json.loads((run / "quality.json").read_text())["tables"].get("ledger")
        if figures:
            accepted, quarantined = rows_on_disk(run / "ledger"), rows_on_disk(run / "quarantine" / "ledger")
            assert (figures["rows"], figures["quarantined"]) == (accepted + quarantined, quarantined)
            assert ledger.records in (None, accepted + quarantined)
    return code


def check_many(job: Job, count: int, seed: int, folder: Path, capfd: pytest.CaptureFixture[str]) -> set[int]:
    """Do so for so many ledgers, drawn from a seed; return the exit codes. A failure names the seed and the input."""
    random, codes = Random(seed), set()
    seen: set[str] = set()
    for number, ledger in enumerate(malformed_ledgers(random, count)):
        share = random.choice((0.3, 1))
        try:
            codes.add(check_run(ledger, job, share, folder, capfd))
        except BaseException as error:
            error.add_note(f"seed {seed}, input {number}, budget {share}: {ledger}")
            raise
        seen |= {kind for kind, _ in ledger.corruptions}
    assert seen == set(KINDS)
    return codes


def test_6_malformed_ledgers_with_all_kinds_of_faults_end_well(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert check_many(ingest.main, 6, 1, tmp_path, capfd) == {0, 2, 3}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_30_malformed_ledgers_end_well(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert check_many(pipeline.main, 30, 2, tmp_path, capfd) == {0, 2, 3}


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_500_malformed_ledgers_end_well(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with real_gate():
        check_many(pipeline.main, 500, int(os.environ["SOAK_SEED"]), tmp_path, capfd)
