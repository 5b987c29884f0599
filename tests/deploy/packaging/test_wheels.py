"""Wheels fetched by the real pip from a folder in place of an index."""

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy.packaging.platforms import Platform
from deploy.packaging.wheels import Pin, fetch_wheels
from jobs.errors import ConfigurationError, OutsideSystemError

PLATFORM = Platform(
    name="platform-1", python="3.13", glibc=34, architectures=("x86_64", "arm64"), preinstalled={"numpy": "2.4.4"}
)


class Index:
    """A folder of wheels that hold their requirements alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pins: dict[str, Pin] = {}
        folder.mkdir()

    def has(self, name: str, version: str, *requires: str, tag: str = "py3-none-any") -> None:
        path = self.folder / f"{name}-{version}-{tag}.whl"
        info = f"{name}-{version}.dist-info"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{info}/METADATA", "\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires)]))
            wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{info}/RECORD", "")
        digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        earlier = self.pins[name].hashes if name in self.pins else ()
        self.pins[name] = Pin(name, version, (*earlier, digest))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    index = Index(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index.folder))
    return index


def fetched(index: Index, folder: Path, *roots: str, architecture: str = "x86_64") -> set[str]:
    wheels = fetch_wheels(
        [Requirement(root) for root in roots],
        pins=index.pins,
        platform=PLATFORM,
        architecture=architecture,
        folder=folder,
    )
    return {wheel.name for wheel in wheels}


def test_requirements_are_fetched_and_the_platforms_own_packages_are_not(index: Index, tmp_path: Path) -> None:
    index.has("gate", "1.0", "stats>=1", 'windows-only; sys_platform == "win32"', 'extra-only; extra == "more"')
    index.has("stats", "1.5", "numpy>=2,<3")
    index.has("numpy", "2.5.5")
    assert fetched(index, tmp_path, "gate>=1") == {"gate-1.0-py3-none-any.whl", "stats-1.5-py3-none-any.whl"}


def test_a_package_that_is_too_old_on_the_platform_is_fetched_as_locked(index: Index, tmp_path: Path) -> None:
    index.has("stats", "1.5", "numpy>=2.5")
    index.has("numpy", "2.5.5")
    assert fetched(index, tmp_path, "stats") == {"stats-1.5-py3-none-any.whl", "numpy-2.5.5-py3-none-any.whl"}


def test_wheels_are_for_the_platform_and_not_for_this_machine(index: Index, tmp_path: Path) -> None:
    for tag in ("cp311-cp311", "cp313-cp313"):
        for machine in ("x86_64", "aarch64"):
            index.has("native", "1.0", tag=f"{tag}-manylinux_2_28_{machine}")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert fetched(index, tmp_path / "one", "native") == {"native-1.0-cp313-cp313-manylinux_2_28_x86_64.whl"}
    assert fetched(index, tmp_path / "two", "native", architecture="arm64") == {
        "native-1.0-cp313-cp313-manylinux_2_28_aarch64.whl"
    }


def test_a_wheel_for_a_newer_glibc_is_not_taken(index: Index, tmp_path: Path) -> None:
    index.has("native", "1.0", tag="cp313-cp313-manylinux_2_35_x86_64")
    with pytest.raises(OutsideSystemError, match=r"platform-1 \(x86_64\).*native"):
        fetched(index, tmp_path, "native")


def test_a_file_that_is_not_the_locked_one_is_refused(index: Index, tmp_path: Path) -> None:
    index.has("gate", "1.0")
    index.pins["gate"] = Pin("gate", "1.0", ("sha256:" + "0" * 64,))
    with pytest.raises(OutsideSystemError, match=re.compile("hash", re.IGNORECASE)):
        fetched(index, tmp_path, "gate")


def test_a_requirement_that_the_lock_lacks_is_named(index: Index, tmp_path: Path) -> None:
    index.has("gate", "1.0", "stats")
    with pytest.raises(ConfigurationError, match=r"no stats, which platform-1 needs. Run `make lock`"):
        fetched(index, tmp_path, "gate")
