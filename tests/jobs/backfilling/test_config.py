"""The command line of a backfill, and the command that continues it."""

import shlex
from datetime import date

import pytest

from jobs.backfilling.config import BackfillConfig
from jobs.cli.config import ClustersConfig, FeaturesConfig, RunOptions
from jobs.cli.schedule import Schedule
from jobs.errors import ConfigurationError

DAYS = ["--from", "2018-01-31", "--to", "2018-12-31", "--every", "month"]
REQUIRED = [*DAYS, "--output", "out"]
CHECKED = "2018-12-31-checked"


def test_each_run_has_the_options_of_a_run_of_the_pipeline() -> None:
    config = BackfillConfig.from_argv([*REQUIRED, "--input", "in", "--k", "3", "--smallest-cell", "7"])
    day = date(2018, 2, 28)
    assert config.schedule == Schedule(date(2018, 1, 31), date(2018, 12, 31), "month")
    assert (config.features, config.clusters) == (FeaturesConfig(), ClustersConfig(k=3))
    assert config.options_of_run(day, becomes_current=False) == RunOptions(
        as_of=day, output="out", becomes_current=False, smallest_cell=7
    )


@pytest.mark.parametrize(
    "beginning",
    [
        ["--input", "in put", "--source", "ledger", "--mapping=bank.yml", "--match", "2017-12-31-x"],
        ["--checked-run", "2018-12-31-other", "--start-at", "2018-02-28"],
    ],
)
def test_the_command_that_continues_has_the_other_options_as_they_are(beginning: list[str]) -> None:
    kept = ["--output", "out", "--order-statuses=delivered", "--max-quarantined", "0.5", "--card", "my card.json"]
    config = BackfillConfig.from_argv([*beginning, *DAYS, *kept])
    command = shlex.split(config.command_from(date(2018, 5, 31), checked_run=CHECKED))
    assert command[:3] == ["python", "-m", "jobs.backfill"]
    assert command[3:] == [*DAYS, *kept, "--start-at", "2018-05-31", "--checked-run", CHECKED]
    continued = BackfillConfig.from_argv(command[3:])
    assert continued.schedule.days == config.schedule.days[-8:]
    assert (continued.checked_run, continued.input, continued.clusters.match) == (CHECKED, None, None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no tables to read: expected --input FOLDER"),
        (["--input", "in", "--checked-run", CHECKED], "--input with --checked-run: a backfill reads one of them"),
        (
            ["--checked-run", CHECKED, "--source", "ledger", "--mapping", "m"],
            "--source with --checked-run: run 2018-12-31-checked has kept its source",
        ),
        (["--input", "in", "--mapping", "m"], "--mapping without --source ledger"),
        (["--input", "in", "--every", "day"], "invalid --every 'day': expected one of"),
        (["--input", "in", "--from", "2018-02-30"], "invalid --from '2018-02-30': expected a date"),
        (["--input", "in", "--as-of", "2018-02-28"], "unknown option --as-of: it belongs to ingest"),
        (["--input", "in", "--warehouse", "duckdb:w"], "unknown option --warehouse: it belongs to pipeline"),
        (["--input", "in", "--run-id", "x"], "unknown option --run-id"),
    ],
)
def test_an_invalid_command_line_says_what_was_expected(arguments: list[str], says: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        BackfillConfig.from_argv([*REQUIRED, *arguments])
    assert says in str(error.value)
