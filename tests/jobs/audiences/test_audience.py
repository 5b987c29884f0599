"""The record of an export: what is read, and what is refused with the entry, what was found and what to do."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.audiences.audience import Holdout, read_audience
from jobs.errors import ConfigurationError, DataError
from jobs.storage.local import LocalFolder
from tests.jobs.audiences.written_audiences import SPRING_ROWS, WrittenAudience, members_of, write_audience

BOTH_ARMS = [*members_of("treatment", "ann"), *members_of("control", "bob")]


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as error:
        read_audience(LocalFolder(folder))
    return str(error.value)


def test_a_record_is_read_with_types(tmp_path: Path) -> None:
    written = WrittenAudience(BOTH_ARMS, of_changes=True, record={"entry_of_a_later_release": 1})
    audience = read_audience(LocalFolder(written.write(tmp_path / "spring")))
    assert (audience.audience_id, audience.campaign, str(audience.as_of)) == ("a0d1", "spring", "2018-06-30")
    assert audience.changes_since is not None
    assert audience.changes_since.run_id == "2018-05-31-first"
    assert audience.holdout is not None
    assert audience.holdout.share == Decimal("0.50")
    assert (audience.members.rows, audience.members.treatment, audience.members.control) == (2, 1, 1)


def test_without_a_holdout_there_is_none(tmp_path: Path) -> None:
    assert read_audience(LocalFolder(write_audience(tmp_path / "spring", SPRING_ROWS))).holdout is None


@pytest.mark.parametrize("share", ["0.10", "0.000001", "0.999999"])
def test_a_share_is_written_as_it_is_read(share: str) -> None:
    holdout = Holdout(share=Decimal(share), key_id="ab")
    assert json.loads(holdout.model_dump_json())["share"] == share
    assert Holdout.model_validate_json(holdout.model_dump_json()) == holdout


@pytest.mark.parametrize(
    "share",
    ["NaN", "sNaN", "Infinity", "-0.1", "0", "0.0", "1", "1.0", "1e-3", "1e-999999", "0.1\n", "0,1", "", 0.1, 1, None],
)
def test_a_share_that_is_none_is_refused(tmp_path: Path, share: Any) -> None:
    folder = WrittenAudience(BOTH_ARMS, record={"holdout": {"share": share, "key_id": "ab"}}).write(tmp_path / "spring")
    text = refused(folder)
    assert text.startswith(f'{folder}/audience.json: "holdout.share" is ')
    assert '(expected a share between 0 and 1 as text, such as "0.10")' in text
    assert text.isprintable()


def test_an_entry_that_does_not_fit_is_named_with_what_to_do(tmp_path: Path) -> None:
    text = refused(WrittenAudience(BOTH_ARMS, record={"as_of": "yesterday"}).write(tmp_path / "spring"))
    assert "\"as_of\" is 'yesterday' (expected a date such as" in text
    assert text.endswith(
        "; it was not written by this program, or was changed since. Exports are never edited: restore it, or export "
        "again to another folder"
    )


def test_a_long_entry_makes_no_long_message(tmp_path: Path) -> None:
    text = refused(WrittenAudience(BOTH_ARMS, record={"run_id": "x" * 10_000}).write(tmp_path / "spring"))
    assert len(text) < 500


def test_a_record_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    record = write_audience(tmp_path / "spring", SPRING_ROWS) / "audience.json"
    record.write_text(record.read_text()[:99])
    assert "restore it, or export again" in refused(record.parent)


def test_without_a_record_an_export_is_not_complete(tmp_path: Path) -> None:
    folder = write_audience(tmp_path / "spring", SPRING_ROWS)
    (folder / "audience.json").unlink()
    with pytest.raises(ConfigurationError, match="found no such file, expected that of a complete export"):
        read_audience(LocalFolder(folder))
