"""What the gate returns or raises, without the library: importing Great Expectations takes seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleResult:
    """The result of one rule in Great Expectations.

    Attributes:
        passed: whether all expectations of the rule were met.
        examples: some of the values that failed, for rules that were evaluated in detail.
    """

    passed: bool
    examples: tuple[str, ...] = ()


class NotEvaluatedError(RuntimeError):
    """An expectation was not evaluated, so that there is no result. The message names the rule and the cause."""
