"""Waiting for what runs elsewhere: with progress, through short failures, and without stopping it on Ctrl-C."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

LOOKS = 8
"""How often one look is tried again, for some four minutes in all, before the wait is given up."""


def patient(is_passing: Callable[[BaseException], bool], *, seconds: float) -> Retrying:
    """Tries a call again, at growing intervals, as long as its failure may pass; after `LOOKS` the last is raised."""
    return Retrying(
        retry=retry_if_exception(is_passing),
        stop=stop_after_attempt(LOOKS),
        wait=wait_exponential(multiplier=max(seconds, 0.01) / 5, max=60),
        reraise=True,
    )


@dataclass(frozen=True)
class Followed:
    """Something that runs elsewhere.

    Attributes:
        what: what it is called.
        look: asks for its state.
        ended: the states that are its last.
        is_passing: whether a failure of ``look`` may pass.
        how_to_follow: a command that shows it to whoever stops waiting.
    """

    what: str
    look: Callable[[], str]
    ended: Collection[str]
    is_passing: Callable[[BaseException], bool]
    how_to_follow: str

    def wait(self, *, seconds_between_looks: float) -> str:
        """Wait for its end, and return its last state.

        Raises:
            KeyboardInterrupt: Whoever waits has had enough; it runs on, and the message says how to follow it.
        """
        look = patient(self.is_passing, seconds=seconds_between_looks)
        console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        try:
            with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
                task = progress.add_task(self.what, total=None)
                while True:
                    state = look(self.look)
                    progress.update(task, description=f"{self.what}: {state}")
                    if state in self.ended:
                        return state
                    time.sleep(seconds_between_looks)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{self.what} runs on. Follow it with: {self.how_to_follow}") from None
