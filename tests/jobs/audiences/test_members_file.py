"""The file of an audience's members: as it was exported, on this machine where it has to be, or refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.audiences.audience import MEMBERS_FILE, Members, read_audience
from jobs.audiences.members_file import members_file
from jobs.errors import DataError, OutsideSystemError
from jobs.storage.local import LocalFolder
from jobs.storage.s3 import S3Folder
from tests.jobs.audiences.written_audiences import SPRING_ROWS, write_audience

ADVICE = "Exports are never edited: restore it, or export again to another folder"


@pytest.fixture
def spring(tmp_path: Path) -> Path:
    return write_audience(tmp_path / "spring", SPRING_ROWS)


@pytest.fixture
def recorded(spring: Path) -> Members:
    return read_audience(LocalFolder(spring)).members


def flip_a_bit(content: bytes) -> bytes:
    return content[:10] + bytes([content[10] ^ 1]) + content[11:]


def test_a_file_on_a_disk_is_read_where_it_is(spring: Path, recorded: Members) -> None:
    with members_file(LocalFolder(spring), recorded, on_disk=True) as file:
        assert (file.path, file.size) == (str(spring / MEMBERS_FILE), (spring / MEMBERS_FILE).stat().st_size)


def test_a_missing_file_is_refused(spring: Path, recorded: Members) -> None:
    (spring / MEMBERS_FILE).unlink()
    with pytest.raises(DataError) as error, members_file(LocalFolder(spring), recorded, on_disk=True):
        pass
    assert str(error.value) == (
        f"{spring}/members.parquet: found no such file, expected the one that audience.json lists. {ADVICE}"
    )


@pytest.mark.parametrize("change", [flip_a_bit, lambda content: content[:-1]], ids=["a-bit", "a-byte-less"])
def test_a_changed_file_is_refused(spring: Path, recorded: Members, change: Callable[[bytes], bytes]) -> None:
    path = spring / MEMBERS_FILE
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError) as error, members_file(LocalFolder(spring), recorded, on_disk=True):
        pass
    assert str(error.value).startswith(f"{path} was changed: found {path.stat().st_size:,} bytes, SHA-256 ")
    assert str(error.value).endswith(f"expected {recorded.size:,} bytes, SHA-256 {recorded.sha256[:12]}…. {ADVICE}")


def test_what_cannot_be_read_is_a_fault_of_the_disk(spring: Path, recorded: Members) -> None:
    (spring / MEMBERS_FILE).unlink()
    (spring / MEMBERS_FILE).mkdir()
    with (
        pytest.raises(OutsideSystemError, match=r"members\.parquet: cannot be read \("),
        members_file(LocalFolder(spring), recorded, on_disk=True),
    ):
        pass


def test_a_file_in_s3_is_copied_for_who_needs_a_disk_and_the_copy_goes(
    spring: Path, recorded: Members, folder: S3Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder.copy_in(spring)
    with members_file(folder, recorded, on_disk=True) as file:
        copy = Path(file.path)
        assert copy.is_relative_to(tmp_path)
        assert (copy.read_bytes(), file.size) == ((spring / MEMBERS_FILE).read_bytes(), recorded.size)
    assert not copy.parent.exists()
    with members_file(folder, recorded, on_disk=False) as file:
        assert (file.path, file.size) == (folder.display_path(MEMBERS_FILE), recorded.size)


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_changed_or_missing_file_in_s3_is_refused(
    spring: Path, recorded: Members, folder: S3Folder, *, on_disk: bool
) -> None:
    (spring / MEMBERS_FILE).write_bytes(flip_a_bit((spring / MEMBERS_FILE).read_bytes()))
    folder.copy_in(spring)
    with pytest.raises(DataError, match="was changed: found"), members_file(folder, recorded, on_disk=on_disk):
        pass
    folder.remove(MEMBERS_FILE)
    with pytest.raises(DataError, match="found no such file"), members_file(folder, recorded, on_disk=on_disk):
        pass
