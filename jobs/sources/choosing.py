"""Which kind of source a run has."""

import hashlib

from jobs.cli.config import SourceOptions
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.ledger_mapping import LedgerFiles, load_ledger_files, read_mapping, read_rates
from jobs.sources.ledger import LedgerSource
from jobs.sources.olist import OlistSource
from jobs.sources.source import Source
from jobs.storage.run_files import KeptFile, Manifest, RecordedSource
from jobs.storage.store import RunStore
from jobs.storage.uris import folder_at


def source_of(options: SourceOptions) -> Source:
    """The source that the command line names.

    Raises:
        ConfigurationError: The mapping of a ledger is not one.
    """
    if options.mapping is None:
        return OlistSource()
    place = folder_at(options.mapping, argument="--mapping").display_path()
    return LedgerSource(load_ledger_files(options.mapping), name=place)


def source_of_run(store: RunStore, manifest: Manifest) -> Source:
    """The source of an earlier run, as that run kept it.

    Raises:
        DataError: What it kept is missing, or was changed.
    """
    recorded = manifest.source
    if recorded is None:
        return OlistSource()
    try:
        files = _kept_files(store, recorded)
        return LedgerSource(files, name=recorded.mapping.given, read_from=recorded.read_from)
    except ConfigurationError as error:
        raise DataError(f"run {manifest.run_id}: {error}. Files of a run are never edited: restore it") from None


def _kept_files(store: RunStore, recorded: RecordedSource) -> LedgerFiles:
    text = _kept_text(store, recorded.mapping)
    mapping = read_mapping(text, name=recorded.mapping.file)
    if recorded.rates is None:
        return LedgerFiles(mapping, text)
    rates_text = _kept_text(store, recorded.rates)
    return LedgerFiles(mapping, text, read_rates(rates_text, mapping, name=recorded.rates.file), rates_text)


def _kept_text(store: RunStore, kept: KeptFile) -> str:
    text = store.read_file(kept.file)
    if text is None:
        raise DataError(
            f"{store.output}/{kept.file}: no such file, expected what the run kept of its source. Restore it, or name "
            "another run"
        )
    if hashlib.sha256(text.encode()).hexdigest() != kept.sha256:
        raise DataError(
            f"{store.output}/{kept.file}: changed after the run kept it, expected it as it was. Files of a run are "
            "never edited: restore it, or name another run"
        )
    return text
