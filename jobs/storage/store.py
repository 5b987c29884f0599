"""Where runs are kept: run-scoped folders, the manifest, and the pointer to the current run.

<output>/runs/<run_id>/<table>/...      immutable; written once, never edited
<output>/runs/<run_id>/manifest.json    written last but one
<output>/current.json                   written last, atomically

The pointer moves only from where it stood when the run looked first: of two runs that work at once, the one that is
done later would else put its own in place of the other's unseen, and be the older of the two as likely as not.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jobs.errors import ConfigurationError, DataError, OutsideSystemError, PipelineError
from jobs.storage.folder import WriteConflictError
from jobs.storage.uris import folder_at

POINTER = "current.json"
MANIFEST = "manifest.json"
FAILURE = "failure.json"


class RunStore:
    """The runs under one output folder."""

    def __init__(self, output: str) -> None:
        self.folder = folder_at(output, argument="--output")
        self.output = output
        self._pointer: str | None = None
        self._has_seen_pointer = False

    def open_run(self, *, as_of: date, run_id: str | None) -> str:
        """Make the folder of a new run and return its id.

        Raises:
            ConfigurationError: The folder cannot be made, or the run exists.
        """
        now = datetime.now(UTC)
        run_id = run_id or f"{as_of}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        try:
            self.folder.create_folder("runs", run_id)
        except FileExistsError as error:
            if self.folder.exists("runs", run_id):
                raise ConfigurationError(
                    f"run {run_id} exists in {self.output}; runs are never edited. Choose another --run-id, or none"
                ) from None
            raise self._not_writable(error) from None
        except OSError as error:
            raise self._not_writable(error) from None
        self._see_pointer()
        return run_id

    def _not_writable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"--output {self.output}: cannot make a folder there ({error.strerror}: {error.filename}). "
            "Give a folder that this user can write"
        )

    def display_path(self, run_id: str, *parts: str) -> str:
        """A run's folder or a file in it, for a person."""
        return self.folder.display_path("runs", run_id, *"/".join(parts).split("/")).rstrip("/")

    def table_uri(self, run_id: str, table: str) -> str:
        """Where a table of a run is."""
        return self.folder.uri("runs", run_id, *table.split("/"))

    def write_manifest(self, run_id: str, manifest: Mapping[str, Any]) -> None:
        """Write a run's manifest: from now on the run is whole."""
        self._write_json(manifest, "runs", run_id, MANIFEST)

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a small text file of a run, such as its score card."""
        with self._outside_failures(name):
            self.folder.write_text(text, "runs", run_id, name)

    def contains(self, run_id: str, name: str) -> bool:
        """Whether a run has such a file or folder by now."""
        return self.folder.exists("runs", run_id, name)

    def copy_in(self, run_id: str, name: str, folder: Path) -> None:
        """Make a local folder one of a run's."""
        with self._outside_failures(name):
            self.folder.copy_in(folder, "runs", run_id, name)

    def remove(self, run_id: str, name: str) -> None:
        """Remove what a run had put aside for itself; nothing when there is nothing."""
        with self._outside_failures(name):
            self.folder.remove("runs", run_id, name)

    def write_failure(self, run_id: str, failure: Mapping[str, Any]) -> None:
        """Leave word in a run's folder why it did not come to its end, as far as that is still possible."""
        with suppress(OSError, PipelineError):
            self.folder.write_text(json.dumps(failure, indent=2) + "\n", "runs", run_id, FAILURE)

    def move_pointer(self, pointer: Mapping[str, Any]) -> None:
        """Make a run the current one, unless another became that since this run looked first.

        Raises:
            OutsideSystemError: Another did. The pointer is left to it; this run stays, whole.
        """
        self._see_pointer()
        text = _as_text(pointer)
        with self._outside_failures(POINTER):
            try:
                self._pointer = self.folder.write_if_unchanged(text, POINTER, version=self._pointer)
            except WriteConflictError:
                raise self._overtaken(pointer) from None

    def _overtaken(self, pointer: Mapping[str, Any]) -> OutsideSystemError:
        run_id = pointer.get("run_id")
        text = self.folder.read(POINTER)
        other = "is gone" if text is None else f"points to {self._parsed(text, POINTER).get('run_id')}"
        return OutsideSystemError(
            f"run {run_id} is whole but not current: {self.folder.display_path(POINTER)} {other} since another run was done "
            f"while this one worked, and was left so. Nothing is lost ({self.folder.display_path('runs', str(run_id))}); if "
            "this one is to be current, run again, one at a time"
        )

    def _see_pointer(self) -> None:
        """Note where the pointer stands, the first time that anyone asks."""
        if not self._has_seen_pointer:
            self._read_pointer()

    def _read_pointer(self) -> str | None:
        text, version = self.folder.read_version(POINTER)
        if not self._has_seen_pointer:
            self._pointer, self._has_seen_pointer = version, True
        return text

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

    def find_manifest(self, run_id: str | None, *, missing: str, advice: str) -> dict[str, Any]:
        """The manifest of a run that somebody named, or else of the current one.

        Args:
            run_id: which run; None takes the current one.
            lacks: what is not to be had where there is no current run, such as "no customers to cluster".
            to_do: what to do then.

        Raises:
            ConfigurationError: There is no such run, it is not whole, or none was named and none is current.
        """
        if run_id is None:
            current = self.current()
            if current is None:
                raise ConfigurationError(f"--output {self.output}: no current run there, so {lacks}. {to_do}")
            run_id = str(current["run_id"])
        return self.manifest(run_id)

    def current(self) -> dict[str, Any] | None:
        """What the pointer says, or None when no run has come to its end here."""
        text = self._read_pointer()
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
            self.folder.write_text(_as_text(content), *parts)

    @contextmanager
    def _outside_failures(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutsideSystemError(f"cannot write {name} in {self.output}: {error.strerror}") from error


def _as_text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, default=str) + "\n"
