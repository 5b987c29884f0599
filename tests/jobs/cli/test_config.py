"""The command lines: what they state, and what an invalid argument says."""

from datetime import date

import pytest

from jobs.cli.config import (
    ClustersConfig,
    FeaturesConfig,
    FeaturesRunConfig,
    IngestConfig,
    PipelineConfig,
    ReplayConfig,
    RunOptions,
    SegmentsConfig,
    hash_of,
    ingest_config,
)
from jobs.errors import ConfigurationError

AS_OF = date(2018, 10, 17)
REQUIRED = ["--as-of", "2018-10-17", "--input", "in", "--output", "out"]


def test_the_defaults_are_the_workshops_statuses_and_the_sum_of_payments() -> None:
    config = PipelineConfig.from_argv(REQUIRED)
    run = RunOptions(as_of=AS_OF, output="out")
    assert config == PipelineConfig(run, "in", FeaturesConfig(), ClustersConfig())
    assert config.features.measured_by(as_of=AS_OF) == {
        "as_of": "2018-10-17",
        "order_statuses": "all",
        "purchase_value": "sum",
        "window_months": None,
    }


def test_each_step_reads_its_own_command_line() -> None:
    run = RunOptions(as_of=AS_OF, output="out")
    assert ingest_config(REQUIRED) == IngestConfig(run, "in")
    assert FeaturesRunConfig.from_argv(["--as-of", "2018-10-17", "--output", "out", "--checked-run", "x"]) == (
        FeaturesRunConfig(run, FeaturesConfig(), "x")
    )
    assert SegmentsConfig.from_argv(["--output", "out", "--k", "3"]) == SegmentsConfig("out", ClustersConfig(k=3))


def test_a_replay_is_asked_for_in_two_ways_that_mean_the_same() -> None:
    replay = ReplayConfig(RunOptions(as_of=AS_OF, output="out"), "in", "2018-10-17-broken")
    assert ingest_config([*REQUIRED, "--replay", "2018-10-17-broken"]) == replay
    assert ReplayConfig.from_argv([*REQUIRED, "--replayed-run", "2018-10-17-broken"]) == replay


def test_an_abbreviation_is_no_argument() -> None:
    with pytest.raises(ConfigurationError, match="unknown option --as: did you mean --as-of"):
        PipelineConfig.from_argv(["--as", "2018-10-17", "--input", "in", "--output", "out"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--as-of", "2018-02-30"], "invalid --as-of '2018-02-30': expected a date such as 2018-10-17"),
        (["--as-of", "20181017"], "invalid --as-of '20181017': expected a date"),
        (
            ["--order-statuses", "deliverd"],
            "invalid --order-statuses 'deliverd': expected statuses of approved, canceled",
        ),
        (["--purchase-value", "mean"], "invalid --purchase-value 'mean': expected one of "),
        (["--k", "1"], "invalid --k '1': expected a number of clusters from 2 to 100, or auto"),
        (["--k-range", "8-2"], "invalid --k-range '8-2': expected two numbers of clusters, such as 2-8"),
        (["--max-drift", "-1"], "invalid --max-drift '-1': expected a number from 0, such as 0.1"),
        (["--max-quarantined", "2"], "invalid --max-quarantined '2': expected a share from 0 to 1, such as 0.01"),
        (["--validate-days", "0"], "invalid --validate-days '0': expected a number of days from 1 to 3650"),
        (["--validate-days", "3651"], "invalid --validate-days '3651': expected a number of days from 1 to 3650"),
        (["--run-id", "nightly"], "invalid --run-id 'nightly': expected the as-of date and then"),
        (["--run-id", "2018-10-17/../x"], "invalid --run-id '2018-10-17/../x': expected"),
        (["--run-id", ""], "invalid --run-id '': expected"),
        (["--card", ""], "invalid --card '': expected a value"),
        (["--log-format", "xml"], "invalid --log-format 'xml': expected one of "),
        (["--warehouse", "duckdb:w", "--becomes-current", "no"], "jobs.publish --run RUN_ID loads a run later"),
        (["--run-id", "2018-10-16-x"], "expected an id that starts with the as-of date 2018-10-17"),
    ],
)
def test_an_invalid_argument_is_named_with_what_was_expected(arguments: list[str], says: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        PipelineConfig.from_argv([*REQUIRED, *arguments])
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kmeans", "none"], "expected --assignments or --score-with"),
        (["--model-artifact", "m"], "--model-artifact without --assignments"),
    ],
)
def test_segments_that_nobody_assigns_are_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        SegmentsConfig.from_argv(["--output", "out", *arguments])


def test_segments_have_the_as_of_date_of_the_features_run() -> None:
    stated = SegmentsConfig.from_argv(["--output", "out", "--as-of", "2018-10-16"])
    with pytest.raises(ConfigurationError, match=r"'2018-10-16': run r is as of 2018-10-17\. Leave --as-of out"):
        stated.run_options(features_run="r", as_of=AS_OF)
    not_stated = SegmentsConfig.from_argv(["--output", "out"])
    assert not_stated.run_options(features_run="r", as_of=AS_OF) == RunOptions(as_of=AS_OF, output="out")


def test_the_order_of_statuses_does_not_make_another_configuration() -> None:
    one = PipelineConfig.from_argv([*REQUIRED, "--order-statuses", "shipped,delivered"]).features
    other = PipelineConfig.from_argv([*REQUIRED, "--order-statuses", "delivered,shipped,shipped"]).features
    assert hash_of(one.measured_by(as_of=AS_OF)) == hash_of(other.measured_by(as_of=AS_OF))
    assert one.order_statuses == ("delivered", "shipped")


def test_where_files_are_is_not_part_of_the_configuration() -> None:
    here = PipelineConfig.from_argv(REQUIRED).features
    there = PipelineConfig.from_argv(["--as-of", "2018-10-17", "--input", "x", "--output", "y"]).features
    assert hash_of(here.measured_by(as_of=AS_OF)) == hash_of(there.measured_by(as_of=AS_OF))


def test_help_tells_of_every_argument_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        PipelineConfig.from_argv(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for word in ("--as-of", "--input", "--output", "--card", "--purchase-value", "--order-statuses", "exit codes:"):
        assert word in shown
