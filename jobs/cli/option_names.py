"""Names of options: those of the steps, those that AWS Glue adds to every job, and the name nearest to a misspelt one.

Imports no Spark, so that what submits a step can check its command line before anything starts.
"""

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from jobs.cli.printable import printable

_EVERY_RUN = ("as-of", "output", "run-id", "rules", "engine", "log-format")
_FOR_READERS = ("becomes-current", "smallest-cell")
_INPUT = ("input", "source", "mapping", "max-quarantined")
_FEATURES = (
    *("card", "segments", "score-percentiles", "window-months", "feature-scale", "purchase-value", "order-statuses"),
    *("compare", "max-segment-drift", "validate-days"),
)
_CLUSTERS = ("kmeans", "k", "k-range", "match", "max-drift")
_WAREHOUSE = ("warehouse", "staging", "iam-role")
_CATALOGUE = ("catalogue",)

OPTIONS_BY_STEP = MappingProxyType(
    {
        step: tuple(f"--{name}" for name in names)
        for step, names in {
            "ingest": (*_EVERY_RUN, *_INPUT, "replay"),
            "replay": (*_EVERY_RUN, *_INPUT, "replayed-run"),
            "features": (*_EVERY_RUN, *_FOR_READERS, "checked-run", *_FEATURES, "kmeans"),
            "segments": (
                *(*_EVERY_RUN, *_FOR_READERS, "features-run", "assignments", "score-with", "model-artifact"),
                *(*_CLUSTERS, *_CATALOGUE),
            ),
            "pipeline": (*_EVERY_RUN, *_INPUT, *_FOR_READERS, *_FEATURES, *_CLUSTERS, *_WAREHOUSE, *_CATALOGUE),
            "backfill": (
                *("from", "to", "every", "start-at", "output", "rules", "engine", "log-format"),
                *(*_INPUT, "checked-run", *_FOR_READERS, *_FEATURES, *_CLUSTERS),
            ),
            "publish": ("output", "run", "audience", *_WAREHOUSE, "raw-copy", "input", "log-format"),
            "catalogue": ("output", "run", *_CATALOGUE, "log-format"),
            "sample": ("shape", "orders", "rows", "heaviest", "seed", "output"),
        }.items()
    }
)
"""The options of each step. Its parser has the same, by a test."""

GLUES_OWN = frozenset(
    {
        # Glue adds these to sys.argv of every job: `id_params` of job.py and the reserved names of utils.py in
        # github.com/awslabs/aws-glue-libs.
        *("--JOB_NAME", "--JOB_ID", "--JOB_RUN_ID", "--JOB_MODE", "--SECURITY_CONFIGURATION", "--TempDir"),
        *("--RedshiftTempDir", "--encryption-type", "--encryption_type", "--continuation-option"),
        *("--job-bookmark-option", "--job-bookmark-from", "--job-bookmark-to", "--security-configuration"),
        # Parameters of a job that Glue reads itself, and passes on to the script. Source: "Using job parameters in AWS
        # Glue jobs" (aws-glue-programming-etl-glue-arguments) in the developer guide. Our templates set some of them.
        *("--additional-python-modules", "--python-modules-installer-option", "--python-virtual-env"),
        *("--python-virtual-env-storage-prefix", "--python-virtual-env-version", "--extra-py-files", "--extra-jars"),
        *("--extra-files", "--user-jars-first", "--scriptLocation", "--job-language", "--class", "--conf", "--mode"),
        *("--debug", "--endpoint", "--executor-cores", "--enable-metrics", "--enable-observability-metrics"),
        *("--enable-continuous-cloudwatch-log", "--enable-continuous-log-filter", "--continuous-log-logGroup"),
        *("--continuous-log-logStreamPrefix", "--continuous-log-conversionPattern", "--custom-logGroup-prefix"),
        *("--custom-logStream-prefix", "--enable-spark-ui", "--spark-event-logs-path", "--enable-job-insights"),
        *("--enable-auto-scaling", "--auto-scale-within-microbatch", "--enable-glue-datacatalog"),
        *("--enable-rename-algorithm-v2", "--enable-s3-parquet-optimized-committer"),
        *("--enable-lakeformation-fine-grained-access", "--datalake-formats", "--use-postgres-driver"),
        *("--customer-driver-env-vars", "--customer-executor-env-vars"),
        *("--write-shuffle-files-to-s3", "--write-shuffle-spills-to-s3"),
    }
)
"""Names that Glue, or a Glue job's definition, adds to a step's command line. Other unknown names are refused."""

_ALSO_SPARKS = frozenset({"--conf", "--class", "--mode", "--debug", "--endpoint", "--executor-cores"})
"""Of them, those that people type elsewhere too. They count as Glue's only beside a job's name or id."""

_MARKS_OF_GLUE = frozenset({"--JOB_NAME", "--JOB_ID", "--JOB_RUN_ID"})

_VALUE_LOOKS_LIKE_AN_OPTION = frozenset({"--python-modules-installer-option"})

LONGEST_NAME = 60
"""Longer names are cut in messages."""


def without_glues_own(arguments: Sequence[str]) -> list[str]:
    """A command line without what Glue adds to it: ``--name value``, ``--name=value``, or a ``--name`` alone."""
    names = {argument.partition("=")[0] for argument in arguments}
    passed_over = GLUES_OWN if names & _MARKS_OF_GLUE else GLUES_OWN - _ALSO_SPARKS
    return list(_without(arguments, passed_over))


def _without(arguments: Sequence[str], passed_over: Collection[str]) -> Iterator[str]:
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, separator, _ = argument.partition("=")
        if name not in passed_over:
            yield argument
        elif rest and not separator and (name in _VALUE_LOOKS_LIKE_AN_OPTION or not rest[0].startswith("--")):
            rest.pop(0)


def unknown_option(name: str, names: Collection[str]) -> str:
    """What is wrong with an unknown option, and which is meant: the nearest name, or the steps that have it.

    Args:
        name: as it was given, without ``=value``.
        names: those that are right here.
    """
    shown = printable(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}...")
    everywhere = sorted({option for options in OPTIONS_BY_STEP.values() for option in options})
    if name in everywhere:
        nearest = _nearest(name, names)
        meant = f"; or did you mean {nearest}?" if nearest else ""
        return f"unknown option {shown}: it belongs to {_steps_with(name)}{meant}"
    nearest = _nearest(name, names)
    if nearest:
        return f"unknown option {shown}: did you mean {nearest}?"
    elsewhere = _nearest(name, everywhere)
    if elsewhere:
        return f"unknown option {shown}: did you mean {elsewhere}? It belongs to {_steps_with(elsewhere)}"
    return f"unknown option {shown}: expected an option of this command"


def _steps_with(option: str) -> str:
    return ", ".join(step for step, options in OPTIONS_BY_STEP.items() if option in options)


def _nearest(name: str, names: Collection[str]) -> str | None:
    bare = _bare(name)
    by_bare_name = {_bare(option): option for option in sorted(names) if option.startswith("--")}
    longer = [option for option in by_bare_name if bare and option.startswith(bare)]
    close = get_close_matches(bare, list(by_bare_name), n=1)
    exact = [bare] if bare in by_bare_name else []
    return next((by_bare_name[option] for option in (*exact, *close, *longer[:1])), None)


def _bare(option: str) -> str:
    return option.lstrip("-").replace("_", "-").lower()
