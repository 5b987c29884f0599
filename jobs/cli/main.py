"""How a program ends: an exit code, and one line on stderr when it is not 0."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from jobs.cli import interruptions
from jobs.cli.printable import one_line
from jobs.errors import OutsideSystemError, PipelineError, reason_of


def run_main(name: str, body: Callable[[], None]) -> int:
    """Run the body of a program and return the exit code.

    An error that a user or an operator can mend ends in one line, and so do Ctrl-C and SIGTERM. A fault of this code
    keeps its traceback. A script exits with the code only if it is not 0. AWS Glue runs it inside a program of its own,
    which may take any ``SystemExit`` for a failure.
    """
    with interruptions.raised_in(name):
        try:
            interruptions.start_raising()
            code, line = _outcome(body)
            interruptions.stop_raising(code)
        except KeyboardInterrupt as interrupt:
            interruptions.stop_raising()
            code, line = interruptions.exit_code(), interruptions.line(str(interrupt))
        if interruptions.received():  # perhaps with the last instructions of the program
            code, line = interruptions.exit_code(), line or interruptions.line()
        if line:
            sys.stderr.write(f"{name}: {one_line(line)}\n")
        interruptions.stop_raising(code)
    return code


def _outcome(body: Callable[[], None]) -> tuple[int, str]:
    """The exit code of the body, and the line that says why it is not 0.

    Raises:
        KeyboardInterrupt: A signal arrived, also where a library made another error of it.
    """
    try:
        with interruptions.restored():
            body()
            sys.stdout.flush()
    except Exception as error:
        if isinstance(error, PipelineError):
            return error.exit_code, str(error)
        if isinstance(error, BrokenPipeError):
            _drop_output()
            return OutsideSystemError.exit_code, f"the reader of this output is gone; {interruptions.state()}"
        if isinstance(error, OSError):
            return OutsideSystemError.exit_code, f"cannot read or write a file: {reason_of(error)}"
        raise
    return 0, ""


def _drop_output() -> None:
    """Write what is left of the output nowhere. Python would try to pass it on when it exits."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
