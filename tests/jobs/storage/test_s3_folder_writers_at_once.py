"""Concurrent writers of a folder: one succeeds, and the others get an error."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.storage.folder import WriteConflictError
from jobs.storage.local import LocalFolder
from jobs.storage.run_files import Pointer
from jobs.storage.s3 import S3Folder
from jobs.storage.store import RunStore
from tests.fakes.s3.service import S3Proxy

AS_OF = date(2018, 10, 17)


def test_one_of_many_concurrent_writers_creates_a_folder(folder: S3Folder) -> None:
    def creates(_: int) -> bool:
        try:
            folder.create_folder("runs", "r1")
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(creates, range(8))) == [False] * 7 + [True]
    assert folder.is_folder("runs", "r1")


def test_a_folder_without_a_marker_exists_too(folder: S3Folder, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="some/folder/runs/r1/manifest.json")
    with pytest.raises(FileExistsError):
        folder.create_folder("runs", "r1")


def places(folder: S3Folder, tmp_path: Path) -> list[S3Folder | LocalFolder]:
    return [folder, LocalFolder(tmp_path)]


def test_one_of_many_concurrent_writers_replaces_a_file(folder: S3Folder, tmp_path: Path) -> None:
    for place in places(folder, tmp_path):
        version = place.write_if_unchanged("old", "f", version=None)

        def replaces(text: str, place: S3Folder | LocalFolder = place, version: str = version) -> bool:
            try:
                place.write_if_unchanged(text, "f", version=version)
            except WriteConflictError:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(replaces, "abcdefgh"))
        assert won.count(True) == 1
        assert place.read("f") == "abcdefgh"[won.index(True)]


def test_a_file_is_replaced_only_if_it_is_unchanged(folder: S3Folder, tmp_path: Path) -> None:
    for place in places(folder, tmp_path):
        first = place.write_if_unchanged("1", "f", version=None)
        with pytest.raises(WriteConflictError):
            place.write_if_unchanged("2", "f", version=None)
        second = place.write_if_unchanged("2", "f", version=first)
        with pytest.raises(WriteConflictError):
            place.write_if_unchanged("3", "f", version=first)
        assert place.read_version("f") == ("2", second)
        place.remove("f")
        with pytest.raises(WriteConflictError):
            place.write_if_unchanged("3", "f", version=second)
        assert place.read("f") is None


def test_a_write_whose_answer_is_lost_counts_as_done(folder: S3Folder, proxy: S3Proxy) -> None:
    version = folder.write_if_unchanged("1", "f", version=None)
    proxy.inject("lost", method="PUT", path="/f")
    version = folder.write_if_unchanged("2", "f", version=version)
    assert folder.read_version("f") == ("2", version)
    proxy.inject("lost", method="PUT", path="/_opened")
    folder.create_folder("runs", "r1")
    assert len(proxy.injected) == 2


def test_a_conditional_write_that_met_another_is_repeated(folder: S3Folder, proxy: S3Proxy) -> None:
    proxy.inject("ConditionalRequestConflict", method="PUT", times=2)
    folder.write_if_unchanged("1", "f", version=None)
    assert folder.read("f") == "1"


def test_a_run_that_was_overtaken_leaves_the_pointer_and_stays(folder: S3Folder, tmp_path: Path) -> None:
    for output in (folder.display_path(), str(tmp_path)):
        early, late = RunStore(output), RunStore(output)
        first = early.open_run(as_of=AS_OF, run_id="2018-10-17-first")
        second = late.open_run(as_of=AS_OF, run_id="2018-10-17-second")
        late.move_pointer({"run_id": second})
        early.write_manifest(first, {"run_id": first, "as_of": AS_OF, "configuration_hash": "0123456789abcdef"})
        with pytest.raises(OutsideSystemError, match=rf"run {first} is complete but not current.*points to {second}"):
            early.move_pointer({"run_id": first})
        assert RunStore(output).current() == Pointer(run_id=second)
        assert early.manifest(first).run_id == first
        third = RunStore(output)
        third.open_run(as_of=AS_OF, run_id="2018-10-17-third")
        third.move_pointer({"run_id": "2018-10-17-third"})
        with pytest.raises(ConfigurationError, match="run 2018-10-17-first exists"):
            early.open_run(as_of=AS_OF, run_id=first)
