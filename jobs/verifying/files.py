"""The files of a run compared with what its manifest says of them, byte for byte."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from jobs.errors import DataError, OutsideSystemError
from jobs.storage.folder import Folder, Stored
from jobs.storage.run_files import Manifest, RecordedFile, RecordedSource
from jobs.storage.store import RunStore
from jobs.storage.table_files import TableFile
from jobs.verifying.audited import LONGEST_FILE, guarded
from jobs.verifying.checks import Check, Fault
from transforms.bounded_text import JSONTextError, parse_object

TABLES_NAME = "files: tables"
CARD_NAME, MODEL_NAME, SOURCE_NAME = "files: score card", "files: clusters", "files: source"
SETTINGS_NAME = "manifest: configuration"


def check_table_files(store: RunStore, manifest: Manifest, *, name: str, tables: Sequence[str]) -> Check:
    """Compare name, size and checksum of every file of tables; in S3 the ETag, by a listing."""
    compared = "size and SHA-256 of every file, in S3 the ETag"
    faults: list[Fault] = []
    files = 0
    for table in tables:
        recorded = manifest.outputs.get(table)
        if recorded is None:
            faults.append(Fault({"table": table}, "files in the manifest", None, "a list"))
            continue
        present = {TableFile(file.path, file.size).name: file for file in _files(store.folder, manifest.tables[table])}
        expected = {file.file: file for file in recorded}
        for file in sorted(present.keys() | expected.keys()):
            files += 1
            actual, stated = _in_words(present.get(file)), _in_words(expected.get(file))
            if actual != stated:
                faults.append(Fault({"table": table, "file": file}, "content", actual, stated))
    return Check.of(name, compared, rows=files, faults=faults)


def _files(folder: Folder, path: str) -> Sequence[Stored]:
    try:
        return folder.data_files(*path.split("/"))
    except OSError as error:
        raise OutsideSystemError(f"{error.filename}: cannot be read ({error.strerror})") from None


def _in_words(file: Stored | RecordedFile | None) -> str | None:
    if file is None:
        return None
    if isinstance(file, RecordedFile):
        kind, digest = ("SHA-256", file.sha256) if file.sha256 is not None else ("ETag", file.etag)
    else:
        entry = file.as_json()
        kind, digest = ("SHA-256", entry["sha256"]) if "sha256" in entry else ("ETag", entry["etag"])
    return f"{file.size:,} bytes, {kind} {digest}"


def check_other_files(store: RunStore, manifest: Manifest, content: Mapping[str, Any]) -> list[Check]:
    """Compare the score card, the clusters and the mapping of a ledger with the manifest, and the configuration's hash.

    Args:
        store: the output folder.
        manifest: the run's.
        content: the manifest as it stands in its file.
    """
    groups: list[tuple[str, str, Callable[[str, str], Check]]] = [
        (CARD_NAME, "its hash with its content and with the manifest", partial(_card, store, content)),
        (SETTINGS_NAME, "its hash with its content, and its day with the run's", partial(_settings, content)),
    ]
    if content.get("kmeans"):
        groups.append(
            (MODEL_NAME, "the clusters in the file with those in the manifest", partial(_model, store, content))
        )
    if manifest.source is not None:
        of_source = partial(_source, store, manifest.source)
        groups.append((SOURCE_NAME, "SHA-256 of mapping and rates with the manifest", of_source))
    checks = []
    for name, compared, of_file in groups:
        checks += guarded(name, compared, partial(_alone, of_file, name, compared))
    return checks


def _alone(of_file: Callable[[str, str], Check], name: str, compared: str) -> list[Check]:
    return [of_file(name, compared)]


def _card(store: RunStore, content: Mapping[str, Any], name: str, compared: str) -> Check:
    entry = content.get("score_card")
    if not entry:
        return Check.skipped(name, compared, why="the run has no score card")
    card = json_file(store, entry["file"])
    where = {"file": entry["file"]}
    actual, stated = hash_of_content(card), card.get("hash")
    faults = [Fault(where, "hash of the content", actual, stated)] if stated not in (None, actual) else []
    if entry.get("hash", stated) != stated:
        faults.append(Fault(where, "hash", stated, f"{entry['hash']}, as in the manifest"))
    if "window_months" in entry and card.get("window_months") != entry["window_months"]:
        stated_there = f"{entry['window_months']}, as in the manifest"
        faults.append(Fault(where, "window_months", card.get("window_months"), stated_there))
    if not faults and stated is None:
        return Check.skipped(name, compared, why="the card states no hash, as those of release 0.1")
    return Check.of(name, compared, rows=1, faults=faults)


def _model(store: RunStore, content: Mapping[str, Any], name: str, compared: str) -> Check:
    entry = content["kmeans"]
    model = json_file(store, entry["file"])
    in_manifest = {cluster["cluster"]: cluster for cluster in entry["clusters"]}
    in_file = {cluster["cluster"]: cluster for cluster in model["clusters"]}
    faults = [
        Fault({"file": entry["file"], "cluster": cluster}, "cluster", in_file.get(cluster), in_manifest.get(cluster))
        for cluster in sorted(in_manifest.keys() | in_file.keys())
        if in_manifest.get(cluster) != in_file.get(cluster)
    ]
    return Check.of(name, compared, rows=len(in_file), faults=faults)


def _source(store: RunStore, source: RecordedSource, name: str, compared: str) -> Check:
    files = [file for file in (source.mapping, source.rates) if file is not None]
    faults = []
    for file in files:
        text = store.read_file(file.file)
        actual = None if text is None else hashlib.sha256(text.encode()).hexdigest()
        if actual != file.sha256:
            faults.append(Fault({"file": file.file}, "SHA-256", actual, file.sha256))
    return Check.of(name, compared, rows=len(files), faults=faults)


def _settings(content: Mapping[str, Any], name: str, compared: str) -> Check:
    configuration = content["configuration"]
    actual, stated = hash_of_content(configuration), content["configuration_hash"]
    faults = [Fault({}, "configuration_hash", stated, actual)] if actual != stated else []
    if configuration["as_of"] != content["as_of"]:
        faults.append(Fault({}, "as_of", configuration["as_of"], content["as_of"]))
    return Check.of(name, compared, rows=len(configuration), faults=faults)


def json_file(store: RunStore, path: str) -> Mapping[str, Any]:
    """A JSON file of a run, by its path from the output folder on.

    Raises:
        DataError: It is not there, or is no JSON object.
    """
    text = store.read_file(path)
    if text is None:
        raise DataError(f"{path}: found no such file, expected one, since the manifest names it")
    try:
        return parse_object(text, longest=LONGEST_FILE)
    except JSONTextError as error:
        raise DataError(f"{path}: {error}") from None


def hash_of_content(content: Mapping[str, Any], *, without: str = "hash") -> str:
    """The hash of a file by its content: the first 16 digits of the SHA-256 of its JSON with sorted keys."""
    hashed = {name: value for name, value in content.items() if name != without}
    return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:16]
