"""What a job is given: the user's arguments as they are, and what follows from the stacks where they say nothing."""

import argparse
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from jobs.cli.parser import OneLineParser
from jobs.errors import ConfigurationError

STEPS = ("pipeline", "segments", "publish")


def makes_run(step: str) -> bool:
    """Whether a step makes a run; otherwise it loads one."""
    return step != "publish"


@dataclass(frozen=True)
class JobArguments:
    """The command line of a job.

    Attributes:
        step: the job.
        name: the run that it makes, or for `publish` the run that it loads.
        bucket: where its runs are.
        arguments: the command line.
    """

    step: str
    name: str
    bucket: str
    arguments: tuple[str, ...]

    def as_pairs(self) -> dict[str, str]:
        """The command line as Glue takes it: a value for each name.

        Raises:
            ConfigurationError: It is not made of names and values.
        """
        names, values = self.arguments[::2], self.arguments[1::2]
        odd = [name for name in names if not name.startswith("--")]
        if odd or len(names) != len(values):
            raise ConfigurationError(
                f"job arguments {' '.join(self.arguments)}: expected --name value pairs, which is what Glue hands on"
            )
        return dict(zip(names, values, strict=True))


def run_id_in(arguments: Sequence[str]) -> str:
    """The run that a command line makes, that of spark-submit or of a job alone; empty where it names none."""
    return dict(pairwise(arguments)).get("--run-id", "")


def job_arguments(step: str, given: Sequence[str], known: Mapping[str, str]) -> JobArguments:
    """The command line of a job.

    Args:
        step: the job.
        given: the user's arguments, which go first and win.
        known: what the stacks give out.

    Raises:
        ConfigurationError: What names the run is missing, or the step's role may not do what is asked.
    """
    given = tuple(part for argument in given for part in _split(argument))
    return (_that_make_a_run if makes_run(step) else _that_load_a_run)(step, given, known)


def _that_make_a_run(step: str, given: tuple[str, ...], known: Mapping[str, str]) -> JobArguments:
    if "--warehouse" in given:
        raise ConfigurationError(
            f"--warehouse: on AWS the role of {step} may not load, so nothing was started. Load the run with a step of "
            "its own: --step publish --run RUN_ID"
        )
    named, bucket = _named(given), known["DataBucket"]
    run_id = named.run_id or _fresh_run_id(step, named)
    defaults = {"--output": f"s3://{bucket}/output", "--run-id": run_id}
    if step == "pipeline":
        defaults["--input"] = f"s3://{bucket}/raw"
    return JobArguments(step, run_id, bucket, _filled_up(given, defaults))


def _that_load_a_run(step: str, given: tuple[str, ...], known: Mapping[str, str]) -> JobArguments:
    bucket = known["DataBucket"]
    defaults = {
        "--output": f"s3://{bucket}/output",
        "--warehouse": f"redshift://{known['Workgroup']}/{known['Database']}/{known['Schema']}",
        "--staging": f"s3://{bucket}/staging",
        "--iam-role": "default",
    }
    return JobArguments(step, _named(given).run or _stamp(), bucket, _filled_up(given, defaults))


def _filled_up(given: tuple[str, ...], defaults: Mapping[str, str]) -> tuple[str, ...]:
    added = [part for name, value in defaults.items() if name not in given for part in (name, value)]
    return (*given, *added)


def _split(argument: str) -> tuple[str, ...]:
    name, is_joined, value = argument.partition("=")
    return (name, value) if is_joined and name.startswith("--") else (argument,)


def _named(given: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser(prog="python -m deploy", allow_abbrev=False, add_help=False)
    for name in ("--as-of", "--run-id", "--run", "--features-run"):
        parser.add_argument(name)
    return parser.parse_known_args(list(given))[0]


def _fresh_run_id(step: str, named: argparse.Namespace) -> str:
    as_of = named.as_of or (named.features_run or "")[:10]
    if not as_of:
        needed = "--as-of YYYY-MM-DD" if step == "pipeline" else "--features-run RUN_ID"
        raise ConfigurationError(f"{needed} is missing, expected it among the job's arguments; nothing was started")
    return f"{as_of}-{_stamp()}"


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
