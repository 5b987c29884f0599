"""Which source a run has: what the command line names, or what an earlier run kept of its own."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from expectations.contracts.ledger import LedgerContract
from jobs import replay
from jobs.cli.config import FeaturesConfig, PipelineConfig, ReplayConfig, RunOptions, SourceOptions
from jobs.errors import ConfigurationError, DataError
from jobs.sources.choosing import source_of, source_of_run
from jobs.sources.ledger import LedgerSource
from jobs.sources.olist import OlistSource
from jobs.sources.source import Source
from jobs.storage.store import RunStore
from tests.jobs.sources.kept_ledgers import MAPPING, RATES, RUN_ID, kept, manifest, write
from transforms.sources.counted import Counted


def ledger_of(source: Source) -> LedgerContract:
    [contract] = source.contracts
    assert isinstance(contract, LedgerContract)
    return contract


def test_without_a_mapping_the_source_is_olists_files() -> None:
    source = source_of(SourceOptions())
    assert isinstance(source, OlistSource)
    assert [contract.table for contract in source.contracts] == ["customers", "orders", "payments"]
    assert source.settings is None
    assert isinstance(source_of_run(RunStore("no-runs"), manifest()), OlistSource)


def test_a_mapping_makes_a_ledger_the_source(tmp_path: Path) -> None:
    contract = ledger_of(source_of(SourceOptions("ledger", write(tmp_path))))
    assert (contract.mapping.customer_id_col, contract.currencies) == ("who", ("EUR", "USD"))
    with pytest.raises(ConfigurationError, match=r"^--mapping .*/none.yml: no such file"):
        source_of(SourceOptions("ledger", str(tmp_path / "none.yml")))


def test_a_later_run_has_the_source_that_an_earlier_one_kept_whatever_became_of_the_users_files(
    tmp_path: Path,
) -> None:
    file = write(tmp_path)
    before = ledger_of(source_of(SourceOptions("ledger", file)))
    store, settings, entries = kept(tmp_path, file)
    write(tmp_path, "customer_id_col: somebody else\n", "")
    source = source_of_run(store, manifest(**entries))
    after = ledger_of(source)
    assert after.mapping == before.mapping
    assert [rule.label for rule in after.rules] == [rule.label for rule in before.rules]
    assert after.rates is not None
    assert after.rates.by_currency == {"USD": [Decimal("0.87")]}
    assert source.settings == settings["source"]
    assert entries["source"] == {
        "kind": "ledger",
        "currency": "EUR",
        "time_zone": "America/Sao_Paulo",
        "read_from": None,
        "mapping": {
            "file": f"runs/{RUN_ID}/mapping.yml",
            "sha256": hashlib.sha256(MAPPING.encode()).hexdigest(),
            "given": file,
        },
        "rates": {
            "file": f"runs/{RUN_ID}/rates.csv",
            "sha256": hashlib.sha256(RATES.encode()).hexdigest(),
            "given": "fx/ecb.csv",
        },
    }
    assert settings["source"] == {
        "kind": "ledger",
        "mapping": settings["source"]["mapping"],
        "rates": hashlib.sha256(RATES.encode()).hexdigest()[:16],
    }


def test_the_manifest_names_the_mapping_by_a_path_that_is_the_same_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path)
    monkeypatch.chdir(tmp_path / "mine")
    _, _, entries = kept(tmp_path, "bank.yml")
    assert entries["source"]["mapping"]["given"] == file


def test_the_settings_differ_if_the_mapping_means_something_else_or_the_rates_are_others(tmp_path: Path) -> None:
    same = MAPPING.replace("# Größe\r\n", "").replace("who", '"who"')
    other = MAPPING.replace("who", "whom")
    rate = RATES.replace("0.87", "0.88")
    texts = {"first": (MAPPING, RATES), "same": (same, RATES), "other": (other, RATES), "rate": (MAPPING, rate)}
    settings = {}
    for name, (mapping, rates) in texts.items():
        (tmp_path / name).mkdir()
        _, settings[name], _ = kept(tmp_path / name, write(tmp_path / name, mapping, rates))
    assert settings["same"] == settings["first"]
    assert len({json.dumps(each) for each in settings.values()}) == 3


ADVICE = "Files of a run are never edited: restore it, or name another run"


@pytest.mark.parametrize("name", ["mapping.yml", "rates.csv"])
@pytest.mark.parametrize("change", ["missing", "edited", "broken"])
def test_what_a_run_kept_of_its_source_must_be_there_as_it_was(tmp_path: Path, name: str, change: str) -> None:
    store, _, entries = kept(tmp_path, write(tmp_path))
    path = tmp_path / "output" / "runs" / RUN_ID / name
    if change == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"0.87", b"0.88") + (b"# x\n" if change == "edited" else b"[\n"))
    with pytest.raises(DataError) as error:
        source_of_run(store, manifest(**entries))
    place = f"{store.output}/runs/{RUN_ID}/{name}"
    assert str(error.value) == (
        f"{place}: no such file, expected what the run kept of its source. Restore it, or name another run"
        if change == "missing"
        else f"{place}: changed after the run kept it, expected it as it was. {ADVICE}"
    )


def test_a_mapping_that_this_release_does_not_know_any_more_is_told_with_its_run(tmp_path: Path) -> None:
    store, _, entries = kept(tmp_path, write(tmp_path))
    other = "unknown: 1\n"
    (tmp_path / "output" / "runs" / RUN_ID / "mapping.yml").write_text(other)
    entries["source"]["mapping"]["sha256"] = hashlib.sha256(other.encode()).hexdigest()
    with pytest.raises(DataError) as error:
        source_of_run(store, manifest(**entries))
    message = str(error.value)
    assert message.startswith(f"run {RUN_ID}: runs/{RUN_ID}/mapping.yml, line 1: unknown key 'unknown' (expected one")
    assert message.endswith("Files of a run are never edited: restore it")


REQUIRED = ["--as-of", "2018-10-17", "--input", "in", "--output", "out"]


def test_a_ledger_and_its_mapping_are_named_together() -> None:
    config = PipelineConfig.from_argv([*REQUIRED, "--source", "ledger", "--mapping", "bank.yml"])
    assert config.source == SourceOptions("ledger", "bank.yml")
    assert PipelineConfig.from_argv([*REQUIRED, "--source", "olist"]).source == SourceOptions()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--source", "ledger"],
            (
                "--source ledger without --mapping: expected the file that maps its columns (docs/ledger.md). "
                "python -m jobs.ledger propose FILE writes a first one"
            ),
        ),
        (
            ["--mapping", "bank.yml"],
            "--mapping without --source ledger: only a ledger has one. Give both, or neither",
        ),
        (
            ["--mapping", "bank.yml", "--source", "olist"],
            "--mapping without --source ledger: only a ledger has one. Give both, or neither",
        ),
    ],
)
def test_a_ledger_without_a_mapping_and_a_mapping_without_a_ledger_are_refused(
    options: list[str], message: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        PipelineConfig.from_argv([*REQUIRED, *options])
    assert str(error.value) == message


ALL_HISTORY = Counted(date(2018, 10, 17))


def test_olists_statuses_are_refused_for_a_ledger(tmp_path: Path) -> None:
    source = source_of(SourceOptions("ledger", write(tmp_path)))
    source.refuse_options(FeaturesConfig(), counted=ALL_HISTORY)
    OlistSource().refuse_options(FeaturesConfig(order_statuses=("delivered",)), counted=ALL_HISTORY)
    with pytest.raises(ConfigurationError) as error:
        source.refuse_options(FeaturesConfig(order_statuses=("delivered",)), counted=ALL_HISTORY)
    assert str(error.value) == (
        "--order-statuses with a ledger: expected the statuses in its mapping, such as keep: {status: [booked]}. "
        "Leave --order-statuses out"
    )


@pytest.mark.parametrize("ids", ["", "order_id_col: invoice\n"])
def test_rows_without_ids_of_their_own_cannot_be_replayed(tmp_path: Path, ids: str) -> None:
    options = RunOptions(as_of=date(2018, 10, 17), output=str(tmp_path / "output"))
    source = SourceOptions("ledger", write(tmp_path, MAPPING + ids))
    with pytest.raises(ConfigurationError) as error:
        replay.run_alone(ReplayConfig(options, "no-input", RUN_ID, source))
    assert str(error.value) == (
        "a replay of ledger: its rows have no id, expected transaction_id_col in the mapping, by which corrected rows "
        "take the place of quarantined ones. Correct the files, and run ingest again"
    )
    assert not (tmp_path / "output").exists()


def test_a_ledger_with_ids_gets_past_that(tmp_path: Path) -> None:
    options = RunOptions(as_of=date(2018, 10, 17), output=str(tmp_path / "output"))
    source = SourceOptions("ledger", write(tmp_path, f"{MAPPING}transaction_id_col: id\n"))
    with pytest.raises(ConfigurationError, match="--input no-input: found nothing, expected a file"):
        replay.run_alone(ReplayConfig(options, "no-input", RUN_ID, source))
    assert isinstance(source_of(source), LedgerSource)
