"""The runs below an output folder, and the pointer to the current one."""

import json
from datetime import date
from pathlib import Path

import pytest

from jobs.errors import ConfigurationError, DataError, OutsideSystemError
from jobs.storage.local import LocalFolder
from jobs.storage.run_files import Pointer
from jobs.storage.store import RunStore
from jobs.storage.uris import folder_at

AS_OF = date(2018, 10, 17)
FIRST, SECOND = "2018-10-17-first", "2018-10-17-second"


def test_a_run_id_starts_with_the_as_of_date_and_no_two_are_alike(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path / "new" / "output"))
    first, second = (store.open_run(as_of=AS_OF, run_id=None) for _ in range(2))
    assert first != second
    assert first.startswith("2018-10-17-")


def test_the_pointer_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    assert store.current() is None
    store.move_pointer({"run_id": FIRST})
    store.move_pointer({"run_id": SECOND})
    assert store.current() == Pointer(run_id=SECOND)
    assert [path.name for path in tmp_path.iterdir()] == ["current.json"]


def test_a_pointer_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(str(tmp_path))
    store.move_pointer({"run_id": FIRST})

    def full(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutsideSystemError, match="No space left on device"):
        store.move_pointer({"run_id": SECOND})
    assert store.current() == Pointer(run_id=FIRST)


def test_a_run_without_a_manifest_is_not_complete(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    run_id = store.open_run(as_of=AS_OF, run_id=None)
    with pytest.raises(ConfigurationError, match="is not complete"):
        store.manifest(run_id)
    with pytest.raises(ConfigurationError, match="does not exist"):
        store.manifest("2018-10-17-other")
    store.write_manifest(run_id, {"run_id": run_id, "as_of": AS_OF, "configuration_hash": "0123456789abcdef"})
    assert store.manifest(run_id).as_of == AS_OF


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_pointer_of_another_program_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "current.json").write_text(text)
    with pytest.raises(DataError, match="was not written by this program"):
        RunStore(str(tmp_path)).current()


def test_a_failure_is_recorded_in_the_runs_folder(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    run_id = store.open_run(as_of=AS_OF, run_id=None)
    store.write_failure(run_id, {"exit_code": 3})
    assert json.loads((tmp_path / "runs" / run_id / "failure.json").read_text()) == {"exit_code": 3}


def test_a_text_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    endless = tmp_path / "rules.yml"
    with endless.open("wb") as file:
        file.truncate(2**40)  # of no blocks: it takes no room on the disk
    with pytest.raises(ConfigurationError, match="found more than 67,108,864 bytes, expected a text file"):
        folder_at(str(endless), argument="--rules").read()


@pytest.mark.parametrize("uri", ["a\0b", "file:///a%00b", "s3://bucket/a\x1b[2J", "a\nb", "//[x"])
def test_a_place_with_a_control_character_or_of_no_form_is_an_invalid_argument(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^--rules '.*': .*expected a local folder, a file:// URI") as error:
        folder_at(uri, argument="--rules")
    assert str(error.value).isprintable()


def test_a_place_is_a_path_or_a_file_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spaced = tmp_path / "a b"
    monkeypatch.chdir(tmp_path)
    for uri in (str(spaced), spaced.as_uri(), "a b"):
        assert folder_at(uri, argument="--input").path == spaced
    assert LocalFolder(spaced).uri("x") == f"file://{spaced}/x"
