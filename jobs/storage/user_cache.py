"""The user's cache: what takes long to fetch or to make, kept for later runs."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from jobs.storage.local import LocalFolder


def cache_folder() -> Path:
    """The project's folder in the user's cache, which may not be there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "olist-rfm-segments"


def cached_text(name: str, make: Callable[[], str], *, made_from: str) -> str:
    """A text that takes long to make, as an earlier process made it, or made now and kept.

    A file has the checksum of its text in its name. One that was cut off or changed is not read, and the text is made
    anew. Where the cache cannot be written, nothing is kept.

    Args:
        name: what the text is, as the beginning of a file's name.
        make: makes the text.
        made_from: versions and settings. Another of them is another text.
    """
    name = f"{name}-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"
    with suppress(OSError, RuntimeError):  # a user without a home has no cache
        for file in cache_folder().glob(f"{name}-*.txt"):
            content = file.read_bytes()
            if file.name == _file_name(name, content):
                return content.decode()
    text = make()
    with suppress(OSError, RuntimeError):
        LocalFolder(cache_folder()).write_texts({_file_name(name, text.encode()): text})
    return text


def _file_name(name: str, content: bytes) -> str:
    return f"{name}-{hashlib.sha256(content).hexdigest()}.txt"
