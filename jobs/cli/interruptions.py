"""What ends a program from outside: Ctrl-C (SIGINT), and SIGTERM, which Glue, EMR, Kubernetes and systemctl send.

The first signal raises KeyboardInterrupt wherever the program is. Later ones are ignored, so that nothing disturbs it
while it tidies up. The line that it ends with says what is true by then: see `state_is`.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""The signals that end a program, and how its last line begins."""

UNCHANGED = "what was there before is as it was"

SECONDS_TO_TIDY_UP = 10.0
"""After this the program ends wherever it is. Kubernetes kills after 30 s, and a person presses Ctrl-C again."""

SECONDS_UNTIL_RAISED_AGAIN = 0.2
"""After a library swallowed the exception, as Python itself does where an object is finalized."""


@dataclass
class _Program:
    """What is known of this process, which has one set of signal handlers.

    Attributes:
        name: of the program, for its last line.
        is_process: whether the process is this program and nothing else, so that it may be ended at any moment.
        is_working: whether the program's body runs, into which a signal raises.
        exit_code: of the body, once it has ended.
        signal: the first signal that arrived; 0 for none.
        deadline: when the process ends at the latest, on the monotonic clock.
        holds: how many blocks hold signals back.
        is_seen: whether the exception has arrived where the program tidies up.
        state: what is true of readers.
        child: the process that does not outlive the deadline.
    """

    name: str = "olist-rfm"
    is_process: bool = False
    is_working: bool = False
    exit_code: int = 0
    signal: int = 0
    deadline: float = 0.0
    holds: int = 0
    is_seen: bool = False
    state: str = UNCHANGED
    child: subprocess.Popen[bytes] | None = None


_program = _Program()


def for_the_whole_process() -> None:
    """Take signals from now until the process ends: while modules are imported, and while the interpreter exits."""
    if _program.is_process or threading.current_thread() is not threading.main_thread():
        return
    _program.is_process = True
    install_handlers()
    threading.Thread(target=_end_at_the_deadline, daemon=True).start()


def install_handlers() -> None:
    """Direct both signals here, as long as a program works or the process is one."""
    if (_program.is_working or _program.is_process) and threading.current_thread() is threading.main_thread():
        for number in WORDS:
            signal.signal(number, _on_signal)


@contextmanager
def raised_in(name: str) -> Iterator[None]:
    """Have the first signal raise KeyboardInterrupt in this block, from `start_raising` to `stop_raising`.

    Args:
        name: of the program, for the line that a signal after the block writes.
    """
    if _program.is_working or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in WORDS}
    hook_before = sys.unraisablehook
    vars(_program).update(vars(_Program(name, is_process=_program.is_process, is_working=True, holds=1)))
    sys.unraisablehook = _raise_again
    install_handlers()
    try:
        yield
    finally:
        _program.is_working = False
        sys.unraisablehook = hook_before
        if not _program.is_process:
            for number, handler in before.items():
                signal.signal(number, handler)


def start_raising() -> None:
    """Let the first signal raise, now that the program catches it.

    Raises:
        KeyboardInterrupt: A signal has arrived.
    """
    _program.holds = 0
    check()


def stop_raising(exit_code: int = 0) -> None:
    """Let signals no longer raise: the program has ended, or tidies up."""
    _program.is_seen = True
    _program.holds += 1
    _program.exit_code = exit_code


def is_working() -> bool:
    """Whether a program runs whose signals arrive here."""
    return _program.is_working


def received() -> int:
    """The signal that arrived; 0 for none."""
    return _program.signal


def exit_code() -> int:
    """What a shell expects of a program that the signal ended; Ctrl-C where none arrived."""
    return 128 + (_program.signal or signal.SIGINT)


def line(state: str = "") -> str:
    """The line that the program ends with.

    Args:
        state: what is true of readers (default: what `state_is` was told last).
    """
    word = WORDS[signal.Signals(_program.signal or signal.SIGINT)]
    return f"{word}; {state or _program.state}"


def state_is(text: str) -> None:
    """Note what is true of readers from now on, for a signal that arrives later."""
    _program.state = text


def state() -> str:
    """What is true of readers."""
    return _program.state


def tidy_up(*, within: float | None = None) -> None:
    """State that the exception has arrived where the program tidies up, and how long that may take.

    Args:
        within: seconds; None for `SECONDS_TO_TIDY_UP`.
    """
    _program.is_seen = True
    seconds = SECONDS_TO_TIDY_UP if within is None else within
    _program.deadline = max(_program.deadline, time.monotonic() + seconds)


def kill_at_the_deadline(process: subprocess.Popen[bytes]) -> None:
    """Have a process end with this one, even where this one can no longer tell it to."""
    _program.child = process


def is_swallowed() -> bool:
    """Whether a signal arrived that the program goes on in spite of: a library caught what it raised."""
    return bool(_program.signal) and _program.is_working and not _program.is_seen and not _program.holds


def check() -> None:
    """Raise what a library swallowed.

    Raises:
        KeyboardInterrupt: A signal has arrived, and the program is to end.
    """
    if is_swallowed():
        raise KeyboardInterrupt


@contextmanager
def restored() -> Iterator[None]:
    """Raise KeyboardInterrupt in place of an error that a library made of it in this block."""
    try:
        yield
    except Exception:
        check()
        raise


@contextmanager
def held_back() -> Iterator[None]:
    """Hold signals back in a block whose outcome has to be known. One that arrives raises when the block ends."""
    _program.holds += 1
    try:
        yield
    finally:
        _program.holds -= 1
    check()


def _on_signal(number: int, _: FrameType | None) -> None:
    if _program.signal:
        if not _program.is_seen and not _program.holds:
            raise KeyboardInterrupt
        return
    _program.signal = number
    _program.deadline = time.monotonic() + SECONDS_TO_TIDY_UP
    if not _program.is_working:
        _end_process()
    if not _program.holds:
        raise KeyboardInterrupt


def _end_process() -> None:
    """End the process at once. A program that failed has said why already."""
    if not _program.exit_code:
        os.write(2, f"{_program.name}: {line()}\n".encode())
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it may be in the middle of writing
            stream.flush()
    os._exit(_program.exit_code or exit_code())


def _end_at_the_deadline() -> None:
    while not _program.signal or time.monotonic() < _program.deadline:
        time.sleep(SECONDS_UNTIL_RAISED_AGAIN)
    if _program.child is not None:
        _program.child.kill()
    _end_process()


def _raise_again(unraisable: Any) -> None:
    """Raise in the program what was raised where Python cannot pass it on, and show anything else."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt) or not _program.signal:
        sys.__unraisablehook__(unraisable)
    elif not _program.is_seen:
        timer = threading.Timer(SECONDS_UNTIL_RAISED_AGAIN, os.kill, [os.getpid(), _program.signal])
        timer.daemon = True
        timer.start()
