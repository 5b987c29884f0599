"""Where runs are kept: run-scoped folders, the manifest, and the pointer to the current run.

<output>/runs/<run_id>/<table>/...      immutable; written once, never edited
<output>/runs/<run_id>/manifest.json    written last but one
<output>/current.json                   written last, atomically
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jobs.errors import ConfigurationError, DataError, OutsideSystemError

POINTER = "current.json"
MANIFEST = "manifest.json"
FAILURE = "failure.json"


@dataclass(frozen=True)
class StoredFile:
    """A file that was read or written, as the manifest names it."""

    path: str
    size: int
    sha256: str
    modified_ns: int


class LocalFolder:
    """A folder on a local disk."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def uri(self, *parts: str) -> str:
        """What Spark is given to write there: a ``file:`` URI, whatever the default filesystem is.

        Not percent-encoded as URIs are elsewhere: Hadoop takes a path for what it says.
        """
        return f"file://{self.path.joinpath(*parts)}"

    def names(self, *parts: str) -> list[str]:
        """What is in a folder below this one, sorted; nothing when there is no such folder."""
        folder = self.path.joinpath(*parts)
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def files(self, *parts: str) -> list[Path]:
        """The data files in a folder below this one, sorted by name: none that Spark hides from its readers either."""
        folder = self.path.joinpath(*parts)
        return [folder / name for name in self.names(*parts) if not name.startswith((".", "_"))]

    def exists(self, *parts: str) -> bool:
        """Whether there is such a file or folder."""
        return self.path.joinpath(*parts).exists()

    def read(self, *parts: str) -> str | None:
        """A text file's content, or None when there is no such file."""
        try:
            return self.path.joinpath(*parts).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self.path.joinpath(*parts)}: cannot be read as text ({error})") from None

    def make(self, *parts: str) -> None:
        """Make a folder that must not exist yet, and those above it."""
        folder = self.path.joinpath(*parts)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()

    def remove(self, *parts: str) -> None:
        """Remove a folder with all that is in it; nothing when there is none."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.path.joinpath(*parts))

    def take_in(self, folder: Path, *parts: str) -> None:
        """Copy a local folder to a place where there is none yet."""
        shutil.copytree(folder, self.path.joinpath(*parts))

    def replace(self, text: str, *parts: str) -> None:
        """Write a text file so that a reader finds the old content or the new, and never half.

        The new content reaches the disk before it gets the name, and the name before this returns: a power cut
        leaves one of the two as well.
        """
        target = self.path.joinpath(*parts)
        fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def for_reading(uri: str) -> str:
    """The same place for Spark to read, which takes what it reads for a pattern and what it writes for a name."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", uri)


def folder_at(uri: str, *, argument: str) -> LocalFolder:
    """The folder that a command-line argument names: a path, or a ``file:`` URI.

    Raises:
        ConfigurationError: The URI is of a kind that is not served.
    """
    if not uri:
        raise ConfigurationError(f"{argument}: found nothing, expected a local folder or a file:// URI")
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        try:
            return LocalFolder(Path(unquote(parts.path) if parts.scheme else uri).expanduser())
        except RuntimeError as error:
            raise ConfigurationError(f"{argument} {uri}: {error}") from None
    raise ConfigurationError(f"{argument} {uri}: found {parts.scheme}://, expected a local folder or a file:// URI")


class RunStore:
    """The runs under one output folder."""

    def __init__(self, output: str) -> None:
        self.folder = folder_at(output, argument="--output")
        self.output = output

    def open_run(self, *, as_of: date, run_id: str | None) -> str:
        """Make the folder of a new run and return its id.

        Raises:
            ConfigurationError: The folder cannot be made, or the run exists.
        """
        now = datetime.now(UTC)
        run_id = run_id or f"{as_of}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        try:
            self.folder.make("runs", run_id)
        except FileExistsError as error:
            if self.folder.exists("runs", run_id):
                raise ConfigurationError(
                    f"run {run_id} exists in {self.output}; runs are never edited. Choose another --run-id, or none"
                ) from None
            raise self._not_writable(error) from None
        except OSError as error:
            raise self._not_writable(error) from None
        return run_id

    def _not_writable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"--output {self.output}: cannot make a folder there ({error.strerror}: {error.filename}). "
            "Give a folder that this user can write"
        )

    def table_uri(self, run_id: str, table: str) -> str:
        """Where a table of a run is."""
        return self.folder.uri("runs", run_id, *table.split("/"))

    def write_manifest(self, run_id: str, manifest: Mapping[str, Any]) -> None:
        """Write a run's manifest: from now on the run is whole."""
        self._write_json(manifest, "runs", run_id, MANIFEST)

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a small text file of a run, such as its score card."""
        with self._outside_failures(name):
            self.folder.replace(text, "runs", run_id, name)

    def has(self, run_id: str, name: str) -> bool:
        """Whether a run has such a file or folder by now."""
        return self.folder.exists("runs", run_id, name)

    def take_in(self, run_id: str, name: str, folder: Path) -> None:
        """Make a local folder one of a run's."""
        with self._outside_failures(name):
            self.folder.take_in(folder, "runs", run_id, name)

    def remove(self, run_id: str, name: str) -> None:
        """Remove what a run had put aside for itself; nothing when there is nothing."""
        with self._outside_failures(name):
            self.folder.remove("runs", run_id, name)

    def write_failure(self, run_id: str, failure: Mapping[str, Any]) -> None:
        """Leave word in a run's folder why it did not come to its end, as far as that is still possible."""
        with suppress(OSError):
            self.folder.replace(json.dumps(failure, indent=2) + "\n", "runs", run_id, FAILURE)

    def move_pointer(self, pointer: Mapping[str, Any]) -> None:
        """Make a run the current one."""
        self._write_json(pointer, POINTER)

    def manifest(self, run_id: str) -> dict[str, Any]:
        """A whole run's manifest.

        Raises:
            ConfigurationError: There is no such run, or it never came to its end.
        """
        text = self.folder.read("runs", run_id, MANIFEST)
        if text is None:
            state = "did not come to its end" if self.folder.exists("runs", run_id) else "does not exist"
            raise ConfigurationError(f"run {run_id} in {self.output} {state}: no {MANIFEST}. Name a whole run")
        return self._parsed(text, f"runs/{run_id}/{MANIFEST}")

    def current(self) -> dict[str, Any] | None:
        """What the pointer says, or None when no run has come to its end here."""
        text = self.folder.read(POINTER)
        pointer = None if text is None else self._parsed(text, POINTER)
        if pointer is not None and not isinstance(pointer.get("run_id"), str):
            raise DataError(f"{self.output}/{POINTER} names no run_id; it was not written by this program")
        return pointer

    def _parsed(self, text: str, name: str) -> dict[str, Any]:
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(f"{self.output}/{name} is no JSON ({error}); it was not written by this program") from None
        if not isinstance(content, dict):
            raise DataError(f"{self.output}/{name} holds no JSON object; it was not written by this program")
        return content

    def _write_json(self, content: Mapping[str, Any], *parts: str) -> None:
        with self._outside_failures("/".join(parts)):
            self.folder.replace(json.dumps(content, indent=2, default=str) + "\n", *parts)

    @contextmanager
    def _outside_failures(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutsideSystemError(f"cannot write {name} in {self.output}: {error.strerror}") from error


def stored_file(path: Path) -> StoredFile:
    """A local file's name, size and checksum."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    state = path.stat()
    return StoredFile(path=str(path), size=state.st_size, sha256=digest, modified_ns=state.st_mtime_ns)
