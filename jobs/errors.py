"""What can go wrong for reasons outside this code, each with the exit code that it ends a run with.

Every message is one line: what was found, what was expected, what to do.
"""


class PipelineError(Exception):
    """A run cannot go on; the message is for whoever reads it at night."""

    exit_code = 1


class ConfigurationError(PipelineError):
    """An argument, a card or a path is not what it has to be. Nothing was written."""

    exit_code = 2


class DataError(PipelineError):
    """The input, or a total that has to hold over it, is not what it has to be."""

    exit_code = 3


class OutsideSystemError(PipelineError):
    """Something that this code depends on failed: Java, Spark, a disk, a service."""

    exit_code = 4
