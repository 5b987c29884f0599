"""What runs on AWS, as archives: the project's code, and the locked packages that it needs there.

Two archives, since they change at different times: the code (under 1 MB) with each commit, the dependencies with the
lock (tens of MB, uploaded once). Each is named by a hash of its content, so that what has that name need not be
uploaded again, and a job that runs is never changed under its feet.
"""

import argparse
import configparser
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from deploy.aws.options import Commands
from deploy.packaging.archives import content_key, read_zip, write_zip
from deploy.packaging.lock import read_lock
from deploy.packaging.targets import GLUE, MACHINES, TARGETS, Target
from deploy.packaging.wheels import fetch_wheels
from jobs.errors import ConfigurationError, OutsideSystemError

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = "build/package"
BUILT_FROM = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
NAME = "olist_rfm_segments"
SITE_PACKAGES = "site-packages"


@dataclass(frozen=True)
class Bundle:
    """The archives for one platform.

    Attributes:
        target: the platform.
        architecture: of its machines.
        code: the project as a zip that Python imports from, for ``--py-files`` and ``--extra-py-files``.
        wheel: the same bytes under the name of a wheel.
        dependencies: a ``.gluewheels.zip`` for Glue; for EMR a zip whose ``site-packages`` goes on PYTHONPATH.
        packages: the wheels that are in it.
    """

    target: str
    architecture: str
    code: Path
    wheel: Path
    dependencies: Path
    packages: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What was built, for people and for scripts."""
        files = {"code": self.code, "wheel": self.wheel, "dependencies": self.dependencies}
        return {
            "target": self.target,
            "architecture": self.architecture,
            **{name: {"file": str(path), "bytes": path.stat().st_size} for name, path in files.items()},
            "packages": list(self.packages),
        }


def add_package(commands: Commands) -> None:
    """Add ``package`` to the commands."""
    parser = commands.add_parser("package", help="build the archives that run on Glue or EMR", allow_abbrev=False)
    parser.add_argument("--target", choices=tuple(TARGETS), default=GLUE.name, help="the platform (default: glue-6.0)")
    parser.add_argument(
        "--arch", choices=tuple(MACHINES), default="x86_64", help="its machines (default: x86_64; Glue has no other)"
    )
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help=f"where to (default: {FOLDER})")
    parser.add_argument("--dry-run", action="store_true", help="say what would be built, and build nothing")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> None:
    target = TARGETS[given.target]
    _check_architecture(target, given.arch)
    if given.dry_run:
        plan = {"target": target.name, "architecture": given.arch, "folder": str(given.folder), "needs": requirements()}
        sys.stdout.write(json.dumps(plan, indent=2) + "\n")
        return
    bundle = build(target, architecture=given.arch, folder=given.folder)
    sys.stdout.write(json.dumps(bundle.as_json(), indent=2) + "\n")


def build(target: Target, *, architecture: str, folder: Path) -> Bundle:
    """Build the archives for a platform; those that are there already, by their content, are written anew, the same.

    Raises:
        ConfigurationError: The platform has no such machines, or the lock lacks a package.
        OutsideSystemError: pip failed, as it does without a network.
    """
    _check_architecture(target, architecture)
    folder.mkdir(parents=True, exist_ok=True)
    wheel, code = _write_code(folder)
    dependencies, wheels = _write_dependencies(target, architecture, folder)
    return Bundle(target.name, architecture, code, wheel, dependencies, tuple(path.name for path in wheels))


def requirements() -> list[str]:
    """What setup.cfg says the project needs to run."""
    settings = configparser.ConfigParser()
    settings.read(PROJECT / "setup.cfg", encoding="utf-8")
    lines = (line.strip() for line in settings["options"]["install_requires"].splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _check_architecture(target: Target, architecture: str) -> None:
    if architecture not in target.architectures:
        raise ConfigurationError(
            f"--arch {architecture}: {target.name} has no such machines (expected {' or '.join(target.architectures)})"
        )


def _write_code(folder: Path) -> tuple[Path, Path]:
    content = project_wheel()
    key = content_key(content)
    (version,) = {
        name.split("/")[0].removesuffix(".dist-info").partition("-")[2] for name in content if ".dist-info/" in name
    }
    wheel = folder / key / f"{NAME}-{version}-py3-none-any.whl"  # pip takes a wheel by its exact name alone
    wheel.parent.mkdir(exist_ok=True)
    code = folder / f"{NAME}-{version}-{key}.zip"
    for path in (wheel, code):
        write_zip(path, content, compression=zipfile.ZIP_STORED)
    return wheel, code


def project_wheel() -> dict[str, bytes]:
    """The files of the project's wheel, made from its packages alone: what else lies about in the folder is left out.

    Raises:
        OutsideSystemError: It does not build.
    """
    settings = configparser.ConfigParser()
    settings.read(PROJECT / "setup.cfg", encoding="utf-8")
    packages = {name.partition(".")[0] for name in settings["options"]["packages"].split()}
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "source")
        source.mkdir()
        for name in BUILT_FROM:
            shutil.copy(PROJECT / name, source)
        for name in packages:
            shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place, str(source)],
            capture_output=True,
            text=True,
            check=False,
        )
        built = list(Path(place).glob("*.whl"))
        if done.returncode or len(built) != 1:
            raise OutsideSystemError(
                f"the project's wheel was not built: {' '.join(done.stderr.splitlines()[-1:])}. It needs "
                "setuptools from the package index; check the network, then try again"
            )
        return read_zip(built[0])


def _write_dependencies(target: Target, architecture: str, folder: Path) -> tuple[Path, list[Path]]:
    environment = target.marker_environment(MACHINES[architecture])
    fetched = folder / "wheels" / f"{target.name}-{architecture}"
    fetched.mkdir(parents=True, exist_ok=True)
    wheels = fetch_wheels(
        [Requirement(line) for line in requirements()],
        pins=read_lock((PROJECT / "requirements.lock").read_text(encoding="utf-8"), environment),
        target=target,
        architecture=architecture,
        folder=fetched,
    )
    stem = f"dependencies-{target.name}-{architecture}"
    if target is GLUE:
        content = _zip_of_wheels(wheels)
        path = folder / f"{stem}-{content_key(content)}.gluewheels.zip"
        write_zip(path, content, compression=zipfile.ZIP_STORED)  # wheels are compressed
    else:
        content = _site_packages(wheels)
        path = folder / f"{stem}-{content_key(content)}.zip"
        write_zip(path, content, compression=zipfile.ZIP_DEFLATED)
    return path, wheels


def _zip_of_wheels(wheels: list[Path]) -> dict[str, bytes]:
    """Wheels as Glue installs them: in ``wheels``, with a list of them, for pip with ``--no-index``."""
    content = {f"wheels/{wheel.name}": wheel.read_bytes() for wheel in wheels}
    pinned = ["==".join(wheel.name.split("-")[:2]) for wheel in wheels]
    return {**content, "wheels/requirements.txt": "".join(f"{line}\n" for line in pinned).encode()}


def _site_packages(wheels: list[Path]) -> dict[str, bytes]:
    """Wheels laid out as pip installs them, without their scripts.

    No virtual environment: that holds links to the Python of the machine that made it, so that it would have to be
    made on Amazon Linux, and EMR has the same Python 3.11 itself.
    """
    content = {}
    for wheel in wheels:
        for name, data in read_zip(wheel).items():
            folder, _, rest = name.partition("/")
            if folder.endswith(".data"):
                scheme, _, rest = rest.partition("/")
                if scheme in ("purelib", "platlib"):
                    content[f"{SITE_PACKAGES}/{rest}"] = data
            else:
                content[f"{SITE_PACKAGES}/{name}"] = data
    return content
