"""Libraries that are fetched once: by their checksums, or from a folder of the user's."""

import hashlib
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.spark import engines, jars, s3a
from jobs.spark.jars import Libraries
from jobs.spark.java import java_home

BOTH = pytest.mark.parametrize("libraries", [s3a.LIBRARIES, engines.LIBRARIES], ids=lambda libraries: libraries.name)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and no folder of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for libraries in (s3a.LIBRARIES, engines.LIBRARIES):
        monkeypatch.delenv(libraries.variable, raising=False)
    return tmp_path


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def fetch_of(contents: dict[str, str]) -> Callable[[Libraries, str, Path], None]:
    """A repository that gives these files."""

    def fetch(_: Libraries, __: str, folder: Path) -> None:
        (folder / "jars").mkdir()
        for name, text in contents.items():
            (folder / "jars" / name).write_text(text)

    return fetch


@BOTH
def test_a_checksum_is_listed_for_each_library(libraries: Libraries) -> None:
    folder = resources.files("jobs.spark")
    versions = folder.joinpath(f"{libraries.name}.xml").read_text(encoding="utf-8")
    pinned = {f"{name}-{version}.jar" for name, version in re.findall(r' name="([^"]+)" rev="([^"]+)"', versions)}
    lines = folder.joinpath(f"{libraries.name}.sha256").read_text(encoding="utf-8").splitlines()
    assert {line.split()[1] for line in lines} == pinned
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+", line) for line in lines)


@BOTH
@pytest.mark.parametrize("place", ["repository", "folder"])
def test_libraries_that_cannot_be_had_are_reported_in_one_line_and_leave_no_file(
    monkeypatch: pytest.MonkeyPatch, cache: Path, libraries: Libraries, place: str
) -> None:
    name, value = {
        "repository": ("DEFAULT_ARTIFACT_REPOSITORY", "http://127.0.0.1:9/maven2"),
        "folder": (libraries.variable, "no/jars"),
    }[place]
    monkeypatch.setenv(name, value)
    with pytest.raises(libraries.error, match=re.escape(value)) as failed:
        libraries.find(java_home())
    assert "\n" not in str(failed.value)
    assert libraries.variable in str(failed.value)
    assert files_in(cache) == []


def test_what_a_run_cannot_do_without_fails_and_what_was_chosen_is_refused() -> None:
    assert s3a.LIBRARIES.error is OutsideSystemError
    assert engines.LIBRARIES.error is ConfigurationError


@BOTH
def test_fetched_libraries_with_another_content_are_refused_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, cache: Path, libraries: Libraries
) -> None:
    monkeypatch.setattr(Libraries, "_fetch", fetch_of({"other-1.0.jar": "another"}))
    with pytest.raises(libraries.error, match=f"found other content than jobs/spark/{libraries.name}.sha256"):
        libraries.find("no java")
    assert files_in(cache) == []


def test_libraries_that_changed_in_the_cache_are_fetched_again(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    contents = {"a.jar": "a", "b.jar": "b"}
    lines = [f"{hashlib.sha256(text.encode()).hexdigest()}  {name}" for name, text in contents.items()]
    fetched = []

    def fetch(libraries: Libraries, java: str, folder: Path) -> None:
        fetched.append(folder)
        fetch_of(contents)(libraries, java, folder)

    monkeypatch.setattr(Libraries, "_fetch", fetch)
    monkeypatch.setattr(jars, "_resource", lambda name: "\n".join(lines) if name.endswith(".sha256") else name)
    kept = s3a.LIBRARIES.find("no java")
    assert kept[0].is_relative_to(cache)
    assert s3a.LIBRARIES.find("no java") == kept
    assert len(fetched) == 1
    for damage in (lambda: kept[0].write_text("x"), kept[1].unlink, (kept[0].parent / "c.jar").touch):
        damage()
        assert s3a.LIBRARIES.find("no java") == kept
        assert [jar.read_text() for jar in kept] == ["a", "b"]
    assert len(fetched) == 4


@BOTH
def test_libraries_of_the_users_are_not_fetched(
    monkeypatch: pytest.MonkeyPatch, cache: Path, libraries: Libraries
) -> None:
    jar = cache / "own" / "a.jar"
    jar.parent.mkdir()
    jar.touch()
    for place in (jar.parent, jar):
        monkeypatch.setenv(libraries.variable, str(place))
        assert libraries.find("no java") == [jar]
