"""What can go wrong while expectations are evaluated."""


class NotEvaluatedError(RuntimeError):
    """An expectation was not evaluated; the message names its rule, and says why."""
