"""Zip archives with reproducible bytes: the same content makes the same file."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

MODIFIED = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold."""

MODE = 0o100644 << 16
KEY_LENGTH = 16


def content_key(content: Mapping[str, bytes]) -> str:
    """A hash of an archive's content. Neither the compression nor the order of the entries changes it."""
    digest = hashlib.sha256()
    for name in sorted(content):
        digest.update(f"{name}\0{hashlib.sha256(content[name]).hexdigest()}\n".encode())
    return digest.hexdigest()[:KEY_LENGTH]


def read_zip(path: Path) -> dict[str, bytes]:
    """The content of a zip's files, by name."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def write_zip(path: Path, content: Mapping[str, bytes], *, compression: int) -> None:
    """Write a zip: entries in name order, all with the same time and mode."""
    with zipfile.ZipFile(path, "w", compression=compression) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, MODIFIED)
            entry.compress_type = compression
            entry.external_attr = MODE
            entry.create_system = 3  # Unix, whichever system writes the zip
            archive.writestr(entry, content[name])
