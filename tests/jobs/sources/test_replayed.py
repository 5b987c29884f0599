"""A replay of a ledger has the mapping and the rates of the run that it replays, and its days."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs import replay
from jobs.cli.config import SourceOptions
from jobs.sources.choosing import source_of
from jobs.storage.store import RunStore
from tests.jobs.sources.kept_ledgers import MAPPING, RATES, RUN_ID, KeepingRun, kept_by, opened, write
from tests.log_lines import without_logs
from transforms.sources.counted import Counted

WITH_IDS = f"{MAPPING}transaction_id_col: id\n"
ROW = "id,who,at,amount,code\n1,ann,2018-10-17 12:00:00,1.50,EUR\n"
NEW_RUN = "2018-10-17-again"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a ledger by day, and with a run of it that had a window of two months."""
    part = tmp_path / "ledger" / "day=2018-10-17" / "part.csv"
    part.parent.mkdir(parents=True)
    part.write_text(ROW)
    store, source = opened(tmp_path), source_of(SourceOptions("ledger", write(tmp_path, WITH_IDS)))
    source.find(str(tmp_path / "ledger"), source.contracts, counted=Counted(date(2018, 10, 17), window_months=2))
    put_manifest(store, *kept_by(source, store))
    return tmp_path


def put_manifest(store: RunStore, settings: dict[str, Any], entries: dict[str, Any]) -> None:
    required = {"run_id": RUN_ID, "as_of": "2018-10-17", "configuration_hash": "0123456789abcdef"}
    tables = {name: f"runs/{RUN_ID}/{name}" for name in ("ledger", "quarantine/ledger")}
    content = {**required, "tables": tables, "configuration": settings, **entries}
    store.write_text(RUN_ID, "manifest.json", json.dumps(content))


def replayed(folder: Path, file: str) -> int:
    """The exit code of a replay with a mapping."""
    places = ["--input", str(folder / "ledger"), "--output", str(folder / "output")]
    run = ["--as-of", "2018-10-17", "--run-id", NEW_RUN, "--replayed-run", RUN_ID]
    return replay.main([*run, *places, "--source", "ledger", "--mapping", file])


REFUSED = (
    f"run {RUN_ID} was made with another source, mapping or rates, expected those of that run. Replay it with the "
    "same, or run ingest with the new ones"
)


@pytest.mark.parametrize(
    ("mapping", "rates"),
    [
        (WITH_IDS.replace("datetime_col: at", "datetime_col: id"), RATES),
        (f"{WITH_IDS}sign: purchases positive\n", RATES),
        (WITH_IDS, RATES.replace("0.87", "0.88")),
        (WITH_IDS.replace("rates: fx/ecb.csv\n", ""), RATES),
    ],
)
def test_a_replay_with_another_mapping_or_other_rates_is_refused(
    folder: Path, capfd: pytest.CaptureFixture[str], mapping: str, rates: str
) -> None:
    assert replayed(folder, write(folder, mapping, rates)) == 2
    [line] = without_logs(capfd.readouterr().err)
    assert REFUSED in line
    assert not (folder / "output" / "runs" / NEW_RUN).exists()


def test_a_replay_of_a_run_of_another_source_is_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # As if Olist's run had tables of these names.
    put_manifest(RunStore(str(folder / "output")), {}, {})
    assert replayed(folder, write(folder, WITH_IDS)) == 2
    assert REFUSED in capfd.readouterr().err


class ReplayingRun(KeepingRun):
    """A run, as far as a replay reads no table for it."""

    run_id = NEW_RUN
    session = None

    def __init__(self, store: RunStore, finished: dict[str, Any]) -> None:
        super().__init__(store)
        self._finished = finished

    def finish(self, **results: Any) -> None:
        self._finished.update(results)

    def show_summary(self, *_: str) -> None:
        pass


def test_a_replay_begins_with_the_day_of_the_run_whose_accepted_rows_it_takes_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished: dict[str, Any] = {}

    @contextmanager
    def run_without_spark(_job: str, _options: Any, store: RunStore, *_: Any, **__: Any) -> Iterator[Any]:
        store.open_run(as_of=date(2018, 10, 17), run_id=NEW_RUN)
        yield ReplayingRun(store, finished)

    monkeypatch.setattr(replay, "open_run", run_without_spark)
    monkeypatch.setattr(replay, "replay", lambda *_, **__: None)
    monkeypatch.setattr(replay, "how_to_continue", lambda _: ())
    # A remark changes nothing that the rows depend on, and the mapping may lie elsewhere now.
    (folder / "elsewhere").mkdir()
    assert replayed(folder, write(folder / "elsewhere", f"# A remark.\n{WITH_IDS}")) == 0
    _, kept = finished["results"]
    # Two days before the window, which begins on 2018-08-18. A later step cannot have the days before count.
    assert kept.manifest_entries()["source"]["read_from"] == "2018-08-16"
    assert finished["inputs"]["input"] == str(folder / "ledger")
    assert finished["inputs"]["replayed_run"] == RUN_ID
