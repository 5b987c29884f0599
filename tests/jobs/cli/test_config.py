"""The command line: what is taken, and what is said of the rest."""

from datetime import date

import pytest

from jobs.cli.config import RunConfig, hash_of
from jobs.errors import ConfigurationError

REQUIRED = ["--as-of", "2018-10-17", "--input", "in", "--output", "out"]


def test_the_defaults_are_the_workshops_statuses_and_the_sum_of_payments() -> None:
    config = RunConfig.from_argv(REQUIRED, step="pipeline")
    assert config == RunConfig(step="pipeline", as_of=date(2018, 10, 17), input="in", output="out")
    assert config.meaning() == {"as_of": "2018-10-17", "order_statuses": "all", "purchase_value": "sum"}


def test_what_glue_puts_on_the_command_line_is_left_alone_and_remembered_by_name() -> None:
    config = RunConfig.from_argv([*REQUIRED, "--JOB_NAME", "rfm", "--TempDir", "s3://x/"], step="pipeline")
    assert config.ignored_arguments == ("--JOB_NAME", "--TempDir")


def test_an_abbreviation_is_no_argument() -> None:
    with pytest.raises(ConfigurationError, match="required: --as-of"):
        RunConfig.from_argv(["--as", "2018-10-17", "--input", "in", "--output", "out"], step="pipeline")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--as-of", "2018-02-30"], "'2018-02-30' is no date (expected YYYY-MM-DD, such as 2018-10-17)"),
        (["--as-of", "20181017"], "'20181017' is no date"),
        (["--order-statuses", "deliverd"], "no order status 'deliverd' (expected some of: approved, canceled"),
        (["--purchase-value", "mean"], "invalid choice: 'mean'"),
        (["--run-id", "nightly"], "--run-id 'nightly': expected the as-of date and then"),
        (["--run-id", "2018-10-17/../x"], "--run-id '2018-10-17/../x': expected"),
        (["--card", ""], "--card: found nothing, expected a value"),
        (["--warehouse", "duckdb:w", "--becomes-current", "no"], "jobs.publish --run RUN_ID loads a run later"),
        (["--run-id", "2018-10-16-x"], "does not start with the as-of date 2018-10-17"),
    ],
)
def test_an_argument_that_does_not_parse_is_named_with_what_was_expected(arguments: list[str], says: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        RunConfig.from_argv([*REQUIRED, *arguments], step="pipeline")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_the_order_of_statuses_does_not_make_another_configuration() -> None:
    one = RunConfig.from_argv([*REQUIRED, "--order-statuses", "shipped,delivered"], step="pipeline")
    other = RunConfig.from_argv([*REQUIRED, "--order-statuses", "delivered,shipped,shipped"], step="pipeline")
    assert hash_of(one.meaning()) == hash_of(other.meaning())
    assert one.order_statuses == ("delivered", "shipped")


def test_where_files_are_is_not_part_of_the_configuration() -> None:
    here = RunConfig.from_argv(REQUIRED, step="pipeline")
    there = RunConfig.from_argv(["--as-of", "2018-10-17", "--input", "x", "--output", "y"], step="pipeline")
    assert hash_of(here.meaning()) == hash_of(there.meaning())


def test_help_tells_of_every_argument_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        RunConfig.from_argv(["--help"], step="pipeline")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for word in ("--as-of", "--input", "--output", "--card", "--purchase-value", "--order-statuses", "exit codes:"):
        assert word in shown
