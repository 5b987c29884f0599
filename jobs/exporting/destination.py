"""Where an export goes: a folder that nobody has yet, which appears whole on a disk, and is complete last in S3."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from jobs.audiences.audience import AUDIENCE_FILE, Audience
from jobs.cli import interruptions
from jobs.errors import ConfigurationError, OutsideSystemError, PipelineError, reason_of
from jobs.storage.folder import MARKER, Folder, WriteConflictError
from jobs.storage.local import LocalFolder
from jobs.storage.temporary import locked, remove_if_unlocked, temporary_folder
from jobs.storage.uris import folder_at
from transforms.bounded_text import JSONTextError, parse_object

UNFINISHED = ".unfinished"
"""The ending of the hidden folder beside its place in which an export is written on a disk."""

NEVER_EDITED = "exports are never edited. Name another folder"


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
    """A folder in S3: written to this machine first, then uploaded with the record last.

    The marker of the folder can be written by one export alone, and stays when the export is complete. So two exports
    never mix, and an export that is refused removes nothing of another.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._marker: str | None = None
        self._check_free()

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """A temporary folder."""
        with temporary_folder("export") as working:
            yield working

    def complete(self, written: Path, audience: Audience) -> None:
        """Take the folder, upload all files, and the record when the others are there."""
        self._check_free()
        names = sorted(path.name for path in written.iterdir())
        try:
            with interruptions.held_back():
                self._take()
            self.folder.copy_in(written)
            self._check_ours()
            with interruptions.held_back():
                self._write_record(audience)
                self._marker = None
                interruptions.state_is(_complete(self.folder))
        except BaseException:
            if self._marker is not None:
                interruptions.tidy_up()
                self._remove(AUDIENCE_FILE, *names, MARKER)
            raise

    def _take(self) -> None:
        """Write the marker, and see that nothing else is there. From then on all that is there is of this export."""
        try:
            self.folder.create_folder()
        except FileExistsError:
            raise self._occupied() from None
        self._marker = self.folder.read(MARKER)
        if self.folder.names() != [MARKER]:
            # Another program wrote here since it was seen to be free. That stays.
            self._remove(MARKER)
            self._marker = None
            raise self._occupied()

    def _check_ours(self) -> None:
        """See that nobody removed the marker, as one may who takes this export for a killed one."""
        if self.folder.read(MARKER) != self._marker:
            raise self._lost(f"found {MARKER} changed or removed")

    def _write_record(self, audience: Audience) -> None:
        try:
            self.folder.write_if_unchanged(_as_json(audience), AUDIENCE_FILE, version=None)
        except WriteConflictError:
            raise self._lost(f"found an {AUDIENCE_FILE} of another program") from None

    def _lost(self, problem: str) -> ConfigurationError:
        """The folder is no longer this export's, which so removes nothing."""
        self._marker = None
        return ConfigurationError(
            f"--to {self.folder.display_path()}: {problem} while this export uploaded, expected nobody else there. "
            "Nothing was removed. Name another folder"
        )

    def _remove(self, *names: str) -> None:
        """Remove objects in this order, up to one that cannot be: the marker goes last."""
        with suppress(PipelineError):
            for name in names:
                self.folder.remove(name)

    def _check_free(self) -> None:
        if self.folder.exists():
            raise self._occupied()

    def _occupied(self) -> ConfigurationError:
        path = self.folder.display_path()
        if self.folder.exists(AUDIENCE_FILE):
            return ConfigurationError(f"--to {path}: found an export there, expected none: {NEVER_EDITED}")
        if not self.folder.exists(MARKER):
            return ConfigurationError(
                f"--to {path}: found objects without {AUDIENCE_FILE}, expected none. Name another folder"
            )
        return ConfigurationError(
            f"--to {path}: another export is writing there, or was killed there{self._since()}, expected a folder of "
            f"its own. If it was killed, remove what it left (aws s3 rm --recursive {path}/); or name another folder"
        )

    def _since(self) -> str:
        """When the folder was taken, as its marker says; nothing where that cannot be read."""
        try:
            opened_at = datetime.fromisoformat(parse_object(self.folder.read(MARKER) or "", longest=1000)["opened_at"])
        except (JSONTextError, ConfigurationError, KeyError, TypeError, ValueError):
            return ""
        return f" (since {opened_at.isoformat(timespec='seconds')})"


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
