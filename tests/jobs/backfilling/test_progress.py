"""What the last line says of a backfill that ends in the middle, and what its summary says."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.backfilling.config import BackfillConfig
from jobs.backfilling.progress import MadeRun, Progress
from jobs.cli import interruptions
from jobs.runs.totals import Total

DAYS = ["--from", "2018-01-31", "--to", "2018-03-31", "--every", "month"]
CHECKED = "2018-03-31-checked"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    interruptions.state_is(interruptions.UNCHANGED)
    return tmp_path


def progress(output: Path, *options: str) -> Progress:
    config = BackfillConfig.from_argv([*DAYS, "--output", str(output), "--input", "in", *options])
    return Progress(config, checked_run=CHECKED)


def made(day: str, *, is_current: bool = True) -> MadeRun:
    total = Total(1_234, Decimal("5678.9000"))
    return MadeRun(date.fromisoformat(day), f"{day}-made", total, None, is_current, 12.34)


def test_nothing_is_advised_before_there_are_checked_tables(output: Path) -> None:
    beginning = progress(output)
    beginning.checked_run = None
    assert beginning.with_advice("the data is not fit to use") == "the data is not fit to use"


def test_the_command_begins_with_the_first_day_that_has_no_complete_run(output: Path) -> None:
    begun = progress(output)
    assert begun.with_advice("it failed.").startswith("it failed. No day is complete. Continue with: ")
    assert "--start-at 2018-01-31" in begun.how_to_continue()
    assert begun.state() == interruptions.UNCHANGED
    begun.made.append(made("2018-01-31"))
    assert begun.how_to_continue().startswith("Complete: 2018-01-31. Continue with: python -m jobs.backfill --from")
    assert begun.how_to_continue().endswith(f"--start-at 2018-02-28 --checked-run {CHECKED}")
    assert begun.state() == "the run as of 2018-02-28 is not complete"


def test_a_run_that_was_complete_before_its_work_ended_is_not_made_again(output: Path) -> None:
    interrupted = progress(output)
    interrupted.made += [made("2018-01-31"), made("2018-02-28")]
    interrupted.begun = "2018-03-31-begun"
    (output / "runs" / interrupted.begun).mkdir(parents=True)
    assert "--start-at 2018-03-31" in interrupted.how_to_continue()
    (output / "runs" / interrupted.begun / "manifest.json").write_text("{}")
    assert interrupted.how_to_continue() == "All 3 days have complete runs"


def test_the_summary_says_what_became_current_and_what_needs_the_checked_tables(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = progress(output)
    whole.made += [made("2018-01-31", is_current=False), made("2018-02-28")]
    whole.announce(current="2018-02-15-nightly")
    whole.show()
    shown = capsys.readouterr().out
    assert "3 days, one every month: 2018-01-31, 2018-02-28, 2018-03-31" in shown
    assert "The current run is 2018-02-15-nightly. Runs as of days before it do not become current" in shown
    assert "2018-01-31-made │ complete       │     1,234 │ 5,678.90" in shown
    assert "2018-02-28-made │ became current" in shown
    assert "1 day before the current run's: complete, and current.json was not moved" in shown
    assert f"checked tables: run {CHECKED}" in shown
    assert f"jobs.publish --output {output} --run 2018-02-28-made --warehouse duckdb:FILE" in shown


def test_runs_that_were_not_to_become_current_are_announced_and_summed_up(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unseen = progress(output, "--becomes-current", "no")
    unseen.made.append(made("2018-01-31", is_current=False))
    unseen.announce(current="2018-02-15-nightly")
    unseen.show()
    shown = capsys.readouterr().out
    assert "None of their runs becomes the current run (--becomes-current no)" in shown
    assert "current.json was not moved (--becomes-current no)" in shown
    assert "before the current run's" not in shown
