"""Zip archives that are the same bytes whenever their content is the same."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

WRITTEN = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name."""

MODE = 0o100644 << 16
KEY_LENGTH = 16


def content_key(content: Mapping[str, bytes]) -> str:
    """A key of an archive's content that depends neither on its compression nor on the order of its entries."""
    digest = hashlib.sha256()
    for name in sorted(content):
        digest.update(f"{name}\0{hashlib.sha256(content[name]).hexdigest()}\n".encode())
    return digest.hexdigest()[:KEY_LENGTH]


def read_zip(path: Path) -> dict[str, bytes]:
    """The files of a zip, by name."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def write_zip(path: Path, content: Mapping[str, bytes], *, compression: int) -> None:
    """Write files into a zip: sorted, with one time and one mode for all."""
    with zipfile.ZipFile(path, "w", compression=compression) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, WRITTEN)
            entry.compress_type = compression
            entry.external_attr = MODE
            entry.create_system = 3  # Unix, on whatever system this runs
            archive.writestr(entry, content[name])
