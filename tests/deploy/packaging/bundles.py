"""A platform's part in a job run: a Python of its version, the script beside the bundle, and the manifest."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deploy.packaging.bundle import Bundle
from deploy.packaging.platforms import SPARK, Platform

UV = Path(sys.executable).parent / "uv"


def python_of(version: str) -> Path | None:
    """This machine's interpreter of a version, pyenv's included; None if there is none."""
    pyenv_paths = [str(path) for path in Path.home().glob(f".pyenv/versions/{version}.*/bin")]
    completed = subprocess.run(
        [UV, "python", "find", "--no-python-downloads", "--no-project", version],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": os.pathsep.join([*pyenv_paths, os.environ["PATH"]])},
    )
    return Path(completed.stdout.strip()) if completed.returncode == 0 else None


def clean_environment(folder: Path, platform: Platform) -> Path:
    """A new Python with the platform's own packages: Spark, and those whose versions AWS publishes."""
    base = python_of(platform.python)
    if base is None:
        pytest.skip(
            f"this machine has no Python {platform.python}; the bundle for {platform.name} was built and not run"
        )
    subprocess.run([base, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for name in SPARK:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (site / name).symlink_to(Path(spec.origin).parent)
    packages = [
        f"{name}=={version}" for name, version in platform.preinstalled.items() if name not in {*SPARK, "pyarrow"}
    ]
    if packages:
        subprocess.run([UV, "pip", "install", "--quiet", "--no-deps", "--python", python, *packages], check=True)
    return python


def script_of(bundle: Bundle, folder: Path) -> Path:
    """The pipeline's job script as a single file, as `up` uploads it."""
    script = folder / "pipeline.py"
    script.write_bytes(zipfile.ZipFile(bundle.code).read("jobs/pipeline.py"))
    return script


def manifest_of(output: Path) -> dict[str, Any]:
    current = json.loads((output / "current.json").read_text())
    manifest: dict[str, Any] = json.loads((output / current["manifest"]).read_text())
    return manifest
