"""The runs below an output folder, each with its manifest, and the pointer to the current run.

<output>/runs/<run_id>/<table>/...      immutable; written once, never edited
<output>/runs/<run_id>/manifest.json    written last but one
<output>/current.json                   written last, atomically

A run moves the pointer only from where it stood when the run began. Of two runs at once, the one that ends later would
otherwise replace the other's result unseen, and it may well be the older of the two.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jobs.cli.run_ids import RUN_ID
from jobs.errors import ConfigurationError, DataError, OutsideSystemError, PipelineError, reason_of
from jobs.storage.folder import Extent, NotTextError, WriteConflictError
from jobs.storage.run_files import Manifest, Model, Pointer, read_manifest_as, read_pointer
from jobs.storage.uris import folder_at
from transforms.bounded_text import shown

POINTER = "current.json"
MANIFEST = "manifest.json"
FAILURE = "failure.json"


class RunStore:
    """The runs below one output folder."""

    def __init__(self, output: str) -> None:
        self.folder = folder_at(output, argument="--output")
        self.output = output
        self._pointer_version: str | None = None
        self._knows_pointer = False

    def open_run(self, *, as_of: date, run_id: str | None) -> str:
        """Create the folder of a new run and return the run's id.

        Raises:
            ConfigurationError: The folder cannot be created, or the run exists.
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
        if not self._knows_pointer:
            self._read_pointer()
        return run_id

    def _not_writable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"--output {self.output}: cannot create a folder there ({error.strerror}: {error.filename}). "
            "Give a folder that this user can write"
        )

    def display_path(self, run_id: str, *parts: str) -> str:
        """A run's folder or a file in it, for messages."""
        return self.folder.display_path("runs", run_id, *"/".join(parts).split("/")).rstrip("/")

    def table_uri(self, run_id: str, table: str) -> str:
        """The URI under which Spark reads and writes a table of a run."""
        return self.folder.uri("runs", run_id, *table.split("/"))

    def write_manifest(self, run_id: str, manifest: Mapping[str, Any]) -> None:
        """Write a run's manifest, which makes the run complete."""
        with self._disk_errors(f"runs/{run_id}/{MANIFEST}"):
            self.folder.write_text(_to_json(manifest), "runs", run_id, MANIFEST)

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a small text file of a run, such as its score card."""
        with self._disk_errors(name):
            self.folder.write_text(text, "runs", run_id, name)

    def write_texts(self, run_id: str, texts: Mapping[str, str]) -> None:
        """Write small text files of a run by their paths in its folder, such as the figures of its report."""
        with self._disk_errors(next(iter(texts), "nothing")):
            self.folder.write_texts(texts, "runs", run_id)

    def contains(self, run_id: str, name: str) -> bool:
        """Whether a run has such a file or folder by now."""
        return self.folder.exists("runs", run_id, name)

    def copy_in(self, run_id: str, name: str, folder: Path) -> None:
        """Copy a local folder into a run's folder."""
        with self._disk_errors(name):
            self.folder.copy_in(folder, "runs", run_id, name)

    def remove(self, run_id: str, name: str) -> None:
        """Remove an intermediate file or folder of a run; nothing where there is none."""
        with self._disk_errors(name):
            self.folder.remove("runs", run_id, name)

    def run_ids(self) -> list[str]:
        """The ids of all runs, complete or not, sorted; not of what has another kind of name.

        Raises:
            ConfigurationError: The output folder has no runs.
        """
        names = self.folder.names("runs")
        if not names:
            raise ConfigurationError(
                f"--output {self.output}: found no runs, expected the folder of runs. Check the path"
            )
        return [name for name in names if RUN_ID.fullmatch(name)]

    def extent(self, run_id: str) -> Extent | None:
        """The size and the newest change of a run's folder; None where there is no such folder."""
        return self.folder.extent("runs", run_id)

    def remove_run(self, run_id: str) -> None:
        """Remove a run with all its files. The manifest goes first, so what is left halfway never looks complete.

        Raises:
            OutsideSystemError: A file cannot be removed.
        """
        try:
            self.folder.remove("runs", run_id, MANIFEST)
            self.folder.remove("runs", run_id)
        except OSError as error:
            raise OutsideSystemError(
                f"cannot remove run {run_id} in {self.output}: {reason_of(error)}. Give this user the right to, and "
                "run again"
            ) from None

    def write_failure(self, run_id: str, failure: Mapping[str, Any]) -> None:
        """Record in a run's folder why the run failed, as far as the folder can still be written."""
        with suppress(OSError, PipelineError):
            self.folder.write_text(json.dumps(failure, indent=2) + "\n", "runs", run_id, FAILURE)

    def move_pointer(self, pointer: Mapping[str, Any]) -> None:
        """Make a run the current one, unless another run became that since this one began.

        Raises:
            OutsideSystemError: Another run did. The pointer stays with it; this run stays too, complete.
        """
        if not self._knows_pointer:
            self._read_pointer()
        with self._disk_errors(POINTER):
            try:
                self._pointer_version = self.folder.write_if_unchanged(
                    _to_json(pointer), POINTER, version=self._pointer_version
                )
            except WriteConflictError:
                raise self._overtaken(pointer) from None

    def _overtaken(self, pointer: Mapping[str, Any]) -> OutsideSystemError:
        run_id = str(pointer.get("run_id"))
        text = self.folder.read(POINTER)
        state = "is gone"
        if text is not None:
            state = "is not valid"
            with suppress(DataError):
                state = f"points to {self._pointer_of(text).run_id}"
        return OutsideSystemError(
            f"run {run_id} is complete but not current: {self.folder.display_path(POINTER)} {state}, since another run "
            f"ended while this one worked. Nothing is lost ({self.display_path(run_id)}). To make this result current, "
            "run again, one run at a time"
        )

    def _read_pointer(self) -> str | None:
        """The pointer's text. The first read also fixes the version that `move_pointer` expects."""
        with self._of_this_program():
            text, version = self.folder.read_version(POINTER)
        if not self._knows_pointer:
            self._pointer_version, self._knows_pointer = version, True
        return text

    def manifest(self, run_id: str) -> Manifest:
        """A complete run's manifest; see `manifest_as`."""
        return self.manifest_as(Manifest, run_id)

    def manifest_as(self, model: type[Model], run_id: str) -> Model:
        """A complete run's manifest, as far as a model has it.

        Raises:
            ConfigurationError: There is no such run, or it is not complete.
            DataError: This program did not write the manifest so, or wrote it for another run.
        """
        if not RUN_ID.fullmatch(run_id):
            raise ConfigurationError(
                f"invalid run id {shown(run_id)}: expected the name of a run, such as 2018-10-17-nightly"
            )
        text = self.read_file(f"runs/{run_id}/{MANIFEST}")
        if text is None:
            state = "is not complete" if self.folder.exists("runs", run_id) else "does not exist"
            raise ConfigurationError(f"run {run_id} in {self.output} {state}: no {MANIFEST}. Name a complete run")
        manifest = read_manifest_as(model, text, name=f"{self.output}/runs/{run_id}/{MANIFEST}")
        if manifest.run_id != run_id:
            raise DataError(
                f"{self.output}/runs/{run_id}/{MANIFEST}: found the manifest of run {manifest.run_id}, expected that "
                f"of run {run_id}. Folders of runs are never renamed: restore it, or name another run"
            )
        return manifest

    def read_file(self, path: str) -> str | None:
        """A small text file that a run wrote, by its path from the output folder on; None where there is none.

        Raises:
            DataError: It is no text, so this program did not write it so.
        """
        with self._of_this_program():
            return self.folder.read(*path.split("/"))

    @contextmanager
    def _of_this_program(self) -> Iterator[None]:
        try:
            yield
        except NotTextError as error:
            cause = str(error).partition(". ")[0]
            raise DataError(
                f"{cause}; it was not written by this program, or was changed since. Restore it, or remove it to go on "
                "without it"
            ) from None

    def find_manifest(self, run_id: str | None, *, missing: str, advice: str) -> Manifest:
        """The manifest of a named run or, without a name, of the current run.

        Args:
            run_id: which run; None for the current one.
            missing: what the caller lacks without a current run, such as "no customers to cluster".
            advice: what the user should do then.

        Raises:
            ConfigurationError: There is no such run, it is not complete, or none is named and none is current.
            DataError: This program did not write the pointer or the manifest so.
        """
        if run_id is None:
            current = self.current()
            if current is None:
                raise ConfigurationError(f"--output {self.output}: no current run there, so {missing}. {advice}")
            run_id = current.run_id
        return self.manifest(run_id)

    def current(self) -> Pointer | None:
        """The pointer's content, or None when no run has completed here.

        Raises:
            DataError: This program did not write the pointer so.
        """
        text = self._read_pointer()
        return None if text is None else self._pointer_of(text)

    def _pointer_of(self, text: str) -> Pointer:
        return read_pointer(text, name=f"{self.output}/{POINTER}")

    @contextmanager
    def _disk_errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutsideSystemError(f"cannot write {name} in {self.output}: {error.strerror}") from error


def _to_json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, default=str) + "\n"
