"""The command that makes a run again has the settings of the run, and every step's parser takes it."""

import json
import shlex
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.backfilling.config import BackfillConfig
from jobs.cli.config import FeaturesRunConfig, PipelineConfig, SegmentsConfig
from jobs.reports.figures import Figure
from jobs.reports.made import command_of, inputs_table
from jobs.reports.reported_run import ReportedManifest
from jobs.storage.run_files import read_manifest_as
from transforms.rfm.score_card import Scoring
from transforms.rfm.segments import SegmentMap

FITTED = {"card": "fitted", "scores": {"percentiles": [20, 40, 60, 80], "segment_map": "shipped"}}
FILES = [
    {"table": table, "files": [{"path": f"/data/raw/olist_{table}_dataset.csv", "size": 1, "sha256": "ab"}]}
    for table in ("customers", "orders", "payments")
]


def run(job: str, *, percents: tuple[float, ...] = (20.0, 40.0, 60.0, 80.0), **entries: Any) -> Any:
    """A run of a job, as far as its command needs it."""
    required = {"run_id": "2018-10-17-mine", "as_of": "2018-10-17", "configuration_hash": "ab", "job": job}
    manifest = read_manifest_as(ReportedManifest, json.dumps({**required, **entries}), name="manifest.json")
    scored_by = Scoring({}, percents, SegmentMap("mine", ()))
    card = SimpleNamespace(scored_by=scored_by, clustered_by=SimpleNamespace(kind="minmax"))
    file = SimpleNamespace(file="runs/2018-10-17-mine/score_card.json")
    return SimpleNamespace(manifest=manifest, earlier=[], source=manifest.source, card=card, recorded_card=file)


def arguments_of(run: Any) -> list[str]:
    """The arguments of the command, after the program and its module."""
    return shlex.split(command_of(run, output="/out"))[3:]


def test_a_run_with_the_defaults_has_its_day_and_its_folders_alone() -> None:
    report_run = run("pipeline", configuration=FITTED, inputs={"files": FILES})
    config = PipelineConfig.from_argv(arguments_of(report_run))
    assert arguments_of(report_run) == [
        *("--as-of", "2018-10-17", "--input", "/data/raw", "--kmeans", "none", "--output", "/out"),
    ]
    assert config.features.card is None


def test_settings_that_are_not_the_defaults_are_options() -> None:
    settings = {
        **FITTED,
        "order_statuses": ["delivered", "shipped"],
        "purchase_value": "any",
        "kmeans": {"k": "auto", "k_range": [3, 6]},
    }
    quality = {"rules": {"file": "my rules.yml"}, "max_quarantined": 0.5, "tables": {}}
    kmeans = {"engine": "spark", "centroids_from": "training", "matched_to": "2018-10-10-before"}
    report_run = run(
        "pipeline",
        percents=(10.0, 50.0, 75.0, 95.0),
        configuration=settings,
        inputs={"files": FILES},
        quality=quality,
        kmeans=kmeans,
    )
    config = PipelineConfig.from_argv(arguments_of(report_run))
    assert config.features.order_statuses == ("delivered", "shipped")
    assert (config.features.purchase_value, config.features.percentiles) == ("any", (10, 50, 75, 95))
    assert (config.run.rules, config.run.max_quarantined) == ("my rules.yml", 0.5)
    assert (config.clusters.k, config.clusters.k_range, config.clusters.match) == ("auto", (3, 6), "2018-10-10-before")


@pytest.mark.parametrize(
    "settings",
    [
        {"card": {"name": "mine", "hash": "ab"}},
        {"card": "fitted", "scores": {"percentiles": [20, 40, 60, 80], "segment_map": "abcdef"}},
    ],
)
def test_a_card_that_was_applied_or_has_a_users_map_is_applied_from_the_run(settings: dict[str, Any]) -> None:
    report_run = run("features", configuration=settings, inputs={"checked_run": "2018-10-17-checked"})
    config = FeaturesRunConfig.from_argv(arguments_of(report_run))
    assert (config.features.card, config.checked_run) == (
        "/out/runs/2018-10-17-mine/score_card.json",
        "2018-10-17-checked",
    )


def test_a_run_of_a_backfill_is_made_again_from_the_same_checked_tables() -> None:
    kmeans = {"engine": "spark", "centroids_from": "training", "matched_to": "2018-09-17-before"}
    settings = {**FITTED, "kmeans": {"k": 4, "match": None}}
    checked = {"checked_run": "2018-12-17-checked"}
    report_run = run("backfill", configuration=settings, inputs=checked, kmeans=kmeans)
    config = BackfillConfig.from_argv(arguments_of(report_run))
    assert [str(day) for day in config.schedule.days] == ["2018-10-17"]
    assert (config.checked_run, config.clusters.k) == ("2018-12-17-checked", 4)
    assert config.clusters.match == "2018-09-17-before"


def test_clusters_of_another_engine_or_run_are_taken_from_there() -> None:
    inputs = {"features_run": "2018-10-17-features"}
    kmeans = {"engine": "sagemaker", "centroids_from": "model", "assignments": "s3://bucket/out"}
    settings = {"kmeans": {"engine": "sagemaker", "k": None, "score_with": None}}
    config = SegmentsConfig.from_argv(
        arguments_of(run("segments", configuration=settings, inputs=inputs, kmeans=kmeans))
    )
    assert (config.features_run, config.assignments) == ("2018-10-17-features", "s3://bucket/out")
    settings = {"kmeans": {"engine": "spark", "k": None, "score_with": "2018-10-10-before"}}
    config = SegmentsConfig.from_argv(arguments_of(run("segments", configuration=settings, inputs=inputs)))
    assert config.score_with == "2018-10-10-before"


@pytest.mark.parametrize(
    "paths",
    [
        ["/data/raw/olist_orders_dataset.csv"],
        ["/data/raw/olist_orders_dataset/part-0.csv", "/data/raw/olist_orders_dataset/part-1.csv"],
        ["/data/raw/olist_orders_dataset.csv/part-0.csv"],
        ["/data/raw/Olist_Orders_Dataset.parquet/day=1/part-0.parquet"],
    ],
)
def test_the_input_is_the_folder_of_the_files_or_of_the_folders_of_part_files(paths: list[str]) -> None:
    files = [{"table": "orders", "files": [{"path": path, "size": 1, "sha256": "ab"} for path in paths]}]
    arguments = arguments_of(run("pipeline", configuration=FITTED, inputs={"files": files}))
    assert arguments[arguments.index("--input") + 1] == "/data/raw"


MAPPED = {"file": "runs/2018-10-17-mine/mapping.yml", "sha256": "ab", "given": "/home/ann/mine/bank.yml"}
LEDGER = {"kind": "ledger", "currency": "EUR", "mapping": MAPPED}
RATES = {"file": "runs/2018-10-17-mine/rates.csv", "sha256": "cd", "given": "fx/ecb.csv"}


def ledger_run(*paths: str, given: str, table: dict[str, Any] | None = None, **source: Any) -> Any:
    """A run of a ledger that `--input` gave, of files or of a table of the catalogue."""
    files = [{"path": path, "size": 1234, "sha256": "0123456789abcdef"} for path in paths]
    read = {"table": "ledger", "files": files, **({"catalogue_table": table} if table else {})}
    inputs = {"input": given, "files": [read]}
    return run("pipeline", configuration=FITTED, inputs=inputs, source={**LEDGER, **source})


def test_the_command_of_a_ledger_names_the_mapping_that_the_run_kept() -> None:
    arguments = arguments_of(ledger_run("/data/my ledger.csv", given="/data/my ledger.csv"))
    config = PipelineConfig.from_argv(arguments)
    assert config.input == "/data/my ledger.csv"
    assert (config.source.kind, config.source.mapping) == ("ledger", "/out/runs/2018-10-17-mine/mapping.yml")
    with_slash = command_of(ledger_run("/data/ledger.csv", given="/data/ledger.csv"), output="s3://bucket/out/")
    assert "--mapping s3://bucket/out/runs/2018-10-17-mine/mapping.yml --kmeans" in with_slash


def test_a_mapping_with_rates_is_the_users_since_it_names_them_by_their_place_beside_it() -> None:
    report_run = ledger_run("/data/ledger.csv", given="/data/ledger.csv", rates=RATES)
    assert PipelineConfig.from_argv(arguments_of(report_run)).source.mapping == "/home/ann/mine/bank.yml"


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ("/data/ledger", ["/data/ledger/a.csv"]),
        ("/data/ledger", ["/data/ledger/day=2018-10-17/a.csv"]),
        ("/data/run=5", ["/data/run=5/ledger/2018/a.csv", "/data/run=5/ledger/2017/q1/b.csv"]),
        ("s3://bucket/ledger", ["s3://bucket/ledger/a.csv", "s3://bucket/ledger/b.csv"]),
    ],
)
def test_the_input_is_the_one_that_the_run_was_given_wherever_its_files_are(given: str, paths: list[str]) -> None:
    assert PipelineConfig.from_argv(arguments_of(ledger_run(*paths, given=given))).input == given
    # Of Olist too: the folder is not the one that the names of the files tell.
    files = [{"table": "orders", "files": [{"path": "/x/olist_orders_dataset/a.csv", "size": 1, "sha256": "ab"}]}]
    olist = run("pipeline", configuration=FITTED, inputs={"input": given, "files": files})
    assert PipelineConfig.from_argv(arguments_of(olist)).input == given


@pytest.mark.parametrize("given", ["table:glue_catalog.bank.ledger", "table:`a b`.ledger"])
def test_a_table_is_named_as_the_catalogue_has_it_and_olists_three_by_their_database(given: str) -> None:
    snapshot = {"name": given.removeprefix("table:"), "snapshot": "7"}
    assert PipelineConfig.from_argv(arguments_of(ledger_run(table=snapshot, given=given))).input == given
    tables = [
        {"table": name, "files": [], "catalogue_table": {"name": f"shop.olist_{name}_dataset", "snapshot": None}}
        for name in ("customers", "orders", "payments")
    ]
    olist = run("pipeline", configuration=FITTED, inputs={"input": "table:shop", "files": tables})
    assert PipelineConfig.from_argv(arguments_of(olist)).input == "table:shop"


def test_a_run_that_does_not_say_what_it_was_given_and_whose_files_do_not_tell_has_a_place_to_fill_in() -> None:
    files = [{"table": "ledger", "files": [{"path": "/data/ledger.csv", "size": 1, "sha256": "ab"}]}]
    arguments = arguments_of(run("pipeline", configuration=FITTED, inputs={"files": files}, source=LEDGER))
    assert PipelineConfig.from_argv(arguments).input == "INPUT"


def test_the_files_of_a_ledger_or_its_table_and_snapshot_are_listed() -> None:
    files = inputs_table(ledger_run("/data/ledger.csv", given="/data/ledger.csv"))
    assert files is not None
    assert files.rows == [["ledger", "/data/ledger.csv", Figure(1234), "0123456789ab"]]
    for snapshot, shown in (("7", "7"), (None, "no snapshot")):
        table = inputs_table(ledger_run(table={"name": "bank.ledger", "snapshot": snapshot}, given="table:bank.ledger"))
        assert table is not None
        assert table.rows == [["ledger", "table bank.ledger", "", shown]]
