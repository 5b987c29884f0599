"""The key of a holdout, its share, and the name of the campaign."""

import argparse
import os
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.errors import ConfigurationError
from jobs.exporting.holdout import Draw, campaign_name, read_key, share_held_back
from tests.jobs.exporting.exports import KEY


@pytest.mark.parametrize(
    ("text", "share"), [("10%", "0.1"), ("0.1", "0.1"), (".25", "0.25"), ("12.5%", "0.125"), ("0.000001", "0.000001")]
)
def test_a_share_is_a_percentage_or_a_number(text: str, share: str) -> None:
    assert share_held_back(text) == Decimal(share)


@pytest.mark.parametrize("text", ["10", "0", "0%", "1", "100%", "-0.1", "1e-1", "ten", "", "NaN", "0.1%%", "٠.١"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"such as 10% or 0\.1"):
        share_held_back(text)


@pytest.mark.parametrize("text", ["", " ", " x", "x\n", "a\x1b[31m", "\udcff", "x" * 201])
def test_what_is_no_campaign_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="printable"):
        campaign_name(text)


def test_a_key_is_the_same_from_a_file_and_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("HOLDOUT_KEY", KEY)
    assert read_key(str(tmp_path / "key")) == read_key(None) == KEY.encode()
    monkeypatch.setenv("HOLDOUT_KEY", f"{KEY}\r\n")
    assert read_key(None) == KEY.encode()


def test_a_key_may_be_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(240, 256)))
    assert read_key(str(tmp_path / "key")) == bytes(range(240, 256))


def test_a_key_that_is_none_is_refused_without_showing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOLDOUT_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="found no key, expected --holdout-key FILE or the environment"):
        read_key(None)
    monkeypatch.setenv("HOLDOUT_KEY", "secret-of-15-by")
    with pytest.raises(ConfigurationError, match="HOLDOUT_KEY: found a key of 15 bytes, expected 16") as refused:
        read_key(None)
    assert "secret" not in str(refused.value)
    (tmp_path / "large").write_bytes(b"x" * 5000)
    os.mkfifo(tmp_path / "pipe")
    for name in ("large", "missing", "pipe", "."):
        with pytest.raises(ConfigurationError):
            read_key(str(tmp_path / name))


def test_the_environment_has_the_key_and_not_the_name_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a-key-of-some-length.txt"
    file.write_text(KEY)
    monkeypatch.setenv("HOLDOUT_KEY", str(file))
    with pytest.raises(ConfigurationError, match="found the name of a file, expected the key itself") as refused:
        read_key(None)
    assert "some-length" not in str(refused.value)
    file.unlink()
    for text in (str(file), "x" * 4096):
        monkeypatch.setenv("HOLDOUT_KEY", text)
        assert read_key(None) == text.encode()


def test_the_record_tells_keys_apart_and_tells_nothing_of_them() -> None:
    draw = Draw("spring", Decimal("0.1"), KEY.encode())
    # printf 'key id' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
    assert draw.record().key_id == "39ed5252b09bd183"
    assert KEY not in repr(draw)
