"""Which Java Spark runs on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import OutsideSystemError
from jobs.spark import java

REFUSED = "--add-modules=jdk.incubator.vector"


def fake_java(home: Path, version: str) -> Path:
    """A folder that looks like a Java of that version."""
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    (home / "bin" / "java").chmod(0o755)
    return home


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def put_on_path(machine: Path, home: Path) -> None:
    (machine / "path").mkdir()
    (machine / "path" / "java").symlink_to(home / "bin" / "java")


@pytest.mark.parametrize("version", ["17.0.15", "21.0.8"])
def test_java_home_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    home = fake_java(machine / "own", version)
    put_on_path(machine, fake_java(machine / "other", "17.0.1"))
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java.java_home() == str(home)


def test_a_java_home_that_spark_cannot_use_gives_way_to_the_path(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(machine / "new", "25.0.2")))
    home = fake_java(machine / "other", "17.0.1")
    put_on_path(machine, home)
    assert java.java_home() == str(home)


def test_the_release_file_comes_before_the_output_of_java(machine: Path) -> None:
    home = fake_java(machine / "own", "17.0.1")
    (home / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="11.0.2"\n')
    assert java.major_version(home) == 11


@pytest.mark.usefixtures("machine")
def test_the_packaged_java_runs_without_the_argument_that_fails_there() -> None:
    home = java.java_home()
    ran = subprocess.run(
        [f"{home}/bin/java", REFUSED, "-Dkept=a b", "-XshowSettings:properties", "-version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'version "21.0.8' in ran.stderr
    assert "kept = a b" in ran.stderr


def test_no_java_at_all_is_one_line_that_helps(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_spec", lambda _: None)
    monkeypatch.setenv("JAVA_HOME", str(fake_java(machine / "new", "25.0.2")))
    with pytest.raises(OutsideSystemError) as error:
        java.java_home()
    assert "JAVA_HOME: 25; java on the PATH: none; expected 17 or 21" in str(error.value)


@pytest.mark.long
def test_spark_runs_on_the_packaged_java(tmp_path: Path) -> None:
    code = (
        "from jobs.spark.session import spark_session\n"
        "with spark_session('x') as spark:\n"
        "    spark.range(10).selectExpr('id', 'uuid() u').write.parquet(__import__('sys').argv[1])\n"
        "    assert spark.read.parquet(__import__('sys').argv[1]).count() == 10\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "JAVA_HOME"}
    # Only what Spark's start script needs, and no java.
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "sh", "dirname", "uname", "env", "chmod", "rm", "ls"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out")],
        env={**environment, "PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_folder_that_others_can_write_is_not_trusted_with_the_start_script(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "java"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(PermissionError):
        java.make_private(folder)


def test_a_link_or_another_users_folder_is_not_trusted_with_the_start_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "own")
    with pytest.raises(PermissionError):
        java.make_private(tmp_path / "link")
    java.make_private(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(java.os, "getuid", lambda: (tmp_path / "new").stat().st_uid + 1)
    with pytest.raises(PermissionError):
        java.make_private(tmp_path / "new")
