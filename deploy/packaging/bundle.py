"""The bundle for a platform: an archive of the project's code, and one of the locked packages that it needs there.

The two change at different times: the code (under 1 MB) with each commit, the dependencies (tens of MB) with the lock.
Each archive's name holds a hash of its content. A name that was uploaded is never uploaded again, and no release
changes the files of a job in progress.
"""

import configparser
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from deploy.packaging.archives import content_key, read_zip, write_zip
from deploy.packaging.platforms import ARCHITECTURES, GLUE, Platform
from deploy.packaging.wheels import fetch_wheels, read_lock
from jobs.errors import ConfigurationError, OutsideSystemError

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = "build/package"
BUILD_FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
NAME = "olist_rfm_segments"
SITE_PACKAGES = "site-packages"


@dataclass(frozen=True)
class Bundle:
    """The archives for one platform.

    Attributes:
        platform: the platform's name.
        architecture: of its machines.
        code: the project as a zip that Python imports from, for ``--py-files`` and ``--extra-py-files``.
        wheel: the same bytes under the name of a wheel.
        dependencies: a ``.gluewheels.zip`` for Glue; for EMR a zip whose ``site-packages`` goes on PYTHONPATH.
        packages: the names of the wheels in ``dependencies``.
    """

    platform: str
    architecture: str
    code: Path
    wheel: Path
    dependencies: Path
    packages: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The bundle as `package` prints it, with the size of each file in bytes."""
        files = {"code": self.code, "wheel": self.wheel, "dependencies": self.dependencies}
        return {
            "target": self.platform,
            "architecture": self.architecture,
            **{name: {"file": str(path), "bytes": path.stat().st_size} for name, path in files.items()},
            "packages": list(self.packages),
        }


def build_bundle(platform: Platform, *, architecture: str, folder: Path) -> Bundle:
    """Build the archives for a platform. Two builds of the same content write the same files.

    Raises:
        ConfigurationError: The platform has no machines of the architecture, or the lock lacks a package.
        OutsideSystemError: pip failed, as it does without a network.
    """
    check_architecture(platform, architecture)
    folder.mkdir(parents=True, exist_ok=True)
    wheel, code = _write_code(folder)
    dependencies, wheels = _write_dependencies(platform, architecture, folder)
    return Bundle(platform.name, architecture, code, wheel, dependencies, tuple(path.name for path in wheels))


def check_architecture(platform: Platform, architecture: str) -> None:
    """Check that a platform has machines of an architecture.

    Raises:
        ConfigurationError: It has none.
    """
    if architecture not in platform.architectures:
        raise ConfigurationError(
            f"invalid --arch {architecture}: {platform.name} has no such machines, expected "
            f"{' or '.join(platform.architectures)}"
        )


def requirements() -> list[str]:
    """The requirements of the project at run time, from ``setup.cfg``."""
    lines = (line.strip() for line in _setup()["options"]["install_requires"].splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def packages() -> list[str]:
    """The top-level packages of the project, from ``setup.cfg``."""
    return [pattern.removesuffix("*") for pattern in _setup()["options.packages.find"]["include"].split()]


def project_wheel() -> dict[str, bytes]:
    """The files of the project's wheel, by name. It is built from the packages alone, without other files beside them.

    Raises:
        OutsideSystemError: pip could not build it.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        for name in BUILD_FILES:
            shutil.copy(PROJECT / name, source)
        for name in packages():
            shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
        completed = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(source)],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(Path(folder).glob("*.whl"))
        if completed.returncode or len(wheels) != 1:
            raise OutsideSystemError(
                f"pip could not build the project's wheel: {' '.join(completed.stderr.splitlines()[-1:])}. The build "
                "needs setuptools from the package index; check the network, then try again"
            )
        return read_zip(wheels[0])


def _setup() -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read(PROJECT / "setup.cfg", encoding="utf-8")
    return setup


def _write_code(folder: Path) -> tuple[Path, Path]:
    content = project_wheel()
    key = content_key(content)
    (version,) = {
        name.split("/")[0].removesuffix(".dist-info").partition("-")[2] for name in content if ".dist-info/" in name
    }
    wheel = folder / key / f"{NAME}-{version}-py3-none-any.whl"  # pip accepts no other name
    wheel.parent.mkdir(exist_ok=True)
    code = folder / f"{NAME}-{version}-{key}.zip"
    for path in (wheel, code):
        write_zip(path, content, compression=zipfile.ZIP_STORED)
    return wheel, code


def _write_dependencies(platform: Platform, architecture: str, folder: Path) -> tuple[Path, list[Path]]:
    environment = platform.marker_environment(ARCHITECTURES[architecture])
    wheel_folder = folder / "wheels" / f"{platform.name}-{architecture}"
    wheel_folder.mkdir(parents=True, exist_ok=True)
    wheels = fetch_wheels(
        [Requirement(line) for line in requirements()],
        pins=read_lock((PROJECT / "requirements.lock").read_text(encoding="utf-8"), environment),
        platform=platform,
        architecture=architecture,
        folder=wheel_folder,
    )
    stem = f"dependencies-{platform.name}-{architecture}"
    if platform is GLUE:
        content = _glue_wheels(wheels)
        path = folder / f"{stem}-{content_key(content)}.gluewheels.zip"
        write_zip(path, content, compression=zipfile.ZIP_STORED)  # the wheels are compressed already
    else:
        content = _site_packages(wheels)
        path = folder / f"{stem}-{content_key(content)}.zip"
        write_zip(path, content, compression=zipfile.ZIP_DEFLATED)
    return path, wheels


def _glue_wheels(wheels: list[Path]) -> dict[str, bytes]:
    """Wheels as Glue installs them: in ``wheels``, with a requirements file for ``pip install --no-index``."""
    content = {f"wheels/{wheel.name}": wheel.read_bytes() for wheel in wheels}
    pins = ["==".join(wheel.name.split("-")[:2]) for wheel in wheels]
    return {**content, "wheels/requirements.txt": "".join(f"{pin}\n" for pin in pins).encode()}


def _site_packages(wheels: list[Path]) -> dict[str, bytes]:
    """Wheels laid out as pip installs them, without their scripts.

    A virtual environment would hold links to the Python of the machine that made it, so it would have to be made on
    Amazon Linux. EMR has the same Python 3.11 itself.
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
