"""Waiting for something on AWS to reach a final state, with progress on a terminal and lines elsewhere."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from deploy.aws.requests import UnreachableError
from jobs.cli import interruptions
from jobs.errors import PipelineError

POLL_SECONDS = 10.0
LOST_SECONDS = 900.0
"""How long a connection may be lost before the wait ends. What was started on AWS continues."""


@dataclass(frozen=True)
class State:
    """The state of something on AWS.

    Attributes:
        name: AWS's name of the state.
        is_final: whether the state will not change any more.
        detail: AWS's explanation, or the current step.
        run_id: the run that a job makes, if the service keeps it.
        response: the response that the state was read from.
    """

    name: str
    is_final: bool
    detail: str = ""
    run_id: str = ""
    response: Mapping[str, Any] = field(default_factory=dict)


class WaitInterruptedError(PipelineError):
    """The user stopped waiting; what was started on AWS continues."""

    exit_code = 128 + signal.SIGINT


def wait_until_final(
    title: str, poll: Callable[[], State], *, resume_command: str, seconds: float | None = None
) -> State:
    """Poll until the state is final.

    Args:
        title: the name of what is waited for.
        poll: reads the state from AWS.
        resume_command: the command that resumes the wait; messages name it.
        seconds: between two polls (default: `POLL_SECONDS`).

    Raises:
        WaitInterruptedError: The user pressed Ctrl-C.
        UnreachableError: AWS did not respond for `LOST_SECONDS`.
        RefusedError: AWS refused a poll.
    """
    pause = wait_fixed(POLL_SECONDS if seconds is None else seconds)
    with _progress_line(title) as update:

        def poll_and_update() -> State:
            state = _poll_with_retries(poll, pause)
            update(state)
            return state

        waiting = Retrying(wait=pause, retry=retry_if_result(lambda state: not state.is_final))
        try:
            return waiting(poll_and_update)
        except KeyboardInterrupt:
            interruptions.tidy_up()
            raise WaitInterruptedError(f"{title} is still running. Follow it with: {resume_command}") from None
        except UnreachableError as error:
            raise UnreachableError(f"{error}. {title} may still run. Follow it with: {resume_command}") from error


def _poll_with_retries(poll: Callable[[], State], pause: wait_fixed) -> State:
    retrying = Retrying(
        wait=pause,
        retry=retry_if_exception_type(UnreachableError),
        stop=stop_after_delay(LOST_SECONDS),
        reraise=True,
    )
    return retrying(poll)


@contextmanager
def _progress_line(title: str) -> Iterator[Callable[[State], None]]:
    """A line that changes in place on a terminal; elsewhere, a line for each new state."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        last_line: list[str] = []

        def print_if_new(state: State) -> None:
            line = _as_line(title, state)
            if last_line != [line]:
                last_line[:] = [line]
                console.print(line, markup=False)

        yield print_if_new
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=None)
        yield lambda state: progress.update(task, description=_as_line(title, state))


def _as_line(title: str, state: State) -> str:
    return f"{title}: {state.name} {state.detail}".rstrip()
