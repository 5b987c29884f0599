"""Waiting for what runs on AWS: a line that moves while somebody looks, and the end of it as an exit code."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from deploy.aws.requests import Aws, RefusedError, Request, UnreachableError
from jobs.cli.main import INTERRUPTED
from jobs.errors import OutsideSystemError, PipelineError

POLL_SECONDS = 10.0
LOST_SECONDS = 900.0
"""How long a connection may be lost before the wait is given up; what runs on AWS runs on."""


@dataclass(frozen=True)
class State:
    """How something on AWS stands.

    Attributes:
        name: as AWS names it.
        is_final: whether it stays so.
        note: what else is to be said.
        run_id: of the run that it makes, where the service keeps it.
        answer: what AWS said, for whoever reads more of it once it is final.
    """

    name: str
    is_final: bool
    note: str = ""
    run_id: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)


class LeftRunningError(PipelineError):
    """Whoever waited does not wait any more; the job runs on."""

    exit_code = INTERRUPTED


class JobFailedError(PipelineError):
    """A job came to an end, and not to a good one; the exit code is its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def follow(title: str, look: Callable[[], State], *, how_to_follow: str, seconds: float | None = None) -> State:
    """Look until the state is final.

    Args:
        title: what is waited for.
        look: asks AWS.
        how_to_follow: the command that waits for it again, for whoever stops waiting.
        seconds: between two looks (default: `POLL_SECONDS`).

    Raises:
        LeftRunningError: Ctrl-C was pressed.
        UnreachableError: No answer for `LOST_SECONDS`.
        RefusedError: AWS refuses to say.
    """
    pause = wait_fixed(POLL_SECONDS if seconds is None else seconds)
    with _line(title) as update:

        def look_and_tell() -> State:
            found = _look(look, pause)
            update(found)
            return found

        waiting = Retrying(wait=pause, retry=retry_if_result(lambda state: not state.is_final))
        try:
            return waiting(look_and_tell)
        except KeyboardInterrupt:
            raise LeftRunningError(f"{title} runs on. Follow it with: {how_to_follow}") from None
        except UnreachableError as error:
            raise UnreachableError(f"{error}. {title} runs on. Follow it with: {how_to_follow}") from error


def _look(look: Callable[[], State], pause: wait_fixed) -> State:
    lost = Retrying(
        wait=pause,
        retry=retry_if_exception_type(UnreachableError),
        stop=stop_after_delay(LOST_SECONDS),
        reraise=True,
    )
    return lost(look)


@contextmanager
def _line(title: str) -> Iterator[Callable[[State], None]]:
    """A line that moves, on a terminal; elsewhere a line for each new state."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        last: list[str] = []

        def tell(state: State) -> None:
            text = f"{title}: {state.name} {state.note}".rstrip()
            if last != [text]:
                last[:] = [text]
                console.print(text, markup=False)

        yield tell
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=None)
        yield lambda state: progress.update(task, description=f"{title}: {state.name} {state.note}".rstrip())


def failure_of(aws: Aws, *, bucket: str, run_ids: Sequence[str], otherwise: str) -> PipelineError:
    """What a run that failed left word of in its folder: its own error and exit code.

    A job that was killed left none, and one that failed before it had a folder neither: then it is ``otherwise``, and
    an outside system that failed.

    Args:
        aws: the account.
        bucket: where the runs are.
        run_ids: the runs that it made, the first of which that left word is taken; none for a job that makes none.
        otherwise: what to say where none did.
    """
    for run_id in run_ids:
        key = f"output/runs/{run_id}/failure.json"
        try:
            answer = aws.ask(Request("s3", "get_object", {"Bucket": bucket, "Key": key}))
            said: dict[str, Any] = json.loads(answer["Body"].read())
            return JobFailedError(str(said["error"]), int(said["exit_code"]))
        except (RefusedError, UnreachableError, ValueError, KeyError):
            continue
    return OutsideSystemError(otherwise)
