"""How a program ends: an exit code, and one line on stderr when it is not 0."""

import sys
from collections.abc import Callable

from jobs.cli.printable import one_line
from jobs.errors import PipelineError

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended."""


def run_main(name: str, body: Callable[[], None]) -> int:
    """Run the body of a program and return the exit code.

    An error that a user or an operator can mend ends in one line. A fault of this code keeps its traceback.
    """
    try:
        body()
    except PipelineError as error:
        sys.stderr.write(f"{name}: {one_line(str(error))}\n")
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        state = str(interrupt) or "what was there before is as it was"
        sys.stderr.write(f"{name}: interrupted; {one_line(state)}\n")
        return INTERRUPTED
    return 0
