"""The code that runs: its version, the commit, and a hash of the source. Imports no Spark."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jobs.cli.version import version

PACKAGES = ("transforms", "expectations", "jobs")


def code_version() -> dict[str, Any]:
    """The version, the commit where there is a checkout, and a hash of the source."""
    return {"version": _release(), "commit": _commit(), "source_sha256": _source_hash()}


def _release() -> str | None:
    try:
        return version()
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout, marked when files differ from it; None in a package, or without git."""
    folder = Path(__file__).resolve().parents[2]
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    description = subprocess.run(
        [git, "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return description.stdout.strip() or None


def _source_hash() -> str:
    digest = hashlib.sha256()
    for package in PACKAGES:
        for name, file in _modules(resources.files(package), package):
            digest.update(f"{name}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _modules(folder: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    """The modules of a package and of its rooms, wherever they were imported from (a zip, on a cluster)."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _modules(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{name}/{entry.name}", entry
