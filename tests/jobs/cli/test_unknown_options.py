"""A misspelt option ends with 2 and the nearest right name; only what Glue adds is passed over, by name."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from deploy.__main__ import main as deploy
from jobs import catalogue, features, ingest, pipeline, publish, replay, sample, segments
from jobs.cli.arguments import Step, parser_of
from jobs.cli.config import PipelineConfig, ingest_config
from jobs.cli.option_names import GLUES_OWN, OPTIONS_BY_STEP, without_glues_own
from jobs.cli.parser import OneLineParser
from jobs.publish import read_arguments

RUN = ["--as-of", "2018-10-17", "--output", "out"]
FILES = [*RUN, "--input", "in"]
LOAD = ["--output", "out", "--warehouse", "duckdb:w"]
JOBS_TEMPLATE = Path(__file__).parents[3] / "deploy" / "cloudformation" / "jobs.yaml"

MISSPELT: list[tuple[Callable[[list[str]], int], list[str], str]] = [
    (pipeline.main, [*FILES, "--order-status", "delivered"], "--order-status: did you mean --order-statuses?"),
    (pipeline.main, [*FILES, "--order-status=delivered"], "--order-status: did you mean --order-statuses?"),
    (pipeline.main, [*FILES, "--max-quarantine", "0"], "--max-quarantine: did you mean --max-quarantined?"),
    (pipeline.main, [*FILES, "-k", "3"], "-k: did you mean --k?"),
    (pipeline.main, [*FILES, "--K", "3"], "--K: did you mean --k?"),
    (pipeline.main, [*FILES, "--max_drift", "0.1"], "--max_drift: did you mean --max-drift?"),
    (pipeline.main, ["-as-of", "2018-10-17", "--input", "in", "--output", "out"], "-as-of: did you mean --as-of?"),
    (pipeline.main, ["--as", "2018-10-17", "--input", "in", "--output", "out"], "--as: did you mean --as-of?"),
    (pipeline.main, [*FILES, "--raw-copy"], "--raw-copy: it belongs to publish"),
    (pipeline.main, [*FILES, "--conf", "spark.executor.memory=9g"], "unknown option --conf"),
    (pipeline.main, [*FILES, "--\x1b[31mred", "1"], r"unknown option --\x1b[31mred"),
    (ingest.main, [*FILES, "--k", "3"], "--k: it belongs to segments, pipeline"),
    (ingest.main, [*FILES, "--order-status=delivered"], "did you mean --order-statuses? It belongs to features, pipe"),
    (ingest.main, [*FILES, "--replays", "x"], "--replays: did you mean --replay?"),
    (replay.main, [*FILES, "--replayed", "x"], "--replayed: did you mean --replayed-run?"),
    (features.main, [*RUN, "--cards", "x"], "--cards: did you mean --card?"),
    (segments.main, ["--output", "out", "--assignment", "x"], "--assignment: did you mean --assignments?"),
    (publish.main, [*LOAD, "--raw_copy"], "--raw_copy: did you mean --raw-copy?"),
    (publish.main, [*LOAD, "--as-of", "2018-10-17"], "--as-of: it belongs to ingest, replay, features, segments, pipe"),
    (catalogue.main, ["--output", "s3://b/o", "--catalog", "shop"], "--catalog: did you mean --catalogue?"),
    (sample.main, ["--output", "x", "--order", "9"], "--order: did you mean --orders?"),
    (deploy, ["outputs", "--prefx", "shop"], "--prefx: did you mean --prefix?"),
    (deploy, ["run", "--asof=2018-10-17"], "--asof: did you mean --as-of?"),
    (deploy, ["--versions"], "--versions: did you mean --version?"),
    (deploy, ["glue", "submit", "--as-of", "2018-10-17", "--no-waits"], "--no-waits: did you mean --no-wait?"),
    (deploy, ["glue", "submit", "--order-status", "all"], "--order-status: did you mean --order-statuses?"),
    (
        deploy,
        ["emr", "submit", "--step", "segments", "--input", "x"],
        "--input: it belongs to ingest, replay, pipeline",
    ),
    (deploy, ["emr", "submit", "--enable-metrics", "true"], "unknown option --enable-metrics"),
    (deploy, ["glue", "status", "--waits", "jr_1"], "--waits: did you mean --wait?"),
]


@pytest.mark.parametrize(("main", "argv", "says"), MISSPELT, ids=[says[:30] for _, _, says in MISSPELT])
def test_an_unknown_option_ends_with_2_and_the_right_name(
    main: Callable[[list[str]], int], argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line
    assert len(line) < 500
    assert line.isprintable()


def test_an_argument_without_a_name_is_refused_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert pipeline.main([*FILES, "delivered"]) == 2
    assert "unrecognized arguments: delivered" in capsys.readouterr().err


def test_a_value_that_looks_like_an_option_is_a_value() -> None:
    assert PipelineConfig.from_argv([*FILES, "--run-id=2018-10-17--k"]).run.run_id == "2018-10-17--k"


def test_what_glue_adds_is_passed_over_in_each_of_its_forms() -> None:
    added = [part for name in sorted(GLUES_OWN) for part in (name, "true")]
    added += ["--python-modules-installer-option", "--no-index", "--TempDir=s3://x/", "--enable-metrics", ""]
    assert PipelineConfig.from_argv([*added, *FILES]) == PipelineConfig.from_argv(FILES)
    assert ingest_config([*FILES, *added]) == ingest_config(FILES)
    assert read_arguments([*LOAD, *added]) == read_arguments(LOAD)
    assert without_glues_own(["--enable-metrics", "--k", "3", "--enable-job-insights"]) == ["--k", "3"]


def test_a_misspelt_option_ends_the_run_on_glue_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert pipeline.main([*FILES, "--JOB_ID", "j_1", "--TempDir", "s3://x/", "--order-status", "delivered"]) == 2
    assert "--order-status: did you mean --order-statuses?" in capsys.readouterr().err


def test_the_options_that_the_templates_set_on_glue_are_known() -> None:
    text = JOBS_TEMPLATE.read_text(encoding="utf-8")
    names = set(re.findall(r'^ +"(--[\w-]+)":', text, re.MULTILINE))
    assert len(names) > 8
    assert names <= GLUES_OWN


@pytest.mark.parametrize("step", OPTIONS_BY_STEP)
def test_the_names_of_a_step_are_those_of_its_parser(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsers: list[argparse.ArgumentParser] = []

    def remember(parser: OneLineParser, *_: object) -> None:
        parsers.append(parser)
        raise KeyboardInterrupt

    monkeypatch.setattr(OneLineParser, "parse_known_args", remember)
    if step == "publish":
        publish.main([])
    elif step == "catalogue":
        catalogue.main([])
    elif step == "sample":
        sample.main([])
    else:
        [known] = [each for each in get_args(Step) if each == step]
        parsers.append(parser_of(known))
    names = [name for name in parsers[0]._option_string_actions if name not in ("-h", "--help", "--version")]
    assert sorted(names) == sorted(OPTIONS_BY_STEP[step])
    assert not GLUES_OWN & set(names)
