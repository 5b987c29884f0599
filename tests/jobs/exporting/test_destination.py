"""Where an export goes: whole or not at all, on a disk and in S3, and what a killed one leaves."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs import export
from jobs.exporting import destination, exported, list_files
from jobs.exporting.destination import destination_at
from jobs.storage.s3 import S3Folder
from tests.fakes.s3.service import S3Proxy
from tests.jobs.dying import Killed
from tests.jobs.exporting.exports import Exported
from tests.jobs.exporting.scored_runs import NOW, ScoredRun

PROJECT = Path(__file__).parents[3]
CALLS = (
    *((list_files.CSVFiles, "write"), (list_files.CSVFiles, "finish"), (list_files.ParquetFile, "write")),
    *((list_files.ParquetFile, "finish"), (exported, "_record"), (destination.OnDisk, "complete")),
    *(
        (destination, "_to_the_disk"),
        (destination, "_as_json"),
        (destination.LocalFolder, "write_text"),
        (Path, "rename"),
    ),
)
"""What an export calls, in some order, on a disk."""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return ScoredRun(NOW, {"ann": "RM01", "bob": "RM05"}).write(tmp_path / "output")


def run(output: Path, to: str | Path) -> int:
    return export.main(["--output", str(output), "--segment", "RM01", "--format", "csv", "--to", str(to)])


def die(*_: Any, **__: Any) -> None:
    raise Killed


@pytest.mark.parametrize(("owner", "name"), CALLS)
def test_an_export_that_dies_anywhere_leaves_nothing_in_its_place_and_runs_again(
    output: Path, tmp_path: Path, owner: Any, name: str
) -> None:
    to = tmp_path / "lists" / "spring"
    with pytest.MonkeyPatch.context() as patch:
        # As after SIGKILL, nobody tidies up.
        patch.setattr(destination.shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        patch.setattr(owner, name, die)
        with pytest.raises(Killed):
            run(output, to)
    assert not to.exists()
    assert all(path.name.startswith(".spring.") for path in to.parent.iterdir())
    assert run(output, to) == 0
    assert Exported(to).names == ["audience.json", "list.csv", "members.parquet"]


@pytest.mark.long
def test_a_killed_process_leaves_nothing_in_its_place_and_the_next_one_removes_the_rest(
    output: Path, tmp_path: Path
) -> None:
    to = tmp_path / "spring"
    code = (
        "import os, signal, sys; from jobs import export; from jobs.exporting import exported; "
        "exported._record = lambda *_: os.kill(os.getpid(), signal.SIGKILL); export.main(sys.argv[1:])"
    )
    command = ["-c", code, "--output", str(output), "--segment", "RM01", "--format", "csv", "--to", str(to)]
    ended = subprocess.run([sys.executable, *command], cwd=PROJECT, check=False)
    assert ended.returncode == -signal.SIGKILL
    [rest] = [path for path in tmp_path.iterdir() if path.name.startswith(".spring.")]
    assert not to.exists()
    # Left alone for a minute, since its export may be about to lock it; and as long as somebody has locked it.
    assert run(output, to) == 0
    assert rest.exists()
    long_ago = time.time() - 120
    os.utime(rest, (long_ago, long_ago))
    lock = os.open(rest, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert run(output, to) == 2
    to.rename(tmp_path / "elsewhere")
    assert run(output, to) == 0
    assert rest.exists()
    os.close(lock)
    to.rename(tmp_path / "somewhere")
    assert run(output, to) == 0
    assert not rest.exists()


def test_ctrl_c_leaves_nothing(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exported, "_record", lambda *_: signal.raise_signal(signal.SIGINT))
    assert run(output, tmp_path / "spring") == 130
    assert capsys.readouterr().err == "export: interrupted; what was there before is as it was\n"
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_ctrl_c_after_the_last_moment_says_that_the_export_is_complete(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rename = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if target == tmp_path / "spring":
            signal.raise_signal(signal.SIGINT)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    assert run(output, tmp_path / "spring") == 130
    assert capsys.readouterr().err == f"export: interrupted; the export is complete in {tmp_path}/spring\n"
    assert Exported(tmp_path / "spring").record["exported"]["rows"] == 1


def test_a_full_disk_ends_in_one_line_and_leaves_nothing(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(list_files.CSVFiles, "_write", full)
    assert run(output, tmp_path / "spring") == 4
    assert capsys.readouterr().err == "export: cannot read or write a file: No space left on device\n"
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_exists_is_never_touched(
    output: Path, tmp_path: Path, make: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "spring")
    assert run(output, tmp_path / "spring") == 2
    assert "found a file or folder there, expected none: exports are never edited" in capsys.readouterr().err


def test_of_two_exports_at_once_one_is_refused(output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = exported._record

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(exported, "_record", record)
        assert run(output, tmp_path / "spring") == 0
        return record(*arguments)

    monkeypatch.setattr(exported, "_record", overtaken)
    assert run(output, tmp_path / "spring") == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_place_that_cannot_be_made_is_named(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(output, tmp_path / "file" / "spring") == 2
    assert "cannot create a folder there (" in capsys.readouterr().err


def test_an_export_to_s3_has_its_files_alone_and_is_never_edited(
    output: Path, folder: S3Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    to = folder.display_path()
    assert run(output, to) == 0
    assert folder.names() == ["_opened.json", "audience.json", "list.csv", "members.parquet"]
    record = json.loads(folder.read("audience.json") or "")
    assert record["exported"]["files"][0]["size"] == folder.describe("list.csv").size
    capsys.readouterr()
    assert run(output, to) == 2
    assert "found an export there, expected none" in capsys.readouterr().err
    assert run(output, f"s3://{folder.bucket}") == 2
    assert "found a bucket, expected a folder in it" in capsys.readouterr().err


def test_an_upload_that_fails_leaves_no_object(output: Path, folder: S3Folder, proxy: S3Proxy) -> None:
    proxy.inject("AccessDenied", method="PUT", path="/audience.json", times=100)
    assert run(output, folder.display_path()) == 4
    assert folder.names() == []


def test_an_upload_that_was_killed_has_no_record_and_is_named(
    output: Path, folder: S3Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(destination.InS3, "_write_record", die)
        patch.setattr(destination.InS3, "_remove", lambda *_: None)
        with pytest.raises(Killed):
            run(output, folder.display_path())
    assert folder.names() == ["_opened.json", "list.csv", "members.parquet"]
    opened_at = json.loads(folder.read("_opened.json") or "")["opened_at"]
    assert run(output, folder.display_path()) == 2
    message = capsys.readouterr().err
    assert f"another export is writing there, or was killed there (since {opened_at})" in message
    assert f"If it was killed, remove what it left (aws s3 rm --recursive {folder.display_path()}/)" in message
    assert destination_at(f"{folder.display_path()}-2").folder.names() == []


@pytest.mark.parametrize("name", ["write_if_unchanged", "copy_in"])
def test_of_two_uploads_one_is_refused_and_touches_nothing_of_the_other(
    output: Path, folder: S3Folder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The other export begins and ends where this one has seen that the folder is free, or has begun to upload."""
    to = folder.display_path()
    original = getattr(S3Folder, name)
    codes = []

    def overtaken(self: S3Folder, *arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(S3Folder, name, original)
        codes.append(export.main(["--output", str(output), "--segment", "RM05", "--format", "csv", "--to", to]))
        return original(self, *arguments, **options)

    monkeypatch.setattr(S3Folder, name, overtaken)
    codes.append(run(output, to))
    assert sorted(codes) == [0, 2]
    record = json.loads(folder.read("audience.json") or "")
    [whole] = [code for code in ("RM01", "RM05") if record["segments"][0]["code"] == code]
    assert whole == ("RM05" if name == "write_if_unchanged" else "RM01")
    assert (folder.read("list.csv") or "").splitlines()[1].endswith(f",{whole}")
    assert folder.names() == ["_opened.json", "audience.json", "list.csv", "members.parquet"]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("audience.json", "found an audience.json of another program while this export uploaded"),
        ("_opened.json", "found _opened.json changed or removed while this export uploaded"),
    ],
)
def test_an_upload_that_loses_its_folder_removes_nothing(
    output: Path,
    folder: S3Folder,
    capsys: pytest.CaptureFixture[str],
    name: str,
    line: str,
) -> None:
    copy_in = S3Folder.copy_in

    def intruded(self: S3Folder, *arguments: Any) -> None:
        copy_in(self, *arguments)
        folder.write_text("{}", name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Folder, "copy_in", intruded)
        assert run(output, folder.display_path()) == 2
    message = capsys.readouterr().err
    assert (message.count("\n"), line in message) == (1, True)
    assert folder.read(name) == "{}"
    assert {"list.csv", "members.parquet"} <= set(folder.names())


def test_what_another_program_wrote_at_the_last_moment_stays(
    output: Path, folder: S3Folder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_folder = S3Folder.create_folder

    def overtaken(self: S3Folder) -> None:
        create_folder(self)
        folder.write_text("x", "list.csv")

    monkeypatch.setattr(S3Folder, "create_folder", overtaken)
    assert run(output, folder.display_path()) == 2
    assert "found objects without audience.json, expected none. Name another folder" in capsys.readouterr().err
    assert (folder.names(), folder.read("list.csv")) == (["list.csv"], "x")
