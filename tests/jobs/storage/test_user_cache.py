"""What is kept in the user's cache: read again as it was made, and never as it was changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.storage.user_cache import cache_folder, cached_text


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "olist-rfm-segments"


@pytest.fixture
def texts() -> Iterator[str]:
    """What each call makes, so that a test sees which call made a text."""
    return (f"text {number} \u2713" for number in range(9))


def get(texts: Iterator[str], made_from: str = "version 1") -> str:
    return cached_text("charts", lambda: next(texts), made_from=made_from)


def test_a_text_is_made_once(cache: Path, texts: Iterator[str]) -> None:
    assert [get(texts), get(texts)] == ["text 0 \u2713"] * 2
    [file] = cache.iterdir()
    assert (file.name.startswith("charts-"), file.read_text(encoding="utf-8")) == (True, "text 0 \u2713")


def test_another_version_has_a_text_of_its_own(cache: Path, texts: Iterator[str]) -> None:
    got = [get(texts, version) for version in ("version 1", "version 2", "version 1")]
    assert (got, len(list(cache.iterdir()))) == (["text 0 \u2713", "text 1 \u2713", "text 0 \u2713"], 2)


@pytest.mark.parametrize("content", [b"text 0", b"", b"another text", b"\xff"])
def test_a_file_that_was_changed_is_not_read(cache: Path, texts: Iterator[str], content: bytes) -> None:
    get(texts)
    [file] = cache.iterdir()
    file.write_bytes(content)
    assert [get(texts), get(texts)] == ["text 1 \u2713"] * 2


def test_without_a_cache_that_can_be_written_each_call_makes_the_text(
    tmp_path: Path, texts: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "no folder"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert [get(texts), get(texts)] == ["text 0 \u2713", "text 1 \u2713"]


def test_a_text_that_cannot_be_kept_leaves_nothing_of_itself(
    cache: Path, texts: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    assert (get(texts), list(cache.iterdir())) == ("text 0 \u2713", [])


def test_the_cache_is_below_the_home_of_the_user_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "olist-rfm-segments"
