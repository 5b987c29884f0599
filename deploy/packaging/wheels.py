"""The locked wheels that a platform needs and lacks: read from ``requirements.lock``, fetched with pip anywhere."""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from deploy.packaging.platforms import ARCHITECTURES, Platform
from jobs.errors import ConfigurationError, OutsideSystemError

HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """The locked version of a package, and the hashes of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def as_line(self) -> str:
        """The pin as a line of a requirements file."""
        return " ".join((f"{self.name}=={self.version}", *(f"--hash={value}" for value in self.hashes)))


def read_lock(text: str, environment: Mapping[str, str]) -> dict[str, Pin]:
    """The pins of a lock file that hold in an environment, by name.

    Args:
        text: the file: one requirement per line, with its hashes on continuation lines.
        environment: the values with which markers are evaluated.
    """
    pins: dict[str, Pin] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        line, _, _ = entry.partition(" --hash")
        if not line.strip() or line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate(dict(environment)):
            continue
        name = canonicalize_name(requirement.name)
        version = str(requirement.specifier).removeprefix("==")
        pins[name] = Pin(name=name, version=version, hashes=tuple(HASH.findall(entry)))
    return pins


def is_met_by(requirement: Requirement, versions: Mapping[str, str]) -> bool:
    """Whether a platform's own version of a package meets a requirement."""
    version = versions.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def fetch_wheels(
    requirements: Iterable[Requirement],
    *,
    pins: Mapping[str, Pin],
    platform: Platform,
    architecture: str,
    folder: Path,
) -> list[Path]:
    """Fetch the wheels of some requirements, and of all packages that those require in turn.

    A platform's own package is used if its version meets every requirement on the way. The platform's other packages
    were built for that version (pandas for its numpy, say). Otherwise the locked version is fetched.

    Returns:
        The wheels, sorted by name.

    Raises:
        ConfigurationError: A requirement is not in the lock, or has no wheel for the platform.
        OutsideSystemError: pip could not reach the package index.
    """
    environment = platform.marker_environment(ARCHITECTURES[architecture])
    wheels: dict[str, Path] = {}
    pending = list(requirements)
    while pending:
        missing = {
            canonicalize_name(requirement.name)
            for requirement in pending
            if not is_met_by(requirement, platform.preinstalled)
        } - set(wheels)
        unlocked = missing - set(pins)
        if unlocked:
            raise ConfigurationError(
                f"requirements.lock: no {', '.join(sorted(unlocked))}, which {platform.name} needs. Run `make lock`"
            )
        _download([pins[name] for name in sorted(missing)], platform=platform, architecture=architecture, folder=folder)
        fetched: dict[str, Path] = {name: _wheel_in(folder, pins[name]) for name in missing}
        wheels |= fetched
        pending = [
            requirement
            for wheel in fetched.values()
            for requirement in requirements_of(wheel)
            if requirement.marker is None or requirement.marker.evaluate(environment)
        ]
    return sorted(wheels.values())


def requirements_of(wheel: Path) -> list[Requirement]:
    """The requirements in a wheel's metadata."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = BytesHeaderParser().parsebytes(archive.read(name))
    return [Requirement(line) for line in metadata.get_all("Requires-Dist") or []]


def _wheel_in(folder: Path, pin: Pin) -> Path:
    for wheel in folder.glob("*.whl"):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        if (name, str(version)) == (pin.name, pin.version):
            return wheel
    raise OutsideSystemError(
        f"{folder}: no wheel of {pin.name} {pin.version}, expected pip to fetch it. Remove the folder, then try again"
    )


def _download(pins: Iterable[Pin], *, platform: Platform, architecture: str, folder: Path) -> None:
    lines = [pin.as_line() for pin in pins]
    if not lines:
        return
    python_tag = platform.python.replace(".", "")
    platform_tags = platform.platform_tags(ARCHITECTURES[architecture])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements_file:
        requirements_file.write("\n".join(lines) + "\n")
        requirements_file.flush()
        completed = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--require-hashes", "--only-binary=:all:", f"--dest={folder}"),
                *(f"--python-version={platform.python}", "--implementation=cp"),
                *(f"--abi=cp{python_tag}", "--abi=abi3", "--abi=none"),
                *(f"--platform={tag}" for tag in platform_tags),
                f"--requirement={requirements_file.name}",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if completed.returncode:
        stderr_lines = completed.stderr.splitlines()
        errors = [line for line in stderr_lines if line.startswith("ERROR")] or stderr_lines
        raise OutsideSystemError(
            f"pip could not fetch wheels for {platform.name} ({architecture}): {' '.join(errors[-1:])}. Check the "
            "network and the package index, then try again"
        )
