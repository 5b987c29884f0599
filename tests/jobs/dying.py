"""A process that dies at an exact moment: in place of one of its calls to the store, after which it makes none."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jobs.storage.store import RunStore

CALLS = (
    *("open_run", "table_uri", "write_text", "copy_in", "remove", "write_manifest", "move_pointer"),
    *("write_failure", "contains"),
)
"""The calls of a run to its store. Spark writes a table under its ``table_uri``; the last two come after a failure."""


class Killed(BaseException):
    """The end of the process. No code catches it, as none can catch SIGKILL."""


class Life:
    """The calls that a process makes to the store until it dies.

    Attributes:
        calls: each call so far, as the method and the file or table that it is about.
    """

    def __init__(self, *, after: int | None, in_place_of: str | None) -> None:
        self._after = after
        self._in_place_of = in_place_of
        self._is_over = False
        self.calls: list[str] = []

    def call(self, name: str, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Make a call, or die."""
        self._is_over = self._is_over or len(self.calls) == self._after or name == self._in_place_of
        if self._is_over:
            raise Killed
        about = [part for part in arguments[2:] if isinstance(part, str)][:1]
        self.calls.append(" ".join([name, *about]))
        return method(*arguments, **named)


@contextmanager
def life(*, after: int | None = None, in_place_of: str | None = None) -> Iterator[Life]:
    """Count the calls to the store, and have the process die.

    Args:
        after: the number of calls after which it dies.
        in_place_of: the method in place of which it dies.
    """
    lived = Life(after=after, in_place_of=in_place_of)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(RunStore, name, functools.partialmethod(_call, lived, name, getattr(RunStore, name)))
        yield lived


def _call(store: RunStore, lived: Life, name: str, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return lived.call(name, method, store, *arguments, **named)
