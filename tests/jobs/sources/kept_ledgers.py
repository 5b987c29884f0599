"""A ledger's mapping and rates as a user has them, and as a run keeps them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from jobs.cli.config import SourceOptions
from jobs.sources.choosing import source_of
from jobs.sources.source import Source
from jobs.storage.run_files import Manifest, read_manifest
from jobs.storage.store import RunStore

RUN_ID = "2018-10-17-bank"
MAPPING = (
    "# Größe\r\ncustomer_id_col: who\r\ndatetime_col: at\nmonetary_value_col: amount\ncurrency: EUR\n"
    "currency_col: code\nrates: fx/ecb.csv\ntime_zone: America/Sao_Paulo\npartitioned_by: day\n"
)
ROW = "who,at,amount,code\nann,2018-10-17 12:00:00,1.50,EUR\n"
RATES = "\ufeffcurrency,date,rate\r\nUSD,2018-10-17,0.87\r\n"


class KeepingRun:
    """A run, as far as a source keeps its files in it."""

    run_id = RUN_ID

    def __init__(self, store: RunStore) -> None:
        self._store = store

    def write_text(self, name: str, text: str) -> None:
        self._store.write_text(self.run_id, name, text)

    def path(self, name: str) -> str:
        return f"runs/{self.run_id}/{name}"


def write(folder: Path, mapping: str = MAPPING, rates: str = RATES) -> str:
    """A mapping and its rates, in a folder of the user's."""
    (folder / "mine" / "fx").mkdir(parents=True, exist_ok=True)
    (folder / "mine" / "fx" / "ecb.csv").write_bytes(rates.encode())
    (folder / "mine" / "bank.yml").write_bytes(mapping.encode())
    return str(folder / "mine" / "bank.yml")


def by_day(folder: Path, *days: str) -> str:
    """A ledger with a folder for each of some days, and one row in each."""
    for day in days:
        (folder / "ledger" / f"day={day}").mkdir(parents=True)
        (folder / "ledger" / f"day={day}" / "part.csv").write_text(ROW)
    return str(folder / "ledger")


def kept_by(source: Source, store: RunStore) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of a source, and its entry, which it gives to a run that keeps its files."""
    result = source.keep(KeepingRun(store))  # type: ignore[arg-type]
    return dict(result.configuration()), dict(result.manifest_entries())


def kept(folder: Path, file: str) -> tuple[RunStore, dict[str, Any], dict[str, Any]]:
    """The runs of an output folder in which one kept its ledger's files; its settings, and its entry."""
    store = opened(folder)
    return store, *kept_by(source_of(SourceOptions("ledger", file)), store)


def opened(folder: Path) -> RunStore:
    """The runs of an output folder, in which one began."""
    store = RunStore(str(folder / "output"))
    store.open_run(as_of=date(2018, 10, 17), run_id=RUN_ID)
    return store


def manifest(**entries: Any) -> Manifest:
    required = {"run_id": RUN_ID, "as_of": "2018-10-17", "configuration_hash": "0123456789abcdef"}
    return read_manifest(json.dumps({**required, **entries}), name="manifest.json")
