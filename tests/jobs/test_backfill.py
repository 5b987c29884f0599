"""Runs as of several days in one go: equal to separate runs, in the order of days, complete whatever comes after."""

import json
import os
import re
import shlex
import signal
from pathlib import Path

import pytest

from jobs import backfill, pipeline
from jobs.backfill import RawTables
from jobs.backfilling.config import BackfillConfig
from jobs.storage.store import RunStore
from tests.jobs.backfilling.compared import ReadRun, assert_equal_runs
from tests.jobs.shop import shop
from tests.jobs.sources.kept_ledgers import MAPPING, by_day, write
from tests.log_lines import without_logs
from tests.raw_files import RawFiles

pytestmark = pytest.mark.usefixtures("spark")

MONTHLY = ["--every", "month"]
OPTIONS = ["--k", "3", "--smallest-cell", "2"]


def made_separately(raw: RawFiles, output: Path, days: list[str], *options: str) -> None:
    for day in days:
        where = ["--as-of", day, "--input", str(raw.folder), "--output", str(output)]
        assert pipeline.main([*where, *options]) == 0


def backfilled(output: Path, *arguments: str, code: int = 0) -> None:
    assert backfill.main([*MONTHLY, "--output", str(output), *arguments]) == code


def current(output: Path) -> str:
    return str(json.loads((output / "current.json").read_text())["run_id"])


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_year_of_months_equals_separate_runs_and_so_does_the_run_after(tmp_path: Path) -> None:
    raw, whole, apart = shop(tmp_path), tmp_path / "whole", tmp_path / "apart"
    backfilled(whole, "--from", "2017-06-30", "--to", "2018-06-29", "--input", str(raw.folder), *OPTIONS)
    days = [f"2017-{month:02}-30" for month in range(6, 13)] + ["2018-01-30", "2018-02-28"]
    days += [f"2018-{month:02}-30" for month in range(3, 6)]
    made_separately(raw, apart, days, *OPTIONS)
    for output in (whole, apart):
        made_separately(raw, output, ["2018-06-30"], *OPTIONS)
    for day in (*days, "2018-06-30"):
        run = ReadRun.as_of(whole, day, job="pipeline" if day == "2018-06-30" else "backfill")
        assert_equal_runs(run, ReadRun.as_of(apart, day))
        assert run.manifest["becomes_current"]
        assert (whole / "runs" / run.manifest["run_id"] / "report.html").exists()
    [checked] = [path.parent.name for path in whole.glob("runs/*/manifest.json") if '"ingest"' in path.read_text()]
    assert ReadRun.as_of(whole, days[0], job="backfill").manifest["inputs"] == {"checked_run": checked}


@pytest.mark.long
def test_a_backfill_that_ends_in_the_middle_leaves_complete_runs_and_the_command_that_goes_on(
    raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # A month of purchases each: in January, February and March somebody bought something, in April nobody did.
    raw.write()
    output, apart = tmp_path / "output", tmp_path / "apart"
    options = ["--window-months", "1", "--k", "2"]
    first_days = ["--from", "2018-01-31", "--to", "2018-03-31", "--start-at", "2018-03-31"]
    backfilled(output, *first_days, "--input", str(raw.folder), *options)
    [first] = [path.parent.name for path in output.glob("runs/2018-03-31*/report.html")]
    assert current(output) == first
    [checked] = {path.parent.name for path in output.glob("runs/*/manifest.json")} - {first}
    # Days before that of the current run, and then it itself again: only this one becomes current.
    days = ["--from", "2018-01-31", "--to", "2018-05-31"]
    backfilled(output, *days, "--checked-run", checked, "--match", "none", *options, code=3)
    shown = capfd.readouterr()
    by_day = {day: ReadRun.as_of(output, day) for day in ("2018-01-31", "2018-02-28")}
    assert [run.manifest["becomes_current"] for run in by_day.values()] == [False, False]
    assert current(output).startswith("2018-03-31")
    assert current(output) != first
    assert re.search(r"2018-02-28 .* complete .* 1 ", shown.out)
    assert "2 days before the current run's: complete, and current.json was not moved" in shown.out
    [line] = without_logs(shown.err)
    assert line.startswith("backfill: no payment counts as of 2018-04-30")
    command = line.partition("Complete: 2018-01-31, 2018-02-28, 2018-03-31. Continue with: ")[2]
    repeated = [*MONTHLY, "--output", str(output), *days, *options]
    continued = ["--start-at", "2018-04-30", "--checked-run", checked]
    assert shlex.split(command) == ["python", "-m", "jobs.backfill", *repeated, *continued]
    [wreck] = output.glob("runs/2018-04-30*/failure.json")
    assert json.loads(wreck.read_text())["exit_code"] == 3
    # Separate runs follow each other, and so did these: their clusters too, though no reader saw them.
    made_separately(raw, apart, ["2018-01-31"], "--match", "none", *options)
    made_separately(raw, apart, ["2018-02-28"], *options)
    for day, run in by_day.items():
        assert_equal_runs(run, ReadRun.as_of(apart, day))


def test_a_first_day_before_all_purchases_ends_it_before_a_run_is_made(
    raw: RawFiles, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.write()
    output = tmp_path / "output"
    days = ["--from", "2017-11-30", "--to", "2018-05-31"]
    backfilled(output, *days, "--input", str(raw.folder), code=3)
    [line] = without_logs(capfd.readouterr().err)
    assert "nobody bought anything by 2017-11-30: found the first purchase on 2018-01-01" in line
    assert "The first day with a purchase is 2018-01-30" in line
    [checked] = [path.name for path in (output / "runs").iterdir()]
    assert line.endswith(f"--start-at 2018-01-30 --checked-run {checked}")
    backfilled(output, "--from", "2017-11-30", "--to", "2017-12-31", "--checked-run", checked, code=3)
    assert "or by the last day, 2017-12-30. Choose later days" in capfd.readouterr().err


@pytest.mark.long
def test_a_signal_in_the_middle_ends_it_with_a_true_line_and_the_command_that_goes_on(
    raw: RawFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    raw.write()
    output = tmp_path / "output"
    days = ["--from", "2018-01-31", "--to", "2018-03-31"]
    write = RunStore.write_text

    def interrupted_at_the_second_card(store: RunStore, run_id: str, name: str, text: str) -> None:
        if (run_id[:10], name) == ("2018-02-28", "score_card.json"):
            os.kill(os.getpid(), signal.SIGTERM)
        write(store, run_id, name, text)

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "write_text", interrupted_at_the_second_card)
        backfilled(output, *days, "--input", str(raw.folder), "--kmeans", "none", code=143)
    [line] = without_logs(capfd.readouterr().err)
    assert line.startswith("backfill: terminated; the run as of 2018-02-28 is not complete. Complete: 2018-01-31. ")
    assert current(output).startswith("2018-01-31")
    [failure] = output.glob("runs/*/failure.json")
    assert json.loads(failure.read_text())["exit_code"] == 143
    assert backfill.main(shlex.split(line.partition("Continue with: ")[2])[3:]) == 0
    each = [ReadRun.as_of(output, day, job="backfill") for day in ("2018-01-31", "2018-02-28", "2018-03-31")]
    since = [run.manifest["changes"]["since"] for run in each]
    assert [before and before["run_id"] for before in since] == [None, *(run.manifest["run_id"] for run in each[:-1])]


def test_the_days_of_a_ledger_are_read_from_the_window_of_the_first_day_on(tmp_path: Path) -> None:
    # One month up to 2018-09-17 begins on 2018-08-18, and another zone is up to two days away.
    mapping = write(tmp_path, MAPPING)
    place = by_day(tmp_path, "2018-10-17", "2018-09-01", "2018-08-16", "2018-08-15")
    days = ["--from", "2018-08-17", "--to", "2018-10-17", "--start-at", "2018-09-17"]
    source = ["--source", "ledger", "--mapping", mapping, "--window-months", "1"]
    config = BackfillConfig.from_argv([*MONTHLY, *days, "--output", str(tmp_path / "o"), "--input", place, *source])
    [table] = RawTables.of(RunStore(config.run.output), config, place).inputs
    assert sorted(path[0] for path in table.paths) == ["day=2018-08-16", "day=2018-09-01", "day=2018-10-17"]


def test_a_checked_run_that_is_not_there_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    days = ["--from", "2018-01-31", "--to", "2018-05-31"]
    backfilled(tmp_path, *days, "--checked-run", "2018-05-31-none", code=2)
    [line] = capfd.readouterr().err.splitlines()
    assert f"run 2018-05-31-none in {tmp_path} does not exist: no manifest.json. Name a complete run" in line
