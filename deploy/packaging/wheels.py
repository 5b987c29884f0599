"""The locked wheels that a platform needs and does not have, fetched for it from any machine."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from deploy.packaging.lock import Pin
from deploy.packaging.targets import MACHINES, Target
from jobs.errors import ConfigurationError, OutsideSystemError


def is_met_by(requirement: Requirement, versions: Mapping[str, str]) -> bool:
    """Whether a platform's own package will do: it is there, in a version that is asked for."""
    version = versions.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def fetch_wheels(
    roots: Iterable[Requirement], *, pins: Mapping[str, Pin], target: Target, architecture: str, folder: Path
) -> list[Path]:
    """Fetch the wheels of some requirements and of all that they require in turn.

    A package that the platform has is left out when its version there meets every requirement on the way: what stands
    on it (pandas on numpy, say) was built for it, and a run goes by the platform's version then. One that does not
    meet them all comes along in the locked version.

    Returns:
        The wheels, sorted by name.

    Raises:
        ConfigurationError: A requirement is not in the lock, or has no wheel for the platform.
        OutsideSystemError: The package index cannot be reached.
    """
    environment = target.marker_environment(MACHINES[architecture])
    wheels: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        missing = {
            canonicalize_name(requirement.name)
            for requirement in waiting
            if not is_met_by(requirement, target.preinstalled)
        } - set(wheels)
        unknown = missing - set(pins)
        if unknown:
            raise ConfigurationError(
                f"requirements.lock: no {', '.join(sorted(unknown))}, which {target.name} needs. Run `make lock`"
            )
        _download([pins[name] for name in sorted(missing)], target=target, architecture=architecture, folder=folder)
        fetched: dict[str, Path] = {name: _wheel_in(folder, pins[name]) for name in missing}
        wheels |= fetched
        waiting = [
            requirement
            for wheel in fetched.values()
            for requirement in requirements_of(wheel)
            if requirement.marker is None or requirement.marker.evaluate(environment)
        ]
    return sorted(wheels.values())


def requirements_of(wheel: Path) -> list[Requirement]:
    """What a wheel's metadata says that it requires."""
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
        f"{folder}: pip fetched no wheel of {pin.name} {pin.version}. Remove the folder, try again"
    )


def _download(pins: Iterable[Pin], *, target: Target, architecture: str, folder: Path) -> None:
    lines = [pin.as_line() for pin in pins]
    if not lines:
        return
    tag = target.python.replace(".", "")
    platforms = [f"--platform={tag}" for tag in target.platform_tags(MACHINES[architecture])]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(lines) + "\n")
        listed.flush()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--require-hashes", "--only-binary=:all:", f"--dest={folder}"),
                *(
                    f"--python-version={target.python}",
                    "--implementation=cp",
                    f"--abi=cp{tag}",
                    "--abi=abi3",
                    "--abi=none",
                ),
                *(*platforms, f"--requirement={listed.name}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise OutsideSystemError(
            f"pip could not fetch wheels for {target.name} ({architecture}): {' '.join(told[-1:])}. Check the network "
            "and the package index, then try again"
        )
