"""The errors that a user or an operator can mend, each with the exit code of a run that it ends.

Every message is one line: what was found, what was expected, what to do.
"""


class PipelineError(Exception):
    """A run cannot go on. The message is one line for the operator."""

    exit_code = 1


class ConfigurationError(PipelineError):
    """An argument, a card or a path is invalid. Nothing was written."""

    exit_code = 2


class DataError(PipelineError):
    """The data is not fit to use, or a total over it does not reconcile."""

    exit_code = 3


class OutsideSystemError(PipelineError):
    """A system that this code depends on failed: Java, Spark, a disk or a service."""

    exit_code = 4


def reason_of(error: OSError) -> str:
    """Why the system refused, and for which file: also where an error stands for many, as when a folder is copied."""
    first = error.args[0] if error.args else ""
    if isinstance(first, list) and first:  # shutil.Error: source, target and reason of each file
        source, _, reason = first[0]
        return f"{reason} ({source}{f' and {len(first) - 1} more' if len(first) > 1 else ''})"
    reason = error.strerror or str(error) or type(error).__name__
    return f"{reason} ({error.filename})" if error.filename else reason
