"""The command lines of job runs: the parsers of ``submit``, ``status`` and ``logs``, and the arguments of a job.

A job gets the user's arguments as they are. The stacks supply the others, such as the bucket.
"""

import argparse
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple, cast

from deploy.aws.options import Subparsers, add_deployment_options
from jobs.cli.option_names import GLUES_OWN, OPTIONS_BY_STEP, unknown_option
from jobs.cli.parser import OneLineParser
from jobs.errors import ConfigurationError

STEPS = ("pipeline", "segments", "publish")
DEFAULT_SCHEMA = "public"
"""The schema of a load if there is no stack `nightly`, whose setting ``Schema`` names another one."""

Action = Callable[[argparse.Namespace], None]


class JobParsers(NamedTuple):
    """The three parsers of a platform, to which it adds its own options."""

    submit: OneLineParser
    status: argparse.ArgumentParser
    logs: argparse.ArgumentParser


def add_job_parsers(
    subparsers: Subparsers, platform: str, *, submit: Action, status: Action, logs: Action
) -> JobParsers:
    """Add a platform's command with its three actions.

    Args:
        subparsers: the commands.
        platform: the platform's name; the command has it in lower case.
        submit: starts a job run.
        status: prints the state of a job run.
        logs: prints the log of a job run.
    """
    command = subparsers.add_parser(platform.lower(), help=f"run a step on {platform}, and follow runs")
    actions: Subparsers = command.add_subparsers(required=True, metavar="ACTION", parser_class=type(command))
    submit_help = "start a step and follow it; all other arguments go to the step, such as --as-of"
    parsers = JobParsers(
        submit=cast("OneLineParser", actions.add_parser("submit", help=submit_help)),
        status=actions.add_parser("status", help="print the state of a job run"),
        logs=actions.add_parser("logs", help="print the log of a job run"),
    )
    parsers.submit.add_argument("--no-wait", action="store_true", help="start it, and do not follow it")
    # `check_step_options` checks the step's options, once the step is known.
    parsers.submit.passes_others_on = True
    parsers.submit.set_defaults(job_arguments=None)
    parsers.status.add_argument("--wait", action="store_true", help="follow it until it ends")
    for parser, action in zip(parsers, (submit, status, logs), strict=True):
        parser.set_defaults(run=action)
        add_deployment_options(parser)
    return parsers


def add_step(parser: argparse.ArgumentParser, *, note: str = "") -> None:
    """Add ``--step``, with a note of the platform's in its help."""
    parser.add_argument("--step", choices=STEPS, default="pipeline", help=f"the step (default: pipeline){note}")


def check_step_options(options: argparse.Namespace, *, on_glue: bool) -> None:
    """Refuse an option that neither ``submit`` nor the step has, before anything is started.

    Args:
        options: the parsed command line of ``submit``, with the step's arguments as they came.
        on_glue: whether the options that Glue reads itself may be among them.

    Raises:
        ConfigurationError: There is such an option.
    """
    of_step = {*OPTIONS_BY_STEP[options.step], *(GLUES_OWN if on_glue else ())}
    of_submit = {f"--{name.replace('_', '-')}" for name in vars(options) if name not in ("run", "job_arguments")}
    rest = list(options.job_arguments)
    while rest:
        name, separator, _ = rest.pop(0).partition("=")
        if name in of_step:
            if not separator and rest:
                rest.pop(0)
        elif name.startswith("-"):
            cause = unknown_option(name, {*OPTIONS_BY_STEP[options.step], *of_submit})
            raise ConfigurationError(f"{cause} (see python -m jobs.{options.step} --help). Nothing was started")


def makes_run(step: str) -> bool:
    """Whether a step makes a run. The other step, `publish`, loads one."""
    return step != "publish"


@dataclass(frozen=True)
class JobArguments:
    """The command line of a job.

    Attributes:
        step: the job.
        name: the run that it makes, or for `publish` the run that it loads.
        bucket: the bucket of its runs.
        arguments: the command line.
    """

    step: str
    name: str
    bucket: str
    arguments: tuple[str, ...]

    def as_pairs(self) -> dict[str, str]:
        """The command line in Glue's form: a value for each name.

        Raises:
            ConfigurationError: The command line has something else than pairs of name and value.
        """
        names, values = self.arguments[::2], self.arguments[1::2]
        are_names = all(name.startswith("--") for name in names)
        if not are_names or len(names) != len(values):
            raise ConfigurationError(
                f"invalid job arguments '{' '.join(self.arguments)}': expected --name value pairs, since Glue passes "
                "nothing else to a job"
            )
        return dict(zip(names, values, strict=True))


def run_id_in(arguments: Sequence[str]) -> str:
    """The ``--run-id`` of a command line, of a job or of spark-submit; empty if there is none."""
    return dict(pairwise(arguments)).get("--run-id", "")


def job_arguments(step: str, user_arguments: Sequence[str], outputs: Mapping[str, str]) -> JobArguments:
    """The command line of a job.

    Args:
        step: the job.
        user_arguments: the user's arguments, which come first and win.
        outputs: the outputs of the stacks.

    Raises:
        ConfigurationError: No argument dates or names the run, or the step's role does not allow what they ask for.
    """
    arguments = tuple(part for argument in user_arguments for part in _split(argument))
    return (_arguments_that_make_a_run if makes_run(step) else _arguments_that_load_a_run)(step, arguments, outputs)


def _arguments_that_make_a_run(step: str, arguments: tuple[str, ...], outputs: Mapping[str, str]) -> JobArguments:
    if "--warehouse" in arguments:
        raise ConfigurationError(
            f"--warehouse is for --step publish alone: the role of {step} does not allow a load on AWS. Leave it out, "
            "then load the run with: --step publish --run RUN_ID. Nothing was started"
        )
    names, bucket = _run_names(arguments), outputs["DataBucket"]
    run_id = names.run_id or _new_run_id(step, names)
    defaults = {"--output": f"s3://{bucket}/output", "--run-id": run_id}
    if step == "pipeline":
        defaults["--input"] = f"s3://{bucket}/raw"
    catalogue, options = outputs.get("CatalogueDatabase"), dict(pairwise(arguments))
    # The catalogue is for the runs of the stacks' folder. A run that readers do not see is not registered either.
    is_in_its_folder = options.get("--output", defaults["--output"]).rstrip("/") == defaults["--output"]
    if catalogue and is_in_its_folder and options.get("--becomes-current") != "no":
        defaults["--catalogue"] = catalogue
    return JobArguments(step, run_id, bucket, _with_defaults(arguments, defaults))


def _arguments_that_load_a_run(step: str, arguments: tuple[str, ...], outputs: Mapping[str, str]) -> JobArguments:
    bucket = outputs["DataBucket"]
    if "--warehouse" not in arguments and "Workgroup" not in outputs:
        raise ConfigurationError(
            f"--step {step}: no stack has the output Workgroup, expected a warehouse to load into. Create it with "
            "`up --only warehouse`, or name another one with --warehouse. Nothing was started"
        )
    defaults = {
        # An audience is loaded by itself, and the step refuses a run beside it.
        **({} if "--audience" in arguments else {"--output": f"s3://{bucket}/output"}),
        "--warehouse": _warehouse_address(outputs),
        "--staging": f"s3://{bucket}/staging",
        "--iam-role": "default",
    }
    name = _run_names(arguments).run or _unique_suffix()
    return JobArguments(step, name, bucket, _with_defaults(arguments, defaults))


def _warehouse_address(outputs: Mapping[str, str]) -> str:
    """The address of the stacks' warehouse, with the schema of the nightly loads; empty if there is no warehouse."""
    if "Workgroup" not in outputs:
        return ""
    return f"redshift://{outputs['Workgroup']}/{outputs['Database']}/{outputs.get('Schema', DEFAULT_SCHEMA)}"


def _with_defaults(arguments: tuple[str, ...], defaults: Mapping[str, str]) -> tuple[str, ...]:
    added = [part for name, value in defaults.items() if name not in arguments for part in (name, value)]
    return (*arguments, *added)


def _split(argument: str) -> tuple[str, ...]:
    name, separator, value = argument.partition("=")
    return (name, value) if separator and name.startswith("--") else (argument,)


def _run_names(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser(prog="python -m deploy", add_help=False)
    parser.passes_others_on = True
    for name in ("--as-of", "--run-id", "--run", "--features-run"):
        parser.add_argument(name)
    names: argparse.Namespace = parser.parse_known_args(list(arguments))[0]
    return names


def _new_run_id(step: str, names: argparse.Namespace) -> str:
    as_of = names.as_of or (names.features_run or "")[:10]
    if not as_of:
        missing = "--as-of YYYY-MM-DD" if step == "pipeline" else "--features-run RUN_ID"
        raise ConfigurationError(f"no {missing}: expected it among the arguments of {step}. Nothing was started")
    return f"{as_of}-{_unique_suffix()}"


def _unique_suffix() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
