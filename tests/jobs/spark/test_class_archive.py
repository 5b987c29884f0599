"""The archive of Java's classes: when it is written, when it is read, and when it is left alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import ConfigurationError
from jobs.spark import class_archive
from jobs.spark.class_archive import VARIABLE, ClassArchive, java_options, leave_class_archive

SESSION = """
import json
import sys
from pathlib import Path

from pyspark import SparkContext

from jobs.spark.class_archive import leave_class_archive
from jobs.spark.session import spark_session

sys.prefix, what_then = sys.argv[1:]
with spark_session("archive") as session:
    assert session.range(3).count() == 3
    process = vars(SparkContext)["_gateway"].proc.pid
    files = Path(f"/proc/{process}/maps").read_text()
if what_then == "leave it":
    leave_class_archive()
print(json.dumps({"process": process, "reads an archive": f"{sys.prefix}/java-classes-" in files}))
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Python environment without an archive, with nothing said about one."""
    folder = tmp_path / "environment"
    folder.mkdir()
    monkeypatch.setattr(sys, "prefix", str(folder))
    monkeypatch.setattr(class_archive, "_unfinished", {})
    monkeypatch.delenv(VARIABLE, raising=False)
    return folder


@pytest.fixture
def java(tmp_path: Path) -> Path:
    home = tmp_path / "java"
    home.mkdir()
    (home / "release").write_text('JAVA_RUNTIME_VERSION="17.0.15+6"\n')
    return home


def write_archive(folder: Path, java: Path, content: str = "classes") -> Path:
    """An archive as a run leaves it, with some content or other."""
    archive = ClassArchive.of(str(java), "")
    part = archive.new_part()
    part.write_text(content)
    archive.keep(part)
    [file] = folder.iterdir()
    return file


def test_where_there_is_no_archive_java_starts_without_one(environment: Path, java: Path) -> None:
    assert java_options(str(java), "") == ""
    assert list(environment.iterdir()) == []


def test_an_archive_that_is_there_is_read(environment: Path, java: Path) -> None:
    file = write_archive(environment, java)
    assert f'"-XX:SharedArchiveFile={file}"' in java_options(str(java), "")


def test_an_archive_that_is_there_is_not_written_again(
    environment: Path, java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_archive(environment, java)
    monkeypatch.setenv(VARIABLE, "write")
    assert f'"-XX:SharedArchiveFile={file}"' in java_options(str(java), "")


def test_an_archive_that_was_cut_off_is_not_read(environment: Path, java: Path) -> None:
    file = write_archive(environment, java)
    file.write_text("class")
    assert java_options(str(java), "") == ""


def test_an_archive_is_for_one_java_and_one_class_path(environment: Path, java: Path) -> None:
    write_archive(environment, java)
    assert java_options(str(java), "/jars/comet.jar") == ""
    (java / "release").write_text('JAVA_RUNTIME_VERSION="17.0.16+8"\n')
    assert java_options(str(java), "") == ""


def test_an_archive_is_found_by_whatever_links_lead_to_it(
    environment: Path, java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_archive(environment, java)
    link = tmp_path / "link"
    link.symlink_to("/")
    monkeypatch.setattr(sys, "prefix", f"{link}{environment}")
    monkeypatch.setattr(class_archive.pyspark, "__file__", f"{link}{class_archive.pyspark.__file__}")
    assert f'"-XX:SharedArchiveFile={file}"' in java_options(f"{link}{java}", "")


def test_an_archive_can_be_left_unread(environment: Path, java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(environment, java)
    monkeypatch.setenv(VARIABLE, "off")
    assert java_options(str(java), "") == ""


@pytest.mark.usefixtures("environment")
def test_where_nobody_may_write_none_is_written(java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "write")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert java_options(str(java), "") == ""


@pytest.mark.parametrize("sign", [":", '"', "\\"])
def test_a_path_that_an_option_cannot_have_is_not_given_to_java(
    sign: str, tmp_path: Path, java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / f"my{sign}environment"))
    monkeypatch.setenv(VARIABLE, "write")
    assert java_options(str(java), "") == ""


@pytest.mark.usefixtures("environment")
def test_another_value_than_the_three_is_refused(java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "yes")
    with pytest.raises(ConfigurationError, match="invalid JAVA_CLASS_ARCHIVE=yes: expected write, off or nothing"):
        java_options(str(java), "")


def test_what_a_killed_process_left_is_removed_after_an_hour(environment: Path, java: Path) -> None:
    old, new = environment / "java-classes-x.part-1", environment / "java-classes-x.part-2"
    for file in (old, new):
        file.write_text("half")
    os.utime(old, (0, 0))
    ClassArchive.of(str(java), "").new_part()
    assert list(environment.iterdir()) == [new]


def begin_to_write(java: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start as a run does that is to write an archive; where Java would write it."""
    monkeypatch.setenv(VARIABLE, "write")
    part = ClassArchive.of(str(java), "").new_part()
    assert f'"-XX:ArchiveClassesAtExit={part}"' in java_options(str(java), "")
    return part


@pytest.mark.parametrize(
    ("ending", "archives"),
    [("exit 0", 0), ("echo classes > {part}", 1), ("echo half > {part}; exit 1", 0)],
    ids=["wrote nothing", "wrote it", "failed in the middle"],
)
def test_what_java_wrote_is_read_later_if_java_ended_well(
    ending: str, archives: int, environment: Path, java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = begin_to_write(java, monkeypatch)
    ended = subprocess.Popen(["sh", "-c", ending.format(part=part)])
    monkeypatch.setattr(class_archive, "let_end", lambda: ended)
    monkeypatch.setattr(class_archive, "kill_started", lambda: None)
    leave_class_archive()
    assert [file.suffix for file in environment.iterdir()] == [".jsa"] * archives
    assert ("SharedArchiveFile" in java_options(str(java), "")) == bool(archives)


def test_a_java_that_takes_too_long_is_killed_and_leaves_nothing(
    environment: Path, java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_to_write(java, monkeypatch).write_text("half")
    endless = subprocess.Popen(["sleep", "600"])
    monkeypatch.setattr(class_archive, "SECONDS_WITHOUT_A_WORD", 0)
    monkeypatch.setattr(class_archive, "SECONDS_TO_WRITE", 0)
    monkeypatch.setattr(class_archive, "let_end", lambda: endless)
    monkeypatch.setattr(class_archive, "kill_started", endless.kill)
    leave_class_archive()
    assert endless.wait() == -signal.SIGKILL
    assert list(environment.iterdir()) == []


def run_session(folder: Path, what_then: str, choice: str) -> dict[str, int | bool]:
    done = subprocess.run(
        [sys.executable, "-c", SESSION, folder, what_then],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, VARIABLE: choice},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.long
def test_the_second_java_reads_what_the_first_has_written(tmp_path: Path) -> None:
    folder = tmp_path / "my environment"
    folder.mkdir()
    assert not run_session(folder, "leave it", "write")["reads an archive"]
    [file] = folder.iterdir()
    assert file.stat().st_size > 50_000_000
    assert run_session(folder, "leave it", "write")["reads an archive"]
    os.truncate(file, 40_000_000)
    assert not run_session(folder, "leave it", "")["reads an archive"]


@pytest.mark.long
def test_a_process_that_ends_otherwise_leaves_no_archive_and_no_java(tmp_path: Path) -> None:
    seen = run_session(tmp_path, "fail", "write")
    assert list(tmp_path.iterdir()) == []
    assert not Path(f"/proc/{seen['process']}").exists()
