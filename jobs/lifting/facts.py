"""A comparison as JSON: the figures of the table and of the sentences, under keys that stay."""

from typing import Any

from jobs.lifting.comparison import Comparison
from jobs.lifting.counting import Arms
from jobs.lifting.sentences import sentences


def facts_of(comparison: Comparison, arms: Arms) -> dict[str, Any]:
    """All figures of a comparison. Money is text, days are ISO dates, shares and differences are numbers.

    ``absent`` are members whom the later run does not have. ``days_without_purchases`` are the last of the days, in
    which the run has no purchase of anybody.
    """
    return {
        **comparison.as_json(),
        **arms.lift.as_json(),
        "absent": dict(arms.absent),
        "days_without_purchases": comparison.days_without_purchases,
        "sentences": sentences(comparison, arms),
    }
