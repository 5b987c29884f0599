"""A folder on a disk: what is no file, what changes while it is read, who waits, and what killed runs left."""

import fcntl
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.storage import local, temporary
from jobs.storage.local import LocalFolder, describe_file, open_regular
from jobs.storage.temporary import remove_leftovers, remove_temporary_leftovers, temporary_folder


def make_old(path: Path) -> None:
    os.utime(path, (time.time() - 2 * temporary.A_DAY,) * 2)


def test_a_pipe_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    folder = LocalFolder(tmp_path)
    for read in (folder.read, folder.open_file, folder.describe):
        with pytest.raises(ConfigurationError, match="found a named pipe, expected a file"):
            read("pipe")
    with pytest.raises(ConfigurationError, match="found a device, expected a file"):
        open_regular(Path("/dev/zero"))


def test_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(ConfigurationError, match="cannot be read as text"):
            LocalFolder(tmp_path).read("s")


def test_a_file_that_grows_while_it_is_hashed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a")
    digest = local.hashlib.file_digest

    def grow(stream: Any, name: str) -> Any:
        file.write_text("ab")
        return digest(stream, name)

    monkeypatch.setattr(local.hashlib, "file_digest", grow)
    with pytest.raises(DataError, match=r"changed while it was read \(1 bytes, then 2\)"):
        describe_file(file)


def test_a_writer_waits_for_a_lock_no_longer_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LOCK_SECONDS", 0.3)
    holder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(OutsideSystemError, match=rf"still locked by (process {os.getpid()}|another process)"):
        LocalFolder(tmp_path).write_if_unchanged("x", "current.json", version=None)
    os.close(holder)
    LocalFolder(tmp_path).write_if_unchanged("x", "current.json", version=None)
    assert LocalFolder(tmp_path).read("current.json") == "x"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_no_file_under_a_temporary_name(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(local.os, "fsync", fail)
    with pytest.raises(type(error)):
        LocalFolder(tmp_path).write_text("x", "failure.json")
    assert list(tmp_path.iterdir()) == []


def test_no_folder_for_temporary_files_is_one_line_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> str:
        raise OSError(28, "No space left on device", "/tmp/x")

    monkeypatch.setattr(tempfile, "mkdtemp", fail)
    with pytest.raises(OutsideSystemError, match=r"No space left on device .*Set TMPDIR"), temporary_folder("quality"):
        pass


def test_temporary_folders_of_runs_that_are_gone_are_removed_and_those_of_living_runs_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone, young, foreign = (tmp_path / name for name in ("olist-rfm-quality-a", "olist-rfm-quality-b", "another-c"))
    old_log, new_log = tmp_path / "olist-rfm-spark-a.log", tmp_path / "olist-rfm-spark-b.log"
    for folder in (gone, young, foreign):
        folder.mkdir()
    for log in (old_log, new_log):
        log.touch()
    make_old(gone)
    make_old(foreign)
    os.utime(old_log, (time.time() - 2 * temporary.KEPT_LOGS_SECONDS,) * 2)
    with temporary_folder("quality") as living:
        make_old(living)
        remove_temporary_leftovers()
        assert {path.name for path in tmp_path.iterdir()} == {living.name, young.name, foreign.name, new_log.name}
    assert not living.exists()


def test_what_killed_runs_staged_is_removed_after_a_day_and_complete_runs_are_left_alone(tmp_path: Path) -> None:
    for run in ("wreck", "young", "complete"):
        (tmp_path / "runs" / run / "_stage").mkdir(parents=True)
    (tmp_path / "runs" / "complete" / "manifest.json").touch()
    for name in (".current.json.1a", ".current.json.2b", "runs/wreck/.failure.json.3c"):
        (tmp_path / name).touch()
    for name in (".current.json.1a", "runs/wreck/.failure.json.3c", "runs/wreck/_stage", "runs/complete/_stage"):
        make_old(tmp_path / name)
    remove_leftovers(LocalFolder(tmp_path), stage="_stage", manifest="manifest.json")
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.name != "runs"}
    assert names == {
        ".current.json.2b",
        "runs/complete",
        "runs/complete/_stage",
        "runs/complete/manifest.json",
        "runs/wreck",
        "runs/young",
        "runs/young/_stage",
    }


def test_texts_are_written_into_folders_that_are_made_and_in_place_of_those_that_are_there(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    folder.write_texts({"a/one.json": "1\n", "b/two.json": ""}, "runs", "x")
    folder.write_texts({"a/one.json": "2\n"}, "runs", "x")
    written = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.json")}
    assert written == {"runs/x/a/one.json": "2\n", "runs/x/b/two.json": ""}
