"""The version that every command line prints."""

import configparser
from importlib import metadata
from pathlib import Path

import pytest

from jobs.cli import version as version_module
from jobs.cli.version import version

PROJECT = Path(__file__).parents[3]


def not_installed(name: str) -> str:
    raise metadata.PackageNotFoundError(name)


def test_the_version_of_an_installed_distribution_is_that_of_its_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", {"olist-rfm-segments": "9.9.9"}.__getitem__)
    assert version() == "9.9.9"


def test_the_version_of_a_checkout_is_that_of_its_setup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", not_installed)
    setup = configparser.ConfigParser()
    setup.read(PROJECT / "setup.cfg")
    assert version() == setup["metadata"]["version"]


def test_code_without_metadata_and_setup_has_no_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(metadata, "version", not_installed)
    monkeypatch.setattr(version_module, "SETUP", tmp_path / "setup.cfg")
    with pytest.raises(metadata.PackageNotFoundError):
        version()
