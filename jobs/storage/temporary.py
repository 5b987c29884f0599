"""Temporary folders and files of a run, and what a killed run left of them.

A run that is killed cannot tidy up. So the next one does, where it can be sure. A temporary folder is locked as
long as its run lives. A file has a temporary name for an instant only, so one that is a day old is left over.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.errors import OutsideSystemError, reason_of
from jobs.storage.folder import Folder
from jobs.storage.local import LocalFolder

PREFIX = "olist-rfm-"
LOG_PREFIX, LOG_SUFFIX = f"{PREFIX}spark-", ".log"
A_DAY = 24 * 60 * 60.0
KEPT_LOGS_SECONDS = 7 * A_DAY
"""How long the log of a Spark that failed is kept."""

SHORT_LIVED = (".current.json.*", ".manifest.json.*", ".failure.json.*")
ADVICE = "Set TMPDIR to a folder with room that this user can write"


@contextmanager
def temporary_folder(name: str) -> Iterator[Path]:
    """A folder that nobody else may enter, removed at the end with all that is in it.

    Args:
        name: what it is for, as a part of its name.

    Raises:
        OutsideSystemError: There is no room for it, or no folder that can be written.
    """
    remove_temporary_leftovers()
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-"))
    except OSError as error:
        raise OutsideSystemError(f"cannot make a temporary folder ({reason_of(error)}). {ADVICE}") from None
    with locked(folder):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder, so that `remove_if_unlocked` leaves it alone as long as this process lives."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network's disk may know no locks; its leftovers stay
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def create_log() -> Path:
    """A new file for Spark's log.

    Raises:
        OutsideSystemError: There is no room for it, or no folder that can be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=LOG_PREFIX, suffix=LOG_SUFFIX)
    except OSError as error:
        raise OutsideSystemError(f"cannot write Spark's log ({reason_of(error)}). {ADVICE}") from None
    os.close(descriptor)
    return Path(name)


def remove_temporary_leftovers() -> None:
    """Remove this user's temporary folders whose runs are gone, and old logs."""
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with suppress(OSError):
                state = path.lstat()
                if state.st_uid != os.getuid():
                    continue
                if stat.S_ISDIR(state.st_mode):
                    remove_if_unlocked(path)
                elif path.suffix == LOG_SUFFIX and time.time() - state.st_mtime > KEPT_LOGS_SECONDS:
                    path.unlink()


def remove_if_unlocked(folder: Path) -> None:
    """Remove a folder that no living run has locked, unless it is so young that its run is about to lock it.

    Raises:
        OSError: Another process has locked it, or it is no folder.
    """
    lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if time.time() - os.fstat(lock).st_mtime > 60:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def remove_leftovers(output: Folder, *, stage: str, manifest: str) -> None:
    """Remove what killed runs left below an output folder on a disk: half-written files, and what they staged.

    A bucket has no half-written objects; the rest is left to its lifecycle rule and to ``jobs.prune``.

    Args:
        output: folder of the runs.
        stage: the folder of a run for what it removes at its end.
        manifest: the file that a complete run has.
    """
    if not isinstance(output, LocalFolder):
        return
    with suppress(OSError):
        for pattern in SHORT_LIVED:
            for path in (*output.path.glob(pattern), *output.path.glob(f"runs/*/{pattern}")):
                _remove_if_old(path)
        for path in output.path.glob(f"runs/*/{stage}"):
            if not (path.parent / manifest).exists():
                _remove_if_old(path)


def _remove_if_old(path: Path) -> None:
    with suppress(OSError):
        if time.time() - path.lstat().st_mtime > A_DAY:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
