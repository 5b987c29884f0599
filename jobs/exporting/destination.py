"""Where an export goes: a folder that nobody has yet, which appears whole on a disk, and is complete last in S3."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.audiences.audience import AUDIENCE_FILE, Audience
from jobs.cli import interruptions
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError, reason_of
from jobs.storage.folder import Folder
from jobs.storage.local import LocalFolder
from jobs.storage.temporary import locked, remove_if_unlocked, temporary_folder
from jobs.storage.uris import folder_at

UNFINISHED = ".unfinished"
"""The ending of the hidden folder beside its place in which an export is written on a disk."""

NEVER_EDITED = "audiences are never edited. Name another folder"


def destination_at(uri: str) -> "Destination":
    """The destination that ``--to`` names.

    Raises:
        ConfigurationError: It is no path, or it exists.
    """
    folder = folder_at(uri, argument="--to")
    if isinstance(folder, LocalFolder):
        return OnDisk(folder)
    if "/" not in folder.display_path().removeprefix("s3://"):
        raise ConfigurationError(f"--to {uri}: found a bucket, expected a folder in it, such as {uri.rstrip('/')}/list")
    return InS3(folder)


class OnDisk:
    """A folder on a disk: written under a hidden name beside its place, and renamed as a whole."""

    def __init__(self, folder: LocalFolder) -> None:
        self.folder = folder
        self._check_free()

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """A hidden folder beside the place. What killed exports left of others is removed."""
        target = self.folder.path
        working = target.with_name(f".{target.name}.{secrets.token_hex(4)}{UNFINISHED}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers()
            working.mkdir()
        except OSError as error:
            raise ConfigurationError(
                f"--to {target}: cannot create a folder there ({reason_of(error)}). Give a folder that this user can "
                "write"
            ) from None
        try:
            with locked(working):
                yield working
        except BaseException:
            interruptions.tidy_up()
            raise
        finally:
            shutil.rmtree(working, ignore_errors=True)

    def complete(self, written: Path, audience: Audience) -> None:
        """Rename the folder. Its files reach the disk before, so a power cut too leaves all of it or nothing."""
        target = self.folder.path
        for file in written.iterdir():
            _to_the_disk(file)
        LocalFolder(written).write_text(_as_json(audience), AUDIENCE_FILE)
        with interruptions.held_back():
            self._check_free()
            try:
                written.rename(target)
            except OSError as error:
                self._check_free()
                raise OutsideSystemError(
                    f"--to {target}: cannot rename {written.name} to it ({reason_of(error)}). Nothing was exported"
                ) from None
            interruptions.state_is(_complete(self.folder))
        _to_the_disk(target.parent)

    def _check_free(self) -> None:
        if os.path.lexists(self.folder.path):
            raise ConfigurationError(
                f"--to {self.folder.path}: found a file or folder there, expected none: {NEVER_EDITED}"
            )

    def _remove_leftovers(self) -> None:
        start = f".{self.folder.path.name}."
        for path in self.folder.path.parent.iterdir():
            if path.name.startswith(start) and path.name.endswith(UNFINISHED):
                with suppress(OSError):
                    remove_if_unlocked(path)


class InS3:
    """A folder in S3: written to this machine first, then uploaded with the record last."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._check_free()

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """A temporary folder."""
        with temporary_folder("export") as working:
            yield working

    def complete(self, written: Path, audience: Audience) -> None:
        """Upload all files, and the record when the others are there.

        The first object to be written can be written by one export alone, so two never mix.
        """
        self._check_free()
        try:
            self.folder.create_folder()
        except FileExistsError:
            self._check_free()
            raise self._taken() from None
        marker = self.folder.names()
        is_complete = False
        try:
            self.folder.copy_in(written)
            with interruptions.held_back():
                self.folder.write_if_unchanged(_as_json(audience), AUDIENCE_FILE, version=None)
                is_complete = True
                interruptions.state_is(_complete(self.folder))
        except BaseException:
            if not is_complete:
                interruptions.tidy_up()
                self._remove(AUDIENCE_FILE, *(path.name for path in written.iterdir()), *marker)
            raise
        self._remove(*marker)

    def _remove(self, *names: str) -> None:
        for name in names:
            with suppress(PipelineError):
                self.folder.remove(name)

    def _check_free(self) -> None:
        if not self.folder.exists():
            return
        path = self.folder.display_path()
        if self.folder.exists(AUDIENCE_FILE):
            raise ConfigurationError(f"--to {path}: found an export there, expected none: {NEVER_EDITED}")
        raise ConfigurationError(
            f"--to {path}: found objects without {AUDIENCE_FILE}, expected none. If an export was killed there, remove "
            f"what it left (aws s3 rm --recursive {path}/); or name another folder"
        )

    def _taken(self) -> ConfigurationError:
        return ConfigurationError(
            f"--to {self.folder.display_path()}: another export is writing there, expected a folder of its own. Name "
            "another folder"
        )


Destination = OnDisk | InS3


def _complete(folder: Folder) -> str:
    return f"the export is complete in {folder.display_path()}"


def _as_json(audience: Audience) -> str:
    return json.dumps(audience.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def _to_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
