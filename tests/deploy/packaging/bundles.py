"""What a platform does with a bundle before a job runs: a Python of its version, the script, and a look at the run."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deploy.package import Bundle
from deploy.packaging.targets import SPARK, Target

UV = Path(sys.executable).parent / "uv"


def python_of(version: str) -> Path | None:
    """An interpreter of that version on this machine, pyenv's too; none is fetched."""
    beside = [str(path) for path in Path.home().glob(f".pyenv/versions/{version}.*/bin")]
    found = subprocess.run(
        [UV, "python", "find", "--no-python-downloads", "--no-project", version],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": os.pathsep.join([*beside, os.environ["PATH"]])},
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def clean_environment(folder: Path, target: Target) -> Path:
    """A new Python with what the platform has: Spark, and the packages whose versions are known."""
    base = python_of(target.python)
    if base is None:
        pytest.skip(f"this machine has no Python {target.python}; the bundle for {target.name} was built and not run")
    subprocess.run([base, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for name in SPARK:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (site / name).symlink_to(Path(spec.origin).parent)
    has = [f"{name}=={version}" for name, version in target.preinstalled.items() if name not in {*SPARK, "pyarrow"}]
    if has:
        subprocess.run([UV, "pip", "install", "--quiet", "--no-deps", "--python", python, *has], check=True)
    return python


def script_of(bundle: Bundle, folder: Path) -> Path:
    """The job script of the pipeline, a file by itself, as it is uploaded."""
    script = folder / "pipeline.py"
    script.write_bytes(zipfile.ZipFile(bundle.code).read("jobs/pipeline.py"))
    return script


def manifest_of(output: Path) -> dict[str, Any]:
    current = json.loads((output / "current.json").read_text())
    manifest: dict[str, Any] = json.loads((output / current["manifest"]).read_text())
    return manifest
