"""Which code made a run, on what."""

import hashlib
import platform
import shutil
import subprocess
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

DISTRIBUTION = "olist-rfm-segments"
PACKAGES = ("transforms", "expectations", "jobs")


def code_version() -> dict[str, Any]:
    """The release, the commit where there is a checkout, and a hash of the source that is there either way."""
    return {"version": _release(), "commit": _commit(), "source_sha256": _source_hash()}


def platform_versions(session: SparkSession) -> dict[str, str]:
    """Versions of what the run stood on."""
    return {"python": platform.python_version(), "spark": session.version, "system": platform.platform(terse=True)}


def _release() -> str | None:
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout, marked when files differ from it; None in a package or where git is not."""
    folder = Path(__file__).resolve().parent.parent
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    described = subprocess.run(
        [git, "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or None


def _source_hash() -> str:
    digest = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted(resources.files(package).iterdir(), key=lambda entry: entry.name):
            if file.is_file() and file.name.endswith(".py"):
                digest.update(f"{package}/{file.name}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
