"""The pointer and the manifest as typed models: what was found, where, and what to do."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import ConfigurationError, DataError
from jobs.storage.run_files import read_manifest, read_pointer
from jobs.storage.store import RunStore

RUN = "2018-10-17-nightly"
HEAD = {"run_id": RUN, "as_of": "2018-10-17", "configuration_hash": "0123456789abcdef"}
INJECTION = "0 or 1=1) as x; grant all on schema public to public; --"
SHA = "00d1ce5a1ad0f00d" * 4


def manifest(**changes: Any) -> str:
    return json.dumps({**HEAD, **changes})


def test_a_manifest_is_read_with_types() -> None:
    read = read_manifest(
        manifest(
            totals=[
                {"table": "payments", "kind": "written", "rows": 3, "money": "40.5000"},
                {"table": "payments", "kind": "of_a_later_release", "rows": 1},
            ],
            tables={"payments": f"runs/{RUN}/payments"},
            outputs={"payments": [{"file": "part-0.parquet", "size": 7, "sha256": SHA}]},
        ),
        name="manifest.json",
    )
    assert read.as_of == date(2018, 10, 17)
    assert read.totals[0].money == Decimal("40.5000")
    assert read.outputs["payments"][0].fingerprint == (7, SHA)


def test_a_manifest_without_a_source_is_of_olists_files() -> None:
    ledger = {"kind": "ledger", "mapping": {"file": f"runs/{RUN}/mapping.yaml", "sha256": SHA}}
    kinds = [read_manifest(text, name="m").source_kind for text in (manifest(), manifest(source=ledger))]
    assert kinds == ["olist", "ledger"]


def test_what_a_later_run_repeats_is_as_it_was_in_the_file() -> None:
    settings = {"as_of": "2018-10-17", "rules": "a1", "kmeans": {"k": 5, "match": None}, "later": [1, 2.5]}
    card = {"file": f"runs/{RUN}/score_card.json", "name": "x", "customers_outside_its_range": 0}
    read = read_manifest(manifest(configuration=settings, score_card=card), name="manifest.json")
    assert read.configuration.as_json() == settings
    assert read.score_card is not None
    assert read.score_card.as_json() == card


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run_id": "../../etc"}, "\"run_id\" is '../../etc' (expected a run's id, such as 2018-10-17-nightly)"),
        ({"run_id": 5}, '"run_id" is 5 (expected a text)'),
        ({"run_id": "2018-10-17-" + "x" * 10_000}, '"run_id" is \'2018-10-17-xxx'),
        ({"as_of": "2018-13-45"}, "\"as_of\" is '2018-13-45' (expected a date of the calendar, such as 2018-10-17)"),
        ({"as_of": 1_500_000_000}, '"as_of" is 1500000000 (expected a date such as 2018-10-17)'),
        ({"configuration_hash": "x'; drop table rfm; --"}, '"configuration_hash" is "x\'; drop table rfm; --" (e'),
        (
            {"tables": {"orders": "../../x"}},
            "\"tables.orders\" is '../../x' (expected a path below the folder of a run",
        ),
        ({"tables": {"orders": f"runs/{RUN}/../x"}}, f"\"tables.orders\" is 'runs/{RUN}/../x' (expected a path"),
        ({"tables": {"orders": f"runs/{RUN}/a\0b"}}, f"\"tables.orders\" is 'runs/{RUN}/a\\x00b' (expected a path"),
        ({"tables": {"orders": "s3://other/bucket"}}, "\"tables.orders\" is 's3://other/bucket' (expected a path"),
        ({"tables": [1]}, '"tables" is [1] (expected an object)'),
        ({"totals": {"orders": {"rows": INJECTION}}}, f"\"totals.0.rows\" is '{INJECTION}' (expected a whole number)"),
        ({"totals": {"orders": {"rows": True}}}, '"totals.0.rows" is True (expected a whole number)'),
        ({"totals": {"orders": {"rows": 3.5}}}, '"totals.0.rows" is 3.5 (expected a whole number)'),
        ({"totals": {"orders": {"rows": -1}}}, '"totals.0.rows" is -1 (expected greater than or equal to 0)'),
        ({"totals": {"orders": {"rows": 2**63}}}, '"totals.0.rows" is 9223372036854775808 (expected less than'),
        ({"totals": {"orders": 7}}, '"totals.0" is 7 (expected an object)'),
        ({"totals": {"orders": {"rows": 1, "money": 40.5}}}, '"totals.0.money" is 40.5 (expected an amount as text'),
        ({"totals": {"orders": {"rows": 1, "money": "NaN"}}}, "\"totals.0.money\" is 'NaN' (expected an amount as"),
        ({"totals": {"orders": {"rows": 1, "money": "1e9"}}}, "\"totals.0.money\" is '1e9' (expected an amount as"),
        ({"outputs": {"orders": [{"file": "../p", "size": 1, "sha256": SHA}]}}, "\"outputs.orders.0.file\" is '../p'"),
        ({"outputs": {"orders": [{"file": "p", "size": "1", "sha256": SHA}]}}, "\"outputs.orders.0.size\" is '1' (ex"),
        ({"outputs": {"orders": [{"file": "p", "size": 1}]}}, "\"outputs.orders.0\" is {'file': 'p', 'size': 1} (expe"),
        ({"inputs": {"features_run": ["x"]}}, "\"inputs.features_run\" is ['x'] (expected a text)"),
        ({"inputs": None}, '"inputs" is None (expected an object)'),
        ({"kmeans_features": {"score": {"path": f"runs/{RUN}/kmeans/score"}}}, 'found no "kmeans_features.train" (exp'),
        ({"configuration": {"rules": "A' or 'a'='a"}}, "\"configuration.rules\" is \"A' or 'a'='a\" (expected a hash"),
    ],
)
def test_a_field_that_does_not_fit_is_named_with_what_was_found_and_expected(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError) as error:
        read_manifest(manifest(**changes), name="out/manifest.json")
    text = str(error.value)
    assert text.startswith(f"out/manifest.json: {message}")
    assert "; it was not written by this program, or was changed since. Files of a run are never edited" in text
    assert len(text) < 500
    assert text.isprintable()


@pytest.mark.parametrize(
    "text", ["", "{", '{"run_id": "2018-10-17-nigh', "[]", "null", '{"run_id": null}', "{}", '{"run_id":' * 5000]
)
def test_a_half_written_pointer_ends_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "current.json").write_text(text)
    with pytest.raises(DataError) as error:
        RunStore(str(tmp_path)).current()
    assert str(error.value).endswith(
        "it was not written by this program, or was changed since. Restore it, or remove it: then the next run becomes "
        "current, and --match RUN_ID keeps the cluster ids of a run"
    )


@pytest.mark.parametrize("content", [b"\xff\xfe{\x00}\x00", b"\x1f\x8b\x08\x00", b'{"run_id": "\xe9"}'])
def test_a_pointer_or_a_manifest_that_is_no_text_was_not_written_by_this_program(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "runs" / RUN).mkdir(parents=True)
    for path in (tmp_path / "current.json", tmp_path / "runs" / RUN / "manifest.json"):
        path.write_bytes(content)
    store = RunStore(str(tmp_path))
    for read in (store.current, lambda: store.manifest(RUN)):
        with pytest.raises(
            DataError, match=r"is not UTF-8\); it was not written by this program, or was changed since"
        ):
            read()


def test_without_the_damaged_pointer_the_next_run_becomes_current(tmp_path: Path) -> None:
    (tmp_path / "current.json").write_text("{")
    (tmp_path / "current.json").unlink()
    store = RunStore(str(tmp_path))
    assert store.current() is None
    store.move_pointer({"run_id": RUN})
    assert store.current() == read_pointer(json.dumps({"run_id": RUN}), name="current.json")


def test_a_pointer_to_a_model_outside_the_runs_is_rejected() -> None:
    for path in ("/etc/passwd", "runs/../../etc/passwd", f"runs/{RUN}/../../x", f"runs/{RUN}/./x", 5, ["x"]):
        with pytest.raises(DataError, match="kmeans_model"):
            read_pointer(json.dumps({"run_id": RUN, "kmeans_model": path}), name="current.json")


@pytest.mark.parametrize("run_id", ["../../x", "a\0b", "2018-10-17/..", "x" * 5000, "", "2018-10-17-" + "x" * 5000])
def test_a_run_that_is_named_by_no_id_is_an_invalid_argument(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(ConfigurationError, match="expected the name of a run") as error:
        RunStore(str(tmp_path)).manifest(run_id)
    assert len(str(error.value)) < 200


def test_the_manifest_of_another_run_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    (tmp_path / "runs" / RUN).mkdir(parents=True)
    (tmp_path / "runs" / RUN / "manifest.json").write_text(manifest(run_id="2018-10-17-other"))
    with pytest.raises(DataError, match=f"found the manifest of run 2018-10-17-other, expected that of run {RUN}"):
        RunStore(str(tmp_path)).manifest(RUN)
